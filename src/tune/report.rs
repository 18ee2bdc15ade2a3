use serde::Serialize;

use super::curve::{Curve, Estimate, Sums};
use super::place::Record;
use super::resamples::{Interval, Resamples};
use super::score::Rule;
use crate::steering::Cap;

/// Limits that are tried, beside none.
const PLAUSIBILITIES: [f64; 5] = [0.0001, 0.001, 0.01, 0.05, 0.1];

/// The three numbers that are tuned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Numbers {
    /// `steering.strength`
    pub strength: f64,
    /// `steering.delta_floor`
    pub delta_floor: f64,
    /// `steering.plausibility`
    pub plausibility: f64,
}

/// Where some numbers stand.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// What they are called.
    pub name: String,
    /// What they are.
    #[serde(flatten)]
    pub numbers: Numbers,
    /// KL(p‖π), in nats; without the plausibility limit.
    pub divergence: Estimate,
    /// How much of the way from the plain policy to the one with the context they go: 1 − KL / KL of no steering.
    pub way: f64,
    /// ½ Σ |p − π|.
    pub distance: Estimate,
    /// The share of positions where greedy steering picks what the upstream picks with the context.
    pub agreement: Estimate,
}

/// A plausibility limit that was tried.
#[derive(Clone, Debug, Serialize)]
pub struct Limit {
    /// `steering.plausibility`
    pub plausibility: f64,
    /// The total variation with it, at the proposed strength and floor.
    pub distance: Estimate,
    /// How much more that is than without a limit.
    pub more: Interval,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Questions that were asked.
    pub questions: usize,
    /// Positions of all answers.
    pub positions: usize,
    /// The share of positions where the answer's token is among the candidates without the context: what steering can pick at all.
    pub reachable: Estimate,
    /// The divergence against the strength, for each floor.
    pub curves: Vec<Curve>,
    /// Which limits were tried.
    pub limits: Vec<Limit>,
    /// No steering, what is configured, well-known strengths, and what is proposed.
    pub standings: Vec<Standing>,
    /// What to set; `None` where no steering comes nearer than not to steer, beyond doubt.
    pub proposal: Option<Numbers>,
}

/// Strength 1, and what the paper's five numbers come to.
const WELL_KNOWN: [(&str, f64); 2] = [("strength 1", 1.0), ("the paper's", 1.783_256_843)];

impl Report {
    /// Of these records, one at least; `floors` are what they have Δ for, 0 the first of them. `configured` has one of these floors.
    pub fn of(records: &[Record], floors: &[f64], cap: Option<Cap>, configured: Numbers) -> Self {
        let resamples = Resamples::new(records.len());
        let rule = |numbers: Numbers| Rule {
            strength: numbers.strength,
            floor: floors
                .iter()
                .position(|floor| *floor == numbers.delta_floor)
                .unwrap_or_default(),
            plausibility: numbers.plausibility,
            cap,
        };
        let numbers = |strength, delta_floor| Numbers {
            strength,
            delta_floor,
            plausibility: 0.0,
        };
        let curves: Vec<Curve> = floors
            .iter()
            .map(|floor| Curve::of(records, &rule(numbers(1.0, *floor)), *floor, &resamples))
            .collect();
        let mut proposal = best_floor(
            &curves,
            |curve| Sums::divergence(records, &rule(numbers(curve.strength, curve.delta_floor))),
            &resamples,
        );
        let without = Sums::distance(records, &rule(proposal));
        let limits: Vec<Limit> = PLAUSIBILITIES
            .iter()
            .map(|plausibility| {
                let sums = Sums::distance(
                    records,
                    &rule(Numbers {
                        plausibility: *plausibility,
                        ..proposal
                    }),
                );
                Limit {
                    plausibility: *plausibility,
                    distance: sums.estimate(&resamples),
                    more: sums.above(&without, &resamples),
                }
            })
            .collect();
        // Only where it helps beyond doubt.
        let helps = limits.iter().filter(|limit| limit.more.high < 0.0);
        let best = helps.min_by(|left, right| left.distance.mean.total_cmp(&right.distance.mean));
        proposal.plausibility = best.map_or(0.0, |limit| limit.plausibility);
        proposal.strength = (100.0 * proposal.strength).round() / 100.0;
        let unsteered = Sums::divergence(records, &rule(numbers(0.0, 0.0)));
        let gain = unsteered.above(&Sums::divergence(records, &rule(proposal)), &resamples);
        let proposal = Some(proposal).filter(|_| gain.low > 0.0);
        let plain = unsteered.mean();
        let standing = |name: &str, numbers: Numbers| {
            let rule = rule(numbers);
            let divergence = Sums::divergence(records, &rule).estimate(&resamples);
            Standing {
                name: name.to_owned(),
                numbers,
                divergence,
                way: 1.0 - divergence.mean / plain,
                distance: Sums::distance(records, &rule).estimate(&resamples),
                agreement: Sums::agreement(records, &rule).estimate(&resamples),
            }
        };
        let mut standings = vec![standing("not steered", numbers(0.0, 0.0))];
        standings.push(standing("as configured", configured));
        standings.extend(WELL_KNOWN.map(|(name, strength)| standing(name, numbers(strength, 0.0))));
        standings.extend(proposal.map(|numbers| standing("proposed", numbers)));
        Self {
            questions: records.len(),
            positions: records.iter().map(|record| record.places.len()).sum(),
            reachable: Sums::reachable(records).estimate(&resamples),
            curves,
            limits,
            standings,
            proposal,
        }
    }
}

