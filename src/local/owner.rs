use std::fmt;

use sha2::{Digest, Sha256};

/// Whose prompts an engine remembers: clients with the same credential. How fast a first token comes tells whether a prompt
/// was computed before, and nobody should learn that about another's.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner([u8; 32]);

impl Owner {
    /// Everybody who shows this credential; it is kept as a hash.
    pub fn of(credential: &[u8]) -> Self {
        Self(Sha256::digest(credential).into())
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Owner")
    }
}
