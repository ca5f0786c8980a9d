//! What errors cost, over the score from which on the model says yes: so that whoever knows the costs and whoever knows
//! the model can choose that score together.

use super::judged::{Found, SCORE, all_of, positive, read, runs, scored};
use super::spec::Costs;
use super::{Job, Made, Mark, say};
use crate::ApiError;
use cairn_chart::axis::{Axis, Measure, Scale};
use cairn_chart::line::{self, Line};
use cairn_chart::look::assign;
use cairn_chart::marks;
use cairn_chart::text::number;
use cairn_stats::judge::{self, Answers};

/// Cases that a cost is told for.
const PER: f64 = 1000.0;

/// Cost of a thousand cases like these.
fn cost(costs: &Costs, a: &Answers) -> f64 {
    let all = a.true_positive + a.false_positive + a.false_negative + a.true_negative;
    let sum = a.true_positive * costs.true_positive
        + a.false_positive * costs.false_positive
        + a.false_negative * costs.false_negative
        + a.true_negative * costs.true_negative;
    if all > 0.0 { sum / all * PER } else { 0.0 }
}

/// The answers from a score on: those of the least score that is not below it.
fn answers_at(steps: &[Answers], from: f64) -> &Answers {
    // From the greatest down, beginning with never: the last one that still is at or above.
    let at = steps.iter().rposition(|a| a.from >= from).unwrap_or(0);
    &steps[at]
}

