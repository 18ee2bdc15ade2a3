use std::sync::{Arc, OnceLock};

use llguidance::api::{GrammarWithLexer, ParserLimits, TopLevelGrammar};
use llguidance::{Matcher, ParserFactory};
use serde_json::{Value, json};

use super::closed::closed;
use super::gbnf;
use super::located::{in_words, located};
use super::tokens::Tokens;
use super::{Follower, Shape, StructureError};
use crate::vocabulary::Tokenizer;

/// Makes grammars for the answers of one model.
pub struct Compiler {
    tokenizer: Arc<Tokenizer>,
    /// Made when it is first needed, because it goes through the whole vocabulary.
    factory: OnceLock<Result<ParserFactory, String>>,
}

/// A grammar that is ready for use, at the beginning of an answer.
pub struct Grammar {
    matcher: Matcher,
    tokenizer: Arc<Tokenizer>,
}

/// Bytes of the text that a grammar is made from.
const MOST_BYTES: usize = 256 * 1024;

/// Texts that may be chosen from.
const MOST_CHOICES: usize = 10_000;

/// How JSON is written: in one line, with a space where people have one. Where blanks are free, a model can go on with them for long, and no
/// token is certain that stands beside them.
fn written() -> Value {
    json!({"whitespace_flexible": false, "key_separator": ": ", "item_separator": ", "})
}

/// What the first lines of a grammar's first answer take is bounded by these, and so is what each token takes: 20 milliseconds and
/// some 50 megabytes at most.
fn limits() -> ParserLimits {
    ParserLimits {
        max_lexer_states: 30_000,
        // They quote the answer.
        verbose_errors: false,
        ..ParserLimits::default()
    }
}

impl Compiler {
    /// For answers in the tokens of `tokenizer`.
    pub fn new(tokenizer: Arc<Tokenizer>) -> Self {
        Self {
            tokenizer,
            factory: OnceLock::new(),
        }
    }

    /// The grammar of `shape`. It may take long.
    ///
    /// # Errors
    /// [`StructureError::Unusable`] says what is wrong, and where.
    pub fn compile(&self, shape: &Shape) -> Result<Grammar, StructureError> {
        let factory = self
            .factory
            .get_or_init(|| self.factory().map_err(|error| error.to_string()));
        let factory = factory.as_ref().map_err(StructureError::unusable)?;
        let text = match shape {
            Shape::Json(schema) => schema.to_string().len(),
            Shape::Regex(text) | Shape::Grammar(text) => text.len(),
            Shape::Choice(choices) => choices.iter().map(String::len).sum(),
        };
        if text > MOST_BYTES {
            let reason = format!("it is {text} bytes long, and {MOST_BYTES} are the most");
            return Err(StructureError::unusable(reason));
        }
        let build = |grammar: GrammarWithLexer| build(factory, grammar);
        let matcher = match shape {
            Shape::Json(schema) => {
                let build = |schema: &Value| build(GrammarWithLexer::from_json_schema(with_blanks(schema)));
                // The schema as it was sent has to be one that can be kept to: closed objects may exclude each other where open ones do not.
                let open = build(schema).map_err(|reason| {
                    StructureError::unusable(located(schema, &reason, &|part| build(part).map(drop)))
                })?;
                closed(schema).and_then(|schema| build(&schema).ok()).unwrap_or(open)
            }
            Shape::Regex(regex) => {
                build(GrammarWithLexer::from_regex(unanchored(regex))).map_err(|reason| elsewhere(&reason))?
            }
            Shape::Choice(choices) => {
                build(GrammarWithLexer::from_lark(chosen(choices)?)).map_err(|reason| elsewhere(&reason))?
            }
            Shape::Grammar(grammar) if grammar.contains("::=") => {
                let lark = gbnf::to_lark(grammar).map_err(StructureError::unusable)?;
                build(GrammarWithLexer::from_lark(lark)).map_err(|reason| elsewhere(&reason))?
            }
            Shape::Grammar(grammar) => build(GrammarWithLexer::from_lark(grammar.clone()))
                .map_err(|reason| StructureError::unusable(in_words(&reason)))?,
        };
        Ok(Grammar {
            matcher,
            tokenizer: Arc::clone(&self.tokenizer),
        })
    }

    fn factory(&self) -> anyhow::Result<ParserFactory> {
        let tokens = Tokens::of(Arc::clone(&self.tokenizer));
        let mut factory = ParserFactory::new_simple(&tokens)?;
        *factory.limits_mut() = limits();
        factory.quiet();
        Ok(factory)
    }
}

impl Grammar {
    /// For a new answer.
    pub fn follower(&self) -> Follower {
        Follower::new(self.matcher.deep_clone(), Arc::clone(&self.tokenizer))
    }
}

/// A refusal of a grammar that the request has not written itself, so that its lines mean nothing to anybody.
fn elsewhere(reason: &str) -> StructureError {
    let reason = in_words(reason);
    let place = reason.strip_prefix("at ").and_then(|rest| rest.split_once("): "));
    StructureError::unusable(place.map_or(reason.as_str(), |(_, rest)| rest))
}

/// A grammar that was seen to allow something.
fn build(factory: &ParserFactory, grammar: GrammarWithLexer) -> Result<Matcher, String> {
    let parser = factory.create_parser(TopLevelGrammar::from_grammar(grammar));
    let mut matcher = Matcher::new(parser);
    if let Some(error) = matcher.get_error() {
        return Err(error);
    }
    // What the library does only in part, it says here.
    if let Some(warning) = matcher.grammar_warnings().into_iter().next() {
        return Err(warning);
    }
    let first = matcher.deep_clone().compute_mask_or_eos();
    first.map(|_| matcher).map_err(|error| error.to_string())
}

/// The schema with what it leaves open about blanks. `x-guidance` is the library's own, and not for requests.
fn with_blanks(schema: &Value) -> Value {
    let mut schema = match schema {
        Value::Object(fields) => fields.clone(),
        other => serde_json::Map::from_iter([("allOf".to_owned(), json!([other]))]),
    };
    schema.insert("x-guidance".to_owned(), written());
    Value::Object(schema)
}

/// A regular expression without the anchors around it, which say what holds anyway.
fn unanchored(regex: &str) -> &str {
    let regex = regex.strip_prefix('^').unwrap_or(regex);
    let escapes = regex
        .strip_suffix('$')
        .map(|rest| rest.len() - rest.trim_end_matches('\\').len());
    match escapes {
        Some(escapes) if escapes % 2 == 0 => regex.strip_suffix('$').unwrap_or(regex),
        _ => regex,
    }
}

/// A grammar of nothing but these texts.
fn chosen(choices: &[String]) -> Result<String, StructureError> {
    if choices.is_empty() || choices.len() > MOST_CHOICES {
        let reason = format!("there must be 1 to {MOST_CHOICES} choices");
        return Err(StructureError::unusable(reason));
    }
    if choices.iter().any(String::is_empty) {
        return Err(StructureError::unusable("an empty text cannot be chosen"));
    }
    let texts: Vec<String> = choices.iter().map(|choice| json!(choice).to_string()).collect();
    Ok(format!("start: CHOICE\nCHOICE: {}", texts.join(" | ")))
}
