//! How often the pick is proved to be the whole vocabulary's, what it costs to make sure, and what the bypass saves.

use crate::stage::{Answer, Upstream, items, steered};

/// More candidates than the shipped vocabulary has.
const WHOLE: &str = "1000000";

pub async fn measure(prompts: usize) {
    let upstream = Upstream::start(0, 0).await;
    println!("\n## Certificates, {prompts} prompts, greedy\n");
    println!(
        "| rule | candidates | exactness | certified | refetched | uncertified | refetches/token | same as whole vocabulary |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (rule, strength, floor) in [("paper", "1.783256843", "0"), ("demo", "1", "0.0001")] {
        let answers = async |settings: &[(&'static str, &str)]| {
            let mut all = vec![("steering.strength", strength), ("steering.delta_floor", floor)];
            all.extend_from_slice(settings);
            let proxy = upstream.proxy(&all).await;
            let mut answers = Vec::new();
            for item in &items(prompts) {
                answers.push(steered(&proxy, item, 0.0).await);
            }
            answers
        };
        let whole = answers(&[("upstream.top_k", WHOLE)]).await;
        for (top_k, exactness) in [
            ("20", "certify"),
            ("5", "certify"),
            ("20", "refetch"),
            ("20", "refetch-ids"),
        ] {
            let ours = answers(&[("upstream.top_k", top_k), ("steering.exactness", exactness)]).await;
            let sum = |of: fn(&Answer) -> u64| ours.iter().map(of).sum::<u64>() as f64;
            let positions = sum(|answer| answer.report.positions);
            let pairs = ours.iter().zip(&whole);
            println!(
                "| {rule} | {top_k} | {exactness} | {:.1} % | {:.1} % | {:.1} % | {:.3} | {}/{} |",
                100.0 * sum(|answer| answer.report.certified) / positions,
                100.0 * sum(|answer| answer.report.refetched) / positions,
                100.0 * sum(|answer| answer.report.uncertified) / positions,
                sum(|answer| answer.report.refetch_requests) / positions,
                pairs.filter(|(ours, whole)| ours.tokens == whole.tokens).count(),
                ours.len(),
            );
        }
    }
    bypass(&upstream, prompts).await;
}

async fn bypass(upstream: &Upstream, prompts: usize) {
    println!("\n## The bypass, {prompts} prompts, greedy, lookahead adaptive\n");
    println!("| bypass | passed through | answers as without a bypass | local computing, ms/token | tokens/s |");
    println!("|---|---|---|---|---|");
    let mut without: Vec<Answer> = Vec::new();
    for mode in ["off", "latch", "reopen"] {
        let proxy = upstream.proxy(&[("steering.bypass", mode)]).await;
        let mut answers = Vec::new();
        for item in &items(prompts) {
            answers.push(steered(&proxy, item, 0.0).await);
        }
        let sum = |of: fn(&Answer) -> f64| answers.iter().map(of).sum::<f64>();
        let positions = sum(|answer| answer.report.positions as f64);
        let same = match mode {
            "off" => answers.len(),
            _ => answers
                .iter()
                .zip(&without)
                .filter(|(ours, off)| ours.tokens == off.tokens)
                .count(),
        };
        println!(
            "| {mode} | {:.1} % | {same}/{} | {:.2} | {:.1} |",
            100.0 * sum(|answer| answer.report.passed as f64) / positions,
            answers.len(),
            1e3 * sum(|answer| answer.report.time.local_compute.as_secs_f64()) / positions,
            positions / sum(|answer| answer.wall.as_secs_f64()),
        );
        if mode == "off" {
            without = answers;
        }
    }
}
