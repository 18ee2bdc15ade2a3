//! minijinja, set up as transformers sets up Jinja.

use minijinja::value::{ValueKind, from_args};
use minijinja::{Environment, Error, ErrorKind, Value};

use super::json::{printed, tojson};
use super::values::Dictionary;
use super::{dicts, methods};

/// An environment in which templates find what they find in transformers.
///
/// Source of the conventions: "Chat templates" in the documentation of transformers, and `_compile_jinja_template` there.
pub fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_unknown_method_callback(methods::call);
    environment.set_formatter(|out, _, value| {
        out.write_str(&printed(value))
            .map_err(|_| Error::new(ErrorKind::WriteFailure, "the prompt could not be written"))
    });
    environment.add_filter("tojson", tojson);
    environment.add_filter("string", |value: &Value| printed(value));
    environment.add_filter("trim", |value: &Value, characters: Option<String>| {
        let (text, characters) = (printed(value), characters.unwrap_or_default());
        if characters.is_empty() {
            text.trim().to_owned()
        } else {
            text.trim_matches(|next| characters.contains(next)).to_owned()
        }
    });
    // For Python, a text is a sequence that can be iterated over, too.
    environment.add_test("iterable", |value: &Value| match value.kind() {
        ValueKind::String | ValueKind::Undefined => true,
        ValueKind::None => false,
        _ => value.try_iter().is_ok(),
    });
    environment.add_test("sequence", |value: &Value| {
        matches!(
            value.kind(),
            ValueKind::String | ValueKind::Seq | ValueKind::Map | ValueKind::Undefined
        )
    });
    environment.add_function(dicts::FUNCTION, dictionary);
    environment.add_function("strftime_now", strftime_now);
    environment.add_function("raise_exception", |message: &Value| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, printed(message)))
    });
    environment
}

/// A dictionary from keys and values in turn.
fn dictionary(entries: minijinja::value::Rest<Value>) -> Value {
    let pairs = entries.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
    Dictionary::new(pairs).into_value()
}

/// The local time, as `datetime.now().strftime` writes it.
fn strftime_now(args: minijinja::value::Rest<Value>) -> Result<String, Error> {
    let (format,): (&str,) = from_args(&args)?;
    jiff::fmt::strtime::format(format, &jiff::ZonedDateTime::now())
        .map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))
}
