//! Traces: from one alone every pick can be made again.

use costeer::steering::{Adjustments, Noise, Penalties};
use serde_json::{Value, json};

use crate::support::{
    CONTEXT, DINNER, Folder, ask, content, costeer, default_proxy, events, proxy, question, recorder, run,
    streamed_content, upstream,
};

fn traced(fields: &Value) -> Value {
    let mut body = question(DINNER);
    body["max_tokens"] = 60.into();
    body["costeer"] = json!({"context": CONTEXT, "trace": true});
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// The id with the largest sum of score and noise among the candidates that may be drawn, the lowest of equals.
fn pick(position: &Value) -> u64 {
    let candidates = position["candidates"].as_array().unwrap().iter();
    let drawn =
        candidates.filter_map(|one| Some((one["id"].as_u64()?, number(&one["score"]) + one["noise"].as_f64()?)));
    let best = drawn.reduce(|best, next| {
        let better = next.1 > best.1 || (next.1 == best.1 && next.0 < best.0);
        if better { next } else { best }
    });
    best.unwrap().0
}

/// Checks a whole trace against itself.
fn check(part: &Value) {
    let settings = &part["settings"];
    let (strength, most) = (number(&settings["strength"]), settings["max_shift"].as_f64());
    let seed = settings["seed"].as_i64().unwrap().cast_unsigned();
    let temperature = number(&settings["temperature"]);
    let mut adjustments = Adjustments::new(
        Penalties {
            presence: number(&settings["presence_penalty"]),
            frequency: number(&settings["frequency_penalty"]),
            ..Penalties::default()
        },
        [],
    );
    for (index, position) in part["positions"].as_array().unwrap().iter().enumerate() {
        assert_eq!(position["position"].as_u64(), Some(index as u64));
        assert_eq!(Some(pick(position)), position["id"].as_u64(), "{position}");
        let noise = Noise::new(seed, index as u64, temperature);
        let candidates = position["candidates"].as_array().unwrap();
        let mut total = 0.0;
        for one in candidates {
            let id = one["id"].as_u64().unwrap() as usize;
            let free = strength * number(&one["delta"]);
            let shift = most.map_or(free, |most| free.clamp(-most, most));
            assert!((number(&one["shift"]) - shift).abs() < 1e-9, "{one}");
            let score = adjustments.adjusted(id, number(&one["logprob"]) + shift);
            assert!((number(&one["score"]) - score).abs() < 1e-6, "{one}");
            if let Some(drawn) = one["noise"].as_f64() {
                assert!((drawn - noise.of(id)).abs() < 1e-12, "{one}");
            }
            total += number(&one["probability"]);
        }
        // Of longer lists only the best are shown.
        let all = candidates.len() < 100;
        assert!(total < 1.0 + 1e-6 && (total > 1.0 - 1e-6 || !all), "{total}");
        let upstream = candidates.iter().max_by(|left, right| {
            number(&left["logprob"])
                .total_cmp(&number(&right["logprob"]))
                .then(right["id"].as_u64().cmp(&left["id"].as_u64()))
        });
        assert_eq!(upstream.unwrap()["id"], position["upstream"]["id"]);
        adjustments.saw(position["id"].as_u64().unwrap() as usize);
    }
}

/// What the trace says the counts are.
fn counts(part: &Value) -> [usize; 5] {
    let positions = part["positions"].as_array().unwrap();
    let count = |wanted: &dyn Fn(&Value) -> bool| positions.iter().filter(|position| wanted(position)).count();
    [
        positions.len(),
        count(&|position| position["id"] != position["upstream"]["id"]),
        count(&|position| position["steered"] == false),
        count(&|position| position["certainty"] == "certified"),
        count(&|position| position["certainty"] == "uncertified"),
    ]
}

fn reported(report: &Value) -> [usize; 5] {
    ["positions", "changed", "passed", "certified", "uncertified"].map(|name| report[name].as_u64().unwrap() as usize)
}

fn text(part: &Value) -> String {
    let positions = part["positions"].as_array().unwrap().iter();
    let bytes = positions.flat_map(|position| position["bytes"].as_array().unwrap());
    String::from_utf8(bytes.map(|byte| byte.as_u64().unwrap() as u8).collect()).unwrap()
}

/// The parts of a stream put together, and its last part with a choice.
fn gathered(stream: &str) -> (Value, Value) {
    let chunks = events(stream).into_iter().filter(|data| data != "[DONE]");
    let chunks: Vec<Value> = chunks.map(|data| serde_json::from_str(&data).unwrap()).collect();
    let mut whole = json!({"positions": []});
    for part in chunks
        .iter()
        .map(|chunk| &chunk["costeer"]["trace"])
        .filter(|part| part.is_object())
    {
        whole["index"] = part["index"].clone();
        if !part["settings"].is_null() {
            whole["settings"] = part["settings"].clone();
        }
        let positions = part["positions"].as_array().unwrap().clone();
        whole["positions"].as_array_mut().unwrap().extend(positions);
    }
    (whole, streamed_content(stream).1)
}

/// Whether two answers to one question were picked in the same way. Times differ, and so do a server's own roundings, which depend on
/// what it computes at once.
fn alike(left: &Value, right: &Value) -> bool {
    let near = |left: &Value, right: &Value| match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => (left - right).abs() < 1e-2,
        _ => left == right,
    };
    let positions = |part: &Value| part["positions"].as_array().unwrap().clone();
    let same = |left: &Value, right: &Value| {
        let fields = ["position", "id", "text", "bytes", "upstream", "steered", "certainty"];
        let picked = |position: &Value| {
            let candidates = position["candidates"].as_array().unwrap();
            candidates
                .iter()
                .find(|one| one["id"] == position["id"])
                .unwrap()
                .clone()
        };
        let (one, other) = (picked(left), picked(right));
        let numbers = ["logprob", "delta", "shift", "score", "probability", "noise"];
        fields.iter().all(|field| left[field] == right[field])
            && numbers.iter().all(|field| near(&one[field], &other[field]))
    };
    let (left_positions, right_positions) = (positions(left), positions(right));
    left["settings"] == right["settings"]
        && left_positions.len() == right_positions.len()
        && left_positions
            .iter()
            .zip(&right_positions)
            .all(|(left, right)| same(left, right))
}

