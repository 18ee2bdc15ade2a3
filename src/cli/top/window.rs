use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::histogram::Histogram;
use super::sample::Sample;

/// How far back rates look.
const SPAN: Duration = Duration::from_secs(10);

/// The samples of the last seconds, the latest and one that is old enough at least.
#[derive(Default)]
pub struct Window(VecDeque<(Instant, Sample)>);

/// Two samples and the time between them: what has happened lately.
#[derive(Clone, Copy)]
pub struct Lately<'a> {
    earlier: &'a Sample,
    latest: &'a Sample,
    /// How long it took.
    pub span: Duration,
}

impl Window {
    /// Adds a sample that was taken at a time. After a restart of the proxy those before it are forgotten.
    pub fn add(&mut self, at: Instant, sample: Sample) {
        if self.0.back().is_some_and(|(_, last)| sample.is_after_a_restart(last)) {
            self.0.clear();
        }
        self.0.push_back((at, sample));
        // The second one is old enough as well.
        while self
            .0
            .get(1)
            .is_some_and(|(second, _)| at.saturating_duration_since(*second) >= SPAN)
        {
            self.0.pop_front();
        }
    }

    /// Forgets everything: the proxy was away.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The latest sample.
    pub fn latest(&self) -> Option<&Sample> {
        self.0.back().map(|(_, sample)| sample)
    }

    /// What has happened since the earliest sample. `None` where there are not two.
    pub fn lately(&self) -> Option<Lately<'_>> {
        let ((begin, earlier), (end, latest)) = (self.0.front()?, self.0.back()?);
        let span = end.saturating_duration_since(*begin);
        (!span.is_zero()).then_some(Lately { earlier, latest, span })
    }
}

impl Lately<'_> {
    /// By how much a number has grown.
    pub fn growth(&self, of: impl Fn(&Sample) -> f64) -> f64 {
        of(self.latest) - of(self.earlier)
    }

    /// What has come to a histogram.
    pub fn histogram(&self, of: impl Fn(&Sample) -> Histogram) -> Histogram {
        of(self.latest).since(&of(self.earlier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(count: u32) -> Sample {
        Sample::read(&format!("a_total {count}")).unwrap()
    }

    fn growth(window: &Window) -> Option<(f64, u64)> {
        let lately = window.lately()?;
        Some((
            lately.growth(|sample| sample.sum("a_total", &[])),
            lately.span.as_secs(),
        ))
    }

    #[test]
    fn rates_look_ten_seconds_back_and_never_across_a_restart() {
        let (mut window, start) = (Window::default(), Instant::now());
        let add = |window: &mut Window, second, count| window.add(start + Duration::from_secs(second), sample(count));
        assert!(window.latest().is_none());
        add(&mut window, 0, 100);
        assert_eq!(growth(&window), None);
        add(&mut window, 1, 101);
        assert_eq!(growth(&window), Some((1.0, 1)));
        for second in 2..=20 {
            add(&mut window, second, 100 + second as u32);
        }
        assert_eq!(growth(&window), Some((10.0, 10)));
        // A long pause leaves the two samples around it.
        add(&mut window, 60, 200);
        assert_eq!(growth(&window), Some((80.0, 40)));
        add(&mut window, 61, 3);
        assert_eq!(growth(&window), None);
        add(&mut window, 62, 5);
        assert_eq!(growth(&window), Some((2.0, 1)));
    }
}
