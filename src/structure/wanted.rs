use super::{ForcedCall, Shape};

/// What a request wants its answer to look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    /// The field that asks for it.
    pub field: String,
    /// What it asks for.
    pub shape: Shape,
    /// What such an answer calls; `None` where it is the answer itself.
    pub call: Option<ForcedCall>,
}

impl Structure {
    /// `shape`, as `field` asks for it.
    pub fn new(field: impl Into<String>, shape: Shape) -> Self {
        Self {
            field: field.into(),
            shape,
            call: None,
        }
    }
}
