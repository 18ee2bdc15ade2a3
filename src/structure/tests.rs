use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::*;
use crate::vocabulary::{TokenId, Tokenizer};

static TOKENIZER: LazyLock<Arc<Tokenizer>> =
    LazyLock::new(|| Arc::new(Tokenizer::load(Path::new("models/tiny/llm")).unwrap()));
static COMPILER: LazyLock<Compiler> = LazyLock::new(|| Compiler::new(Arc::clone(&TOKENIZER)));

/// An answer in the format of `shape`, each token drawn from those that are allowed by `draw`, which gets how many there are. `None`
/// where it has not ended after `most` tokens.
fn answer(shape: &Shape, most: usize, mut draw: impl FnMut(usize) -> usize) -> Option<String> {
    let mut follower = COMPILER.compile(shape).unwrap().follower();
    let mut text = Vec::new();
    for _ in 0..most {
        let allowed = follower.allowed().unwrap();
        assert_eq!(allowed.count, allowed.tokens().count());
        let ends = allowed
            .tokens()
            .filter(|token| TOKENIZER.ends().contains(token))
            .count();
        assert_eq!(ends > 0, follower.accepts().unwrap());
        let all: Vec<TokenId> = allowed.tokens().collect();
        // To get somewhere: every second token at most goes on where the answer could end.
        let token = if ends > 0 && draw(2) == 0 {
            TOKENIZER.end()
        } else {
            all[draw(all.len())]
        };
        if let Some(only) = allowed.only {
            assert!(
                all.iter()
                    .all(|token| *token == only || TOKENIZER.ends().contains(token))
            );
        }
        if TOKENIZER.ends().contains(&token) {
            return Some(String::from_utf8(text).unwrap());
        }
        text.extend(TOKENIZER.bytes().get(token));
        follower.take(&[token]).unwrap();
    }
    None
}

/// The next of these numbers, below `below`.
fn drawing(numbers: Vec<u32>) -> impl FnMut(usize) -> usize {
    let mut numbers = numbers.into_iter().cycle();
    move |below| numbers.next().unwrap() as usize % below
}

fn numbers() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), 40..120)
}

/// Small schemas of which every part has an end.
fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "boolean"})),
        Just(json!({"type": "null"})),
        (-50i64..50, 0i64..30)
            .prop_map(|(least, more)| json!({"type": "integer", "minimum": least, "maximum": least + more})),
        prop::collection::btree_set("[a-z\"\\\\é]{0,4}", 1..4).prop_map(|texts| json!({"enum": texts})),
        (0usize..3, 0usize..3)
            .prop_map(|(least, more)| json!({"type": "string", "minLength": least, "maxLength": least + more})),
        Just(json!({"type": "string", "pattern": "^[A-Z]{2}-[0-9]{1,3}$"})),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (prop::collection::btree_map("[a-z]{1,3}", inner.clone(), 0..3), any::<bool>()).prop_map(|(properties, says)| {
                let required: Vec<&String> = properties.keys().collect();
                let mut object = json!({"type": "object", "required": required, "properties": properties});
                if says {
                    object["additionalProperties"] = json!(false);
                }
                object
            }),
            (inner.clone(), 0usize..2, 0usize..3)
                .prop_map(|(items, least, more)| json!({"type": "array", "items": items, "minItems": least, "maxItems": least + more})),
            prop::collection::vec(inner, 1..3).prop_map(|parts| json!({"anyOf": parts})),
        ]
    })
}

