//! What two people change at the same time: shown, brought together, settled by a click.

use crate::seat::{Seat, Team};
use serde_json::{Value, json};

fn field(seat: &Seat, project: &Value) -> Value {
    let now = seat.must("project.get", json!({ "project": project }));
    now["fields"].as_array().unwrap().iter().find(|f| f["name"] == "problem").unwrap().clone()
}

fn edit(seat: &Seat, project: &Value, value: &str) {
    let base = field(seat, project)["base"].clone();
    seat.must("project.edit", json!({ "project": project, "field": "problem", "value": value, "base": base }));
}

fn both_may_edit() -> (Team, Value) {
    let team = Team::new();
    let project = team.ana.must("project.create", json!({ "title": "P", "problem": "first" }))["id"].clone();
    team.settle();
    (team, project)
}

#[test]
fn a_conflict_is_settled_by_one_choice_for_everybody() {
    let (team, project) = both_may_edit();
    edit(&team.ana, &project, "ana's words");
    edit(&team.dan, &project, "dan's words");
    team.settle();
    assert_eq!(field(&team.ana, &project)["versions"].as_array().unwrap().len(), 2);
    edit(&team.ana, &project, "dan's words");
    assert_eq!(field(&team.ana, &project)["versions"], json!([]));
    team.settle();
    for seat in [&team.ana, &team.dan] {
        let now = field(seat, &project);
        assert_eq!((&now["value"], &now["versions"]), (&json!("dan's words"), &json!([])));
    }
    assert_eq!(team.ana.digest(), team.dan.digest());
}

#[test]
fn two_who_settle_the_same_conflict_differently_are_shown_that_too() {
    let (team, project) = both_may_edit();
    edit(&team.ana, &project, "ana's words");
    edit(&team.dan, &project, "dan's words");
    team.settle();
    edit(&team.ana, &project, "ana's words");
    edit(&team.dan, &project, "dan's words");
    team.settle();
    assert_eq!(field(&team.ana, &project)["versions"].as_array().unwrap().len(), 2);
    edit(&team.dan, &project, "both");
    team.settle();
    assert_eq!(field(&team.ana, &project)["versions"], json!([]));
}

fn note(seat: &Seat, project: &Value) -> Value {
    seat.must("note.list", json!({ "about": { "kind": "project", "id": project } }))[0].clone()
}

fn write(seat: &Seat, project: &Value, text: &str) {
    let now = note(seat, project);
    let about = json!({ "kind": "project", "id": project });
    seat.must("note.save", json!({ "note": now["id"], "about": about, "title": now["title"], "text": text, "base": now["base"] }));
}

#[test]
fn fault_21_two_people_in_one_note_offline_and_both_texts_survive() {
    let (team, project) = both_may_edit();
    let about = json!({ "kind": "project", "id": project });
    team.ana.must("note.save", json!({ "about": about, "title": "Plan", "text": "One.\nTwo.\nThree.\n" }));
    team.settle();
    write(&team.ana, &project, "Zero.\nOne.\nTwo.\nThree.\n");
    write(&team.ana, &project, "Zero!\nOne.\nTwo.\nThree.\n");
    write(&team.dan, &project, "One.\nTwo.\nThree.\nFour.\n");
    team.settle();
    for seat in [&team.ana, &team.dan] {
        let now = note(seat, &project);
        assert_eq!(now["text"], "Zero!\nOne.\nTwo.\nThree.\nFour.\n");
        assert_eq!(now["merged"].as_array().unwrap().len(), 2, "it says whose edits these are: {now}");
        assert_eq!(now["versions"], json!([]));
    }
    write(&team.dan, &project, "Zero!\nOne.\nThree.\nFour.\n");
    team.settle();
    let now = note(&team.ana, &project);
    assert_eq!((&now["text"], &now["merged"]), (&json!("Zero!\nOne.\nThree.\nFour.\n"), &json!([])));
    assert_eq!(team.ana.digest(), team.dan.digest());
}

