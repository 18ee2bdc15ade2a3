//! Two vocabularies: one that is the same on both sides, and `slm-pieces`, which is of another family than the big model's.

use std::collections::BTreeMap;
use std::sync::Arc;

use costeer::context::PrivateContext;
use costeer::http::chat_request;
use costeer::service::Service;
use costeer::vocabulary::{Alignment, AlignmentChoice, AlignmentKind, TokenId, Tokenizer};
use serde_json::{Value, json};

use crate::lookahead::{answers, answers_to, with};
use crate::support::{
    CONTEXT, DINNER, Folder, ask, content, costeer, events, post, proxy, question, recorder, run, streamed_content,
    tokenizer, upstream,
};

const PIECES: &str = "models/tiny/slm-pieces/model.gguf";

/// Settings for the small model of the other family.
fn pieces(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let other = [("local.model", PIECES), ("upstream.tokenizer", "models/tiny/llm")];
    other.iter().chain(more).copied().collect()
}

/// The tokens of the answers to the first `count` held-out questions, every third of them drawn.
async fn tokens(proxy: &Arc<Service>, count: usize) -> Vec<Vec<u32>> {
    let items = include_str!("../../training/eval/items.jsonl").lines().take(count);
    let mut all = Vec::new();
    for (seed, line) in items.enumerate() {
        let item: Value = serde_json::from_str(line).unwrap();
        let temperature = if seed % 3 == 0 { 0.8 } else { 0.0 };
        let body = json!({
            "messages": [{"role": "user", "content": item["question"]}],
            "temperature": temperature,
            "seed": seed,
            "max_tokens": 24,
        });
        let request = chat_request(body.as_object().unwrap()).ok().unwrap();
        let context = PrivateContext::new(item["context"].as_str().unwrap().to_owned());
        let mut session = proxy.open_session(&request, &context).await.unwrap();
        let mut tokens = Vec::new();
        while let Some(event) = session.next().await.unwrap() {
            tokens.push(event.picked.token.0);
        }
        all.push(tokens);
    }
    all
}

/// Compares the answers to the first `count` held-out questions.
fn all_three_ways_give_the_same_tokens(count: usize) {
    run(async move {
        let mut found = BTreeMap::new();
        for kind in ["identical", "intersection", "bytes"] {
            let floor = ("steering.delta_floor", "0.0001");
            let proxy = with(&[("vocabulary.alignment", kind), floor]).await;
            found.insert(kind, tokens(&proxy, count).await);
        }
        assert_eq!(found["identical"].len(), count);
        assert_eq!(found["identical"], found["intersection"]);
        assert_eq!(found["identical"], found["bytes"]);
    });
}

#[test]
fn one_vocabulary_gives_the_same_tokens_in_all_three_ways() {
    all_three_ways_give_the_same_tokens(15);
}

#[test]
#[ignore = "long proof: 200 prompts; the plain run compares 15"]
fn one_vocabulary_gives_the_same_tokens_in_all_three_ways_on_two_hundred_prompts() {
    all_three_ways_give_the_same_tokens(200);
}

#[test]
fn a_small_model_of_another_family_steers_and_nothing_leaks() {
    run(async {
        for kind in ["intersection", "bytes"] {
            let (recording, seen) = recorder(upstream().await).await;
            let settings = pieces(&[("vocabulary.alignment", kind), ("upstream.top_k", "32")]);
            let (_, address) = proxy(recording, &settings).await;
            let mut body = question(DINNER);
            body["costeer"] = json!({"context": "I am vegan. My dog is called Ziggy.", "strength": 1.0});
            let answer: Value = ask(address, &body, &[]).await.json().await.unwrap();
            let text = content(&answer);
            assert!(text.contains("vegan") && text.contains("Ziggy"), "{kind}: {text}");
            assert!(answer["usage"]["completion_tokens"].as_u64().unwrap() > 10, "{answer}");
            body["stream"] = true.into();
            let stream = ask(address, &body, &[]).await.text().await.unwrap();
            assert_eq!(streamed_content(&stream).0, text);
            assert!(events(&stream).len() > 10);
            for request in seen.requests() {
                assert!(!request.contains("dog is called"), "{request}");
            }
        }
    });
}

