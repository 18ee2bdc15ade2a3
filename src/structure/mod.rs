//! What an answer must look like: from a request's field to a grammar, and from a grammar and the picked tokens to those that may come
//! next.
//!
//! The grammar is the request's, which the upstream may see, and so is everything that follows from it and from what was picked.

mod allowed;
mod closed;
mod compiler;
mod error;
mod follower;
mod forced_call;
mod gbnf;
mod located;
mod shape;
mod tokens;
mod wanted;

pub use allowed::Allowed;
pub use compiler::{Compiler, Grammar};
pub use error::StructureError;
pub use follower::Follower;
pub use forced_call::ForcedCall;
pub use shape::Shape;
pub use wanted::Structure;

#[cfg(test)]
mod tests;
