//! One table for everything that is measured.

/// What a ratio should be.
#[derive(Clone, Copy)]
pub enum Goal {
    None,
    AtMost(f64),
    AtLeast(f64),
}

/// One line: what was measured, and what it is held against.
pub struct Row<'a> {
    pub what: String,
    pub unit: &'static str,
    pub measured: &'a [f64],
    /// What the reference is, and its values in the same unit.
    pub beside: Option<(String, &'a [f64])>,
    pub goal: Goal,
}

pub fn head(model: &str) {
    println!("\n{model}, medians of {}\n", crate::REPEATS);
    println!("| | measured | beside | ratio | goal | |");
    println!("|---|---|---|---|---|---|");
}

impl Row<'_> {
    /// Prints it at once: a run takes long.
    pub fn print(&self) {
        let measured = median(self.measured);
        let reference = self.beside.as_ref().map(|(_, values)| median(values));
        let beside = self.beside.as_ref().zip(reference);
        let beside = beside.map(|((name, _), value)| format!("{name}: {}", shown(value, self.unit)));
        let ratio = reference.map(|reference| measured / reference);
        let (goal, met) = self.goal.judge(ratio);
        println!(
            "| {} | {} | {} | {} | {goal} | {met} |",
            self.what,
            shown(measured, self.unit),
            beside.unwrap_or_default(),
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
        );
    }
}

impl Goal {
    fn judge(self, ratio: Option<f64>) -> (String, &'static str) {
        let (goal, met) = match (self, ratio) {
            (Self::AtMost(most), Some(ratio)) => (format!("≤ {most}"), ratio <= most),
            (Self::AtLeast(least), Some(ratio)) => (format!("≥ {least}"), ratio >= least),
            _ => return (String::new(), ""),
        };
        (goal, if met { "met" } else { "missed" })
    }
}

fn shown(value: f64, unit: &str) -> String {
    let digits = if value.abs() < 10.0 { 2 } else { 1 };
    format!("{value:.digits$} {unit}")
}

pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