pub(crate) fn draw(job: &Job<'_>) -> Result<Made, ApiError> {
    let none = Costs::default();
    let costs = job.spec.costs.as_ref().unwrap_or(&none);
    let each = [costs.false_positive, costs.false_negative, costs.true_positive, costs.true_negative];
    if each.iter().any(|v| !v.is_finite()) {
        return Err(ApiError::invalid("A cost is a number"));
    }
    if each.iter().all(|v| *v == 0.0) {
        return Err(ApiError::invalid("Nothing says yet what errors cost")
            .hint("Say in the problem's \"Errors\" what a false alarm and a miss cost in money; a rough guess is enough."));
    }
    let mut made = Made { zoom: true, ..Made::default() };
    let chosen = runs(job, &mut made)?;
    let found: Found<Vec<Answers>> = all_of(&mut made, &chosen, |run, made| {
        let p = read(job, run, &SCORE)?;
        let yes = positive(job, &p)?;
        let (rows, lost) = scored(&p, &yes);
        if lost > 0 {
            made.notes.push(format!("{lost} rows of {} have no number in \"{}\" and are left out.", run.name(), p.names.1));
        }
        if p.cut {
            made.notes.push(format!("Not all rows of {} were read.", run.name()));
        }
        if rows.iter().any(|r| !(0.0..=1.0).contains(&r.1)) {
            return Err(ApiError::invalid(format!("The scores of run {} do not lie between 0 and 1", run.name()))
                .hint("Choose a column of probabilities."));
        }
        if rows.is_empty() {
            return Err(ApiError::invalid(format!("Run {} has no row with a score", run.name())));
        }
        Ok(judge::answers(&rows))
    })?;
    let unit = if costs.currency.trim().is_empty() { String::new() } else { format!(" ({})", costs.currency.trim()) };
    // A place for every hundredth: between scores nothing changes.
    let places: Vec<f64> = (0..=100).map(|i| f64::from(i) / 100.0).collect();
    let curves: Vec<Vec<(f64, f64)>> =
        found.iter().map(|f| places.iter().map(|t| (*t, cost(costs, answers_at(&f.2, *t)))).collect()).collect();
    let y = Axis::over(
        &format!("cost of 1,000 cases{unit}"),
        Measure::Number,
        Scale::Linear,
        curves.iter().flatten().map(|p| p.1).chain([0.0]),
        0.06,
    );
    let x = Axis { label: "says yes from this score on".to_owned(), measure: Measure::Number, scale: Scale::Linear, from: 0.0, to: 1.0 };
    let frame = job.frame(x, y)?;
    let looks = assign(&found.iter().map(|f| f.1.clone()).collect::<Vec<_>>());
    if let Some(agreed) = costs.threshold.filter(|t| (0.0..=1.0).contains(t)) {
        made.layers.push(marks::rule(&frame, (agreed, frame.y.from), (agreed, frame.y.to))?);
    }
    let lines: Vec<Line> =
        curves.iter().zip(&looks).map(|(points, look)| Line { look: *look, points: points.clone(), ..Line::default() }).collect();
    made.layers.extend(line::layers(&frame, &lines)?);
    let mut said = Vec::new();
    for (i, (name, id, steps)) in found.iter().enumerate() {
        let best = curves[i].iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
        let half = cost(costs, answers_at(steps, 0.5));
        made.series.push(job.series(format!("{name}: least at {}", number(best.0)), vec![id.clone()], looks[i], number(best.1)));
        let all = steps.first().map_or(0.0, |a| a.false_negative + a.true_negative);
        made.points += all as u64;
        made.drawn += places.len() as u64;
        said.push((name.as_str(), best, half, all));
        for (t, money) in &curves[i] {
            let a = answers_at(steps, *t);
            let [px, py] = frame.pixel(*t, *money);
            let text = vec![
                name.clone(),
                format!("from {}: {}{unit} for 1,000 cases", number(*t), number(*money)),
                format!("{} right alarms, {} false alarms", number(a.true_positive), number(a.false_positive)),
                format!("{} misses, {} rightly left alone", number(a.false_negative), number(a.true_negative)),
            ];
            made.marks.push(Mark { series: i, x: px, y: py, text });
            let counts = [a.true_positive, a.false_positive, a.false_negative, a.true_negative];
            let mut row = vec![name.clone(), number(*t)];
            row.extend(counts.iter().map(|c| format!("{c:.0}")));
            row.push(format!("{money:.2}"));
            made.values.table.rows.push(row);
        }
    }
    let head = ["Run", "Says yes from", "Right alarms", "False alarms", "Misses", "Rightly left alone"];
    made.values.table.head = head.iter().map(|h| (*h).to_owned()).chain([format!("Cost of 1,000 cases{unit}")]).collect();
    made.title = "What errors cost".to_owned();
    made.summary = match said.as_slice() {
        [(name, best, half, all)] => {
            let saved = half - best.1;
            let more = if saved > 0.0 { format!(", {} less than at 0.5", number(saved)) } else { String::new() };
            format!(
                "{name} costs least where it says yes from {} on: {}{unit} for 1,000 cases{more}. Counted over {} rows.",
                number(best.0),
                number(best.1),
                say::many(*all as u64)
            )
        }
        many => {
            let ends: Vec<(&str, f64)> = many.iter().map(|s| (s.0, s.1.1)).collect();
            say::curves("least cost of 1,000 cases", &ends, Some(cairn_stats::relate::Better::Lower), "runs")
        }
    };
    made.frame = Some(frame);
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dear_miss_moves_the_least_cost_to_a_lower_score() {
        let rows = [(true, 0.9), (true, 0.4), (false, 0.5), (false, 0.2), (false, 0.1)];
        let steps = judge::answers(&rows);
        let least = |fp: f64, miss: f64| {
            let costs = Costs { false_positive: fp, false_negative: miss, ..Costs::default() };
            let places = (0..=100).map(|i| f64::from(i) / 100.0);
            places.min_by(|a, b| cost(&costs, answers_at(&steps, *a)).total_cmp(&cost(&costs, answers_at(&steps, *b)))).unwrap()
        };
        assert!(least(1.0, 90.0) <= 0.4, "whoever must not miss says yes early");
        assert!(least(90.0, 1.0) > 0.5, "whoever must not cry wolf says yes late");
        let at_half = answers_at(&steps, 0.5);
        assert_eq!((at_half.true_positive, at_half.false_positive), (1.0, 1.0), "a score at the threshold is a yes");
        assert_eq!(answers_at(&steps, 0.95).true_positive, 0.0);
        let costs = Costs { false_positive: 2.5, false_negative: 90.0, true_positive: 2.5, ..Costs::default() };
        assert!((cost(&costs, at_half) - (2.5 + 2.5 + 90.0) / 5.0 * 1000.0).abs() < 1e-9);
    }
}
