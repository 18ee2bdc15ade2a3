//! The private context: the type that holds it, and how it becomes the private branch's prompt.

mod compose;
mod private;

pub use compose::{Branches, Composer, Placement, PublicPrompt};
pub use private::PrivateContext;
