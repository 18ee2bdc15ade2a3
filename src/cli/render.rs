//! `costeer render`: shows what a model's chat template and tokenizer make of a chat.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::CommandError;
use crate::local::tokenizer_source;
use crate::vocabulary::{ChatTemplate, Messages, ModelFiles, RenderRequest, Tokenizer};

#[derive(Args)]
pub struct RenderArguments {
    /// Model directory (Hugging Face layout), GGUF file or hub id.
    pub model: String,
    /// A file with a chat template to use instead of the model's own.
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// Write the ids of the prompt, too.
    #[arg(long)]
    pub ids: bool,
}

/// A line of input: a chat as clients send it, or a text.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    messages: Option<Vec<Value>>,
    #[serde(default)]
    text: String,
    #[serde(default)]
    tools: Value,
    #[serde(default = "yes")]
    add_generation_prompt: bool,
    #[serde(default)]
    chat_template_kwargs: Map<String, Value>,
}

fn yes() -> bool {
    true
}

/// Answers each line of standard input with a line that has the prompt's `text`, its `ids` where they are wanted, or an `error`.
pub async fn run(arguments: &RenderArguments) -> Result<(), CommandError> {
    let source = tokenizer_source("MODEL", &arguments.model).await?;
    let tokenizer = arguments.ids.then(|| Tokenizer::load(&source)).transpose()?;
    let template = template(arguments, &ModelFiles::read(&source)?)?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| CommandError::Usage(format!("standard input cannot be read: {error}")))?;
        let answer = match answer(&line, &template, tokenizer.as_ref()) {
            Ok(answer) => answer,
            Err(error) => json!({"error": error}),
        };
        writeln!(out, "{answer}").map_err(CommandError::Output)?;
    }
    Ok(())
}

fn template(arguments: &RenderArguments, files: &ModelFiles) -> Result<ChatTemplate, CommandError> {
    let source = match &arguments.template {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| CommandError::Usage(format!("--template {}: {error}", path.display())))?,
        None => files
            .chat_template
            .clone()
            .ok_or_else(|| CommandError::Usage(format!("{} has no chat template", arguments.model)))?,
    };
    ChatTemplate::compile(source, files.special_texts()).map_err(CommandError::Usage)
}

fn answer(line: &str, template: &ChatTemplate, tokenizer: Option<&Tokenizer>) -> Result<Value, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let text = match &line.messages {
        Some(messages) => template.render(&RenderRequest {
            messages: Messages::Json(messages),
            add_generation_prompt: line.add_generation_prompt,
            tools: &line.tools,
            options: &line.chat_template_kwargs,
        })?,
        None => line.text,
    };
    let mut answer = json!({"text": text});
    if let Some(tokenizer) = tokenizer {
        let ids = tokenizer.encode(&text).map_err(|error| error.to_string())?;
        answer["ids"] = ids.into_iter().map(|id| id.0).collect();
    }
    Ok(answer)
}
