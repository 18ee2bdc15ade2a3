use super::Format;

/// What is wanted of the files.
#[derive(Clone, Default)]
pub struct Wanted {
    /// What they are; `None` where each tells itself.
    pub format: Option<Format>,
    /// How chats and mails call the owner. Where one is given, mails from others are left out.
    pub me: Vec<String>,
    /// Whether what others say in chats is wanted as well.
    pub everyone: bool,
}

impl Wanted {
    /// Whether `name` is one of the owner's.
    pub fn is_me(&self, name: &str) -> bool {
        let name = name.trim();
        self.me.iter().any(|me| me.trim().to_lowercase() == name.to_lowercase())
    }
}