/// Whether `value` is valid under a schema of [`schemas`].
fn is_valid(schema: &Value, value: &Value) -> bool {
    let number = |name: &str| schema.get(name).and_then(Value::as_i64);
    let within = |count: usize, least: &str, most: &str| {
        number(least).unwrap_or(0) <= count as i64 && count as i64 <= number(most).unwrap_or(i64::MAX)
    };
    if let Some(parts) = schema.get("anyOf").and_then(Value::as_array) {
        return parts.iter().any(|part| is_valid(part, value));
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.contains(value);
    }
    match (schema["type"].as_str().unwrap(), value) {
        ("boolean", Value::Bool(_)) | ("null", Value::Null) => true,
        ("integer", Value::Number(value)) => {
            // Not as a whole number's type: serde_json reads -0 as a float.
            let value = value.as_f64().unwrap();
            let (least, most) = (number("minimum").unwrap() as f64, number("maximum").unwrap() as f64);
            value.fract() == 0.0 && least <= value && value <= most
        }
        ("string", Value::String(text)) if schema.get("pattern").is_some() => {
            let Some((letters, digits)) = text.split_once('-') else {
                return false;
            };
            let (are_letters, are_digits) = (
                letters.bytes().all(|letter| letter.is_ascii_uppercase()),
                digits.bytes().all(|digit| digit.is_ascii_digit()),
            );
            letters.len() == 2 && (1..=3).contains(&digits.len()) && are_letters && are_digits
        }
        ("string", Value::String(text)) => within(text.chars().count(), "minLength", "maxLength"),
        ("array", Value::Array(values)) => {
            within(values.len(), "minItems", "maxItems") && values.iter().all(|value| is_valid(&schema["items"], value))
        }
        ("object", Value::Object(fields)) => {
            let properties: &Map<String, Value> = schema["properties"].as_object().unwrap();
            let is_known =
                |(name, value): (&String, &Value)| properties.get(name).is_some_and(|part| is_valid(part, value));
            fields.len() == properties.len() && fields.iter().all(is_known)
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn whatever_is_drawn_a_finished_answer_is_valid(schema in schemas(), numbers in numbers()) {
        if let Some(text) = answer(&Shape::Json(schema.clone()), 300, drawing(numbers)) {
            let value: Value = serde_json::from_str(&text).unwrap();
            prop_assert!(is_valid(&schema, &value), "{text} is not valid under {schema}");
        }
    }

    #[test]
    fn what_is_allowed_is_what_a_look_at_every_text_finds(
        texts in prop::collection::btree_set("[ab é\\.\"]{1,6}|(the|and|cook){1,3}", 1..6),
        numbers in numbers(),
        way in 0..3,
    ) {
        let list: Vec<String> = texts.iter().cloned().collect();
        let shape = match way {
            0 => Shape::Choice(list),
            1 => Shape::Regex(list.iter().map(|text| text.replace('.', "\\.")).collect::<Vec<_>>().join("|")),
            _ => {
                let quoted: Vec<String> = list.iter().map(|text| format!("\"{}\"", text.replace('"', "\\\""))).collect();
                Shape::Grammar(format!("root ::= {}", quoted.join(" | ")))
            }
        };
        let mut follower = COMPILER.compile(&shape).unwrap().follower();
        let mut draw = drawing(numbers);
        let mut before = Vec::new();
        loop {
            let allowed = follower.allowed().unwrap();
            let rests: Vec<&[u8]> = texts.iter().filter_map(|text| text.as_bytes().strip_prefix(before.as_slice())).collect();
            let goes_on = |token: &TokenId| {
                let bytes = TOKENIZER.bytes().get(*token);
                let is_text = TOKENIZER.selectable()[token.index()] && !TOKENIZER.ends().contains(token);
                is_text && !bytes.is_empty() && rests.iter().any(|rest| rest.starts_with(bytes))
            };
            let mut wanted: BTreeSet<TokenId> = (0..TOKENIZER.selectable().len() as u32).map(TokenId).filter(goes_on).collect();
            let may_end = rests.contains(&[].as_slice());
            if may_end {
                wanted.extend(TOKENIZER.ends());
            }
            let found: BTreeSet<TokenId> = allowed.tokens().collect();
            let next: BTreeSet<u8> = rests.iter().filter_map(|rest| rest.first().copied()).collect();
            if next.len() == 1 && !may_end {
                // Its text is certain, and so is how the model would write it.
                prop_assert!(found.is_subset(&wanted) && !found.is_empty());
            } else {
                prop_assert_eq!(&found, &wanted);
            }
            let all: Vec<TokenId> = found.into_iter().collect();
            let token = all[draw(all.len())];
            if TOKENIZER.ends().contains(&token) {
                break;
            }
            prop_assert_eq!(follower.follows(&[token]), 1);
            follower.take(&[token]).unwrap();
            before.extend(TOKENIZER.bytes().get(token));
        }
        prop_assert!(texts.contains(std::str::from_utf8(&before).unwrap()));
    }
}

fn refusal(shape: Shape) -> String {
    COMPILER.compile(&shape).err().unwrap().to_string()
}

#[test]
fn what_cannot_be_enforced_is_named_with_its_place() {
    for (part, wanted) in [
        (
            json!({"type": "array", "uniqueItems": true}),
            "\"uniqueItems\" cannot be enforced",
        ),
        (json!({"not": {"type": "null"}}), "\"not\" cannot be enforced"),
        (json!({"if": {}, "then": {}}), "\"if\""),
        (json!({"oneOf": [{"type": "integer"}, {"type": "number"}]}), "\"oneOf\""),
        (
            json!({"oneOf": [{"type": "object", "properties": {"a": {}}}, {"type": "object", "properties": {"b": {}}}]}),
            "\"oneOf\"",
        ),
        (json!({"type": "string", "format": "colour"}), "format"),
        (json!({"type": "wizard"}), "wizard"),
        (json!({"$ref": "#/$defs/missing"}), "missing"),
        (json!({"$ref": "http://127.0.0.1/schema"}), "$ref"),
        (json!({"type": "string", "pattern": "("}), ""),
        (json!({"type": "string", "pattern": "(?=a)a"}), ""),
    ] {
        let schema =
            json!({"type": "object", "properties": {"deep": {"type": "array", "items": part}}, "required": ["deep"]});
        let reason = refusal(Shape::Json(schema));
        println!("{reason}");
        assert!(
            reason.starts_with("at properties.deep.items") && reason.contains(wanted),
            "{reason}"
        );
        assert!(!reason.contains('\n'), "{reason}");
    }
    for shape in [
        Shape::Regex("(".into()),
        Shape::Regex("a(?=b)".into()),
        Shape::Grammar("start: nothing".into()),
        Shape::Grammar("root ::= nothing".into()),
        Shape::Choice(Vec::new()),
        Shape::Choice(vec![String::new()]),
    ] {
        println!("{}", refusal(shape));
    }
}

#[test]
fn known_shapes_are_followed_to_their_ends() {
    let tree = json!({
        "$ref": "#/$defs/tree",
        "$defs": {"tree": {"type": "object", "required": ["of"], "additionalProperties": false,
            "properties": {"of": {"type": "array", "maxItems": 2, "items": {"$ref": "#/$defs/tree"}}}}},
    });
    let text = answer(&Shape::Json(tree), 60, |_| 0).unwrap();
    assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
    assert_eq!(answer(&Shape::Regex("^ab{2}$".into()), 9, |_| 0).unwrap(), "abb");
    // A bracket around brackets: no single terminal can count them.
    let brackets = Shape::Grammar("root ::= \"(\" root? \")\"".into());
    let text = answer(&brackets, 400, drawing((0..97).collect())).unwrap();
    assert!(text.len().is_multiple_of(2) && text.contains("()"), "{text}");
    let mut any = COMPILER.compile(&Shape::any_object()).unwrap().follower();
    let tokens = TOKENIZER.encode("{\"a\": [1, {\"b\": null}]}").unwrap();
    assert_eq!(any.follows(&tokens), tokens.len());
    any.take(&tokens).unwrap();
    assert!(any.accepts().unwrap());
}

#[test]
fn a_hostile_request_does_not_hang() {
    let mut deep = json!({"type": "string"});
    for _ in 0..60 {
        deep = json!({"type": "array", "items": deep});
    }
    let product = |count: usize| {
        let parts: Vec<Value> = (0..count)
            .map(|number| json!({"anyOf": [{"type": "string", "pattern": format!("a{number}")}, {"type": "string", "pattern": "b"}]}))
            .collect();
        json!({"allOf": parts})
    };
    let itself = json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}, {"type": "string"}]}}});
    for (name, shape) in [
        ("deep", Shape::Json(deep)),
        ("itself", Shape::Json(itself)),
        ("product", Shape::Json(product(9))),
        ("repeated", Shape::Regex("((a{1,1000}){1,1000}){1,1000}".into())),
        ("backtracking", Shape::Regex("(a|a)*b(.*a){50}".into())),
        (
            "long",
            Shape::Json(json!({"type": "string", "minLength": 100_000, "maxLength": 200_000})),
        ),
        (
            "many",
            Shape::Json(json!({"type": "array", "minItems": 100_000, "items": {"type": "string"}})),
        ),
        (
            "choices",
            Shape::Choice((0..9000).map(|number| format!("choice number {number}")).collect()),
        ),
        ("left", Shape::Grammar("root ::= root root | \"a\"".into())),
        (
            "exponential",
            Shape::Grammar("root ::= (((((\"a\"?){99}){99}){99}){99}){99}".into()),
        ),
    ] {
        let since = Instant::now();
        let compiled = COMPILER.compile(&shape);
        let mut longest = since.elapsed();
        println!(
            "{name}: {:?} {:?}",
            longest,
            compiled.as_ref().err().map(ToString::to_string)
        );
        if let Ok(grammar) = compiled {
            let mut follower = grammar.follower();
            for _ in 0..20 {
                let since = Instant::now();
                let Ok(allowed) = follower.allowed() else { break };
                longest = longest.max(since.elapsed());
                let Some(token) = allowed.tokens().find(|token| !TOKENIZER.ends().contains(token)) else {
                    break;
                };
                if follower.take(&[token]).is_err() {
                    break;
                }
            }
        }
        assert!(longest < Duration::from_secs(8), "{name} took {longest:?}");
    }
}

