//! Fewer points, the same picture: per pixel column the first, the smallest, the greatest, the last.

/// Points in drawing order; a NaN ends one stretch of line and begins the next.
pub fn stretches(points: &[(f64, f64)], columns: usize) -> Vec<Vec<(f64, f64)>> {
    let mut out: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
    for p in points {
        if p.1.is_finite() {
            if let Some(last) = out.last_mut() {
                last.push(*p);
            }
        } else if out.last().is_some_and(|s| !s.is_empty()) {
            out.push(Vec::new());
        }
    }
    out.retain(|s| !s.is_empty());
    let (low, high) = bounds(points.iter().map(|p| p.0));
    out.into_iter().map(|s| by_column(&s, low, high, columns)).collect()
}

/// The finite bounds of some values; 0 to 1 if there are none.
pub fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.filter(|v| v.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high { (0.0, 1.0) } else { (low, high) }
}

/// Which of two numbered points to keep.
type Pick = fn(&(usize, &(f64, f64)), &(usize, &(f64, f64))) -> std::cmp::Ordering;

fn by_column(points: &[(f64, f64)], low: f64, high: f64, columns: usize) -> Vec<(f64, f64)> {
    if points.len() <= columns * 4 || high <= low {
        return points.to_vec();
    }
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let column = |x: f64| (((x - low) / (high - low) * columns as f64) as usize).min(columns - 1);
    let mut out = Vec::with_capacity(columns * 4);
    let mut start = 0;
    while start < points.len() {
        let c = column(points[start].0);
        let end = points[start..].iter().position(|p| column(p.0) != c).map_or(points.len(), |n| start + n);
        let stretch = &points[start..end];
        let at = |pick: Pick| stretch.iter().enumerate().min_by(pick).map_or(0, |(i, _)| i);
        let lowest = at(|a, b| a.1.1.total_cmp(&b.1.1));
        let greatest = at(|a, b| b.1.1.total_cmp(&a.1.1));
        let mut keep = [0, lowest, greatest, stretch.len() - 1];
        keep.sort_unstable();
        let mut last = None;
        for i in keep {
            if last != Some(i) {
                out.push(stretch[i]);
            }
            last = Some(i);
        }
        start = end;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_spike_among_a_million_points_stays_visible() {
        #[allow(clippy::cast_precision_loss)]
        let mut points: Vec<(f64, f64)> = (0..1_000_000).map(|i| (i as f64, 0.0)).collect();
        points[765_432].1 = 9.0;
        let drawn = stretches(&points, 600);
        assert!(drawn[0].len() <= 2_400);
        assert!(drawn[0].contains(&(765_432.0, 9.0)));
        assert_eq!(drawn[0].last(), points.last());
    }

    #[test]
    fn a_nan_is_a_gap_not_a_line_across() {
        let drawn = stretches(&[(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0)], 100);
        assert_eq!(drawn, [vec![(0.0, 1.0)], vec![(2.0, 3.0)]]);
        assert!(stretches(&[(0.0, f64::NAN)], 100).is_empty());
    }
}
