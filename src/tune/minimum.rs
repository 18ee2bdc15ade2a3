//! Where a function has its least value.

/// The number of the least entry.
pub fn least(values: &[f64]) -> usize {
    let each = values.iter().enumerate();
    each.min_by(|left, right| left.1.total_cmp(right.1))
        .map_or(0, |(index, _)| index)
}

/// Where the parabola through the least of `values`, at evenly spaced `points`, and its two neighbours has its vertex; at an edge the edge.
pub fn vertex(points: &[f64], values: &[f64]) -> f64 {
    let middle = least(values);
    let around = |of: &[f64]| Some([*of.get(middle.checked_sub(1)?)?, *of.get(middle)?, *of.get(middle + 1)?]);
    let Some(([left, centre, right], [below, lowest, above])) = around(points).zip(around(values)) else {
        return points.get(middle).copied().unwrap_or_default();
    };
    let curvature = below - 2.0 * lowest + above;
    if curvature <= 0.0 {
        return centre;
    }
    centre + 0.25 * (right - left) * (below - above) / curvature
}

/// Where `function` is least between `from` and `to`, to within `exact`, by golden sections. It has one valley there.
pub fn golden(mut from: f64, mut to: f64, exact: f64, function: impl Fn(f64) -> f64) -> f64 {
    let ratio = 0.5 * (5.0_f64.sqrt() - 1.0);
    let (mut low, mut high) = (to - ratio * (to - from), from + ratio * (to - from));
    let (mut at_low, mut at_high) = (function(low), function(high));
    while to - from > exact {
        if at_low <= at_high {
            (to, high, at_high) = (high, low, at_low);
            low = to - ratio * (to - from);
            at_low = function(low);
        } else {
            (from, low, at_low) = (low, high, at_high);
            high = from + ratio * (to - from);
            at_high = function(high);
        }
    }
    f64::midpoint(from, to)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_bottom_of_a_bowl_is_found(bottom in 0.05f64..0.95, steepness in 0.1f64..50.0) {
            let bowl = |x: f64| steepness * (x - bottom).powi(2) + 3.0;
            prop_assert!((golden(0.0, 1.0, 1e-4, bowl) - bottom).abs() < 1e-3);
            let points: Vec<f64> = (0..=20).map(|step| 0.05 * f64::from(step)).collect();
            let values: Vec<f64> = points.iter().map(|point| bowl(*point)).collect();
            let inner = (0.06..0.94).contains(&bottom);
            prop_assert!(!inner || (vertex(&points, &values) - bottom).abs() < 1e-6);
        }

        #[test]
        fn a_slope_ends_at_its_edge(slope in 0.1f64..9.0) {
            let points = [0.0, 1.0, 2.0, 3.0];
            prop_assert_eq!(vertex(&points, &points.map(|point| slope * point)), 0.0);
            prop_assert_eq!(vertex(&points, &points.map(|point| -slope * point)), 3.0);
            prop_assert!(golden(0.0, 3.0, 1e-3, |point| -slope * point) > 2.99);
        }
    }
}
