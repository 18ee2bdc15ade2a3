use zeroize::Zeroizing;

/// Text that must never leave this machine.
///
/// It cannot be printed, formatted or serialised, and its memory is wiped when it is dropped. The only way out is
/// [`Self::expose`], which has one caller: the composer of the private branch's prompt.
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

    /// The text itself.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}
