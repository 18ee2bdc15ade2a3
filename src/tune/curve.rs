use serde::Serialize;

use super::minimum::{golden, least, vertex};
use super::place::Record;
use super::resamples::{Interval, Resamples};
use super::score::{Rule, agrees, distance, divergence};

/// Strengths that are tried before the best is looked for between them.
pub fn grid() -> Vec<f64> {
    (0..=40).map(|step| f64::from(step) / 10.0).collect()
}

/// A mean over all positions, with its interval over questions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// How sure it is.
    #[serde(flatten)]
    pub interval: Interval,
}

/// A point of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Strength.
    pub strength: f64,
    /// The mean divergence there, in nats.
    pub divergence: Estimate,
}

/// The divergence against the strength, for one floor.
#[derive(Clone, Debug, Serialize)]
pub struct Curve {
    /// ε.
    pub delta_floor: f64,
    /// The strength with the least divergence.
    pub strength: f64,
    /// How sure that is.
    pub strength_interval: Interval,
    /// The divergence there.
    pub divergence: Estimate,
    /// Whether it is at the end of what was tried.
    pub is_at_the_edge: bool,
    /// What was tried.
    pub points: Vec<Point>,
}

/// Sums of one thing over the positions of each question.
pub struct Sums {
    sums: Vec<f64>,
    counts: Vec<f64>,
}

impl Sums {
    /// Of KL(p‖π).
    pub fn divergence(records: &[Record], rule: &Rule) -> Self {
        Self::of(records, |place| divergence(place, rule))
    }

    /// Of the total variation.
    pub fn distance(records: &[Record], rule: &Rule) -> Self {
        Self::of(records, |place| distance(place, rule))
    }

    /// Of positions where the steered policy's best is the answer's token.
    pub fn agreement(records: &[Record], rule: &Rule) -> Self {
        Self::of(records, |place| f64::from(u8::from(agrees(place, rule))))
    }

    /// Of positions where the answer's token is among the candidates at all.
    pub fn reachable(records: &[Record]) -> Self {
        Self::of(records, |place| f64::from(u8::from(place.answer.is_some())))
    }

    fn of(records: &[Record], value: impl Fn(&super::place::Place) -> f64) -> Self {
        let sum = |record: &Record| record.places.iter().map(&value).sum();
        Self {
            sums: records.iter().map(sum).collect(),
            counts: records.iter().map(|record| record.places.len() as f64).collect(),
        }
    }

    /// The mean over all positions.
    pub fn mean(&self) -> f64 {
        self.sums.iter().sum::<f64>() / self.counts.iter().sum::<f64>()
    }

    /// The mean with its interval.
    pub fn estimate(&self, resamples: &Resamples) -> Estimate {
        Estimate {
            mean: self.mean(),
            interval: Interval::of(self.means(resamples)),
        }
    }

    /// The interval of how much larger its mean is than another's, question by question.
    pub fn above(&self, other: &Self, resamples: &Resamples) -> Interval {
        let pairs = self.sums.iter().zip(&other.sums);
        let differences: Vec<f64> = pairs.map(|(own, other)| own - other).collect();
        Interval::of(resamples.means(&differences, &self.counts))
    }

    fn means(&self, resamples: &Resamples) -> Vec<f64> {
        resamples.means(&self.sums, &self.counts)
    }
}

impl Curve {
    /// Of the floor in `rule`, whose ε is `delta_floor`.
    pub fn of(records: &[Record], rule: &Rule, delta_floor: f64, resamples: &Resamples) -> Self {
        let strengths = grid();
        let at = |strength: f64| Sums::divergence(records, &Rule { strength, ..*rule });
        let sums: Vec<Sums> = strengths.iter().map(|strength| at(*strength)).collect();
        let means: Vec<f64> = sums.iter().map(Sums::mean).collect();
        let lowest = least(&means);
        let beside = |index: usize| {
            strengths
                .get(index.min(strengths.len() - 1))
                .copied()
                .unwrap_or_default()
        };
        let strength = golden(beside(lowest.saturating_sub(1)), beside(lowest + 1), 1e-3, |strength| {
            at(strength).mean()
        });
        let drawn: Vec<Vec<f64>> = sums.iter().map(|sums| sums.means(resamples)).collect();
        let draws = drawn.first().map_or(0, Vec::len);
        let vertices = (0..draws).map(|draw| {
            let values: Vec<f64> = drawn
                .iter()
                .map(|means| means.get(draw).copied().unwrap_or(f64::NAN))
                .collect();
            vertex(&strengths, &values)
        });
        let points = strengths.iter().zip(&sums).map(|(strength, sums)| Point {
            strength: *strength,
            divergence: sums.estimate(resamples),
        });
        Self {
            delta_floor,
            strength,
            strength_interval: Interval::of(vertices.collect()),
            divergence: at(strength).estimate(resamples),
            is_at_the_edge: lowest + 1 == strengths.len(),
            points: points.collect(),
        }
    }
}
