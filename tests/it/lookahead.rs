//! Lookahead changes no token; what it wastes ends when nobody wants it; certificates, refetching and the bypass.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use costeer::context::PrivateContext;
use costeer::decode::Report;
use costeer::http::chat_request;
use costeer::local::{ModelSource, SlotLimits, SlotPool};
use costeer::service::Service;
use costeer::testkit::{DemoServer, Pacing};
use costeer::vocabulary::{TokenId, Tokenizer};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::support::{
    CONTEXT, Change, DINNER, ask, between, content, open, options, proxy, question, recorder, run, serve, upstream,
};

/// As many questions as the plain run asks; the long proofs ask all.
pub const FEW: usize = 3;

/// Questions, and what is private about whoever asks them.
pub const QUESTIONS: [(&str, &str); 8] = [
    (DINNER, CONTEXT),
    (
        "Would you pick a breakfast for me?",
        "Gluten makes me ill. Friend: Norgin. Be casual.",
    ),
    (
        "Please find me a good salad.",
        "Being vegetarian, I eat no meat. Answer me as a pirate would.",
    ),
    (
        "Is there a dinner you would suggest?",
        "My daughter goes by Magnus. I have the name Bres. diet: seafood",
    ),
    (
        "Would you pick a soup for me?",
        "I like it casual. My flat is in Belbullin. Short answers are right for me.",
    ),
    (
        "Can you suggest a lunch?",
        "I am allergic to nuts. My cat is called Quorra.",
    ),
    (
        "What should I cook tonight?",
        "Nothing beats seafood for me. My name is Tovesk.",
    ),
    (
        "Can you recommend a dessert?",
        "I live in Marnhollow. I am vegan. Please be polite.",
    ),
];

/// The tokens of the answers to the first [`FEW`] questions, and all reports together.
pub async fn answers(proxy: &Arc<Service>, temperature: f64) -> (Vec<Vec<u32>>, Report) {
    answers_to(FEW, proxy, temperature).await
}

/// The tokens of the answers to the first `count` questions, and all reports together.
pub async fn answers_to(count: usize, proxy: &Arc<Service>, temperature: f64) -> (Vec<Vec<u32>>, Report) {
    let mut all = Vec::new();
    let mut sum = Report::default();
    for (seed, (question, context)) in QUESTIONS.iter().take(count).enumerate() {
        let body = json!({
            "messages": [{"role": "user", "content": question}],
            "temperature": temperature,
            "seed": seed,
            "max_tokens": 64,
        });
        let request = chat_request(body.as_object().unwrap()).ok().unwrap();
        let context = PrivateContext::new((*context).to_owned());
        let mut session = proxy.open_session(&request, &context).await.unwrap();
        let mut tokens = Vec::new();
        while let Some(event) = session.next().await.unwrap() {
            tokens.push(event.picked.token.0);
        }
        let report = session.report();
        assert_eq!(
            report.certified + report.refetched + report.uncertified + report.passed,
            report.positions
        );
        sum.add(report);
        all.push(tokens);
    }
    (all, sum)
}

