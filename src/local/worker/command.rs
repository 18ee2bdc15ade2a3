use tokio::sync::mpsc::UnboundedSender;
use zeroize::Zeroizing;

use crate::local::{LocalError, Owner, Rows};
use crate::vocabulary::TokenId;

/// Names a slot that somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Holder(pub u64);

/// What slots and sessions ask of the worker. A slot runs one session at a time.
pub enum Command {
    /// Begins a session.
    Open {
        /// The slot it runs on.
        holder: Holder,
        /// Whose prompts these are.
        owner: Owner,
        /// Without and with the private context.
        prompts: Prompts,
    },
    /// Appends tokens to both branches.
    Extend {
        /// Whose.
        holder: Holder,
        /// Which.
        tokens: Vec<TokenId>,
        /// After how many of the last ones logits are wanted.
        rows: usize,
        /// Where they go. It is closed when nobody waits any longer.
        reply: UnboundedSender<Result<Rows, LocalError>>,
    },
    /// Forgets all but the first tokens of the answer.
    Truncate {
        /// Whose.
        holder: Holder,
        /// How many stay.
        answer: usize,
    },
    /// Ends the session. The slot may begin another.
    Close {
        /// Whose.
        holder: Holder,
    },
    /// Gives the slot back.
    Release {
        /// Which.
        holder: Holder,
    },
}

/// The prompts of a session.
pub struct Prompts {
    /// Of the branch that sees what the upstream sees.
    pub public: Zeroizing<Vec<TokenId>>,
    /// Of the branch that also sees the private context.
    pub private: Zeroizing<Vec<TokenId>>,
}
