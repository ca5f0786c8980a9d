//! Which setting is better, and how sure that is. Certainty comes from repetitions only: from runs that differ in
//! nothing but a seed or a fold, never from one run.

use crate::charts::say;
use crate::charts::spec::BetterIs;
use crate::tracking::runs::Run;
use cairn_chart::text::number;
use cairn_stats::compare::{Difference, Unsure, paired, welch};
use cairn_stats::relate::Better;
use std::collections::{BTreeMap, BTreeSet};

/// Parameters that make a run a repetition of another. A number of folds or a share to split off is a setting.
const REPEATS: [&str; 9] =
    ["seed", "random_state", "randomstate", "random_seed", "fold", "cv_fold", "repetition", "replicate", "iteration_seed"];

/// Whether a parameter only tells repetitions apart.
fn is_repeat(name: &str) -> bool {
    let name = name.to_lowercase();
    REPEATS.contains(&name.as_str()) || name.rsplit(['.', '/', '_', '-']).next().is_some_and(|w| w == "seed")
}

/// What each run was set to where they differ: parameters, and beyond them code and data, so that only what is alike in
/// all of these counts as a repetition. `beyond` has what is known of each run's code, by name.
pub(crate) fn settings(runs: &[Run], beyond: &[BTreeMap<String, String>]) -> Vec<String> {
    let all: Vec<BTreeMap<String, String>> = runs
        .iter()
        .enumerate()
        .map(|(i, r)| {
            let params = r.params.iter().filter(|(n, _)| !is_repeat(n)).map(|(n, v)| (n.clone(), v.clone()));
            let short = |v: &String| v.chars().take(12).collect::<String>();
            let more = beyond.get(i).into_iter().flatten().map(|(n, v)| (format!("{} of", n.to_lowercase()), short(v)));
            params.chain(more).collect()
        })
        .collect();
    let names: BTreeSet<&String> = all.iter().flat_map(BTreeMap::keys).collect();
    let differ: Vec<&String> = names.into_iter().filter(|n| all.windows(2).any(|w| w[0].get(*n) != w[1].get(*n))).collect();
    // Runs that say nothing of how they were set are not known to be alike.
    let silent = all.iter().all(BTreeMap::is_empty) && runs.iter().all(|r| r.params.is_empty());
    all.iter()
        .zip(runs)
        .map(|(one, run)| {
            if silent {
                return run.name().to_owned();
            }
            let parts = differ.iter().map(|n| {
                let (name, of) = (n.trim_end_matches(" of"), n.ends_with(" of"));
                one.get(*n).map_or_else(|| format!("without {name}"), |v| if of { format!("{name} {v}…") } else { format!("{name} {v}") })
            });
            parts.collect::<Vec<_>>().join(", ")
        })
        .collect()
}

pub(crate) struct Said {
    pub metric: Option<String>,
    pub verdict: String,
    pub certainty: String,
    pub sure: bool,
}

/// Runs of one setting.
struct Arm {
    name: String,
    /// Seed or fold, and value.
    values: Vec<(String, f64)>,
    /// Its first run.
    run: usize,
}

impl Arm {
    fn mean(&self) -> f64 {
        self.values.iter().map(|v| v.1 / self.values.len() as f64).sum()
    }
}

/// The metric that most likely decides: of validation or test rather than of training, and one whose direction is known.
pub(crate) fn likeliest(runs: &[Run]) -> Option<String> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for m in runs.iter().flat_map(|r| &r.metrics) {
        if m.last.value.is_finite() {
            *seen.entry(&m.key).or_default() += 1;
        }
    }
    let rank = |name: &str| {
        let lower = name.to_lowercase();
        let of = if lower.contains("test") {
            3
        } else if lower.contains("val") || lower.contains("eval") {
            2
        } else if lower.contains("train") {
            0
        } else {
            1
        };
        // A measure that people mean rather than one that training minimises.
        (of, u8::from(!lower.contains("loss")))
    };
    seen.iter()
        .filter(|(name, count)| **count * 2 > runs.len() && say::direction(name, BetterIs::Unsaid).is_some())
        .max_by(|a, b| rank(a.0).cmp(&rank(b.0)).then(a.1.cmp(b.1)).then(b.0.cmp(a.0)))
        .map(|(name, _)| (*name).to_owned())
}

