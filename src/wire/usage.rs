use serde_json::{Value, json};

/// Tokens of a request.
#[derive(Clone, Copy, Default)]
pub struct Usage {
    /// Of its prompts.
    pub prompt_tokens: u64,
    /// Of its answers.
    pub completion_tokens: u64,
    /// Those of them that are reasoning; `None` where the model does not think.
    pub reasoning_tokens: Option<u64>,
}

impl Usage {
    /// Adds what another answer took.
    pub fn add(&mut self, other: &Self) {
        self.prompt_tokens += other.prompt_tokens;
        self.completion_tokens += other.completion_tokens;
        if let Some(reasoning) = other.reasoning_tokens {
            *self.reasoning_tokens.get_or_insert(0) += reasoning;
        }
    }

    /// In the order in which OpenAI writes it.
    pub fn openai(self) -> Value {
        let mut usage = json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.total(),
        });
        if let Some(reasoning) = self.reasoning_tokens {
            usage["completion_tokens_details"] = json!({"reasoning_tokens": reasoning});
        }
        usage
    }

    /// In the order in which vLLM writes it.
    pub fn vllm(self) -> Value {
        json!({
            "prompt_tokens": self.prompt_tokens,
            "total_tokens": self.total(),
            "completion_tokens": self.completion_tokens,
        })
    }

    fn total(self) -> u64 {
        self.prompt_tokens + self.completion_tokens
    }
}
