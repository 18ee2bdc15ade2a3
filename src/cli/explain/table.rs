use std::io::{self, Write};

use super::read::{Candidate, Position};
use crate::foreign::escaped;

/// Characters of a token that are shown.
const WIDTH: usize = 18;

/// Writes the head of the table.
pub fn head(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:>5}  {:WIDTH$}  {:>9}  {:>7}  {:>7}  {:>8}  remarks",
        "", "token", "ln p LLM", "Δ", "c·Δ", "steered"
    )
}

/// Writes a position: the picked token, and the `others` best candidates beside it.
pub fn rows(out: &mut impl Write, position: &Position, others: usize) -> io::Result<()> {
    let mut remarks = Vec::new();
    if position.is_changed() {
        remarks.push(format!("instead of {}", quoted(&position.upstream.text)));
    }
    match position.phase.as_deref() {
        _ if position.forced => remarks.push("forced by the format".to_owned()),
        Some("reasoning") => remarks.push("reasoning".to_owned()),
        Some("call") if !position.steered => remarks.push("call of a tool".to_owned()),
        _ if !position.steered => remarks.push("not steered".to_owned()),
        _ => {}
    }
    remarks.extend(position.certainty.clone().filter(|certainty| certainty != "certified"));
    write!(out, "{:>5}  ", position.position)?;
    match position.picked() {
        Some(picked) => row(out, picked, &remarks.join(", "))?,
        None => writeln!(out, "{:WIDTH$}  {}", quoted(&position.text), remarks.join(", "))?,
    }
    for candidate in position
        .candidates
        .iter()
        .filter(|one| one.id != position.id)
        .take(others)
    {
        let remark = if candidate.id == position.upstream.id {
            "the upstream's"
        } else {
            ""
        };
        write!(out, "{:>5}  ", "")?;
        row(out, candidate, remark)?;
    }
    Ok(())
}

fn row(out: &mut impl Write, candidate: &Candidate, remark: &str) -> io::Result<()> {
    let Candidate {
        logprob,
        delta,
        shift,
        probability,
        ..
    } = candidate;
    let line = format!(
        "{:WIDTH$}  {logprob:>9.3}  {delta:>+7.2}  {shift:>+7.2}  {:>6.1} %  {remark}",
        quoted(&candidate.text),
        100.0 * probability
    );
    writeln!(out, "{}", line.trim_end())
}

/// A token with its blanks to be seen.
fn quoted(text: &str) -> String {
    let text = escaped(&text.replace('\n', "⏎").replace('\t', "⇥"));
    let short: String = text.chars().take(WIDTH - 2).collect();
    format!("“{short}”")
}
