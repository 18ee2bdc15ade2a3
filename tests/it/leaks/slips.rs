//! Slips: private text in the wrong place, under a wrong name, marked in a wrong way, or in a body that two readers read differently.
//! None of it reaches the upstream, on any route, whatever its driver.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::{RUNTIME, Raw, deflate, gzip, proxy, raw, run, serve};

/// What nobody but its owner may see. Letters and digits alone, so that it looks the same in every encoding of text.
const SECRET: &str = "Wilhelmina4711owes12345crowns";

/// A server that keeps all it is sent and refuses all of it.
async fn keeper() -> (SocketAddr, Arc<Mutex<Vec<Vec<u8>>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&kept);
    let keep = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
        let mut all = format!("{method} {uri}\n{headers:?}\n").into_bytes();
        all.extend_from_slice(&body);
        seen.lock().unwrap().push(all);
        (
            StatusCode::NOT_FOUND,
            "{\"error\": {\"message\": \"there is nothing here\"}}",
        )
    };
    (serve(Router::new().fallback(keep)).await, kept)
}

/// Whether the secret is in it, as it is, packed, or in two bytes a letter.
fn shows_secret(seen: &[u8]) -> bool {
    let narrow: Vec<u8> = seen.iter().copied().filter(|byte| *byte != 0).collect();
    let text = String::from_utf8_lossy(&narrow).to_lowercase();
    let decoded = percent_encoding::percent_decode_str(&text)
        .decode_utf8_lossy()
        .into_owned();
    let secret = SECRET.to_lowercase();
    let escaped = serde_json::from_slice::<Value>(&narrow)
        .map(|value| value.to_string().to_lowercase())
        .unwrap_or_default();
    let packed = seen.windows(2).any(|bytes| bytes == [0x1f, 0x8b]);
    packed || text.contains(&secret) || decoded.contains(&secret) || escaped.contains(&secret)
}

const CHAT: &str = "/v1/chat/completions";
const TEXT: &str = "/v1/completions";
const OTHER: [&str; 6] = [
    "/v1/embeddings",
    "/v1/responses",
    "/v1/messages",
    "/v1/rerank",
    "/v1/chat/completions/",
    "/v1/batches",
];

