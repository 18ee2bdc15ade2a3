//! What people have told about themselves: profiles and their history, in one file of this machine.
//!
//! The file is SQLite's, encrypted by SQLCipher where there is a key (feature `encryption`). Calls block; whoever must not wait runs them on a thread
//! of their own.

mod database;
mod document;
mod documents;
mod error;
pub mod import;
mod key;
#[cfg(feature = "encryption")]
mod keyring;
#[cfg(not(feature = "encryption"))]
#[path = "no_keyring.rs"]
mod keyring;
mod profile;
mod profiles;
mod schema;
mod search;
mod terms;
mod text;
mod upkeep;

pub use document::Document;
pub use documents::{DocumentId, Imported, StoredDocument};
pub use error::StoreError;
pub use key::KeySource;
pub use profile::{NotAName, Profile, ProfileName};
pub use profiles::Summary;
pub use search::Hit;
pub use text::PrivateText;
pub use upkeep::{Census, recode};

use self::database::Database;

/// The profiles of one person, or of those one application serves.
pub struct Store {
    database: Database,
}