pub(crate) fn judge(runs: &[Run], settings: &[String], wanted: Option<&str>, said: BetterIs) -> Said {
    let none = |verdict: String| Said { metric: None, verdict, certainty: String::new(), sure: false };
    let Some(metric) = wanted.map(str::to_owned).or_else(|| likeliest(runs)) else {
        return none("These runs have no metric in common of which it is known whether more or less is better.".to_owned());
    };
    let Some(better) = say::direction(&metric, said) else {
        let verdict = format!("Whether more or less {metric} is better is not known; say it above.");
        return Said { metric: Some(metric), ..none(verdict) };
    };
    let mut arms: Vec<Arm> = Vec::new();
    let mut lost = 0;
    // What a run had when it broke says little of its setting; where nothing else is known it is better than nothing.
    let broken = |r: &Run| r.status == "FAILED";
    let (failed, all_failed) = (runs.iter().filter(|r| broken(r)).count(), runs.iter().all(broken));
    for (i, (run, setting)) in runs.iter().zip(settings).enumerate().filter(|(_, (r, _))| all_failed || !broken(r)) {
        // MLflow's servers keep infinity as the greatest double.
        let value = run.metrics.iter().find(|m| m.key == metric).map(|m| m.last.value).filter(|v| v.abs() < f64::MAX);
        let Some(value) = value else {
            lost += 1;
            continue;
        };
        let seed = run.params.iter().filter(|(n, _)| is_repeat(n)).map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(",");
        match arms.iter_mut().find(|a| a.name == *setting) {
            Some(arm) => arm.values.push((seed, value)),
            None => arms.push(Arm { name: setting.clone(), values: vec![(seed, value)], run: i }),
        }
    }
    let mut said = match arms.as_slice() {
        [] => none(format!("None of these runs has a number for {metric}.")),
        [arm] if arm.values.len() > 1 && settings.windows(2).all(|w| w[0] == w[1]) => of_one_setting(arm, &metric),
        [arm] => none(format!("Only {} has a number for {metric}: {}.", called(runs, arm), number(arm.mean()))),
        _ => of_arms(runs, arms, &metric, better),
    };
    match (failed, all_failed) {
        (0, _) => {}
        (_, true) => said.verdict.push_str(" All of them failed; what is compared is what they had reached."),
        (1, false) => said.verdict.push_str(" One run failed and is not counted."),
        (n, false) => said.verdict.push_str(&format!(" {n} runs failed and are not counted.")),
    }
    if lost > 0 && runs.len() > lost {
        said.verdict.push_str(&format!(" {lost} of {} runs have no number for it and are not counted.", runs.len()));
    }
    let unfinished = runs.iter().filter(|r| r.status == "RUNNING").count();
    if unfinished > 0 {
        said.verdict.push_str(&format!(" {unfinished} of them still run."));
    }
    Said { metric: Some(metric), ..said }
}

fn of_one_setting(arm: &Arm, metric: &str) -> Said {
    let values: Vec<f64> = arm.values.iter().map(|v| v.1).collect();
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
    let certainty = match cairn_stats::compare::mean_interval(&values, 0.95) {
        Ok((a, _, b)) => format!("With 95 % certainty the mean of such runs lies between {} and {}.", number(a), number(b)),
        Err(_) => String::new(),
    };
    Said {
        metric: None,
        verdict: format!(
            "These {} runs repeat each other: they are set alike. Their {metric} is {} on average, from {} to {}.",
            values.len(),
            number(arm.mean()),
            number(low),
            number(high)
        ),
        certainty,
        sure: false,
    }
}

/// The runs as a sentence names them: the run where it is alone, else the setting.
fn called(runs: &[Run], arm: &Arm) -> String {
    match runs.get(arm.run) {
        Some(run) if arm.values.len() == 1 => run.name().to_owned(),
        _ if arm.name.is_empty() => "the first setting".to_owned(),
        _ => arm.name.clone(),
    }
}

fn of_arms(runs: &[Run], mut arms: Vec<Arm>, metric: &str, better: Better) -> Said {
    let compared = arms.len() - 1;
    arms.sort_by(|a, b| {
        let order = a.mean().total_cmp(&b.mean());
        if better == Better::Higher { order.reverse() } else { order }
    });
    let (best, next) = (&arms[0], &arms[1]);
    let by = (best.mean() - next.mean()).abs();
    let way = if better == Better::Higher { "higher" } else { "lower" };
    let (best_name, next_name) = (called(runs, best), called(runs, next));
    if by == 0.0 {
        let verdict = format!("{best_name} and {next_name} are equal on {metric}: {}.", number(best.mean()));
        return Said { metric: None, verdict, certainty: String::new(), sure: false };
    }
    let among = if compared > 1 { format!(" of {} settings", compared + 1) } else { String::new() };
    let verdict = format!(
        "{best_name} is best{among} on {metric}: {} is {way} by {} than {next_name} with {}.",
        number(best.mean()),
        number(by),
        number(next.mean())
    );
    // Whoever picks the best of many picks some luck with it: each comparison gets its share of the doubt (Bonferroni).
    let level = 1.0 - 0.05 / compared as f64;
    let (certainty, sure) = certainty(best, next, better, level, compared);
    Said { metric: None, verdict, certainty, sure }
}

