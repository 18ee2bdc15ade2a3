use serde_json::Value;

/// What a configuration file is to say.
#[derive(Clone)]
pub struct Draft<'a> {
    /// The day on which it is written.
    pub day: String,
    /// The server and what it serves, for people to read.
    pub served: String,
    /// `upstream.url`.
    pub url: &'a str,
    /// `upstream.api_key`.
    pub key: Option<&'a str>,
    /// `upstream.tokenizer`; `None` for the small model's.
    pub tokenizer: Option<&'a str>,
    /// `local.model`, as the setting takes it.
    pub model: &'a str,
    /// What is known of it, for people to read.
    pub about_model: String,
    /// `local.quantisation`; empty for none.
    pub quantisation: &'a str,
    /// More settings of upstream and steering: `section.key`, and the value as TOML has it.
    pub more: &'a [(&'a str, &'a str)],
}

impl Draft<'_> {
    /// The file's text.
    pub fn text(&self) -> String {
        let mut lines = vec![
            format!("# Written by \"costeer setup\" on {}. Commands read it where --config names no other file.", self.day),
            "# Only what differs from the defaults stands here. \"costeer config\" shows every key, what it means and what holds.".to_owned(),
            "# Variables such as COSTEER__UPSTREAM__URL win over this file. \"costeer doctor\" says whether it works.".to_owned(),
            String::new(),
            "[upstream]".to_owned(),
            comment(&format!("The big model: {}.", self.served)),
            format!("url = {}", quoted(self.url)),
        ];
        if let Some(key) = self.key {
            lines.push("# The key that the server wants. Nobody else may read this file.".to_owned());
            lines.push(format!("api_key = {}", quoted(key)));
        }
        match self.tokenizer {
            Some(tokenizer) => {
                lines.push("# Where its tokenizer and chat template are.".to_owned());
                lines.push(format!("tokenizer = {}", quoted(tokenizer)));
            }
            None => lines.push("# Its tokenizer and chat template are taken to be the small model's. Name another directory, GGUF file or hub id here:\n# tokenizer = \"\"".to_owned()),
        }
        lines.extend(self.more_of("upstream"));
        lines.extend([
            String::new(),
            "[local]".to_owned(),
            comment(&format!(
                "The small model, which reads what is private: {}.",
                self.about_model
            )),
            format!("model = {}", quoted(self.model)),
        ]);
        if !self.quantisation.is_empty() {
            lines.push("# Its numbers are made smaller while it loads.".to_owned());
            lines.push(format!("quantisation = {}", quoted(self.quantisation)));
        }
        let steering: Vec<String> = self.more_of("steering").collect();
        if !steering.is_empty() {
            lines.extend([
                String::new(),
                "[steering]".to_owned(),
                "# What suits this pair.".to_owned(),
            ]);
            lines.extend(steering);
        }
        lines.push(String::new());
        lines.join("\n")
    }

    /// What more there is to say in a section.
    fn more_of(&self, section: &str) -> impl Iterator<Item = String> {
        let own = self.more.iter().filter_map(move |(key, value)| {
            let (place, key) = key.split_once('.')?;
            (place == section).then(|| format!("{key} = {value}"))
        });
        own.collect::<Vec<_>>().into_iter()
    }
}

/// JSON's strings are TOML's, but for one character.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// A line that stays a comment, whatever a server has written.
fn comment(text: &str) -> String {
    format!("# {}", crate::foreign::escaped(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_servers_and_paths_are_called_the_file_says_it(text in any::<String>(), served in any::<String>()) {
            let draft = Draft {
                day: "2026-11-26".to_owned(),
                served,
                url: &text,
                key: Some(&text),
                tokenizer: Some(&text),
                model: &text,
                about_model: text.clone(),
                quantisation: "q8_0",
                more: &[("steering.strength", "1"), ("upstream.top_k", "32")],
            };
            let parsed: toml::Table = toml::from_str(&draft.text()).unwrap();
            for (section, key) in [("upstream", "url"), ("upstream", "api_key"), ("upstream", "tokenizer"), ("local", "model")] {
                prop_assert_eq!(parsed[section][key].as_str(), Some(text.as_str()));
            }
            prop_assert_eq!(parsed["steering"]["strength"].as_integer(), Some(1));
            prop_assert_eq!(parsed["upstream"]["top_k"].as_integer(), Some(32));
        }
    }
}
