/// Why the local model could not be loaded or could not go on. No message holds prompt text.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The model setting points at nothing usable.
    #[error("{setting} = \"{value}\" is not usable: {reason}")]
    Source {
        /// The configuration key or flag.
        setting: &'static str,
        /// What it was set to.
        value: String,
        /// What is wrong, naming the file.
        reason: String,
    },
    /// Loading failed inside mistral.rs.
    #[error("{setting} = \"{value}\" could not be loaded: {reason}")]
    Load {
        /// The configuration key or flag.
        setting: &'static str,
        /// What it was set to.
        value: String,
        /// The engine's own words.
        reason: String,
    },
    /// Every slot is taken and the queue is full, or waiting took too long.
    #[error("all {slots} slots of the local model are busy and {waiting} sessions wait; try again later")]
    Busy {
        /// How many sessions can run at once.
        slots: usize,
        /// How many wait for a slot.
        waiting: usize,
    },
    /// An engine stopped in the middle of a session.
    #[error("the local model failed: {0}")]
    Engine(String),
}