fn certainty(best: &Arm, next: &Arm, better: Better, level: f64, compared: usize) -> (String, bool) {
    let pairs = pairs(best, next);
    let (difference, how) = if pairs.len() >= 2 && pairs.len() == best.values.len() && pairs.len() == next.values.len() {
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        (paired(&b, &a, level), format!("from {} pairs with the same seed or fold", pairs.len()))
    } else {
        let values = |arm: &Arm| arm.values.iter().map(|v| v.1).collect::<Vec<f64>>();
        (welch(&values(next), &values(best), level), format!("from {} and {} runs", best.values.len(), next.values.len()))
    };
    let many = if compared > 1 { format!(", allowing for {compared} comparisons") } else { String::new() };
    match difference {
        Ok(Difference { low, high, .. }) => {
            let (a, b) = (low.abs().min(high.abs()), low.abs().max(high.abs()));
            // On the side that the ranking says; the other side would speak against it.
            let sure = if better == Better::Higher { low > 0.0 } else { high < 0.0 };
            if sure {
                (
                    format!(
                        "That is more than chance: with 95 % certainty the difference lies between {} and {} ({how}{many}).",
                        number(a),
                        number(b)
                    ),
                    true,
                )
            } else {
                (
                    format!(
                        "That may be chance: with 95 % certainty the difference lies between {} and {} ({how}{many}), which includes none.",
                        number(low),
                        number(high)
                    ),
                    false,
                )
            }
        }
        Err(Unsure::TooFew) => (
            "How much of it is chance cannot be said: at least one of the two was run only once. Repeat both with other seeds.".to_owned(),
            false,
        ),
        Err(Unsure::NoSpread) => (
            "All repetitions gave the same value, so nothing tells how much of it is chance. Was the seed really changed?".to_owned(),
            false,
        ),
    }
}

