//! Releases as earlier programs asked for and signed them, read and judged as they did: signed histories hold such lines for
//! ever. What is asked now goes by `decision`.

use crate::canonical::sha256;
use crate::id::{DeviceId, Digest, MemberId, ReleaseId};
use crate::op::Decision;
use crate::role::Role;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The type of our statements.
pub const PREDICATE_TYPE: &str = "https://cairn.dev/attestation/approval/v1";
/// The SSHSIG namespace of sign-offs: a commit signature can never pass for an approval.
pub const NAMESPACE: &str = "approval@cairn";

/// What a release is called: 32 digits of the sha256 over the name of the operation that requests it.
/// So nobody can request it a second time and pass for who asked.
///
/// # Panics
/// Never: hexadecimal digits are an identifier.
#[allow(clippy::expect_used)]
pub fn release_id(device: &DeviceId, n: u64) -> ReleaseId {
    ReleaseId::parse(&sha256(format!("release {device}.{n}").as_bytes()).as_str()[..32]).expect("hexadecimal digits")
}

/// One thing that a signature binds to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// `model`, `card` or `dataset/<name>@<number>`.
    pub name: String,
    pub sha256: Digest,
}

/// What a risk class asks for: data in `assets/policies/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub risk_class: String,
    /// One approval from each of these roles.
    pub signoffs: Vec<Role>,
    /// Whoever requested the release may not approve it.
    pub requester_may_sign: bool,
    /// Two roles need two people.
    pub distinct_people: bool,
}

/// A release policy with a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub id: String,
    pub rules: Vec<Rule>,
}

impl Policy {
    /// The rule of a risk class. A class that is not set is judged by the strictest rule, the last.
    pub fn rule(&self, risk_class: &str) -> Option<&Rule> {
        self.rules.iter().find(|r| r.risk_class == risk_class).or(self.rules.last())
    }
}

/// What a statement says, read back from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub release: String,
    pub decision: Decision,
    pub role: Role,
    pub principal: String,
    pub reason: String,
    pub claimed_at: String,
    pub subjects: Vec<Bound>,
}

/// Reads a statement. The signature is checked elsewhere, over the same bytes.
pub fn read(text: &str) -> Result<Read, String> {
    crate::strict::check(text)?;
    let value: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    if value["_type"] != "https://in-toto.io/Statement/v1" || value["predicateType"] != PREDICATE_TYPE {
        return Err("it is no approval statement".to_owned());
    }
    let predicate = &value["predicate"];
    let text_of = |v: &Value, what: &str| v.as_str().map(str::to_owned).ok_or_else(|| format!("{what} is missing"));
    let subjects = value["subject"]
        .as_array()
        .ok_or("the subjects are missing")?
        .iter()
        .map(|s| {
            let sha256 = Digest::parse(text_of(&s["digest"]["sha256"], "a digest")?).map_err(|e| e.to_string())?;
            Ok(Bound { name: text_of(&s["name"], "a subject's name")?, sha256 })
        })
        .collect::<Result<Vec<_>, String>>()?;
    Ok(Read {
        release: text_of(&predicate["release"], "the release")?,
        decision: predicate["decision"].as_str().and_then(Decision::parse).ok_or("the decision is missing")?,
        role: predicate["role"].as_str().and_then(Role::parse).ok_or("the role is missing")?,
        principal: text_of(&predicate["signer"]["principal"], "the signer")?,
        reason: text_of(&predicate["reason"], "the reason")?,
        claimed_at: text_of(&predicate["claimedAt"], "the time")?,
        subjects,
    })
}

/// A sign-off as it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signoff {
    pub member: MemberId,
    pub role: Role,
    pub decision: Decision,
    pub subjects: Vec<Bound>,
}

/// Where a release stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Withdrawn,
    Rejected,
    SentBack,
    /// Something that was signed has changed since; the names say what.
    Stale(Vec<String>),
    /// Sign-offs of these roles are missing.
    Waiting(Vec<Role>),
    Approved,
}

/// The state of a release: of contradictory decisions the most restrictive counts.
pub fn state(rule: &Rule, requester: &MemberId, withdrawn: bool, signoffs: &[Signoff], current: &[Bound]) -> State {
    if withdrawn {
        return State::Withdrawn;
    }
    // A no stands whatever changed since: a new request is the way on, not a quiet edit.
    if signoffs.iter().any(|s| s.decision == Decision::Rejected) {
        return State::Rejected;
    }
    if signoffs.iter().any(|s| s.decision == Decision::SentBack && s.subjects == current) {
        return State::SentBack;
    }
    let may_count = |s: &&Signoff| s.decision == Decision::Approved && (rule.requester_may_sign || &s.member != requester);
    let fresh: Vec<&Signoff> = signoffs.iter().filter(may_count).filter(|s| s.subjects == current).collect();
    let missing = unfilled(rule, &fresh);
    if missing.is_empty() {
        return State::Approved;
    }
    let stale: Vec<&Signoff> = signoffs.iter().filter(may_count).filter(|s| s.subjects != current).collect();
    if !stale.is_empty() {
        let mut changed: Vec<String> = stale.iter().flat_map(|s| changed(&s.subjects, current)).collect();
        changed.sort();
        changed.dedup();
        return State::Stale(changed);
    }
    State::Waiting(missing)
}

