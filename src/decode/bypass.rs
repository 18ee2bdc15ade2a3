/// When steering is bypassed because the upstream is sure of itself (AdaCoSteer).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BypassRule {
    /// Whether and for how long.
    pub mode: BypassMode,
    /// A position is confident where 1 − max p_LLM is below this.
    pub threshold: f64,
    /// Confident positions in a row after which steering is bypassed.
    pub positions: u32,
}

/// What happens after enough confident positions in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BypassMode {
    /// Every position is steered all the same.
    Off,
    /// Steering is bypassed for the rest of the answer, as published.
    Latch,
    /// Steering is bypassed until a position is not confident.
    Reopen,
}

/// Whether steering is bypassed in one session, by the positions seen so far.
#[derive(Clone, Debug)]
pub struct Bypass {
    rule: BypassRule,
    in_a_row: u32,
}

impl Bypass {
    /// Steering.
    pub fn new(rule: BypassRule) -> Self {
        Self { rule, in_a_row: 0 }
    }

    /// Whether every position from here on is passed through unsteered.
    pub fn is_latched(&self) -> bool {
        self.rule.mode == BypassMode::Latch && self.is_active()
    }

    /// Whether enough confident positions have been seen to bypass steering at the next confident one.
    pub fn is_active(&self) -> bool {
        self.rule.mode != BypassMode::Off && self.in_a_row >= self.rule.positions
    }

    /// Looks at a position's largest ln p_LLM; true when the position is to be passed through unsteered. The positions
    /// that lead to the bypass are still steered themselves.
    pub fn passes(&mut self, largest: f64) -> bool {
        let confident = 1.0 - largest.exp() < self.rule.threshold;
        let passes = self.is_latched() || (self.is_active() && confident);
        if !self.is_latched() {
            self.in_a_row = if confident { self.in_a_row.saturating_add(1) } else { 0 };
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(mode: BypassMode, probabilities: &[f64]) -> Vec<bool> {
        let mut bypass = Bypass::new(BypassRule {
            mode,
            threshold: 0.1,
            positions: 3,
        });
        let each = probabilities.iter();
        each.map(|probability| bypass.passes(probability.ln())).collect()
    }

    const ANSWER: [f64; 8] = [0.95, 0.5, 0.95, 0.99, 0.92, 0.97, 0.4, 0.99];

    #[test]
    fn off_passes_nothing() {
        assert_eq!(passed(BypassMode::Off, &ANSWER), [false; 8]);
    }

    #[test]
    fn a_latch_stays_active() {
        let wanted = [false, false, false, false, false, true, true, true];
        assert_eq!(passed(BypassMode::Latch, &ANSWER), wanted);
    }

    #[test]
    fn a_reopened_session_waits_for_three_in_a_row_again() {
        let wanted = [false, false, false, false, false, true, false, false];
        assert_eq!(passed(BypassMode::Reopen, &ANSWER), wanted);
    }
}