/// Of the floors that are better than none beyond doubt the best, otherwise none.
fn best_floor(curves: &[Curve], sums: impl Fn(&Curve) -> Sums, resamples: &Resamples) -> Numbers {
    let numbers = |curve: &Curve| Numbers {
        strength: curve.strength,
        delta_floor: curve.delta_floor,
        plausibility: 0.0,
    };
    let Some((none, others)) = curves.split_first() else {
        return Numbers {
            strength: 1.0,
            delta_floor: 0.0,
            plausibility: 0.0,
        };
    };
    let without = sums(none);
    let better = others
        .iter()
        .filter(|curve| sums(curve).above(&without, resamples).high < 0.0);
    let best = better.min_by(|left, right| left.divergence.mean.total_cmp(&right.divergence.mean));
    numbers(best.unwrap_or(none))
}

#[cfg(test)]
mod tests {
    use super::super::place::{Listed, Place, Share};
    use super::*;

    /// Two tokens and a rest; with the context the first has what a strength of `strength` gives it.
    fn record(question: usize, strength: f64, delta: f64) -> Record {
        let plain = [0.3_f64, 0.5, 0.2];
        let pulled = [plain[0] * (strength * delta).exp(), plain[1], plain[2]];
        let total: f64 = pulled.iter().sum();
        let listed = |index: usize, delta: f64| Listed {
            plain: plain[index].ln(),
            wanted: Some((pulled[index] / total).ln()),
            // The second floor knows nothing.
            delta: vec![delta, 0.0],
        };
        Record {
            question,
            places: vec![Place {
                listed: vec![listed(0, delta), listed(1, 0.0)],
                rest: vec![vec![Share(1.0, 0.0)]; 2],
                answer: Some(usize::from(pulled[0] < pulled[1])),
            }],
            ..Record::default()
        }
    }

    const CONFIGURED: Numbers = Numbers {
        strength: 1.783,
        delta_floor: 0.0,
        plausibility: 0.0,
    };

    #[test]
    fn the_strength_that_made_the_answers_is_found() {
        for strength in [0.4, 1.0, 2.5] {
            let records: Vec<Record> = (0..12)
                .map(|number| record(number, strength, 1.0 + 0.1 * number as f64))
                .collect();
            let report = Report::of(&records, &[0.0, 0.01], None, CONFIGURED);
            assert!(
                (report.proposal.unwrap().strength - strength).abs() < 0.011,
                "{:?}",
                report.proposal
            );
            assert_eq!(
                (
                    report.proposal.unwrap().delta_floor,
                    report.proposal.unwrap().plausibility
                ),
                (0.0, 0.0)
            );
            let interval = report.curves[0].strength_interval;
            assert!(
                interval.low - 0.02 < strength && strength < interval.high + 0.02,
                "{interval:?}"
            );
            let proposed = report.standings.last().unwrap();
            assert!(proposed.way > 0.999 && proposed.agreement.mean == 1.0, "{proposed:?}");
            assert!(report.standings[0].way.abs() < 1e-12);
            assert_eq!((report.questions, report.positions), (12, 12));
        }
    }

    #[test]
    fn nothing_is_proposed_where_steering_leads_nowhere() {
        // With the context the upstream says what it says without.
        let records: Vec<Record> = (0..20)
            .map(|number| {
                let mut record = record(number, 0.0, 1.0);
                record.places[0].listed[0].wanted = Some(0.3_f64.ln());
                record
            })
            .collect();
        let report = Report::of(&records, &[0.0, 0.01], None, CONFIGURED);
        assert_eq!(report.proposal, None);
        assert!(report.standings.iter().all(|standing| standing.name != "proposed"));
    }

    #[test]
    fn a_floor_is_proposed_only_where_it_helps() {
        // What the first floor says is noise, and the second knows better.
        let mut records: Vec<Record> = (0..20).map(|number| record(number, 1.0, 1.0)).collect();
        for record in &mut records {
            for listed in &mut record.places[0].listed {
                let right = listed.delta[0];
                listed.delta = vec![-right, right];
            }
        }
        let report = Report::of(&records, &[0.0, 0.01], None, CONFIGURED);
        assert_eq!(report.proposal.unwrap().delta_floor, 0.01);
        assert!((report.proposal.unwrap().strength - 1.0).abs() < 0.011);
    }

    #[test]
    fn a_limit_is_proposed_where_it_takes_nonsense_away() {
        // An unlikely token is pulled up although the context has nothing of it.
        let nonsense = |number: usize| {
            let listed = |plain: f64, wanted: f64, delta: f64| Listed {
                plain: plain.ln(),
                wanted: Some(wanted.ln()),
                delta: vec![delta],
            };
            Record {
                question: number,
                places: vec![Place {
                    listed: vec![
                        listed(0.6, 0.8, 1.0),
                        listed(0.3896, 0.1999, 0.0),
                        listed(0.0004, 0.0001, 6.0),
                    ],
                    rest: vec![vec![Share(1.0, 0.0)]],
                    answer: Some(0),
                }],
                ..Record::default()
            }
        };
        let records: Vec<Record> = (0..20).map(nonsense).collect();
        let report = Report::of(&records, &[0.0], None, CONFIGURED);
        assert!(report.proposal.unwrap().plausibility >= 0.001, "{:?}", report.limits);
    }
}
