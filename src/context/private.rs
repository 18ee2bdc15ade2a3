use zeroize::Zeroizing;

/// Text that must never leave this machine.
///
/// It cannot be printed, formatted or serialised, and its memory is wiped when it is dropped. The only way out is
/// [`Self::expose`], which this room alone can call, and [`Self::preview`].
///
/// ```compile_fail
/// println!("{:?}", costeer::context::PrivateContext::new("secret".into()));
/// ```
/// ```compile_fail
/// println!("{}", costeer::context::PrivateContext::new("secret".into()));
/// ```
/// ```compile_fail
/// serde_json::to_string(&costeer::context::PrivateContext::new("secret".into()));
/// ```
#[derive(Clone)]
pub struct PrivateContext(Zeroizing<String>);

impl PrivateContext {
    /// Wraps `text`; `None`-like emptiness is the caller's to decide.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Whether there is nothing but white space in it.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// The text, for its owner's eyes: what `costeer profile preview` and the local API show.
    pub fn preview(&self) -> &str {
        &self.0
    }

    /// The text itself.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}
