use super::histogram::Histogram;
use super::text_format::{NotMetrics, Series, parse};

/// All numbers of the proxy at one time.
#[derive(Clone, Debug)]
pub struct Sample(Vec<Series>);

impl Sample {
    /// Reads what `/metrics` says. Requests for that are left out: most of them are our own.
    ///
    /// # Errors
    /// [`NotMetrics`] where it is another format.
    pub fn read(text: &str) -> Result<Self, NotMetrics> {
        let is_own = |series: &Series| {
            series
                .labels
                .iter()
                .any(|(name, route)| name == "route" && route == "/metrics")
        };
        let mut all = parse(text)?;
        all.retain(|series| !is_own(series));
        Ok(Self(all))
    }

    /// Whether a CoSteer proxy has written them.
    pub fn is_of_a_proxy(&self) -> bool {
        self.0.iter().any(|series| series.name.starts_with("costeer_"))
    }

    /// The sum of a metric over those of its series that have all of `labels`; 0 where there is none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        total(self.of(name, labels))
    }

    /// The sum of a metric over the series whose `label` is such a value.
    pub fn sum_where(&self, name: &str, label: &str, is_wanted: impl Fn(&str) -> bool) -> f64 {
        let wanted = self.of(name, &[]).filter(|series| {
            let mut values = series.labels.iter().filter(|(name, _)| name == label);
            values.any(|(_, value)| is_wanted(value))
        });
        total(wanted)
    }

    /// A histogram, added up over those of its series that have all of `labels`.
    pub fn histogram(&self, name: &str, labels: &[(&str, &str)]) -> Histogram {
        let buckets = format!("{name}_bucket");
        let buckets = self.of(&buckets, labels).filter_map(|series| {
            let (_, bound) = series.labels.iter().find(|(name, _)| name == "le")?;
            Some((bound.parse().ok()?, series.value))
        });
        Histogram::new(
            buckets,
            self.sum(&format!("{name}_sum"), labels),
            self.sum(&format!("{name}_count"), labels),
        )
    }

    /// Whether it is of another process than the `earlier` one: then something that only grows has shrunk.
    pub fn is_after_a_restart(&self, earlier: &Self) -> bool {
        let grows = |series: &&Series| series.name.ends_with("_total") || series.name.ends_with("_count");
        earlier.0.iter().filter(grows).any(|old| {
            let now = self
                .0
                .iter()
                .find(|new| new.name == old.name && new.labels == old.labels);
            now.is_none_or(|new| new.value < old.value)
        })
    }

    fn of<'a>(&'a self, name: &'a str, labels: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = &'a Series> {
        self.0.iter().filter(move |series| {
            let has = |(name, value): &(&str, &str)| series.labels.iter().any(|(n, v)| n == name && v == value);
            series.name == name && labels.iter().all(has)
        })
    }
}

fn total<'a>(series: impl Iterator<Item = &'a Series>) -> f64 {
    // The sum of nothing would be -0.
    series.fold(0.0, |sum, series| sum + series.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_added_up_by_their_labels() {
        let sample = Sample::read(
            "costeer_requests_total{route=\"/a\",status=\"200\"} 3\ncosteer_requests_total{route=\"/b\",status=\"404\"} 4\n\
             costeer_requests_total{route=\"/metrics\",status=\"200\"} 50\ncosteer_requests_totals 100\n",
        );
        let sample = sample.unwrap();
        assert!(sample.is_of_a_proxy());
        assert_eq!(sample.sum("costeer_requests_total", &[]), 7.0);
        assert_eq!(sample.sum("costeer_requests_total", &[("route", "/b")]), 4.0);
        let refused = |status: &str| status.starts_with('4');
        assert_eq!(sample.sum_where("costeer_requests_total", "status", refused), 4.0);
        assert_eq!(sample.sum("costeer_nothing_total", &[]).to_string(), "0");
        assert!(!Sample::read("up 1").unwrap().is_of_a_proxy());
    }

    #[test]
    fn a_restart_is_seen_by_what_shrinks_or_is_gone() {
        let sample = |text: &str| Sample::read(text).unwrap();
        let before = sample("a_total 5\nslots_busy 2\n");
        assert!(!sample("a_total 5\nb_total 1\nslots_busy 0\n").is_after_a_restart(&before));
        assert!(sample("a_total 4\nslots_busy 2\n").is_after_a_restart(&before));
        assert!(sample("slots_busy 2\n").is_after_a_restart(&before));
    }
}
