//! What of a run is a number or a word on an axis.

use super::Chosen;
use super::curves::real;
use crate::ApiError;
use crate::tracking::filter::{self, Field, Of};
use crate::tracking::runs::Run;
use cairn_chart::axis::{Axis, Measure, Scale};
use std::collections::HashMap;

/// A field of runs by its written form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub field: Field,
    pub name: String,
}

/// What a run has in a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Number(f64),
    Text(String),
    Nothing,
}

impl Column {
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(
                ApiError::invalid("A column is missing").hint("Choose a parameter such as params.lr, or a metric such as metrics.loss.")
            );
        }
        // Names such as val/accuracy need no quotes here: nothing follows them.
        let quoted = ["metrics.", "params.", "tags."].into_iter().find_map(|kind| {
            let name = text.strip_prefix(kind)?;
            (!name.contains(['`', '"'])).then(|| format!("{kind}`{name}`"))
        });
        let text = quoted.as_deref().unwrap_or(text);
        let order = filter::parse_order(filter::Entity::Run, filter::Dialect::Wide, text)?;
        let name = match &order.field {
            Field::Metric(name, Of::Last) | Field::Param(name) | Field::Tag(name) => name.clone(),
            Field::Metric(name, Of::Min) => format!("lowest {name}"),
            Field::Metric(name, Of::Max) => format!("highest {name}"),
            Field::Text(name) | Field::Number(name) | Field::Dataset(name) => name.replace('_', " "),
        };
        Ok(Self { field: order.field, name })
    }

    pub(crate) fn of_metric(name: &str) -> Self {
        Self { field: Field::Metric(name.to_owned(), Of::Last), name: name.to_owned() }
    }

    pub(crate) fn cell(&self, run: &Run, chosen: &Chosen) -> Cell {
        let text = |t: Option<&String>| t.map_or(Cell::Nothing, |t| Cell::Text(t.clone()));
        match &self.field {
            Field::Metric(name, of) => run.metrics.iter().find(|m| m.key == *name).map_or(Cell::Nothing, |m| match of {
                Of::Last => Cell::Number(real(m.last.value)),
                Of::Min => m.min.map_or(Cell::Nothing, |v| Cell::Number(real(v))),
                Of::Max => m.max.map_or(Cell::Nothing, |v| Cell::Number(real(v))),
            }),
            Field::Param(name) => text(run.params.get(name)),
            Field::Tag(name) => text(run.tags.get(name)),
            Field::Text("run_id") => Cell::Text(run.id.clone()),
            Field::Text("run_name") => Cell::Text(run.name().to_owned()),
            Field::Text("status") => Cell::Text(run.status.clone()),
            Field::Text("user_id") => Cell::Text(run.user.clone()),
            Field::Text("experiment") => text(chosen.experiments.get(&run.experiment_id)),
            Field::Number("start_time") => Cell::Number(run.start_ms as f64),
            Field::Number("end_time") => run.end_ms.map_or(Cell::Nothing, |ms| Cell::Number(ms as f64)),
            Field::Number("duration") => run.end_ms.map_or(Cell::Nothing, |ms| Cell::Number((ms - run.start_ms) as f64)),
            Field::Text(_) | Field::Number(_) | Field::Dataset(_) => Cell::Nothing,
        }
    }

    /// What a person reads.
    pub(crate) fn text(&self, run: &Run, chosen: &Chosen) -> Option<String> {
        match self.cell(run, chosen) {
            Cell::Number(v) => Some(cairn_chart::text::number(v)),
            Cell::Text(t) => Some(t),
            Cell::Nothing => None,
        }
    }

    fn measure(&self) -> Measure {
        match self.field {
            Field::Number("start_time" | "end_time") => Measure::Time,
            Field::Number("duration") => Measure::Duration,
            _ => Measure::Number,
        }
    }
}

/// A column of some runs, laid out on an axis: numbers as they are, words in places 0, 1, 2 …
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Laid {
    pub axis: Axis,
    /// NaN: the run has none.
    pub values: Vec<f64>,
    /// Whether the values are words.
    pub names: bool,
}

