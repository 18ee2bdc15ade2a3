//! The small model's tokens and the upstream's, where they are not the same: what the small model is fed for a token of the
//! upstream's, and what it says about the upstream's next token.

mod follow;
mod logits;
mod project;
mod settled;

pub use follow::Spelling;
pub use logits::Logits;
pub use project::Projected;

#[cfg(test)]
mod laziness;
#[cfg(test)]
mod tests;
