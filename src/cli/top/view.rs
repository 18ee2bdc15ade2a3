use super::histogram::Histogram;
use super::sample::Sample;
use super::window::{Lately, Window};

/// A line of the view.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Without escape sequences and line breaks.
    pub text: String,
    /// How it stands out.
    pub kind: Kind,
}

/// How a line stands out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// The name of what follows.
    Heading,
    /// Something counted.
    Plain,
    /// May be skipped.
    Aside,
    /// Something is wrong.
    Problem,
}

/// What a histogram is called here, its metric, and the labels that choose its series.
type Timed = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const PARTS: &str = "costeer_session_part_seconds";
const UPSTREAM: &[(&str, &str)] = &[("part", "upstream_wait")];
const LOCAL: &[(&str, &str)] = &[("part", "local_wait")];

const TIMES: [Timed; 7] = [
    ("a request, to its answer's head", "costeer_request_seconds", &[]),
    ("a steered answer", "costeer_session_seconds", &[]),
    ("  to its first token", "costeer_first_token_seconds", &[]),
    ("  between two tokens", "costeer_inter_token_seconds", &[]),
    ("  waiting for the upstream", PARTS, UPSTREAM),
    ("  waiting for the small model", PARTS, LOCAL),
    ("  arithmetic", PARTS, &[("part", "arithmetic")]),
];

/// The whole view: what `proxy` has done lately, and since its start.
pub fn view(proxy: &str, window: &Window) -> Vec<Line> {
    let Some(latest) = window.latest() else {
        return Vec::new();
    };
    let lately = window.lately();
    let span = lately.map_or_else(String::new, |lately| {
        format!("last {:.0} s", lately.span.as_secs_f64().max(1.0))
    });
    let mut view = View {
        lately,
        latest,
        lines: Vec::new(),
    };
    view.line(Kind::Heading, format!("{:34}{span:>12}  {:>12}", proxy, "since start"));
    view.requests();
    view.tokens();
    view.times();
    view.lines
}

struct View<'a> {
    lately: Option<Lately<'a>>,
    latest: &'a Sample,
    lines: Vec<Line>,
}

impl View<'_> {
    fn requests(&mut self) {
        self.heading("Requests");
        self.counted("answered", |sample| sample.sum("costeer_requests_total", &[]));
        self.counted("  refused (4xx)", |sample| of_class(sample, '4'));
        self.counted("  failed (5xx)", |sample| of_class(sample, '5'));
        let gauge = |name| self.latest.sum(name, &[]);
        let (busy, slots, waiting) = (
            gauge("costeer_slots_busy"),
            gauge("costeer_slots"),
            gauge("costeer_queue_waiting"),
        );
        self.heading("Steered answers");
        self.row("running now", &format!("{busy} of {slots}"), "");
        self.row("waiting for a slot now", &waiting.to_string(), "");
        self.counted("ended", |sample| sample.sum("costeer_sessions_total", &[]));
    }

    fn tokens(&mut self) {
        self.heading("Tokens");
        // Those of answers that have not ended, too: all but the first of each are in this histogram at once.
        let written = |sample: &Sample| {
            let between = sample.histogram("costeer_inter_token_seconds", &[]).count();
            between + sample.sum("costeer_sessions_total", &[])
        };
        self.counted("picked", written);
        let positions = |sample: &Sample| sample.sum("costeer_positions_total", &[]);
        let steered = |sample: &Sample| CERTAINTIES.map(|name| sample.sum(name, &[])).iter().sum();
        let [certified, refetched, _] = CERTAINTIES;
        self.share(
            "  changed by steering",
            |sample| sample.sum("costeer_changed_positions_total", &[]),
            positions,
        );
        self.share("  certified", |sample| sample.sum(certified, &[]), steered);
        self.share(
            "  certified after asking for more",
            |sample| sample.sum(refetched, &[]),
            steered,
        );
        self.counted("asked of the upstream in vain", |sample| {
            sample.sum("costeer_wasted_tokens_total", &[])
        });
        self.counted("requests to the upstream", |sample| {
            sample.sum("costeer_upstream_requests_total", &[]) + sample.sum("costeer_refetch_requests_total", &[])
        });
    }

    fn times(&mut self) {
        let head = format!("{:32}{:>9}{:>9}{:>9}{:>9}", "Times", "mean", "95 %", "mean", "95 %");
        self.line(Kind::Heading, head);
        for (label, name, labels) in TIMES {
            let of = |sample: &Sample| sample.histogram(name, labels);
            let spread = |histogram: &Histogram| [histogram.mean(), histogram.quantile(0.95)].map(duration);
            let [mean, most] = self
                .lately
                .map_or_else(Default::default, |lately| spread(&lately.histogram(of)));
            let [mean_of_all, most_of_all] = spread(&of(self.latest));
            let text = format!("{label:32}{mean:>9}{most:>9}{mean_of_all:>9}{most_of_all:>9}");
            self.line(Kind::Plain, text);
        }
        for (label, labels) in [("a token: upstream", UPSTREAM), ("a token: small model", LOCAL)] {
            let spent = |sample: &Sample| sample.histogram(PARTS, labels).sum();
            let positions = |sample: &Sample| sample.sum("costeer_positions_total", &[]);
            let [lately, always] = self.ratios(spent, positions).map(duration);
            self.line(Kind::Plain, format!("{label:32}{lately:>9}{:>9}{always:>9}", ""));
        }
    }

    /// A number that grows: how fast, and how far it has come.
    fn counted(&mut self, label: &str, of: impl Fn(&Sample) -> f64) {
        let rate = self.lately.map(|lately| lately.growth(&of) / lately.span.as_secs_f64());
        let rate = rate.map_or_else(String::new, |rate| format!("{rate:.1}/s"));
        self.row(label, &rate, &of(self.latest).to_string());
    }

    /// What share of something that grows is another thing.
    fn share(&mut self, label: &str, part: impl Fn(&Sample) -> f64, whole: impl Fn(&Sample) -> f64) {
        let [lately, always] = self.ratios(part, whole).map(|share| match share {
            Some(share) => format!("{:.1} %", 100.0 * share),
            None => NOTHING.to_owned(),
        });
        self.row(label, &lately, &always);
    }

    /// How much of one thing there is for each of another, lately and since the start.
    fn ratios(&self, part: impl Fn(&Sample) -> f64, whole: impl Fn(&Sample) -> f64) -> [Option<f64>; 2] {
        let ratio = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        let lately = self
            .lately
            .and_then(|lately| ratio(lately.growth(&part), lately.growth(&whole)));
        [lately, ratio(part(self.latest), whole(self.latest))]
    }

    fn row(&mut self, label: &str, lately: &str, always: &str) {
        self.line(Kind::Plain, format!("{label:34}{lately:>12}  {always:>12}"));
    }

    fn heading(&mut self, text: &str) {
        self.line(Kind::Heading, text.to_owned());
    }

    fn line(&mut self, kind: Kind, text: String) {
        let text = text.trim_end().to_owned();
        self.lines.push(Line { text, kind });
    }
}

