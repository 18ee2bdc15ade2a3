//! The private context: the type that holds it, what it is composed of, and how it becomes the private branch's prompt.

mod compose;
mod error;
mod fold;
mod private;
mod slips;
mod sources;
mod tags;
mod template;

pub use compose::{Composer, Composition, Kept, Placement, Preview, PrivateIds, PublicPrompt};
pub use error::ContextError;
pub use fold::{folded, letters};
pub use private::PrivateContext;
pub use slips::{FIELD, is_almost_ours, means_context};
pub use sources::Sources;
pub use tags::{Parted, Unbalanced, is_almost_tagged, is_tagged, part};
pub use template::Template;
