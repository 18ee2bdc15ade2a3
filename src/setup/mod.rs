//! From nothing to a configuration: what runs on this machine, which small model fits it, what that costs, and the file that says so.
//!
//! Nothing is asked of a person here, and nothing is printed; `cli` does that.

mod addresses;
mod draft;
mod error;
mod estimate;
mod families;
mod files;
mod normal;
mod proposals;
mod survey;
mod write;

pub use addresses::{Address, USUAL, addresses};
pub use draft::Draft;
pub use error::SetupError;
pub use estimate::Estimate;
pub use families::{Family, SmallModel, family_of};
pub use files::{HereModel, usual_folders};
pub use proposals::{Place, Proposal, Search, given, proposals};
pub use survey::{Found, Sighting, survey};
pub use write::{can_write, write};