/// Compares the answers to the first `count` questions.
fn nothing_changes_across_vocabularies(count: usize) {
    run(async move {
        let answers = async |proxy: &Arc<Service>, temperature| answers_to(count, proxy, temperature).await;
        for temperature in [0.0, 0.9] {
            let (paper, _) = answers(&with(&pieces(&[("upstream.lookahead", "1")])).await, temperature).await;
            let (ahead, _) = answers(&with(&pieces(&[])).await, temperature).await;
            assert_eq!(ahead, paper);
            let never = pieces(&[("steering.bypass", "reopen"), ("steering.bypass_threshold", "0")]);
            assert_eq!(answers(&with(&never).await, temperature).await.0, paper);
            let (whole, report) = answers(&with(&pieces(&[("upstream.top_k", "1000000")])).await, temperature).await;
            assert_eq!(report.uncertified, 0);
            let refetch = pieces(&[("upstream.top_k", "5"), ("steering.exactness", "refetch")]);
            assert_eq!(answers(&with(&refetch).await, temperature).await.0, whole);
        }
        // After a bypass the branches catch up on several of the upstream's tokens at once.
        let (_, report) = answers(
            &with(&pieces(&[
                ("steering.bypass", "reopen"),
                ("steering.bypass_positions", "1"),
            ]))
            .await,
            0.0,
        )
        .await;
        let enough = 3 * count as u64;
        assert!(report.passed > enough && report.certified > enough, "{report:?}");
    });
}

#[test]
fn across_vocabularies_too_lookahead_refetching_and_a_bypass_change_nothing() {
    nothing_changes_across_vocabularies(2);
}

#[test]
#[ignore = "long proof: all eight questions; the plain run asks two"]
fn across_vocabularies_too_nothing_changes_on_all_questions() {
    nothing_changes_across_vocabularies(8);
}

#[test]
fn an_answer_ends_where_the_small_models_window_does() {
    run(async {
        let (_, address) = proxy(upstream().await, &pieces(&[])).await;
        let long = "Tell me. ".repeat(800);
        let mut body = question(&format!("{long}{DINNER}"));
        body["max_tokens"] = 4000.into();
        body["costeer"] = json!({"context": CONTEXT});
        let answer = ask(address, &body, &[]).await;
        assert_eq!(
            answer.status(),
            400,
            "the pieces of these messages do not fit the small model's window"
        );
        let answer: Value = answer.json().await.unwrap();
        assert!(
            answer["error"]["message"].as_str().unwrap().contains("4096"),
            "{answer}"
        );
    });
}

#[test]
fn texts_and_ids_are_continued_too() {
    run(async {
        let (_, address) = proxy(upstream().await, &pieces(&[])).await;
        let text = "Can you suggest a dinner?";
        let ids: Vec<u32> = tokenizer("llm").encode(text).unwrap().iter().map(|id| id.0).collect();
        let mut answers = Vec::new();
        for prompt in [json!(text), json!(ids)] {
            let body = json!({
                "prompt": prompt, "max_tokens": 12, "temperature": 0,
                "costeer": {"context": "I am vegan. My dog is called Ziggy."},
            });
            let answer = post(address, "/v1/completions", body.to_string(), &[]).await;
            assert_eq!(answer.status(), 200);
            let answer: Value = answer.json().await.unwrap();
            answers.push(answer["choices"][0]["text"].as_str().unwrap().to_owned());
        }
        assert!(!answers[0].is_empty());
        assert_eq!(answers[0], answers[1]);
    });
}

#[test]
fn a_forced_stop_ends_where_the_upstream_is_sure_and_a_bias_forbids_it() {
    run(async {
        // Pulled as far as it goes, an answer does not end where it should.
        let settings = [("steering.strength", "-3"), ("steering.max_tokens", "120")];
        let body = |bias: Value| {
            let mut body = question(DINNER);
            body["costeer"] = json!({"context": "Keep answers short.", "trace": true});
            body["logit_bias"] = bias;
            body
        };
        let forced: Vec<_> = settings.into_iter().chain([("steering.forced_stop", "0.5")]).collect();
        let (_, address) = proxy(upstream().await, &forced).await;
        let answer: Value = ask(address, &body(json!({})), &[]).await.json().await.unwrap();
        assert_eq!(answer["choices"][0]["finish_reason"], "stop");
        let positions = answer["costeer"]["trace"][0]["positions"].as_array().unwrap();
        let sure = |position: &Value| {
            let ends = position["candidates"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|one| one["text"] == "<|im_end|>");
            ends.map(|one| one["logprob"].as_f64().unwrap().exp())
                .any(|probability| probability > 0.5)
        };
        let (last, before) = positions.split_last().unwrap();
        assert_eq!(
            (&last["steered"], last["text"].as_str()),
            (&json!(false), Some("<|im_end|>")),
            "{last}"
        );
        assert!(sure(last) && !before.iter().any(sure));
        let end = tokenizer("llm").end().0.to_string();
        let answer: Value = ask(address, &body(json!({end: -100})), &[]).await.json().await.unwrap();
        assert_eq!(answer["choices"][0]["finish_reason"], "length");
    });
}

