use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

/// Private text of a profile. It cannot be printed or formatted, and its memory is wiped when it is dropped. It can be
/// serialised, because its owner may have it back: an export, and the answers of the local API, are made of it.
///
/// ```compile_fail
/// println!("{}", costeer::store::PrivateText::from("secret"));
/// ```
/// ```compile_fail
/// println!("{:?}", costeer::store::PrivateText::from("secret"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct PrivateText(Zeroizing<String>);

impl PrivateText {
    /// The text itself.
    pub fn as_private_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing but white space in it.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl From<String> for PrivateText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for PrivateText {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Serialize for PrivateText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