#[test]
fn every_pick_can_be_made_again_from_a_trace_alone() {
    run(async {
        let upstream = upstream().await;
        for settings in [
            vec![],
            vec![("steering.delta_floor", "0.0001"), ("steering.max_shift", "1.5")],
            vec![("steering.plausibility", "0.01")],
            vec![("steering.bypass", "reopen"), ("steering.bypass_positions", "1")],
            vec![("steering.exactness", "refetch")],
            vec![("steering.exactness", "off"), ("upstream.lookahead", "1")],
        ] {
            let (_proxy, address) = proxy(upstream, &settings).await;
            for fields in [
                json!({"temperature": 0, "seed": 1}),
                json!({"temperature": 1.3, "seed": -7}),
                json!({"temperature": 0.9, "seed": 7, "top_p": 0.8, "top_k": 5, "min_p": 0.01}),
                json!({"temperature": 0, "seed": 1, "presence_penalty": 0.7, "frequency_penalty": -0.3}),
            ] {
                let body = traced(&fields);
                let answer: Value = ask(address, &body, &[]).await.json().await.unwrap();
                let trace = &answer["costeer"]["trace"][0];
                assert!(
                    trace["positions"].as_array().is_some_and(|all| all.len() > 10),
                    "{answer}"
                );
                check(trace);
                assert_eq!(counts(trace), reported(&answer["costeer"]), "{settings:?} {fields}");
                assert_eq!(text(trace), content(&answer));
                let mut streamed = body.clone();
                streamed["stream"] = true.into();
                let stream = ask(address, &streamed, &[]).await.text().await.unwrap();
                let (whole, last) = gathered(&stream);
                assert!(alike(&whole, trace), "{settings:?} {fields}");
                assert_eq!(reported(&last["costeer"]), reported(&answer["costeer"]));
            }
        }
    });
}

#[test]
fn each_choice_has_a_trace_and_stop_strings_do_not_shorten_it() {
    run(async {
        let address = default_proxy().await;
        let body = traced(&json!({"temperature": 1, "seed": 3, "n": 2, "stop": ["vegan"]}));
        let answer: Value = ask(address, &body, &[]).await.json().await.unwrap();
        let traces = answer["costeer"]["trace"].as_array().unwrap();
        assert_eq!((traces.len(), &traces[1]["index"]), (2, &json!(1)));
        assert_ne!(traces[0]["settings"]["seed"], traces[1]["settings"]["seed"]);
        for (trace, choice) in traces.iter().zip(answer["choices"].as_array().unwrap()) {
            check(trace);
            let said = choice["message"]["content"].as_str().unwrap();
            assert!(text(trace).starts_with(said), "{said}");
        }
    });
}