#[test]
fn what_was_chosen_is_said_and_a_wrong_choice_refused() {
    let doctor = |alignment: &str| {
        let variables = [
            ("COSTEER__LOCAL__MODEL", PIECES),
            ("COSTEER__UPSTREAM__TOKENIZER", "models/tiny/llm"),
            ("COSTEER__VOCABULARY__ALIGNMENT", alignment),
        ];
        let output = costeer(&["doctor", "--json"], &variables).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["name"] == "tokenizers").unwrap()
    };
    let check = doctor("auto");
    assert_eq!(check["status"], "ok", "{check}");
    let finding = check["finding"].as_str().unwrap();
    for part in ["bytes:", "3451", "1530", "(31.1 %)", "100.0 %", "MB"] {
        assert!(finding.contains(part), "{finding}");
    }
    let check = doctor("intersection");
    assert_eq!(check["status"], "warning", "a third of the tokens is little: {check}");
    let check = doctor("identical");
    assert_eq!(check["status"], "failed", "{check}");
    assert!(
        check["finding"].as_str().unwrap().contains("vocabulary.alignment"),
        "{check}"
    );
}

#[test]
fn another_family_splits_bytes_without_changing_them() {
    let pieces = tokenizer("slm-pieces");
    for text in [
        "vegan",
        "ny",
        " a",
        "Ziggy",
        "gluten-free\n",
        "é",
        "日本",
        "\u{1F600}",
        "  ",
    ] {
        let ids = pieces.split(text.as_bytes());
        assert!(pieces.spells(&ids, text.as_bytes()), "{text:?} became {ids:?}");
    }
    // What is whole characters is split as the tokenizer does, not by what happens to be longest.
    let spelled: Vec<String> = pieces.split(b" ricotta").iter().map(|id| pieces.name(*id)).collect();
    assert_eq!(spelled, ["▁r", "ic", "ot", "t", "a"]);
    // Half a character is bytes; and where a letter has a piece, no byte stands for it.
    let lone = |bytes: &[u8]| {
        pieces
            .split(bytes)
            .into_iter()
            .map(|id| pieces.is_lone_byte(id))
            .collect::<Vec<bool>>()
    };
    assert_eq!(lone(&[0xF0, 0x9F]), [true, true]);
    assert_eq!(lone(b"u"), [false]);
}

#[test]
fn roles_are_matched_by_what_they_do() {
    let (upstream, local) = (Arc::new(tokenizer("llm")), Arc::new(tokenizer("slm-pieces")));
    let alignment = Alignment::new(AlignmentChoice::Auto, Arc::clone(&upstream), Arc::clone(&local)).unwrap();
    assert_eq!(alignment.kind(), AlignmentKind::Bytes);
    let mapped = |name: &str| -> Vec<String> {
        let id = (0..upstream.selectable().len() as u32)
            .map(TokenId)
            .find(|id| upstream.name(*id) == name)
            .unwrap();
        alignment.token_map().of(id).map(|id| local.name(id)).collect()
    };
    assert_eq!(mapped("<|im_end|>"), ["</s>"]);
    // A word is mapped to its twin, and a word that the other side cuts to the token that the other side begins it with.
    assert!(mapped("Ġvegan").contains(&"▁vegan".to_owned()));
    assert_eq!(mapped("Ġricotta"), ["▁r"]);
    assert_eq!(alignment.leads().upstream, Vec::<u8>::new());
}

/// Where the vocabulary of [`patched`] has its second token for " ricotta"; the ids before it, after the shipped ones, are holes.
const SECOND_RICOTTA: TokenId = TokenId(3464);

/// The shipped big model's tokenizer with ten holes and with a second token of the bytes of another, as files.
fn patched() -> Folder {
    let directory = Folder::new();
    directory.copy_without_weights("llm");
    let path = directory.path().join("tokenizer.json");
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    file["added_tokens"].as_array_mut().unwrap().push(json!({
        "id": SECOND_RICOTTA.0, "content": " ricotta", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": false,
    }));
    // Added tokens that the vocabulary lists too keep their ids.
    for token in file["added_tokens"].as_array().unwrap().clone() {
        let content = token["content"].as_str().unwrap();
        file["model"]["vocab"][content] = token["id"].clone();
    }
    std::fs::write(path, file.to_string()).unwrap();
    directory
}

