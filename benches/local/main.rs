//! What a real small model costs, through real sockets: the first token, each token, memory, several sessions. Beside it, in the same run, what the crate
//! and a server of llama.cpp's need for the same by themselves.
//!
//! `cargo bench --features llamacpp --bench local` makes the model's files and prints one table. `-- Q8_0` takes another file (F16 is the default), `-- hf`
//! the directory on mistral.rs, and `-- memory pace` measures only these sections.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement, not the product"
)]

mod abandoned;
mod crate_alone;
mod each_token;
mod first_token;
mod memory;
mod models;
mod pace;
mod program;
mod same;
mod served;
mod server_alone;
mod stage;
mod table;
mod texts;
mod together;
mod upstream;

use crate::models::Model;
use crate::texts::Texts;

/// Everything is measured this often, and the table has the medians.
const REPEATS: usize = 5;

fn main() {
    // cargo adds --bench.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    if arguments.first().is_some_and(|first| first == crate_alone::FLAG) {
        return crate_alone::run(&arguments[1..]);
    }
    let (names, sections): (Vec<_>, Vec<_>) = arguments
        .iter()
        .map(String::as_str)
        .partition(|name| Model::NAMES.contains(name));
    let model = Model::make(names.first().unwrap_or(&"F16"));
    let texts = Texts::read();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        table::head(model.name);
        for section in SECTIONS {
            if sections.is_empty() || sections.contains(&section) {
                measure(section, &model, &texts).await;
            }
        }
    });
}

const SECTIONS: [&str; 7] = [
    "first-token",
    "each-token",
    "pace",
    "together",
    "memory",
    "abandoned",
    "same",
];

async fn measure(section: &str, model: &Model, texts: &Texts) {
    match section {
        "first-token" => first_token::measure(model, texts).await,
        "each-token" => each_token::measure(model, texts).await,
        "pace" => pace::measure(model, texts).await,
        "together" => together::measure(model, texts).await,
        "memory" => memory::measure(model, texts).await,
        "same" => same::measure(model, texts).await,
        _ => abandoned::measure(model, texts).await,
    }
}
