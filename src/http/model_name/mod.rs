//! Profiles for clients that can set no headers: `NAME@profile` and `NAME@plain` in the field `model`.
//!
//! The upstream sees `NAME` alone, and answers say what the client wrote.

mod address;
mod answer;
mod form;
mod listed;
mod named;
mod split;

pub use address::{check_address, of_address};
pub use answer::renamed;
pub use form::of_form;
pub use listed::{Listed, list, names_in};
pub use named::{ASKED_PLAIN, Wanted, take};
pub use split::{PLAIN, with_suffix};
