use std::fmt;

use serde::{Deserialize, Serialize};

use super::PrivateText;

/// The name a profile is called by in headers, addresses and on the command line.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProfileName(String);

/// Text that cannot be a [`ProfileName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a profile's name has 1 to {} letters, digits, dots, dashes, underscores and at-signs, and begins with a letter or digit",
    ProfileName::MOST_CHARACTERS
)]
pub struct NotAName;

impl ProfileName {
    /// The longest name, in characters.
    pub const MOST_CHARACTERS: usize = 64;

    /// Checks `name`.
    ///
    /// # Errors
    /// [`NotAName`], which says what a name is made of.
    pub fn new(name: &str) -> Result<Self, NotAName> {
        let fit = |character: char| character.is_alphanumeric() || ".-_@".contains(character);
        let begins = name.chars().next().is_some_and(char::is_alphanumeric);
        let fits = begins && name.chars().all(fit) && name.chars().count() <= Self::MOST_CHARACTERS;
        if fits { Ok(Self(name.to_owned())) } else { Err(NotAName) }
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ProfileName {
    type Error = NotAName;

    fn try_from(name: String) -> Result<Self, NotAName> {
        Self::new(&name)
    }
}

impl From<ProfileName> for String {
    fn from(name: ProfileName) -> Self {
        name.0
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a profile says about a person, its history aside.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// Who or what the profile is for. Part of the context.
    pub description: PrivateText,
    /// How answers should be, one sentence each.
    pub preferences: Vec<PrivateText>,
    /// What is so, one sentence each; the first is the most important.
    pub facts: Vec<PrivateText>,
}

impl Profile {
    /// Whether it says nothing.
    pub fn is_blank(&self) -> bool {
        let mut lines = self.preferences.iter().chain(&self.facts);
        self.description.is_blank() && lines.all(PrivateText::is_blank)
    }
}