#[test]
fn a_trace_comes_only_where_it_is_asked_for_and_never_goes_on() {
    run(async {
        let (recorder, recording) = recorder(upstream().await).await;
        let (_proxy, address) = proxy(recorder, &[]).await;
        let mut body = traced(&json!({}));
        let with = |body: &Value, headers: &'static [(&'static str, &'static str)]| {
            let body = body.clone();
            async move {
                let response = ask(address, &body, headers).await;
                (response.status().as_u16(), response.json::<Value>().await.unwrap())
            }
        };
        assert!(with(&body, &[]).await.1["costeer"]["trace"].is_array());
        assert!(with(&body, &[("x-costeer-trace", "0")]).await.1["costeer"]["trace"].is_null());
        body["costeer"]["trace"] = false.into();
        assert!(with(&body, &[]).await.1["costeer"]["trace"].is_null());
        assert!(with(&body, &[("x-costeer-trace", "1")]).await.1["costeer"]["trace"].is_array());
        let (status, error) = with(&body, &[("x-costeer-trace", "perhaps")]).await;
        assert_eq!(
            (status, error["error"]["param"].as_str()),
            (400, Some("X-CoSteer-Trace"))
        );
        // What is not steered has none to show, and is passed on without a word of it.
        body["costeer"] = json!({"context": "", "trace": true});
        let (status, plain) = with(&body, &[]).await;
        assert!(status == 200 && plain["costeer"].is_null(), "{plain}");
        for request in recording.requests() {
            assert!(
                !request.contains("trace\"") && !request.contains("x-costeer"),
                "{request}"
            );
        }
    });
}

#[test]
fn a_trace_is_explained_on_a_terminal() {
    run(async {
        let address = default_proxy().await;
        let folder = Folder::new();
        let mut body = traced(&json!({"temperature": 0}));
        let answer = ask(address, &body, &[]).await.text().await.unwrap();
        let said = content(&serde_json::from_str(&answer).unwrap());
        body["stream"] = true.into();
        let stream = ask(address, &body, &[]).await.text().await.unwrap();
        for (name, text) in [("answer.json", &answer), ("answer.sse", &stream)] {
            let file = folder.file(name);
            std::fs::write(&file, text).unwrap();
            let explain = |more: &[&str]| {
                let mut arguments = vec!["explain", file.as_str()];
                arguments.extend_from_slice(more);
                let output = costeer(&arguments, &[]).output().unwrap();
                assert!(output.status.success(), "{output:?}");
                String::from_utf8(output.stdout).unwrap()
            };
            let plain = explain(&[]);
            let mut bare = String::new();
            for (place, piece) in plain.split(['[', ']']).enumerate() {
                // Every second piece is a changed token with its nats.
                bare.push_str(if place % 2 == 1 {
                    piece.rsplit_once(' ').unwrap().0
                } else {
                    piece
                });
            }
            assert_eq!(bare.trim_end(), said);
            assert!(plain.contains('['), "{plain}");
            let coloured = explain(&["--color", "always"]);
            assert!(
                coloured.contains("\u{1b}[4m") && coloured.contains("changed by steering"),
                "{coloured}"
            );
            let table = explain(&["--table", "--candidates", "2"]);
            assert!(
                table.contains("instead of “") && table.contains("the upstream's"),
                "{table}"
            );
        }
        let none = folder.file("none.json");
        std::fs::write(&none, r#"{"choices": []}"#).unwrap();
        let refused = costeer(&["explain", &none], &[]).output().unwrap();
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(
            !refused.status.success() && told.contains("X-CoSteer-Trace: 1"),
            "{told}"
        );
    });
}

#[test]
fn what_a_format_leaves_no_choice_about_is_called_forced() {
    run(async {
        let schema = json!({"type": "object", "properties": {"dish": {"enum": ["soup"]}}, "required": ["dish"], "additionalProperties": false});
        let format = json!({"type": "json_schema", "json_schema": {"name": "dish", "strict": true, "schema": schema}});
        let body = traced(&json!({"response_format": format}));
        let answer: Value = ask(default_proxy().await, &body, &[]).await.json().await.unwrap();
        let positions = answer["costeer"]["trace"][0]["positions"]
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"));
        let forced: Vec<&Value> = positions.iter().filter(|position| position["forced"] == true).collect();
        assert!(!forced.is_empty(), "{answer}");
        assert_eq!(json!(forced.len()), answer["costeer"]["forced"]);
        assert!(
            forced
                .iter()
                .all(|position| position["steered"] == false && position["certainty"].is_null())
        );
    });
}