/// `COSTEER_MASKS` names what `tests/structure/masks.py` has written, and `COSTEER_MASKS_MODEL` the tokenizer's folder or file.
#[test]
fn masks_are_those_of_the_library_itself() {
    let (Ok(masks), Ok(model)) = (std::env::var("COSTEER_MASKS"), std::env::var("COSTEER_MASKS_MODEL")) else {
        println!("skipped: COSTEER_MASKS and COSTEER_MASKS_MODEL name no masks");
        return;
    };
    let tokenizer = Arc::new(Tokenizer::load(Path::new(&model)).unwrap());
    let compiler = Compiler::new(Arc::clone(&tokenizer));
    let mut positions = 0;
    for line in std::fs::read_to_string(masks).unwrap().lines() {
        let answer: Value = serde_json::from_str(line).unwrap();
        let mut follower = compiler
            .compile(&Shape::Json(answer["schema"].clone()))
            .unwrap()
            .follower();
        let mut ids = answer["ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| TokenId(id.as_u64().unwrap() as u32));
        for mask in answer["masks"].as_array().unwrap() {
            let allowed = follower.allowed().unwrap();
            let of_text = allowed.tokens().filter(|token| !tokenizer.ends().contains(token));
            let bytes: Vec<u8> = of_text.flat_map(|token| token.0.to_le_bytes()).collect();
            let found = json!([
                bytes.len() / 4,
                follower.accepts().unwrap(),
                hex::encode(Sha256::digest(&bytes))
            ]);
            assert_eq!(&found, mask, "position {positions} of all, in {line}");
            positions += 1;
            if let Some(id) = ids.next() {
                follower.take(&[id]).unwrap();
            }
        }
    }
    assert!(positions > 0);
    println!("{positions} masks are the same");
}
