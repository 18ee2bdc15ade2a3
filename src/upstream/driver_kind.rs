use serde::{Deserialize, Serialize};

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Driver {
    /// As it turns out when it is first asked.
    Auto,
    /// vLLM's `/v1/completions`.
    Vllm,
    /// llama.cpp's `/completion`.
    #[serde(rename = "llamacpp")]
    LlamaCpp,
    /// SGLang's `/generate`.
    Sglang,
    /// Ollama's `/api/generate`.
    Ollama,
    /// `/v1/completions` of a host that takes text and names its candidates.
    Completions,
    /// `/v1/chat/completions` of a host that continues an assistant's message.
    OpenaiChat,
}

impl Driver {
    /// Whether only trying says if a server can be steered with it.
    pub fn must_be_tried(self) -> bool {
        self == Self::OpenaiChat
    }

    /// What steering costs with it, for people: how it works, and what is lost.
    pub fn terms(self) -> &'static str {
        match self {
            Self::Auto | Self::Vllm => "works by token ids on /v1/completions; nothing is lost",
            Self::LlamaCpp => "works by token ids on /completion; nothing is lost",
            Self::Sglang => "works by token ids on /generate; nothing is lost",
            Self::Ollama => {
                "works by text on /api/generate; lost are exact tokens, since the server cuts the text anew, refetch-ids, and steering inside \
                 characters of several tokens"
            }
            Self::Completions => {
                "works by text on /v1/completions; lost are exact tokens, since the host cuts the text anew, refetch-ids, and steering inside \
                 characters of several tokens"
            }
            Self::OpenaiChat => {
                "works by text on /v1/chat/completions; lost are exact tokens, since the host cuts the text anew, refetch-ids, and parts of \
                 characters that the host did not choose"
            }
        }
    }
}
