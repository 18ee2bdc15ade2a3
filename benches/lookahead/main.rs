//! What lookahead, certificates and the bypass do, on the shipped pair, through real sockets; every comparison within one
//! run. `cargo bench --bench lookahead` prints the tables of benches/README.md; `-- --prompts 20` does so on fewer prompts.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement, not the product"
)]

mod drafting;
mod exactness;
mod identity;
mod pace;
mod stage;

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--prompts");
    let prompts = arguments.nth(1).map_or(200, |count| count.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        pace::measure(prompts.min(12)).await;
        identity::measure(prompts).await;
        exactness::measure(prompts).await;
        drafting::measure(prompts).await;
    });
}
