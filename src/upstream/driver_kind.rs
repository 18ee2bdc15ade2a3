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
    /// `/v1/chat/completions` of a host that continues an assistant's message.
    OpenaiChat,
}
