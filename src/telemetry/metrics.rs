use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// The process' metrics, as Prometheus reads them.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

/// Upper bounds of the histograms, in seconds: from a token of a small model to a long answer.
const BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0,
];

/// How often finished histograms are folded; without it they grow until somebody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// The metrics, which are counted from the first call on. They belong to the process, so every call gives the same.
pub fn metrics() -> Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    let start = || {
        let builder = PrometheusBuilder::new();
        // It refuses an empty list only.
        let recorder = builder.set_buckets(&BUCKETS).unwrap_or_default().build_recorder();
        let handle = recorder.handle();
        if ::metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another part of this process counts the metrics already; /metrics stays empty");
        }
        Metrics(handle)
    };
    METRICS.get_or_init(start).clone()
}

impl Metrics {
    /// In Prometheus' text format.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// What these series stand at, each named with its labels as [`Self::render`] writes them; `None` where it was never counted.
    pub fn values<const N: usize>(&self, series: [&str; N]) -> [Option<f64>; N] {
        let text = self.render();
        let value = |line: &str, name: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
        series.map(|name| text.lines().find_map(|line| value(line, name)))
    }

    /// Keeps memory flat where nobody scrapes. Runs until it is dropped.
    pub async fn upkeep(&self) {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            self.0.run_upkeep();
        }
    }
}