pub async fn with(settings: &[(&'static str, &str)]) -> Arc<Service> {
    proxy(upstream().await, settings).await.0
}

/// Compares the answers to the first `count` questions.
fn every_lookahead_gives_the_same_tokens(count: usize) {
    run(async move {
        let answers = async |proxy: &Arc<Service>, temperature| answers_to(count, proxy, temperature).await;
        for temperature in [0.0, 0.9] {
            let (paper, report) = answers(&with(&[("upstream.lookahead", "1")]).await, temperature).await;
            assert_eq!(report.upstream_requests, report.positions);
            assert_eq!(report.wasted_tokens, 0);
            for lookahead in ["4", "16", "adaptive"] {
                let proxy = with(&[("upstream.lookahead", lookahead)]).await;
                let (tokens, ours) = answers(&proxy, temperature).await;
                assert_eq!(tokens, paper, "lookahead {lookahead}, temperature {temperature}");
                assert!(ours.upstream_requests < report.upstream_requests);
            }
        }
    });
}

#[test]
fn every_lookahead_gives_the_same_tokens_greedy_and_drawn() {
    every_lookahead_gives_the_same_tokens(FEW);
}

#[test]
#[ignore = "long proof: all eight questions; the plain run asks three"]
fn every_lookahead_gives_the_same_tokens_on_all_questions() {
    every_lookahead_gives_the_same_tokens(QUESTIONS.len());
}

/// Compares the answers to the first `count` questions.
fn refetching_gives_the_whole_vocabularys_tokens(count: usize) {
    run(async move {
        let answers = async |proxy: &Arc<Service>, temperature| answers_to(count, proxy, temperature).await;
        for temperature in [0.0, 0.9] {
            let (whole, report) = answers(&with(&[("upstream.top_k", "1000000")]).await, temperature).await;
            assert_eq!(report.uncertified, 0, "nothing is outside the whole vocabulary");
            for exactness in ["refetch", "refetch-ids"] {
                let refetch = [("upstream.top_k", "5"), ("steering.exactness", exactness)];
                let (tokens, report) = answers(&with(&refetch).await, temperature).await;
                assert_eq!(tokens, whole, "{exactness}, temperature {temperature}");
                assert_eq!(report.uncertified, 0);
                assert!(report.refetched > 0 && report.refetch_requests >= report.refetched);
            }
        }
    });
}

#[test]
fn refetching_gives_the_whole_vocabularys_tokens_greedy_and_drawn() {
    refetching_gives_the_whole_vocabularys_tokens(FEW);
}

#[test]
#[ignore = "long proof: all eight questions; the plain run asks three"]
fn refetching_gives_the_whole_vocabularys_tokens_on_all_questions() {
    refetching_gives_the_whole_vocabularys_tokens(QUESTIONS.len());
}

#[test]
fn a_cap_reaches_the_answers() {
    run(async {
        let (free, _) = answers(&with(&[]).await, 0.0).await;
        let (tokens, _) = answers(&with(&[("steering.max_shift", "100")]).await, 0.0).await;
        assert_eq!(tokens, free, "nothing is moved that far");
        let (_, report) = answers(&with(&[("steering.max_shift", "0.000000001")]).await, 0.0).await;
        assert_eq!(report.changed, 0);
    });
}

/// What a double does to the body of a request.
#[test]
fn an_upstream_that_says_no_more_leaves_positions_uncertified() {
    run(async {
        let limits: [(&str, Change); 2] = [
            ("refetch", |body| {
                // As a server does that has a limit and does not say so.
                if let Some(asked) = body["logprobs"].as_u64() {
                    body["logprobs"] = json!(asked.min(5));
                }
            }),
            ("refetch-ids", |body| {
                body.as_object_mut().unwrap().remove("logprob_token_ids");
            }),
        ];
        let (inside, _) = answers(&with(&[("upstream.top_k", "5")]).await, 0.0).await;
        for (exactness, limit) in limits {
            let limited = between(upstream().await, limit).await;
            let settings = [("upstream.top_k", "5"), ("steering.exactness", exactness)];
            let (ours, _) = proxy(limited, &settings).await;
            let (tokens, report) = answers(&ours, 0.0).await;
            assert_eq!(report.refetched, 0);
            assert!(report.uncertified > 0);
            assert!(report.refetch_requests <= FEW as u64, "it is not asked again");
            assert_eq!(tokens, inside);
        }
    });
}

#[test]
fn a_longer_list_does_not_say_which_tokens_are_in_doubt() {
    run(async {
        let (recorder, recording) = recorder(upstream().await).await;
        let settings = [("upstream.top_k", "5"), ("steering.exactness", "refetch")];
        let (ours, _) = proxy(recorder, &settings).await;
        let (_, report) = answers(&ours, 0.0).await;
        assert!(report.refetch_requests > 0);
        for request in recording.requests() {
            // Token 0, after itself, is how a server is tried when it is first met.
            let asks_for_tokens = request.contains("logprob_token_ids") && !request.contains("\"prompt\":[0]");
            assert!(!asks_for_tokens, "{request}");
        }
    });
}

#[test]
fn an_upstream_that_ignores_the_window_is_cut_off_and_changes_nothing() {
    run(async {
        let endless = between(upstream().await, |body| body["max_tokens"] = json!(500));
        let (ours, _) = proxy(endless.await, &[("upstream.lookahead", "4")]).await;
        let (tokens, _) = answers(&ours, 0.0).await;
        let (wanted, _) = answers(&with(&[("upstream.lookahead", "4")]).await, 0.0).await;
        assert_eq!(tokens, wanted);
    });
}

#[test]
fn exactness_off_counts_nothing_and_picks_the_same() {
    run(async {
        let (_proxy, address) = proxy(upstream().await, &[("steering.exactness", "off")]).await;
        let context = [("x-costeer-context", CONTEXT)];
        let answer: Value = ask(address, &question(DINNER), &context).await.json().await.unwrap();
        let report = &answer["costeer"];
        assert_eq!((&report["certified"], &report["uncertified"]), (&json!(0), &json!(0)));
        assert!(content(&answer).contains("vegan"));
    });
}

/// A server that computes a token every 30 ms and can be asked how many it has computed.
async fn paced() -> (Arc<DemoServer>, SocketAddr) {
    let source = ModelSource::locate("--model", "models/tiny/llm").await.unwrap();
    let pacing = Pacing {
        pace: Duration::from_millis(30),
        delay: Duration::from_millis(10),
    };
    let options = options();
    let server = DemoServer::load(&source, &options, 2, "tiny-llm", pacing);
    let server = server.await.unwrap();
    let address = serve(Arc::clone(&server).router()).await;
    (server, address)
}

#[test]
fn a_client_that_leaves_ends_the_upstreams_work_within_a_token() {
    run(async {
        let (server, upstream) = paced().await;
        let (_proxy, address) = proxy(upstream, &[("local.slots", "1"), ("local.queue", "0")]).await;
        let mut body = question(DINNER);
        body["stream"] = json!(true);
        let context = [("x-costeer-context", CONTEXT)];
        let mut stream = ask(address, &body, &context).await.bytes_stream();
        stream.next().await.unwrap().unwrap();
        let seen = server.generated();
        drop(stream);
        tokio::time::sleep(Duration::from_millis(300)).await;
        let after = server.generated();
        assert!(after <= seen + 2, "{seen} tokens before, {after} after");
        assert_eq!(
            ask(address, &body, &context).await.status(),
            200,
            "the only slot is free"
        );
    });
}

#[test]
fn a_slower_upstream_wastes_little() {
    run(async {
        let (server, upstream) = paced().await;
        let (ours, _) = proxy(upstream, &[]).await;
        let (_, report) = answers(&ours, 0.0).await;
        let wasted = server.generated() - report.positions;
        eprintln!(
            "{} positions, {} requests, {} wasted, {wasted} at the server",
            report.positions, report.upstream_requests, report.wasted_tokens
        );
        // One position at each draft that was dropped, and the last one of an abandoned draft may be on its way.
        assert!(report.wasted_tokens <= report.upstream_requests);
        assert!(wasted <= report.wasted_tokens + 2);
    });
}

#[test]
fn a_bypass_that_never_happens_changes_nothing_and_one_that_always_does_passes_all_but_the_first() {
    run(async {
        let (off, _) = answers(&with(&[]).await, 0.0).await;
        let never = [("steering.bypass", "reopen"), ("steering.bypass_threshold", "0")];
        let (tokens, report) = answers(&with(&never).await, 0.0).await;
        assert_eq!((tokens, report.passed), (off.clone(), 0));
        for mode in ["latch", "reopen"] {
            let always = [
                ("steering.bypass", mode),
                ("steering.bypass_threshold", "1"),
                ("steering.bypass_positions", "1"),
            ];
            let (_, report) = answers(&with(&always).await, 0.0).await;
            assert_eq!(report.passed, report.positions - FEW as u64, "{mode}");
        }
        // Now and then: positions before the first bypass are steered as without one.
        let (tokens, report) = answers(&with(&[("steering.bypass", "reopen")]).await, 0.0).await;
        assert!(report.passed > 0 && report.passed < report.positions);
        for (ours, off) in tokens.iter().zip(&off) {
            assert_eq!(ours[..3], off[..3]);
        }
    });
}

#[test]
fn a_latched_answer_gives_its_lane_back() {
    run(async {
        let (_server, upstream) = paced().await;
        let settings = [
            ("steering.bypass", "latch"),
            ("steering.bypass_threshold", "1"),
            ("steering.bypass_positions", "1"),
            ("local.slots", "1"),
            ("local.queue", "0"),
        ];
        let (_proxy, address) = proxy(upstream, &settings).await;
        let mut body = question(DINNER);
        body["stream"] = json!(true);
        let context = [("x-costeer-context", CONTEXT)];
        let mut first = ask(address, &body, &context).await.bytes_stream();
        first.next().await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(ask(address, &body, &context).await.status(), 200);
        let mut rest = Vec::new();
        while let Some(part) = first.next().await {
            rest.extend_from_slice(&part.unwrap());
        }
        assert!(String::from_utf8(rest).unwrap().ends_with("data: [DONE]\n\n"));
    });
}

#[test]
fn tokens_fed_at_once_give_what_they_give_one_by_one() {
    run(async {
        let source = ModelSource::locate("local.model", "models/tiny/slm").await.unwrap();
        let end = Tokenizer::load(source.folder()).unwrap().end();
        let limits = SlotLimits {
            slots: 2,
            queue: 0,
            queue_timeout: Duration::ZERO,
        };
        let slots = SlotPool::load(&source, &options(), limits, end, None).await.unwrap();
        let prompt: Vec<TokenId> = (300..380).map(TokenId).collect();
        let tokens: Vec<TokenId> = (500..524).map(TokenId).collect();
        let mut at_once = open(&slots, &prompt, &prompt[..40]).await.unwrap();
        let mut one_by_one = open(&slots, &prompt, &prompt[..40]).await.unwrap();
        at_once.logits().await.unwrap();
        at_once.extend(&tokens, 1);
        for token in &tokens {
            one_by_one.logits().await.unwrap();
            one_by_one.extend(&[*token], 1);
        }
        for _ in 0..2 {
            let (ours, theirs) = (at_once.logits().await.unwrap(), one_by_one.logits().await.unwrap());
            let (ours, theirs) = (&ours.positions[0], &theirs.positions[0]);
            for (ours, theirs) in [(&ours.public, &theirs.public), (&ours.private, &theirs.private)] {
                let pairs = ours.iter().zip(theirs);
                let largest = pairs.map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f32::max);
                assert!(largest < 1e-5, "logits differ by {largest}");
            }
            at_once.extend(&[TokenId(700)], 1);
            one_by_one.extend(&[TokenId(700)], 1);
        }
    });
}
