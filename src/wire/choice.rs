use serde_json::{Value, json};

use super::Shape;

impl Shape {
    /// What comes first in a stream: a chat says who speaks.
    pub fn opening(self, index: usize) -> Option<Value> {
        let delta = json!({"role": "assistant", "content": ""});
        (self == Self::Chat).then(|| chat_part(index, delta, Value::Null, None))
    }

    /// One choice of a whole answer.
    pub fn choice(self, index: usize, text: &str, logprobs: Value, finish_reason: Option<&str>) -> Value {
        match self {
            Self::Chat => json!({
                "index": index,
                "message": {"role": "assistant", "content": text, "refusal": null},
                "logprobs": logprobs,
                "finish_reason": finish_reason,
            }),
            Self::Completion => json!({
                "index": index,
                "text": text,
                "logprobs": logprobs,
                "finish_reason": finish_reason,
            }),
        }
    }

    /// Adds what the model has thought to a choice of a chat, under both names that servers have for it. A whole answer that has nothing
    /// else has no content.
    pub fn add_reasoning(self, choice: &mut Value, reasoning: &str) {
        if self != Self::Chat || reasoning.is_empty() {
            return;
        }
        let is_whole = choice.get("message").is_some();
        let said = &mut choice[if is_whole { "message" } else { "delta" }];
        if is_whole && said["content"] == "" {
            said["content"] = Value::Null;
        }
        said["reasoning_content"] = reasoning.into();
        said["reasoning"] = reasoning.into();
    }

    /// One choice of a part of a stream. A chat without `text` has an empty delta.
    pub fn part_choice(self, index: usize, text: Option<&str>, logprobs: Value, finish_reason: Option<&str>) -> Value {
        match self {
            Self::Chat => {
                let delta = text.map_or_else(|| json!({}), |text| json!({"content": text}));
                chat_part(index, delta, logprobs, finish_reason)
            }
            Self::Completion => self.choice(index, text.unwrap_or_default(), logprobs, finish_reason),
        }
    }
}

fn chat_part(index: usize, delta: Value, logprobs: Value, finish_reason: Option<&str>) -> Value {
    json!({
        "index": index,
        "delta": delta,
        "logprobs": logprobs,
        "finish_reason": finish_reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_opens_with_its_role_and_a_completion_does_not() {
        let opening = Shape::Chat.opening(1).unwrap().to_string();
        let expected = r#"{"index":1,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}"#;
        assert_eq!(opening, expected);
        assert_eq!(Shape::Completion.opening(1), None);
    }

    #[test]
    fn reasoning_has_both_names_and_stands_for_no_content() {
        let mut whole = Shape::Chat.choice(0, "", Value::Null, Some("length"));
        Shape::Chat.add_reasoning(&mut whole, "Well");
        let expected =
            r#"{"role":"assistant","content":null,"refusal":null,"reasoning_content":"Well","reasoning":"Well"}"#;
        assert_eq!(whole["message"].to_string(), expected);
        let mut part = Shape::Chat.part_choice(0, None, Value::Null, None);
        Shape::Chat.add_reasoning(&mut part, "Well");
        assert_eq!(
            part["delta"].to_string(),
            r#"{"reasoning_content":"Well","reasoning":"Well"}"#
        );
        let mut none = Shape::Chat.choice(0, "", Value::Null, Some("stop"));
        Shape::Chat.add_reasoning(&mut none, "");
        assert_eq!(none, Shape::Chat.choice(0, "", Value::Null, Some("stop")));
    }

    #[test]
    fn a_part_without_text_keeps_its_form() {
        let part = |shape: Shape| shape.part_choice(0, None, Value::Null, Some("stop")).to_string();
        let chat = r#"{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}"#;
        assert_eq!(part(Shape::Chat), chat);
        let completion = r#"{"index":0,"text":"","logprobs":null,"finish_reason":"stop"}"#;
        assert_eq!(part(Shape::Completion), completion);
    }
}
