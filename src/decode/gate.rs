/// When steering stops where the upstream is sure of itself (AdaCoSteer).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GateRule {
    /// Whether and for how long.
    pub mode: GateMode,
    /// A position is confident where 1 − max p_LLM is below this.
    pub threshold: f64,
    /// Confident positions in a row that shut the gate.
    pub positions: u32,
}

/// What a gate does after enough confident positions in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GateMode {
    /// Nothing: every position is steered.
    Off,
    /// Steering stops for the rest of the answer, as published.
    Latch,
    /// Steering stops until a position is not confident.
    Reopen,
}

/// The gate of one session.
#[derive(Clone, Debug)]
pub struct Gate {
    rule: GateRule,
    in_a_row: u32,
}

impl Gate {
    /// Open.
    pub fn new(rule: GateRule) -> Self {
        Self { rule, in_a_row: 0 }
    }

    /// Whether the position that comes after those seen is passed through unsteered, whatever it will be.
    pub fn is_latched(&self) -> bool {
        self.rule.mode == GateMode::Latch && self.is_shut()
    }

    /// Whether enough confident positions have been seen.
    pub fn is_shut(&self) -> bool {
        self.rule.mode != GateMode::Off && self.in_a_row >= self.rule.positions
    }

    /// Looks at a position's largest ln p_LLM; true when the position is to be passed through unsteered. The positions
    /// that shut the gate are still steered.
    pub fn passes(&mut self, largest: f64) -> bool {
        let confident = 1.0 - largest.exp() < self.rule.threshold;
        let passes = self.is_latched() || (self.is_shut() && confident);
        if !self.is_latched() {
            self.in_a_row = if confident { self.in_a_row.saturating_add(1) } else { 0 };
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(mode: GateMode, probabilities: &[f64]) -> Vec<bool> {
        let mut gate = Gate::new(GateRule {
            mode,
            threshold: 0.1,
            positions: 3,
        });
        let each = probabilities.iter();
        each.map(|probability| gate.passes(probability.ln())).collect()
    }

    const ANSWER: [f64; 8] = [0.95, 0.5, 0.95, 0.99, 0.92, 0.97, 0.4, 0.99];

    #[test]
    fn an_off_gate_passes_nothing() {
        assert_eq!(passed(GateMode::Off, &ANSWER), [false; 8]);
    }

    #[test]
    fn a_latch_stays_shut() {
        let wanted = [false, false, false, false, false, true, true, true];
        assert_eq!(passed(GateMode::Latch, &ANSWER), wanted);
    }

    #[test]
    fn a_reopening_gate_waits_for_three_in_a_row_again() {
        let wanted = [false, false, false, false, false, true, false, false];
        assert_eq!(passed(GateMode::Reopen, &ANSWER), wanted);
    }
}
