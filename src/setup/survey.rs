use std::time::Duration;

use futures::future::join_all;

use super::addresses::Address;
use crate::upstream::{Identity, Problem, Timeouts, bearer, identify};

/// A server of this machine answers within this; one elsewhere, too, or is of no use.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is at an address.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// Where.
    pub address: Address,
    /// What.
    pub found: Found,
}

/// What an address turned out to be.
#[derive(Clone, Debug)]
pub enum Found {
    /// A server that says what it is.
    Server(Box<Identity>),
    /// A server that wants a key, or another one.
    WantsKey,
    /// Nothing listens there.
    Nothing(String),
    /// Something that is no such server, or does not answer.
    Other(String),
}

/// Looks at all addresses at once. The key goes to those that somebody has named, and to no other.
pub async fn survey(addresses: Vec<Address>, key: Option<&str>) -> Vec<Sighting> {
    join_all(addresses.into_iter().map(|address| look(address, key))).await
}

async fn look(address: Address, key: Option<&str>) -> Sighting {
    let timeouts = Timeouts {
        connect: PATIENCE,
        first_token: PATIENCE,
        idle: PATIENCE,
        whole: PATIENCE,
    };
    let key = key.filter(|_| address.is_named).and_then(bearer);
    let found = match identify(&address.url, key, timeouts).await {
        Ok(identity) => Found::Server(Box::new(identity)),
        Err(error) => match error.problem {
            Problem::Refused { status: 401 | 403, .. } => Found::WantsKey,
            Problem::Unreachable { ref reason } => Found::Nothing(reason.clone()),
            _ => Found::Other(error.problem.to_string()),
        },
    };
    Sighting { address, found }
}
