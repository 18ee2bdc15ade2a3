//! The same tokens with every lookahead, greedy and drawn, and what each costs where the upstream is as fast as it can be.

use crate::stage::{Answer, Upstream, items, steered};

pub async fn measure(prompts: usize) {
    let upstream = Upstream::start(0, 0).await;
    println!("\n## Identical tokens, {prompts} prompts, an upstream that does not wait\n");
    println!(
        "| sampling | lookahead | identical to lookahead 1 | requests/token | wasted/used | at the server | tokens/s |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (sampling, temperature) in [("greedy", 0.0), ("temperature 0.8, seed 7", 0.8)] {
        let mut paper: Vec<Answer> = Vec::new();
        for lookahead in ["1", "4", "16", "adaptive"] {
            let proxy = upstream.proxy(&[("upstream.lookahead", lookahead)]).await;
            let before = upstream.server.generated();
            let mut answers = Vec::new();
            for item in &items(prompts) {
                answers.push(steered(&proxy, item, temperature).await);
            }
            let sum = |of: fn(&Answer) -> f64| answers.iter().map(of).sum::<f64>();
            let used = sum(|answer| answer.report.positions as f64);
            let computed = (upstream.server.generated() - before) as f64;
            let identical = match lookahead {
                "1" => answers.len(),
                _ => answers
                    .iter()
                    .zip(&paper)
                    .filter(|(ours, paper)| ours.tokens == paper.tokens)
                    .count(),
            };
            println!(
                "| {sampling} | {lookahead} | {identical}/{} | {:.3} | {:.3} | {:.3} | {:.1} |",
                answers.len(),
                sum(|answer| answer.report.upstream_requests as f64) / used,
                sum(|answer| answer.report.wasted_tokens as f64) / used,
                (computed - used) / used,
                used / sum(|answer| answer.wall.as_secs_f64()),
            );
            if lookahead == "1" {
                paper = answers;
            }
        }
    }
}