#[test]
fn a_file_whose_ids_are_read_otherwise_is_refused() {
    let directory = patched();
    let path = directory.path().join("tokenizer.json");
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    file["model"]["vocab"].as_object_mut().unwrap().remove(" ricotta");
    std::fs::write(&path, file.to_string()).unwrap();
    let error = Tokenizer::load(directory.path()).err().unwrap().to_string();
    for part in ["tokenizer.json", "ricotta", "3464", "3454", "added_tokens"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn holes_stand_for_nothing_and_tokens_of_the_same_bytes_are_taken_together() {
    let patched = Arc::new(Tokenizer::load(patched().path()).unwrap());
    let shipped = Arc::new(tokenizer("llm"));
    assert_eq!(patched.bytes().get(SECOND_RICOTTA), b" ricotta");
    let first = shipped.token_of(b" ricotta").unwrap();
    for choice in [AlignmentChoice::Intersection, AlignmentChoice::Bytes] {
        // The small model has the holes: the upstream's one is mapped to both of its tokens.
        let alignment = Alignment::new(choice, Arc::clone(&shipped), Arc::clone(&patched)).unwrap();
        let mapped: Vec<TokenId> = alignment.token_map().of(first).collect();
        assert_eq!(mapped, [first, SECOND_RICOTTA]);
        // The upstream has them: both of its tokens are mapped to the same token, and a hole to none.
        let alignment = Alignment::new(choice, Arc::clone(&patched), Arc::clone(&shipped)).unwrap();
        for id in [first, SECOND_RICOTTA] {
            assert_eq!(alignment.token_map().of(id).collect::<Vec<_>>(), [first]);
        }
        for id in (3454..SECOND_RICOTTA.0).map(TokenId) {
            assert!(patched.bytes().get(id).is_empty() && !patched.selectable()[id.index()]);
            assert_eq!(alignment.token_map().of(id).next(), None);
        }
    }
    let upstream = Alignment::new(AlignmentChoice::Auto, Arc::clone(&patched), shipped).unwrap();
    assert_ne!(upstream.kind(), AlignmentKind::Identical);
}

#[test]
fn a_vocabulary_with_holes_and_duplicates_answers_like_the_one_without() {
    run(async {
        // The server knows nothing of the tokens that only this tokenizer has, and so never picks them.
        let directory = patched();
        let path = directory.path().to_str().unwrap();
        let (plain, _) = answers(&with(&[]).await, 0.0).await;
        for kind in ["intersection", "bytes"] {
            let settings = [("upstream.tokenizer", path), ("vocabulary.alignment", kind)];
            assert_eq!(answers(&with(&settings).await, 0.0).await.0, plain, "{kind}");
        }
    });
}

#[test]
fn a_server_of_another_vocabulary_is_refused_before_an_id_is_read() {
    run(async {
        // The proxy takes the big model's server for one of the small model's vocabulary.
        let upstream = upstream().await;
        let (recording, seen) = recorder(upstream).await;
        let (_, address) = proxy(recording, &[("local.model", PIECES)]).await;
        let mut body = question(DINNER);
        body["costeer"] = json!({"context": CONTEXT});
        let answer = ask(address, &body, &[]).await;
        assert_eq!(answer.status(), 502);
        let answer: Value = answer.json().await.unwrap();
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(
            message.contains("another vocabulary")
                && message.contains("set upstream.tokenizer to the tokenizer of tiny-llm"),
            "{message}"
        );
        let streamed = |request: &String| request.contains("\"stream\":true");
        assert!(!seen.requests().iter().any(streamed), "an answer was begun");
        let doctor = tokio::task::spawn_blocking(move || {
            let url = format!("http://{upstream}/v1");
            let variables = [
                ("COSTEER__LOCAL__MODEL", PIECES),
                ("COSTEER__UPSTREAM__URL", url.as_str()),
            ];
            let output = costeer(&["doctor"], &variables).output().unwrap();
            (String::from_utf8(output.stdout).unwrap(), output.status.code())
        });
        let (report, code) = doctor.await.unwrap();
        assert!(code == Some(1) && report.contains("upstream.tokenizer"), "{report}");
    });
}