/// The names of what differs between what was signed and what is now.
pub fn changed(signed: &[Bound], current: &[Bound]) -> Vec<String> {
    let differs = |a: &[Bound], b: &[Bound]| -> Vec<String> { a.iter().filter(|x| !b.contains(x)).map(|x| x.name.clone()).collect() };
    let mut names = differs(signed, current);
    names.extend(differs(current, signed));
    names.sort();
    names.dedup();
    names
}

/// The roles of the rule that no sign-off fills; with distinct people each person fills one.
fn unfilled(rule: &Rule, fresh: &[&Signoff]) -> Vec<Role> {
    fn fill(roles: &[Role], fresh: &[&Signoff], used: &mut Vec<MemberId>, distinct: bool) -> Vec<Role> {
        let Some((role, rest)) = roles.split_first() else { return Vec::new() };
        let mut best: Option<Vec<Role>> = None;
        for signoff in fresh.iter().filter(|s| s.role == *role) {
            if distinct && used.contains(&signoff.member) {
                continue;
            }
            used.push(signoff.member.clone());
            let open = fill(rest, fresh, used, distinct);
            used.pop();
            if best.as_ref().is_none_or(|b| open.len() < b.len()) {
                best = Some(open);
            }
        }
        let mut without = vec![*role];
        without.extend(fill(rest, fresh, used, distinct));
        match best {
            Some(open) if open.len() <= without.len() => open,
            _ => without,
        }
    }
    fill(&rule.signoffs, fresh, &mut Vec::new(), rule.distinct_people)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::sha256;

    fn who(name: &str) -> MemberId {
        MemberId::parse(name).unwrap()
    }
    fn bound(card: &str) -> Vec<Bound> {
        vec![Bound { name: "model".into(), sha256: sha256(b"files") }, Bound { name: "card".into(), sha256: sha256(card.as_bytes()) }]
    }
    fn signoff(name: &str, role: Role, decision: Decision, card: &str) -> Signoff {
        Signoff { member: who(name), role, decision, subjects: bound(card) }
    }
    fn rule(signoffs: &[Role]) -> Rule {
        Rule { risk_class: "x".into(), signoffs: signoffs.to_vec(), requester_may_sign: false, distinct_people: true }
    }
    fn judge(rule: &Rule, signoffs: &[Signoff]) -> State {
        state(rule, &who("dan"), false, signoffs, &bound("now"))
    }

    #[test]
    fn a_changed_card_makes_its_approval_stale() {
        let one = rule(&[Role::BusinessOwner]);
        let approve = |card| signoff("bea", Role::BusinessOwner, Decision::Approved, card);
        assert_eq!(judge(&one, &[approve("now")]), State::Approved);
        assert_eq!(judge(&one, &[approve("before")]), State::Stale(vec!["card".into()]));
        assert_eq!(judge(&one, &[approve("before"), approve("now")]), State::Approved, "signed again");
    }

    #[test]
    fn the_requester_cannot_approve_their_own_release() {
        let one = rule(&[Role::BusinessOwner]);
        let own = signoff("dan", Role::BusinessOwner, Decision::Approved, "now");
        assert_eq!(judge(&one, std::slice::from_ref(&own)), State::Waiting(vec![Role::BusinessOwner]));
        let tiny_team = Rule { requester_may_sign: true, ..one };
        assert_eq!(judge(&tiny_team, &[own]), State::Approved);
    }

    #[test]
    fn a_rejection_outweighs_an_approval_even_after_the_card_changed() {
        let one = rule(&[Role::BusinessOwner]);
        let yes = signoff("bea", Role::BusinessOwner, Decision::Approved, "now");
        let no = signoff("bob", Role::BusinessOwner, Decision::Rejected, "before");
        assert_eq!(judge(&one, &[yes, no]), State::Rejected);
    }

    #[test]
    fn sent_back_lasts_until_something_changed() {
        let one = rule(&[Role::BusinessOwner]);
        assert_eq!(judge(&one, &[signoff("bea", Role::BusinessOwner, Decision::SentBack, "now")]), State::SentBack);
        let old = signoff("bea", Role::BusinessOwner, Decision::SentBack, "before");
        assert_eq!(judge(&one, &[old]), State::Waiting(vec![Role::BusinessOwner]));
    }

    #[test]
    fn two_roles_need_two_people() {
        let two = rule(&[Role::Validator, Role::BusinessOwner]);
        let both =
            [signoff("bea", Role::BusinessOwner, Decision::Approved, "now"), signoff("bea", Role::Validator, Decision::Approved, "now")];
        assert!(matches!(judge(&two, &both), State::Waiting(open) if open.len() == 1));
        let more = [both[0].clone(), both[1].clone(), signoff("val", Role::Validator, Decision::Approved, "now")];
        assert_eq!(judge(&two, &more), State::Approved);
    }

    #[test]
    fn a_risk_class_that_is_not_set_is_judged_by_the_strictest_rule() {
        let policy = Policy {
            id: "p".into(),
            rules: vec![
                Rule { risk_class: "low".into(), ..rule(&[Role::BusinessOwner]) },
                Rule { risk_class: "high".into(), ..rule(&[Role::Validator, Role::BusinessOwner]) },
            ],
        };
        assert_eq!(policy.rule("").map(|r| r.signoffs.len()), Some(2));
        assert_eq!(policy.rule("low").map(|r| r.signoffs.len()), Some(1));
    }
}
