//! What people have told about themselves: profiles and their history, in one file of this machine.
//!
//! The file is SQLite's, encrypted by SQLCipher where there is a key (feature `encryption`). Calls block; whoever must not wait runs them on a thread
//! of their own.

mod copies;
mod database;
mod document;
mod documents;
mod error;
mod file;
pub mod import;
mod index;
mod key;
#[cfg(feature = "encryption")]
mod keyring;
#[cfg(not(feature = "encryption"))]
#[path = "no_keyring.rs"]
mod keyring;
mod open;
mod profile;
mod profiles;
mod schema;
mod search;
mod stored_document;
mod terms;
mod text;
mod trouble;
mod upkeep;

pub use document::Document;
pub use documents::Imported;
pub use error::StoreError;
pub use key::KeySource;
pub use open::Store;
pub use profile::{NotAName, Profile, ProfileName};
pub use profiles::Summary;
pub use search::Hit;
pub use stored_document::{DocumentId, StoredDocument};
pub use text::PrivateText;
pub use upkeep::{Census, recode};