/// Different words of a column beyond which it tells runs apart, not kinds of runs.
pub(crate) const WORDS_MAX: usize = 200;

/// Lays a column out. Parameters are texts; where all of them are numbers they are taken for numbers, and where these
/// span more than two powers of ten, such as learning rates, their axis is logarithmic.
pub(crate) fn lay(column: &Column, chosen: &Chosen, runs: &[&Run], log: bool, room: f64) -> Result<Laid, ApiError> {
    let cells: Vec<Cell> = runs.iter().map(|r| column.cell(r, chosen)).collect();
    let number = |cell: &Cell| match cell {
        Cell::Number(v) => Some(*v),
        Cell::Text(t) => t.trim().parse::<f64>().ok(),
        Cell::Nothing => Some(f64::NAN),
    };
    if let Some(values) = cells.iter().map(number).collect::<Option<Vec<f64>>>() {
        let seen = || values.iter().copied().filter(|v| v.is_finite());
        let (low, high) = seen().fold((f64::INFINITY, 0.0_f64), |(a, b), v| (a.min(v), b.max(v)));
        let wide = matches!(column.field, Field::Param(_)) && low > 0.0 && high / low >= 100.0;
        let scale = if log || wide { Scale::Log } else { Scale::Linear };
        let axis = Axis::over(&column.name, column.measure(), scale, seen(), room);
        return Ok(Laid { axis, values, names: false });
    }
    let mut words: Vec<String> = cells.iter().filter_map(|c| if let Cell::Text(t) = c { Some(t.clone()) } else { None }).collect();
    words.sort_unstable();
    words.dedup();
    words.sort_by(|a, b| by_number(a, b));
    if words.len() > WORDS_MAX {
        return Err(ApiError::invalid(format!(
            "\"{}\" has {} different values, too many to be places on an axis",
            column.name,
            words.len()
        ))
        .hint("Choose a column of numbers or of few kinds, or narrow the filter."));
    }
    let place = |c: &Cell| match c {
        Cell::Text(t) => words.iter().position(|w| w == t).map_or(f64::NAN, |i| i as f64),
        Cell::Number(_) | Cell::Nothing => f64::NAN,
    };
    let values = cells.iter().map(place).collect();
    Ok(Laid { axis: Axis::named(&column.name, words), values, names: true })
}

/// Numbers by their size, before words by their letters.
pub(crate) fn by_number(a: &str, b: &str) -> std::cmp::Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y).then(a.cmp(b)),
        (Ok(_), Err(_)) => std::cmp::Ordering::Less,
        (Err(_), Ok(_)) => std::cmp::Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

/// Some runs that have the same in some columns.
pub(crate) struct Group {
    pub name: String,
    /// Their places among the runs that are chosen.
    pub members: Vec<usize>,
}

/// Brings runs together; without columns each run is its own group.
pub(crate) fn groups(by: &[String], chosen: &Chosen) -> Result<Vec<Group>, ApiError> {
    if by.iter().all(|b| b.trim().is_empty()) {
        return Ok(chosen.runs.iter().enumerate().map(|(i, r)| Group { name: r.name().to_owned(), members: vec![i] }).collect());
    }
    let columns = by.iter().filter(|b| !b.trim().is_empty()).map(|b| Column::parse(b)).collect::<Result<Vec<_>, _>>()?;
    let mut out: Vec<Group> = Vec::new();
    let mut places: HashMap<Vec<Option<String>>, usize> = HashMap::new();
    for (i, run) in chosen.runs.iter().enumerate() {
        // Numbers by every digit: two times of a day must not look alike.
        let key = columns.iter().map(|c| match c.cell(run, chosen) {
            Cell::Number(v) => Some(v.to_string()),
            Cell::Text(t) => Some(t),
            Cell::Nothing => None,
        });
        let place = *places.entry(key.collect()).or_insert_with(|| {
            let part = |c: &Column| c.text(run, chosen).map_or_else(|| format!("without {}", c.name), |v| format!("{} {v}", c.name));
            out.push(Group { name: columns.iter().map(part).collect::<Vec<_>>().join(", "), members: Vec::new() });
            out.len() - 1
        });
        out[place].members.push(i);
    }
    Ok(out)
}