#[test]
fn fault_21_an_edit_that_cannot_be_merged_is_shown_beside_the_other() {
    use cairn_core::op::Op;
    let (team, project) = both_may_edit();
    let about = json!({ "kind": "project", "id": project });
    team.ana.must("note.save", json!({ "about": about, "title": "Plan", "text": "One." }));
    team.settle();
    write(&team.ana, &project, "One, says Ana.");
    // A malformed update from another program.
    let now = note(&team.dan, &project);
    let base = now["base"].as_str().unwrap().split(' ').map(|b| cairn_core::id::OpId::parse(b.to_owned()).unwrap()).collect();
    let op = Op::NoteEdited {
        note: cairn_core::id::NoteId::parse(now["id"].as_str().unwrap().to_owned()).unwrap(),
        title: cairn_core::text::Title::parse("Plan").unwrap(),
        text: cairn_core::text::Body::parse("One, says Dan.").unwrap(),
        base,
        update: Some("bG9ybwABAgM=".into()),
    };
    team.dan.host.workspace().unwrap().append(op).unwrap();
    team.settle();
    for seat in [&team.ana, &team.dan] {
        let now = note(seat, &project);
        let mut texts: Vec<&str> = now["versions"].as_array().unwrap().iter().map(|v| v["value"].as_str().unwrap()).collect();
        texts.sort_unstable();
        assert_eq!(texts, ["One, says Ana.", "One, says Dan."]);
    }
    // Choosing one goes on from there, with plain texts.
    write(&team.ana, &project, "One, say both.");
    team.settle();
    let now = note(&team.dan, &project);
    assert_eq!((&now["text"], &now["versions"]), (&json!("One, say both."), &json!([])));
}

#[test]
fn what_was_deleted_while_somebody_changed_it_comes_back_as_a_question() {
    let (team, project) = both_may_edit();
    let about = json!({ "kind": "project", "id": project });
    let id = team.ana.must("note.save", json!({ "about": about, "title": "Plan", "text": "One." }))["id"].clone();
    team.settle();
    write(&team.dan, &project, "One and two.");
    let subject = json!({ "subject": { "kind": "note", "id": id } });
    team.ana.must("record.delete", subject.clone());
    team.settle();
    let asked = |seat: &Seat| {
        let inbox = seat.must("inbox.list", json!({}));
        inbox
            .as_array()
            .unwrap()
            .iter()
            .filter(|i| i["kind"] == "deleted")
            .map(|i| i["text"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for seat in [&team.ana, &team.dan] {
        let question = asked(seat);
        assert_eq!(question.len(), 1);
        assert!(question[0].starts_with("Ana deleted it while Dan changed it"), "{question:?}");
    }
    // Keeping it shows the text with the edit; deleting it in knowledge of the edit is final.
    team.dan.must("record.delete", json!({ "subject": subject["subject"], "restore": true }));
    team.settle();
    assert!(asked(&team.ana).is_empty() && asked(&team.dan).is_empty());
    assert_eq!(note(&team.ana, &project)["text"], "One and two.");
    write(&team.dan, &project, "Three.");
    team.ana.must("record.delete", subject.clone());
    team.settle();
    assert_eq!(asked(&team.dan).len(), 1);
    team.ana.must("record.delete", subject);
    team.settle();
    assert!(asked(&team.ana).is_empty() && asked(&team.dan).is_empty());
}

#[test]
fn tags_and_ticks_set_at_the_same_time_are_all_there() {
    use cairn_api::tracking::runs::{self, Batch};
    let team = Team::new();
    team.ana.must("member.grant", json!({ "member": team.ana.me(), "role": "data_scientist" }));
    let run = crate::tracking::model_run(&team.dan);
    team.settle();
    let tag = |seat: &Seat, key: &str| {
        let batch = Batch { tags: vec![(key.to_owned(), "1".to_owned())], ..Batch::default() };
        runs::log_batch(&seat.host.workspace().unwrap(), &run, batch).unwrap();
    };
    tag(&team.ana, "from-ana");
    tag(&team.dan, "from-dan");
    team.settle();
    for seat in [&team.ana, &team.dan] {
        let tags = seat.must("run.get", json!({ "run": run }))["run"]["tags"].clone();
        assert_eq!((&tags["from-ana"], &tags["from-dan"]), (&json!("1"), &json!("1")));
    }
    assert_eq!(team.ana.digest(), team.dan.digest());
}
