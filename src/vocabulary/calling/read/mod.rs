//! What written calls say, family by family.

mod arguments;
mod call;
mod deepseek;
mod functions;
mod harmony;
mod invocations;
mod json;
mod kimi;
mod mistral;
mod pairs;
mod span;

pub use call::{Part, ToolCall};
use serde_json::Value;

use super::family::{Family, Form};

/// What `written` says, with the marks around it; `None` where it is nothing that the family writes, or is not whole.
pub fn read(family: &Family, written: &str, tools: &[Value]) -> Option<Vec<Part>> {
    let marks = family.marks.iter().find(|marks| written.starts_with(marks.open));
    let inside = marks.and_then(|marks| {
        let inside = written.strip_prefix(marks.open)?.trim_end();
        // The end of the answer ends calls, too.
        Some(inside.strip_suffix(marks.close).unwrap_or(inside))
    });
    let calls = match family.form {
        Form::Harmony => return harmony::read(written),
        // Their marks may be those of a call itself.
        Form::Functions => functions::read(written, inside.unwrap_or(written), tools)?,
        Form::Json => json::read(inside.unwrap_or(written))?,
        Form::Mistral => mistral::read(inside?)?,
        Form::Pairs => pairs::read(inside?, tools)?,
        Form::Invocations => invocations::read(inside?, tools)?,
        Form::DeepSeek => deepseek::read(inside?)?,
        Form::Kimi => kimi::read(inside?)?,
    };
    // Without a mark, it is a call only where there is such a tool.
    let is_known = |call: &ToolCall| marks.is_some() || arguments::schema(tools, &call.name).is_some();
    let is_whole = !calls.is_empty() && calls.iter().all(is_known);
    is_whole.then(|| calls.into_iter().map(Part::Call).collect())
}