fn ordinary(path: &str) -> Value {
    match path {
        TEXT => json!({"prompt": "Dinner is", "max_tokens": 1}),
        "/v1/embeddings" => json!({"input": ["Dinner"], "model": "m"}),
        "/v1/responses" => json!({"input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]}),
        _ => json!({"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}),
    }
}

fn every_route() -> impl Iterator<Item = &'static str> {
    [CHAT, TEXT].into_iter().chain(OTHER)
}

/// Names that are meant as ours.
const NAMES: [&str; 16] = [
    "CoSteer",
    "costeer ",
    "costeer.context",
    "costeer_context",
    "costeer[context]",
    "co_steer",
    "costeers",
    "costear",
    "x-costeer-context",
    "X-CoSteer-Context",
    "c\u{43e}steer",
    "ｃｏｓｔｅｅｒ",
    "co\u{200b}steer",
    "costeer\u{0}",
    "COSTEER",
    "extra_costeer",
];

/// Texts that mark the secret in ways that are not ours, or not quite.
fn marks() -> Vec<String> {
    let s = SECRET;
    [
        "<private >@</private >",
        "<PRIVATE>@</Private>",
        "<private\n>@</private>",
        "<private note='x'>@</private>",
        "&lt;private&gt;@&lt;/private&gt;",
        "\\<private\\>@\\</private\\>",
        "＜private＞@＜/private＞",
        "<\u{200b}private>@</\u{200b}private>",
        "<pri\u{ad}vate>@</pri\u{ad}vate>",
        "[private]@[/private]",
        "<private>@",
        "@</private>",
        "<private>a<private>@</private></private>",
        "%3Cprivate%3E@%3C/private%3E",
        "\\u003cprivate\\u003e@\\u003c/private\\u003e",
        "< private>@</ private>",
        "<pr\u{131}vate>@</pr\u{131}vate>",
        "&#60;private&#62;@",
        "<private/>@",
        "<pri<private>x</private>vate>@",
        "{private}@{/private}",
        "<p.r.i.v.a.t.e>@",
        "=3Cprivate=3E@=3C/private=3E",
        "<<private>>@<</private>>",
    ]
    .iter()
    .map(|mark| mark.replace('@', s))
    .collect()
}

/// Bodies that carry the secret where it has no business, for a route.
fn bodies(path: &str) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    let plain = ordinary(path);
    let with = |field: &str, value: Value| {
        let mut body = plain.clone();
        body[field] = value;
        body
    };
    let mut add = |what: String, body: Vec<u8>| all.push((what, body));
    for name in NAMES {
        add(
            format!("field {name:?}"),
            with(name, json!({"context": SECRET})).to_string().into(),
        );
        add(
            format!("field {name:?} within metadata"),
            with("metadata", json!({name: SECRET})).to_string().into(),
        );
        add(
            format!("field {name:?} deep"),
            with("a", json!([{"b": [{name: {"context": SECRET}}]}]))
                .to_string()
                .into(),
        );
    }
    for (field, value) in [
        ("extra_body", json!({"costeer": {"context": SECRET}})),
        ("extra_headers", json!({"X-CoSteer-Context": SECRET})),
        ("context", json!(SECRET)),
        ("private_context", json!(SECRET)),
        (
            "metadata",
            json!({"packed": json!({"costeer": {"context": SECRET}}).to_string()}),
        ),
        (
            "messages",
            json!([{"role": "user", "content": "Hi", "costeer": {"context": SECRET}}]),
        ),
    ] {
        add(format!("field {field}"), with(field, value).to_string().into());
    }
    let marked = format!("<private>{SECRET}</private>x");
    for field in [
        "tools",
        "response_format",
        "prediction",
        "metadata",
        "user",
        "stop",
        "suffix",
        "model",
        "an_invented_field",
        "system",
        "safety_identifier",
    ] {
        add(format!("tag in {field}"), with(field, json!(marked)).to_string().into());
        add(
            format!("tag in a list in {field}"),
            with(field, json!([{"description": marked}])).to_string().into(),
        );
    }
    add("tag as a key".into(), with("x", json!({&marked: 1})).to_string().into());
    for mark in marks() {
        add(
            format!("mark {mark:?} in a message"),
            with("messages", json!([{"role": "user", "content": mark}]))
                .to_string()
                .into(),
        );
        add(
            format!("mark {mark:?} in a part"),
            with(
                "messages",
                json!([{"role": "system", "content": [{"type": "text", "text": mark}]}]),
            )
            .to_string()
            .into(),
        );
        add(
            format!("mark {mark:?} in a prompt"),
            with("prompt", json!([mark, "b"])).to_string().into(),
        );
        add(
            format!("mark {mark:?} in input"),
            with("input", json!([mark])).to_string().into(),
        );
    }
    for (what, parts) in [
        (
            "two parts",
            vec![
                format!("<private>{}", &SECRET[..9]),
                format!("{}</private>x", &SECRET[9..]),
            ],
        ),
        (
            "its own letters",
            vec!["<priv".into(), format!("ate>{SECRET}</pri"), "vate>".into()],
        ),
    ] {
        let parts: Vec<Value> = parts.iter().map(|text| json!({"type": "text", "text": text})).collect();
        for role in ["user", "assistant"] {
            add(
                format!("tag over {what} by the {role}"),
                with("messages", json!([{"role": role, "content": parts}]))
                    .to_string()
                    .into(),
            );
        }
    }
    // Whole bodies that are read in more than one way, or not at all.
    let field = with("costeer", json!({"context": SECRET})).to_string();
    let tag = with("note", json!(marked)).to_string();
    let escaped = |text: &str| {
        text.replace("costeer", "\\u0063osteer")
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
    };
    let rest = plain.to_string()[1..].to_owned();
    for (what, text) in [
        (
            "the field twice",
            format!("{{\"costeer\":{{\"context\":\"{SECRET}\"}},\"costeer\":null,{rest}"),
        ),
        (
            "a key twice",
            format!("{{\"x\":\"<private>{SECRET}</private>\",\"x\":1,{rest}"),
        ),
        (
            "a key twice, escaped",
            format!("{{\"x\":\"{SECRET}<private>\",\"\\u0078\":1,{rest}"),
        ),
        (
            "NaN",
            format!("{{\"x\":\"\\u003cprivate\\u003e{SECRET}\",\"y\":NaN,{rest}"),
        ),
        (
            "1e999",
            format!("{{\"x\":\"\\u003cprivate\\u003e{SECRET}\",\"y\":1e999,{rest}"),
        ),
        (
            "half a pair",
            format!("{{\"\\u0063osteer\":\"{SECRET}\",\"y\":\"\\ud83d\",{rest}"),
        ),
        (
            "nested too deep",
            format!(
                "{{\"\\u0063osteer\":\"{SECRET}\",\"y\":{}{},{rest}",
                "[".repeat(200),
                "]".repeat(200)
            ),
        ),
        ("two values", format!("{plain}{field}")),
        ("single quotes", format!("{{'costeer': '{SECRET}'}}")),
        ("a list", format!("[{field}]")),
        ("a string", json!(field).to_string()),
        ("a string of escapes", json!(escaped(&tag)).to_string()),
        ("a comment", format!("{{/*<private>{SECRET}</private>*/{rest}")),
        ("cut off", field[..field.len() - 3].to_owned()),
        ("no JSON", format!("costeer={SECRET}")),
    ] {
        add(what.into(), text.into());
    }
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    add("UTF-16".into(), wide(&field));
    add("UTF-16 with a mark".into(), [b"\xFF\xFE".to_vec(), wide(&tag)].concat());
    all
}

/// Sends it; the upstream must not show the secret afterwards.
async fn send(address: SocketAddr, kept: &Mutex<Vec<Vec<u8>>>, what: &str, request: Raw<'_>) -> u16 {
    let answer = raw(address, request).await;
    let seen = std::mem::take(&mut *kept.lock().unwrap());
    for one in seen {
        assert!(!shows_secret(&one), "{what}: {}", String::from_utf8_lossy(&one));
    }
    assert!(
        answer.status >= 400 || !answer.text.contains(SECRET),
        "{what}: {answer:?}"
    );
    answer.status
}

async fn slips(settings: &[(&'static str, &str)]) {
    let (upstream, kept) = keeper().await;
    let (_proxy, address) = proxy(upstream, settings).await;
    let json = [("content-type", "application/json")];
    let mut count = 0;
    for path in every_route() {
        for (what, body) in bodies(path) {
            let what = format!("{path}: {what}");
            let request = Raw::post(path, &json, &body);
            let status = send(address, &kept, &what, request).await;
            // Refused, taken, or passed on without it: never an error of ours.
            assert!(status != 500 && status != 0, "{what}: {status}");
            count += 1;
        }
        let body = ordinary(path).to_string();
        let field = json!({"input": "x", "costeer": {"context": SECRET}}).to_string();
        for name in [
            "X-CoSteer_Context",
            "X-CoSteerContext",
            "CoSteer-Context",
            "X-Co-Steer-Context",
            "X-CoStear-Context",
            "Costeer",
            "X-CoSteer-",
            "X-Private-Context",
            "X-CoSteer.Context",
        ] {
            let headers = [json[0], (name, SECRET)];
            send(address, &kept, name, Raw::post(path, &headers, body.as_bytes())).await;
            count += 1;
        }
        for name in [
            "cookie",
            "origin",
            "referer",
            "x-api-key",
            "x-forwarded-for",
            "user-agent",
            "from",
            "baggage",
        ] {
            let headers = [json[0], (name, SECRET)];
            send(address, &kept, name, Raw::post(path, &headers, body.as_bytes())).await;
            count += 1;
        }
        for kind in [
            "application/octet-stream",
            "image/png",
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded",
            "application/json; charset=utf-16",
            "",
        ] {
            let headers = [("content-type", kind)];
            let status = send(address, &kept, kind, Raw::post(path, &headers, field.as_bytes())).await;
            assert_eq!(status, 415, "{path}, {kind:?}");
            count += 1;
        }
        for (coding, packed) in packings(field.as_bytes()) {
            let headers = [json[0], ("content-encoding", coding)];
            let status = send(address, &kept, coding, Raw::post(path, &headers, &packed)).await;
            assert!((400..=502).contains(&status), "{path}, {coding}: {status}");
            count += 1;
        }
        for query in [
            "costeer.context=@",
            "x-costeer-context=@",
            "q=%3Cprivate%3E@",
            "%63osteer=@",
            "note=<private>@",
        ] {
            let path = format!("{path}?{}", query.replace('@', SECRET));
            let status = send(address, &kept, query, Raw::post(&path, &json, body.as_bytes())).await;
            assert_eq!(status, 400, "{path}");
            count += 1;
        }
    }
    for method in ["GET", "PUT", "PATCH", "DELETE", "QUERY"] {
        let body = json!({"input": "x", "costeer ": {"context": SECRET}}).to_string();
        send(
            address,
            &kept,
            method,
            Raw {
                method,
                path: "/v1/embeddings",
                headers: &json,
                body: body.as_bytes(),
            },
        )
        .await;
        count += 1;
    }
    for form in forms() {
        let headers = [("content-type", "multipart/form-data; boundary=x")];
        let request = Raw::post("/v1/audio/transcriptions", &headers, form.as_bytes());
        assert_eq!(send(address, &kept, &form, request).await, 400, "{form}");
        count += 1;
    }
    eprintln!("{settings:?}: {count} slips, 0 leaks");
}

/// The same bytes, packed. Two of them are no packing that is known.
fn packings(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let gzip = gzip(body);
    vec![
        ("gzip", gzip.clone()),
        ("x-gzip", gzip.clone()),
        ("GZIP", gzip.clone()),
        ("gzip, gzip", gzip.clone()),
        ("compress", gzip.clone()),
        ("identity", gzip),
        ("deflate", deflate(body)),
    ]
}

fn forms() -> Vec<String> {
    let part = |about: &str, text: &str| format!("--x\r\nContent-Disposition: form-data; {about}\r\n\r\n{text}\r\n");
    let file = part("name=\"file\"; filename=\"a.wav\"", "RIFF");
    let end = "--x--\r\n";
    [
        part("name=\"costeer[context]\"", SECRET),
        part("name=\"co_steer\"; filename=\"a\"", SECRET),
        part("name=\"prompt\"", &format!("<private>{SECRET}</private>")),
        part("name=\"prompt\"", &format!("&lt;private&gt;{SECRET}")),
        part(
            "name=\"metadata\"",
            &json!({"costeer": {"context": SECRET}}).to_string(),
        ),
        part(&format!("name=\"file\"; filename=\"<private>{SECRET}\""), "x"),
        part("filename=\"a\"", SECRET),
        format!("--x\r\nContent-Disposition: form-data\r\n\r\n{SECRET}\r\n"),
    ]
    .iter()
    .map(|form| format!("{file}{form}{end}"))
    .collect()
}

#[test]
fn no_slip_reaches_an_upstream_on_any_route_or_driver() {
    run(async {
        slips(&[]).await;
        for driver in ["vllm", "llamacpp", "sglang", "openai-chat"] {
            slips(&[
                ("upstream.driver", driver),
                ("steering.on_unsteerable", "pass"),
                ("upstream.retries", "0"),
            ])
            .await;
        }
    });
}

#[test]
fn what_is_said_in_the_assistants_name_is_its_own() {
    run(async {
        let (upstream, kept) = keeper().await;
        let (_proxy, address) = proxy(upstream, &[]).await;
        let quoted = "Write <private> before what is private, and &lt;/private&gt; after it.";
        let body = json!({"messages": [{"role": "user", "content": "How?"}, {"role": "assistant", "content": quoted}, {"role": "user", "content": "Thanks"}]});
        let headers = [("content-type", "application/json")];
        let status = raw(address, Raw::post(CHAT, &headers, body.to_string().as_bytes()))
            .await
            .status;
        assert_eq!(status, 404, "the upstream's own");
        let seen = kept.lock().unwrap().concat();
        assert!(String::from_utf8_lossy(&seen).contains(quoted));
    });
}

/// What may be done to a name or tag, a letter at a time: the case, something invisible, another script, an escape.
fn disguised(text: &str, seeds: &[u8]) -> String {
    // Some stay as they are: those that are ours are taken, and the rest goes on.
    if seeds.last().is_some_and(|seed| seed.is_multiple_of(2)) {
        return text.to_owned();
    }
    let mut seeds = seeds.iter().cycle();
    let mut out = String::new();
    for character in text.chars() {
        match seeds.next().map_or(0, |seed| seed % 24) {
            1..=3 => out.extend(character.to_uppercase()),
            4 => out.extend(['\u{200b}', character]),
            5 => out.extend([character, '\u{ad}']),
            6 => out.push(twin(character)),
            7 => out.extend([character, '\u{301}']),
            8 => out.push_str(&format!("%{:02x}", u32::from(character))),
            9 => out.push_str(&format!("&#x{:x};", u32::from(character))),
            10 => out.push_str(&format!("\\u{:04X}", u32::from(character))),
            11 => out.push_str(&format!("\\x{:02x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out
}

/// A letter of another script, or a wide one.
fn twin(character: char) -> char {
    let twins = [
        ('a', 'а'),
        ('c', 'с'),
        ('e', 'е'),
        ('o', 'о'),
        ('p', 'р'),
        ('i', 'і'),
        ('s', 'ѕ'),
        ('t', 'ｔ'),
        ('r', 'ｒ'),
        ('v', 'ｖ'),
        ('<', '＜'),
        ('>', '＞'),
    ];
    twins
        .iter()
        .find(|(plain, _)| *plain == character)
        .map_or(character, |(_, twin)| *twin)
}

#[derive(Clone, Debug)]
struct Slip {
    path: &'static str,
    kind: u8,
    seeds: Vec<u8>,
    depth: u8,
    escape: u8,
    noise: String,
}

impl Slip {
    fn pick<'a>(&self, index: usize, from: &[&'a str]) -> &'a str {
        from[usize::from(self.seeds[index % self.seeds.len()]) % from.len()]
    }

    /// A name that is meant as ours: with something between its letters, before and after it.
    fn name(&self) -> String {
        let inner = self.pick(
            0,
            &[
                "costeer",
                "co-steer",
                "co_steer",
                "co steer",
                "cost.eer",
                "c-o-s-t-e-e-r",
                "costear",
                "costeeer",
                "ocsteer",
                "costeers",
            ],
        );
        let before = self.pick(1, &["", "x-", "x_", "extra_", "my.", " "]);
        let after = self.pick(
            2,
            &["", "-context", ".context", "_profile", "[context]", " ", ":", "-notes"],
        );
        // One slip at a time: what has lost a letter is not disguised as well.
        let exact = inner.chars().filter(char::is_ascii_alphabetic).collect::<String>() == "costeer";
        let inner = if exact {
            disguised(inner, &self.seeds)
        } else {
            inner.to_owned()
        };
        format!("{before}{inner}{after}")
    }

    /// The secret between things that are meant as tags.
    fn marked(&self) -> String {
        let open = self.pick(
            3,
            &[
                "<private>",
                "<private >",
                "<private x='y'>",
                "<private\t>",
                "< private >",
                "<private/>",
                "<private>a<private>",
            ],
        );
        let close = self.pick(4, &["</private>", "</private >", "", "</ private>", "<private>"]);
        let open = disguised(open, &self.seeds);
        let close = disguised(close, &self.seeds[1..]);
        format!("{}{open}{SECRET}{close}{}", self.noise, self.noise)
    }

    fn nested(&self, value: Value) -> Value {
        (0..self.depth).fold(value, |value, level| {
            match self.seeds[usize::from(level) % self.seeds.len()] % 3 {
                0 => json!([value]),
                1 => json!({"a": value, "n": self.noise}),
                _ => json!([{"text": self.noise}, value]),
            }
        })
    }

    fn body(&self) -> Vec<u8> {
        let mut body = ordinary(self.path);
        let secret = json!(SECRET);
        match self.kind {
            0 => body[self.name()] = json!({"context": secret}),
            1 => body["metadata"] = self.nested(json!({self.name(): secret})),
            2 => body["messages"] = json!([{"role": "user", "content": "Hi", self.name(): secret}]),
            3 => {
                body["messages"] = json!([{"role": self.pick(5, &["user", "system", "tool", "Assistant", "model"]), "content": self.marked()}])
            }
            4 => {
                body[self.pick(5, &["tools", "stop", "user", "note", "prompt", "input", "suffix"])] =
                    self.nested(json!(self.marked()))
            }
            5 => body["note"] = self.nested(json!({self.marked(): 1})),
            6 => {
                let marked: Vec<char> = self.marked().chars().collect();
                let size = 1 + usize::from(self.seeds[5] % 7);
                let parts: Vec<Value> = marked
                    .chunks(size)
                    .map(|part| json!({"type": "text", "text": part.iter().collect::<String>()}))
                    .collect();
                body["messages"] = json!([{"role": "user", "content": parts}]);
            }
            7 => body["note"] = json!(json!({self.name(): secret}).to_string()),
            // Nothing in it is private: refusing everything is no proof.
            _ => body["note"] = self.nested(json!(self.noise)),
        }
        let mut text = body.to_string();
        if self.kind == 7 && self.seeds[0].is_multiple_of(2) {
            // The same key once more, with something harmless.
            let rest = text.split_off(1);
            text = format!(
                "{{\"note\":\"{}\",{rest}",
                disguised("<private>", &self.seeds).replace('\\', "\\\\") + SECRET
            );
        }
        let text = escaped(&text, self.escape);
        match self.escape {
            250.. => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            240.. => format!("\u{feff}{text}").into_bytes(),
            _ => text.into_bytes(),
        }
    }
}

/// Some letters of its strings written as JSON's escapes.
fn escaped(text: &str, every: u8) -> String {
    let step = usize::from(every % 16);
    let mut out = String::new();
    let mut after_backslash = false;
    for (index, character) in text.chars().enumerate() {
        let plain = step == 0
            || !index.is_multiple_of(step)
            || after_backslash
            || !(character.is_ascii_alphabetic() || "<>&".contains(character));
        if plain {
            out.push(character);
        } else {
            out.push_str(&format!("\\u{:04x}", u32::from(character)));
        }
        after_backslash = character == '\\' && !after_backslash;
    }
    out
}

fn random_slips_show_nothing(cases: u32) {
    run(async move {
        let (upstream, kept) = keeper().await;
        let settings = [("upstream.driver", "vllm"), ("upstream.retries", "0")];
        let (_proxy, address) = proxy(upstream, &settings).await;
        let property = move || no_slip_of(cases, address, &kept);
        tokio::task::spawn_blocking(property).await.unwrap();
    });
}

/// The property, on a thread that may wait.
fn no_slip_of(cases: u32, address: SocketAddr, kept: &Mutex<Vec<Vec<u8>>>) {
    let routes: Vec<&'static str> = every_route().collect();
    let slip = (
        proptest::sample::select(routes),
        0..9u8,
        proptest::collection::vec(any::<u8>(), 8..20),
        0..4u8,
        any::<u8>(),
        "[a-zA-Zäß ,.=\"]{0,12}",
    );
    let slip = slip.prop_map(|(path, kind, seeds, depth, escape, noise)| Slip {
        path,
        kind,
        seeds,
        depth,
        escape,
        noise,
    });
    let mut statuses = std::collections::BTreeMap::new();
    let counted = std::cell::RefCell::new(&mut statuses);
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let shown = TestRunner::new(config).run(&slip, |slip| {
        let body = slip.body();
        let headers = [("content-type", "application/json")];
        let request = Raw::post(slip.path, &headers, &body);
        let answer = RUNTIME.block_on(raw(address, request));
        *counted.borrow_mut().entry(answer.status).or_insert(0_u32) += 1;
        let seen = std::mem::take(&mut *kept.lock().unwrap());
        let leak = seen.iter().find(|one| shows_secret(one));
        prop_assert!(
            leak.is_none(),
            "sent {}\nseen {}",
            String::from_utf8_lossy(&body),
            String::from_utf8_lossy(leak.unwrap())
        );
        prop_assert!(
            (200..=502).contains(&answer.status) && answer.status != 500,
            "{answer:?}"
        );
        Ok(())
    });
    eprintln!("{cases} random slips: {statuses:?}");
    shown.unwrap();
    assert!(statuses.contains_key(&404), "the upstream's own: {statuses:?}");
}

#[test]
fn two_thousand_random_slips_show_nothing() {
    random_slips_show_nothing(2000);
}

#[test]
#[ignore = "long proof: 20,000 slips; the plain run sends 2,000"]
fn twenty_thousand_random_slips_show_nothing() {
    random_slips_show_nothing(20_000);
}
