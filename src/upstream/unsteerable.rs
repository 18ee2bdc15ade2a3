//! Servers that are known, and that no driver can steer. The table in the book's chapter on servers has the same rows.

/// A server that cannot be steered.
#[derive(Debug, PartialEq, Eq)]
pub struct Unsteerable {
    /// Its name.
    pub server: &'static str,
    /// The hosts that it is behind, or what such a host's name ends with; empty for programs that run anywhere.
    hosts: &'static [&'static str],
    /// What it lacks.
    pub why: &'static str,
    /// What to do instead.
    pub instead: &'static str,
}

/// Those that are known.
pub const UNSTEERABLE: [Unsteerable; 4] = [
    Unsteerable {
        server: LM_STUDIO,
        hosts: &[],
        why: "its chat completions have no log-probabilities",
        instead: "serve the same GGUF file with `llama-server`",
    },
    Unsteerable {
        server: "OpenAI, Azure OpenAI",
        hosts: &["api.openai.com", ".openai.azure.com"],
        why: "they start a new turn instead of going on with a message",
        instead: "a server with open weights",
    },
    Unsteerable {
        server: "Groq",
        hosts: &["api.groq.com"],
        why: "no log-probabilities",
        instead: "another host of the same model",
    },
    Unsteerable {
        server: "Anthropic, Gemini, Mistral's own API",
        hosts: &[
            "api.anthropic.com",
            "generativelanguage.googleapis.com",
            "api.mistral.ai",
        ],
        why: "no log-probabilities of the likeliest tokens together with a message to go on with",
        instead: "a server with open weights",
    },
];

/// A program that says itself what it is.
pub const LM_STUDIO: &str = "LM Studio";

impl Unsteerable {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        UNSTEERABLE.iter().find(|known| known.server == name)
    }

    /// The one behind this host.
    pub fn behind(host: &str) -> Option<&'static Self> {
        UNSTEERABLE.iter().find(|known| {
            known
                .hosts
                .iter()
                .any(|own| host == *own || (own.starts_with('.') && host.ends_with(own)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_known_by_their_whole_name_or_their_domain() {
        for host in ["api.openai.com", "mine.openai.azure.com"] {
            assert_eq!(Unsteerable::behind(host).unwrap().server, "OpenAI, Azure OpenAI");
        }
        for host in ["api.openai.com.example", "openai.azure.com", "localhost"] {
            assert_eq!(Unsteerable::behind(host), None, "{host}");
        }
    }
}