/// Of steered tokens, in this order: proved, proved after asking for more, not proved.
const CERTAINTIES: [&str; 3] = [
    "costeer_certified_positions_total",
    "costeer_refetched_positions_total",
    "costeer_uncertified_positions_total",
];

/// What stands where there is no number.
const NOTHING: &str = "–";

fn of_class(sample: &Sample, class: char) -> f64 {
    sample.sum_where("costeer_requests_total", "status", |status| status.starts_with(class))
}

fn duration(seconds: Option<f64>) -> String {
    match seconds {
        None => NOTHING.to_owned(),
        Some(seconds) if seconds < 0.001 => format!("{:.0} µs", seconds * 1e6),
        Some(seconds) if seconds < 0.1 => format!("{:.1} ms", seconds * 1e3),
        Some(seconds) if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        Some(seconds) => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    const EARLIER: &str = "costeer_requests_total{route=\"/a\",status=\"200\"} 10
costeer_requests_total{route=\"/a\",status=\"404\"} 1
costeer_sessions_total 2
costeer_positions_total 100
costeer_changed_positions_total 50
costeer_certified_positions_total 80
costeer_refetched_positions_total 10
costeer_uncertified_positions_total 10
costeer_slots 2
costeer_slots_busy 1
costeer_queue_waiting 3
costeer_inter_token_seconds_bucket{le=\"0.01\"} 98
costeer_inter_token_seconds_bucket{le=\"+Inf\"} 98
costeer_inter_token_seconds_sum 0.49
costeer_inter_token_seconds_count 98
costeer_session_part_seconds_bucket{part=\"local_wait\",le=\"1\"} 2
costeer_session_part_seconds_bucket{part=\"local_wait\",le=\"+Inf\"} 2
costeer_session_part_seconds_sum{part=\"local_wait\"} 1
costeer_session_part_seconds_count{part=\"local_wait\"} 2
";

    /// The same after two seconds: four requests more, and 20 tokens of an answer that goes on.
    fn later() -> String {
        EARLIER
            .replace("status=\"200\"} 10", "status=\"200\"} 14")
            .replace("} 98", "} 118")
            .replace("count 98", "count 118")
            .replace("sum 0.49", "sum 0.69")
    }

    /// The lines, their columns parted by one blank.
    fn shown(window: &Window) -> Vec<String> {
        let squeezed = |line: Line| line.text.split_whitespace().collect::<Vec<_>>().join(" ");
        view("here", window).into_iter().map(squeezed).collect()
    }

    fn assert_shown(window: &Window, wanted: &[&str]) {
        let found = shown(window);
        for line in wanted {
            assert!(found.contains(&(*line).to_owned()), "{line} is not in {found:#?}");
        }
    }

    #[test]
    fn rates_shares_and_times_are_those_of_the_differences() {
        let (mut window, start) = (Window::default(), Instant::now());
        assert!(shown(&window).is_empty());
        window.add(start, Sample::read(EARLIER).unwrap());
        assert_shown(
            &window,
            &["here since start", "answered 11", "changed by steering – 50.0 %"],
        );
        window.add(start + Duration::from_secs(2), Sample::read(&later()).unwrap());
        assert_shown(
            &window,
            &[
                "here last 2 s since start",
                "answered 2.0/s 15",
                "refused (4xx) 0.0/s 1",
                "running now 1 of 2",
                "waiting for a slot now 3",
                "picked 10.0/s 120",
                "changed by steering – 50.0 %",
                "certified – 80.0 %",
                "certified after asking for more – 10.0 %",
                "between two tokens 10.0 ms 9.5 ms 5.8 ms 9.5 ms",
                "waiting for the small model – – 500 ms 950 ms",
                "waiting for the upstream – – – –",
                "a token: small model – 10.0 ms",
            ],
        );
    }
}
