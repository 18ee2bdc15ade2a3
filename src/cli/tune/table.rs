use std::io::{self, Write};

use crate::tune::{Curve, Estimate, Limit, Report, Standing};

/// Points of the curve that are shown.
const SHOWN: [f64; 10] = [0.0, 0.2, 0.5, 0.8, 1.0, 1.2, 1.5, 1.8, 2.5, 4.0];

/// Columns of the widest bar.
const BAR: f64 = 30.0;

/// Why nothing is proposed.
pub const NO_GAIN: &str = "With no strength does steering come nearer, beyond doubt, to what the upstream says with the context in its prompt. \
    It may not heed such a context itself, the two models may not fit each other (see costeer doctor), or there were too few questions.";

/// Writes a report for people to read.
pub fn table(out: &mut impl Write, report: &Report) -> io::Result<()> {
    writeln!(
        out,
        "{} questions, {} positions. KL is the mean divergence from the upstream with the context in its prompt to the steered upstream, \
         in nats; in brackets are 95 % intervals over questions.\n",
        report.questions, report.positions
    )?;
    if let Some(none) = report.curves.first() {
        curve(out, none)?;
    }
    writeln!(out, "Best strength for each steering.delta_floor:")?;
    for found in &report.curves {
        let Curve {
            delta_floor,
            strength,
            strength_interval: interval,
            divergence,
            ..
        } = found;
        writeln!(
            out,
            "  {delta_floor:<8}  strength {strength:.2} [{:.2}, {:.2}]   KL {}",
            interval.low,
            interval.high,
            nats(divergence)
        )?;
    }
    writeln!(
        out,
        "\nWith steering.plausibility, total variation and how much more that is than without:"
    )?;
    for Limit {
        plausibility,
        distance,
        more,
    } in &report.limits
    {
        writeln!(
            out,
            "  {plausibility:<8}  {}   [{:+.4}, {:+.4}]",
            nats(distance),
            more.low,
            more.high
        )?;
    }
    writeln!(
        out,
        "\n{:14} {:>8} {:>8} {:>8}  {:24} {:>6}  {:24} same token",
        "", "strength", "floor", "plaus.", "KL", "way", "total variation"
    )?;
    for standing in &report.standings {
        row(out, standing)?;
    }
    writeln!(
        out,
        "At {:.1} % of positions the token of the answer with the context is among the candidates without it, so that steering can pick it; \
         more candidates (upstream.top_k) raise that.",
        100.0 * report.reachable.mean
    )?;
    let Some(proposal) = &report.proposal else {
        return writeln!(out, "\nNothing is proposed. {NO_GAIN}");
    };
    writeln!(
        out,
        "\n[steering]\nstrength = {:?}\ndelta_floor = {:?}\nplausibility = {:?}",
        proposal.strength, proposal.delta_floor, proposal.plausibility
    )?;
    let chosen = |curve: &&Curve| curve.delta_floor == proposal.delta_floor;
    if report
        .curves
        .iter()
        .find(chosen)
        .is_some_and(|curve| curve.is_at_the_edge)
    {
        writeln!(
            out,
            "\nThe divergence still falls at the largest strength that was tried. The two models may not fit each other: see costeer doctor."
        )?;
    }
    Ok(())
}

fn curve(out: &mut impl Write, curve: &Curve) -> io::Result<()> {
    writeln!(out, "strength  KL, with steering.delta_floor = {}", curve.delta_floor)?;
    let shown = |strength: f64| SHOWN.iter().any(|shown| (shown - strength).abs() < 1e-9);
    let points: Vec<_> = curve.points.iter().filter(|point| shown(point.strength)).collect();
    let largest = points
        .iter()
        .map(|point| point.divergence.mean)
        .fold(f64::MIN_POSITIVE, f64::max);
    for point in points {
        let width = (BAR * point.divergence.mean / largest).round() as usize;
        writeln!(
            out,
            "  {:<6}  {:24} {}",
            point.strength,
            nats(&point.divergence),
            "▇".repeat(width)
        )?;
    }
    writeln!(out)
}

fn row(out: &mut impl Write, standing: &Standing) -> io::Result<()> {
    let Standing {
        name,
        numbers,
        divergence,
        way,
        distance,
        agreement,
    } = standing;
    writeln!(
        out,
        "{name:14} {:>8.2} {:>8} {:>8}  {:24} {:>4.0} %  {:24} {:.1} %",
        numbers.strength,
        numbers.delta_floor,
        numbers.plausibility,
        nats(divergence),
        100.0 * way,
        nats(distance),
        100.0 * agreement.mean
    )
}

fn nats(estimate: &Estimate) -> String {
    let Estimate { mean, interval } = estimate;
    format!("{mean:.4} [{:.4}, {:.4}]", interval.low, interval.high)
}
