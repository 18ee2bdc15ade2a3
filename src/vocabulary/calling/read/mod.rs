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
use crate::vocabulary::marks::longest_beginning;

/// What `written` says, with the marks around it; `None` where it is nothing that the family writes, or is not whole.
pub fn read(family: &Family, written: &str, tools: &[Value]) -> Option<Vec<Part>> {
    let marks = family.marks.iter().find(|marks| written.starts_with(marks.open));
    let inside = marks.and_then(|marks| {
        let inside = written.strip_prefix(marks.open)?.trim_end();
        // The end of the answer ends calls, too, and may come within the mark.
        let begun = longest_beginning(inside.as_bytes(), marks.close.as_bytes());
        Some(inside.get(..inside.len() - begun).unwrap_or(inside))
    });
    let is_closed = marks.is_some_and(|marks| written.trim_end().ends_with(marks.close));
    let (calls, rest) = match family.form {
        Form::Harmony => return harmony::read(written),
        // Their marks may be those of a call itself.
        Form::Functions => (
            functions::read(written, inside.unwrap_or(written), is_closed, tools)?,
            "",
        ),
        Form::Json => json::read(inside.unwrap_or(written)),
        Form::Mistral => mistral::read(inside?)?,
        // A key may always come after another, so what is cut off looks like a call with less.
        Form::Pairs => (pairs::read(inside.filter(|_| is_closed)?, tools)?, ""),
        Form::Invocations => (invocations::read(inside?, tools)?, ""),
        Form::DeepSeek => (deepseek::read(inside?)?, ""),
        Form::Kimi => (kimi::read(inside?)?, ""),
    };
    // Where no mark ends calls, the answer may go on after them.
    let rest = if rest.trim().is_empty() { "" } else { rest };
    if !rest.is_empty() && marks.is_some_and(|marks| !marks.close.is_empty()) {
        return None;
    }
    // Without a mark, it is a call only where there is such a tool.
    let is_known = |call: &ToolCall| marks.is_some() || arguments::schema(tools, &call.name).is_some();
    let is_whole = !calls.is_empty() && calls.iter().all(is_known);
    let text = (!rest.is_empty()).then(|| Part::Text(rest.to_owned()));
    is_whole.then(|| calls.into_iter().map(Part::Call).chain(text).collect())
}
