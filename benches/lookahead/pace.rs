//! How fast steered answers come from an upstream with a pace and a delay, beside the plain answers of the same upstream.

use std::sync::Arc;

use costeer::service::Service;

use crate::stage::{Answer, Upstream, items, steered};

/// Each prompt is measured this often, all systems in turn.
const REPEATS: usize = 3;

/// Milliseconds a token and milliseconds before a request's first.
const PACES: [(u64, u64); 2] = [(25, 30), (25, 150)];

pub async fn measure(prompts: usize) {
    for (pace, delay) in PACES {
        let upstream = Upstream::start(pace, delay).await;
        println!(
            "\n## A paced upstream: {pace} ms a token, {delay} ms before a request's first; {prompts} prompts, median of {REPEATS}\n"
        );
        println!(
            "| system | tokens/s | × lookahead 1 | requests/token | wasted/used | at the server | wall ÷ (plain + delays) |"
        );
        println!("|---|---|---|---|---|---|---|");
        let mut systems: Vec<System> = Vec::new();
        for lookahead in ["1", "8", "adaptive"] {
            let proxy = upstream.proxy(&[("upstream.lookahead", lookahead)]).await;
            systems.push(System::new(lookahead, proxy));
        }
        let mut plain: Vec<Vec<f64>> = vec![Vec::new(); prompts];
        for _ in 0..REPEATS {
            for (number, item) in items(prompts).iter().enumerate() {
                let (tokens, wall) = upstream.plain(item).await;
                plain[number].push((wall.as_secs_f64() - delay as f64 / 1e3) / tokens as f64);
                for system in &mut systems {
                    let before = upstream.server.generated();
                    let answer = steered(&system.proxy, item, 0.0).await;
                    let computed = upstream.server.generated() - before;
                    system.runs[number].push((answer, computed));
                }
            }
        }
        // Seconds a token of the plain stream, after its first delay.
        let plain: Vec<f64> = plain.iter_mut().map(|seconds| median(seconds)).collect();
        let mean = plain.iter().sum::<f64>() / plain.len() as f64;
        println!("| plain, without its delay | {:.1} | | | | | |", 1.0 / mean);
        let paper = systems[0].tokens_a_second();
        for system in &systems {
            system.print(&plain, delay as f64 / 1e3, paper);
        }
    }
}

struct System {
    name: &'static str,
    proxy: Arc<Service>,
    /// For each prompt, each repeat: the answer and what the server computed for it.
    runs: Vec<Vec<(Answer, u64)>>,
}

impl System {
    fn new(name: &'static str, proxy: Arc<Service>) -> Self {
        Self {
            name,
            proxy,
            runs: std::iter::repeat_with(Vec::new).take(1000).collect(),
        }
    }

    fn measured(&self) -> impl Iterator<Item = &Vec<(Answer, u64)>> {
        self.runs.iter().filter(|repeats| !repeats.is_empty())
    }

    fn sum(&self, of: impl Fn(&(Answer, u64)) -> f64) -> f64 {
        self.measured()
            .map(|repeats| median(&mut repeats.iter().map(&of).collect::<Vec<f64>>()))
            .sum()
    }

    fn tokens_a_second(&self) -> f64 {
        self.sum(|(answer, _)| answer.tokens.len() as f64) / self.sum(|(answer, _)| answer.wall.as_secs_f64())
    }

    fn print(&self, plain: &[f64], delay: f64, paper: f64) {
        let used = self.sum(|(answer, _)| answer.report.positions as f64);
        // What the plain stream would have taken for as many tokens, and a delay for each request.
        let numbered = self.measured().zip(plain);
        let ideal: f64 = numbered
            .map(|(repeats, seconds)| {
                let (answer, _) = &repeats[0];
                answer.tokens.len() as f64 * seconds + answer.report.upstream_requests as f64 * delay
            })
            .sum();
        println!(
            "| lookahead {} | {:.1} | {:.2} | {:.3} | {:.3} | {:.3} | {:.2} |",
            self.name,
            self.tokens_a_second(),
            self.tokens_a_second() / paper,
            self.sum(|(answer, _)| answer.report.upstream_requests as f64) / used,
            self.sum(|(answer, _)| answer.report.wasted_tokens as f64) / used,
            self.sum(|(answer, computed)| *computed as f64 - answer.report.positions as f64) / used,
            self.sum(|(answer, _)| answer.wall.as_secs_f64()) / ideal,
        );
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