/// Values of the best and the next that have the same seed or fold.
fn pairs(best: &Arm, next: &Arm) -> Vec<(f64, f64)> {
    let named = |arm: &Arm| -> Option<BTreeMap<String, f64>> {
        let map: BTreeMap<String, f64> = arm.values.iter().filter(|v| !v.0.is_empty()).map(|v| (v.0.clone(), v.1)).collect();
        // A seed that came twice pairs with nothing.
        (map.len() == arm.values.len()).then_some(map)
    };
    let (Some(a), Some(b)) = (named(best), named(next)) else { return Vec::new() };
    a.iter().filter_map(|(seed, v)| Some((*v, *b.get(seed)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_store::metrics::{Point, Summary};

    fn run(name: &str, params: &[(&str, &str)], accuracy: f64) -> Run {
        Run {
            id: name.to_owned(),
            experiment: 1,
            experiment_id: String::new(),
            user: String::new(),
            status: "FINISHED".into(),
            start_ms: 0,
            end_ms: None,
            deleted: false,
            params: params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            tags: BTreeMap::from([("mlflow.runName".to_owned(), name.to_owned())]),
            metrics: vec![Summary {
                key: "val_accuracy".into(),
                count: 1,
                last: Point { step: 0, ts: 0, value: accuracy },
                min: Some(accuracy),
                max: Some(accuracy),
            }],
            inputs: Vec::new(),
            model_inputs: Vec::new(),
            outputs: Vec::new(),
            device: String::new(),
        }
    }

    fn check(runs: &[Run]) -> Said {
        judge(runs, &settings(runs, &[]), None, BetterIs::Unsaid)
    }

    #[test]
    fn one_run_each_gives_a_verdict_without_certainty() {
        let said = check(&[run("a", &[("lr", "0.1")], 0.8), run("b", &[("lr", "0.2")], 0.9)]);
        assert!(said.verdict.starts_with("b is best on val_accuracy: 0.9 is higher by 0.1 than a"), "{}", said.verdict);
        assert!(said.certainty.contains("run only once") && !said.sure, "{}", said.certainty);
    }

    #[test]
    fn repeated_seeds_give_an_interval_and_pairs_are_used() {
        let mut runs = Vec::new();
        for (seed, (a, b)) in [(0.81, 0.85), (0.83, 0.88), (0.80, 0.84), (0.84, 0.86), (0.82, 0.85)].into_iter().enumerate() {
            let seed = seed.to_string();
            runs.push(run(&format!("a{seed}"), &[("lr", "0.1"), ("seed", &seed)], a));
            runs.push(run(&format!("b{seed}"), &[("lr", "0.2"), ("seed", &seed)], b));
        }
        let said = check(&runs);
        assert!(said.verdict.starts_with("lr 0.2 is best on val_accuracy: 0.856 is higher by 0.036 than lr 0.1"), "{}", said.verdict);
        assert!(
            said.sure && said.certainty.contains("between 0.02184 and 0.05016 (from 5 pairs"),
            "scipy's paired interval: {}",
            said.certainty
        );
        for r in &mut runs {
            r.params.remove("seed");
        }
        let said = check(&runs);
        assert!(said.sure && said.certainty.contains("between 0.0134 and 0.0586 (from 5 and 5 runs"), "Welch's: {}", said.certainty);
    }

    #[test]
    fn a_difference_within_the_noise_is_called_so() {
        let runs = [
            run("a", &[("lr", "1"), ("seed", "1")], 0.80),
            run("b", &[("lr", "1"), ("seed", "2")], 0.90),
            run("c", &[("lr", "2"), ("seed", "1")], 0.86),
            run("d", &[("lr", "2"), ("seed", "2")], 0.85),
        ];
        let said = check(&runs);
        assert!(!said.sure && said.certainty.starts_with("That may be chance"), "{}", said.certainty);
    }

    #[test]
    fn runs_that_repeat_each_other_are_not_ranked() {
        let said = check(&[run("a", &[("seed", "1")], 0.8), run("b", &[("seed", "2")], 0.9)]);
        assert!(said.verdict.contains("repeat each other"), "{}", said.verdict);
        let two = check(&[run("a", &[], 0.8), run("b", &[], 0.9)]);
        assert!(two.verdict.starts_with("b is best"), "runs that say nothing of themselves are not known to repeat: {}", two.verdict);
        let beyond =
            [BTreeMap::from([("Commit".to_owned(), "aaaa".to_owned())]), BTreeMap::from([("Commit".to_owned(), "bbbb".to_owned())])];
        let runs = [run("a", &[("seed", "1")], 0.8), run("b", &[("seed", "2")], 0.9)];
        let two = judge(&runs, &settings(&runs, &beyond), None, BetterIs::Unsaid);
        assert!(two.verdict.starts_with("b is best"), "other code is another setting: {}", two.verdict);
        let lost = check(&[run("a", &[("lr", "1")], 0.8), run("b", &[("lr", "1")], 0.9), run("c", &[("lr", "2")], f64::MAX)]);
        assert!(!lost.verdict.contains("repeat") && lost.verdict.contains("1 of 3 runs have no number"), "{}", lost.verdict);
        assert!(check(&[run("a", &[], f64::NAN)]).verdict.contains("no metric in common"));
    }

    #[test]
    fn a_run_that_failed_is_not_counted_and_somebody_may_say_what_is_better() {
        let mut runs = [run("a", &[("lr", "1")], 0.8), run("b", &[("lr", "2")], 0.9), run("c", &[("lr", "3")], 0.7)];
        runs[1].status = "FAILED".into();
        let said = check(&runs);
        assert!(said.verdict.starts_with("a is best") && said.verdict.contains("One run failed"), "{}", said.verdict);
        let said = judge(&runs, &settings(&runs, &[]), Some("val_accuracy"), BetterIs::Lower);
        assert!(said.verdict.starts_with("c is best"), "{}", said.verdict);
        runs.iter_mut().for_each(|r| r.status = "FAILED".into());
        assert!(check(&runs).verdict.contains("All of them failed"));
    }

    #[test]
    fn pairs_that_speak_against_the_ranking_make_nothing_sure() {
        let seeds = |lr: &str, values: &[f64]| -> Vec<Run> {
            values.iter().enumerate().map(|(i, v)| run(&format!("{lr}-{i}"), &[("lr", lr), ("seed", &i.to_string())], *v)).collect()
        };
        let mut runs = seeds("1", &[0.80, 0.81, 0.97, 0.97, 0.97]);
        runs.extend(seeds("2", &[0.851, 0.860]));
        let said = check(&runs);
        assert!(said.verdict.starts_with("lr 1 is best") && !said.sure, "{} {}", said.verdict, said.certainty);
        assert!(is_repeat("model.seed") && !is_repeat("k_fold") && !is_repeat("split") && is_repeat("fold"));
    }
}
