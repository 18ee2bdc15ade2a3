//! The private context: the type that holds it, what it is composed of, and how it becomes the private branch's prompt.

mod almost_tags;
mod compose;
mod composer;
mod composition;
mod error;
mod fold;
mod private;
mod private_ids;
mod public_prompt;
mod shorten;
mod slips;
mod sources;
mod tags;
mod template;
mod unescape;

pub use almost_tags::is_almost_tagged;
pub use composer::{Composer, Placement};
pub use composition::{Composition, Kept, Preview};
pub use error::ContextError;
pub use fold::{folded, letters};
pub use private::PrivateContext;
pub use private_ids::PrivateIds;
pub use public_prompt::{Chat, PublicPrompt};
pub use slips::{FIELD, is_almost_ours, means_context};
pub use sources::Sources;
pub use tags::{Parted, Unbalanced, is_paired, is_tagged, part, part_whatever_pairs};
pub use template::Template;
