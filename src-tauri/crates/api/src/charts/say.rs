//! What a chart shows, in a sentence for somebody who has never seen one.

use super::spec::BetterIs;
use cairn_chart::text::number;
use cairn_stats::relate::Better;

/// Names of metrics of which less is better; as whole words of the name.
const LOWER: [&str; 27] = [
    "loss",
    "error",
    "err",
    "mae",
    "mse",
    "rmse",
    "mape",
    "smape",
    "perplexity",
    "ppl",
    "wer",
    "cer",
    "brier",
    "latency",
    "time",
    "fid",
    "entropy",
    "crossentropy",
    "deviance",
    "regret",
    "cost",
    "distance",
    "bytes",
    "memory",
    "hinge",
    "nll",
    "davies",
];
const HIGHER: [&str; 27] = [
    "accuracy",
    "acc",
    "f1",
    "fbeta",
    "precision",
    "recall",
    "auc",
    "auroc",
    "auprc",
    "ap",
    "map",
    "r2",
    "score",
    "iou",
    "dice",
    "bleu",
    "rouge",
    "reward",
    "return",
    "kappa",
    "mcc",
    "psnr",
    "ssim",
    "sensitivity",
    "specificity",
    "throughput",
    "ndcg",
];

/// Which values of a metric are better, by its name or by what somebody said.
pub(crate) fn direction(metric: &str, said: BetterIs) -> Option<Better> {
    match said {
        BetterIs::Higher => return Some(Better::Higher),
        BetterIs::Lower => return Some(Better::Lower),
        BetterIs::Unsaid => {}
    }
    let name = metric.to_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    // The last word that says it: `loss_accuracy` is an accuracy. Scorers of scikit-learn turn losses round and say so;
    // "score" itself only says that something is measured: `brier_score` is a loss.
    let turned = words.iter().any(|w| matches!(*w, "neg" | "negative"));
    let found = words.iter().rev().filter(|w| **w != "score").find_map(|w| {
        if LOWER.contains(w) {
            Some(Better::Lower)
        } else if HIGHER.contains(w) {
            Some(Better::Higher)
        } else {
            None
        }
    });
    match found {
        Some(Better::Lower) if turned => Some(Better::Higher),
        Some(Better::Higher) if turned => Some(Better::Lower),
        None if words.contains(&"score") => Some(Better::Higher),
        other => other,
    }
}

/// One curve: where it begins and ends.
pub(crate) fn one_curve(metric: &str, first: f64, last: f64, low: f64, high: f64, points: u64) -> String {
    if points == 0 || low > high {
        return format!("{metric} has no number that could be drawn.");
    }
    if points == 1 {
        return format!("{metric} was measured once: {}.", number(last));
    }
    if low == high {
        return format!("{metric} stayed at {} over {} points.", number(low), many(points));
    }
    format!(
        "{metric} went from {} to {} over {} points (lowest {}, highest {}).",
        number(first),
        number(last),
        many(points),
        number(low),
        number(high)
    )
}

/// Several curves by where they end.
pub(crate) fn curves(metric: &str, ends: &[(&str, f64)], better: Option<Better>, what: &str) -> String {
    let ends: Vec<&(&str, f64)> = ends.iter().filter(|e| e.1.is_finite()).collect();
    let (Some(low), Some(high)) = (ends.iter().min_by(|a, b| a.1.total_cmp(&b.1)), ends.iter().max_by(|a, b| a.1.total_cmp(&b.1))) else {
        return format!("None of these {what} has a number for {metric}.");
    };
    if low.1 == high.1 {
        return format!("All {} {what} end at {}.", many(ends.len() as u64), number(low.1));
    }
    let range = format!("{} {what} end between {} and {}", many(ends.len() as u64), number(low.1), number(high.1));
    match better {
        Some(Better::Higher) => format!("{} ends highest, which is best: {metric} {}. {range}.", high.0, number(high.1)),
        Some(Better::Lower) => format!("{} ends lowest, which is best: {metric} {}. {range}.", low.0, number(low.1)),
        None => format!("{range} ({} lowest, {} highest).", low.0, high.0),
    }
}

/// A count as people read it: `12,345`.
pub(crate) fn many(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// How strong a correlation is, as one says it.
pub(crate) fn strength(r: f64) -> &'static str {
    match r.abs() {
        v if v >= 0.7 => "strongly",
        v if v >= 0.4 => "clearly",
        v if v >= 0.2 => "weakly",
        _ => "hardly",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_metric_says_which_way_is_better() {
        for (name, wanted) in [
            ("val_loss", Some(Better::Lower)),
            ("test/accuracy_score", Some(Better::Higher)),
            ("training_root_mean_squared_error", Some(Better::Lower)),
            ("eval-F1", Some(Better::Higher)),
            ("neg_mean_squared_error", Some(Better::Higher)),
            ("brier_score", Some(Better::Lower)),
            ("my_score", Some(Better::Higher)),
            ("lossless", None),
            ("epoch", None),
        ] {
            assert_eq!(direction(name, BetterIs::Unsaid), wanted, "{name}");
        }
        assert_eq!(direction("loss", BetterIs::Higher), Some(Better::Higher), "what somebody said holds");
    }

    #[test]
    fn sentences_can_be_read_aloud() {
        assert_eq!(one_curve("loss", 1.0, 0.25, 0.2, 1.0, 1_200), "loss went from 1 to 0.25 over 1,200 points (lowest 0.2, highest 1).");
        assert_eq!(one_curve("loss", 1.0, 1.0, 1.0, 1.0, 3), "loss stayed at 1 over 3 points.");
        assert_eq!(one_curve("loss", f64::NAN, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 3), "loss has no number that could be drawn.");
        assert_eq!(
            curves("loss", &[("a", 0.5), ("b", 0.25), ("c", f64::NAN)], Some(Better::Lower), "runs"),
            "b ends lowest, which is best: loss 0.25. 2 runs end between 0.25 and 0.5."
        );
        assert_eq!(many(1_234_567), "1,234,567");
    }
}
