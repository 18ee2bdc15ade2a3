use super::Noise;

/// What a token outside the candidates would have to exceed, noise included, to be picked instead.
pub(super) struct Threshold {
    noise: Noise,
    value: f64,
}

impl Threshold {
    pub(super) fn new(noise: Noise, value: f64) -> Self {
        Self { noise, value }
    }

    /// The noise that belongs to it.
    #[inline]
    pub fn noise(&self) -> &Noise {
        &self.noise
    }

    /// Score and noise to exceed; −∞ where there was nothing to pick.
    #[inline]
    pub fn value(&self) -> f64 {
        self.value
    }
}
