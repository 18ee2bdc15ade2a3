//! What every upstream must do, tried on a real one: `COSTEER_TEST_UPSTREAM=http://127.0.0.1:8000` names a server that holds
//! models/tiny/llm. `tests/upstreams/run.sh` starts llama.cpp's and vLLM's, and runs these tests, which are ignored otherwise.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use costeer::upstream::{
    Caller, Connection, Driver, Position, PositionRequest, Prefix, ServedVocabulary, Server, Timeouts, Upstream,
};
use costeer::vocabulary::TokenId;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::parity::{PAPER, differences, partings};
use crate::support::{
    CONTEXT, Change, DINNER, ask, between, content, events, metrics_of, proxy, question, run, streamed_content,
    tokenizer, upstream,
};

/// The server to try, if there is one.
pub fn real_upstream() -> Option<SocketAddr> {
    let url = std::env::var("COSTEER_TEST_UPSTREAM").ok()?;
    let address = url.trim_end_matches('/').trim_start_matches("http://").parse();
    Some(address.expect("COSTEER_TEST_UPSTREAM is http://ADDRESS:PORT"))
}

/// Runs `test` on the real server. Where there is none, it fails: nothing has been shown.
fn on_the_real_one<F: Future<Output = ()> + Send + 'static>(test: impl FnOnce(SocketAddr) -> F) {
    let address = real_upstream().expect("COSTEER_TEST_UPSTREAM names no server; tests/upstreams/run.sh starts one");
    run(test(address));
}

/// Servers compute in other orders and formats; scores that are this close may change places.
const MARGIN: f64 = 1e-2;
const PROMPTS: usize = 20;

async fn same_text(address: SocketAddr, settings: &[(&'static str, &str)], file: &str) {
    let (proxy, _) = proxy(address, &[&[PAPER], settings].concat()).await;
    let (positions, by_rounding) = differences(&proxy, file, PROMPTS, MARGIN).await;
    eprintln!("{settings:?}: {PROMPTS} answers, {positions} positions, {by_rounding} answers differ by rounding");
    assert!(by_rounding <= 2);
}

#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn steered_text_is_the_same_as_on_the_demo_server() {
    on_the_real_one(async |address| {
        same_text(address, &[], "system-20.jsonl").await;
    });
}

#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn steered_text_is_the_same_with_a_request_for_every_token() {
    // More than a hundred requests on one connection.
    on_the_real_one(async |address| {
        same_text(address, &[("upstream.lookahead", "1")], "system-20.jsonl").await;
    });
}

#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn steered_text_is_the_same_where_tokens_in_doubt_are_asked_for_by_id() {
    on_the_real_one(async |address| {
        let settings = [("steering.exactness", "refetch-ids")];
        same_text(address, &settings, "system-full.jsonl").await;
    });
}

#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn steered_text_is_the_same_where_longer_lists_are_asked_for() {
    on_the_real_one(async |address| {
        let description = server(address, Driver::Auto)
            .describe(&Caller::default())
            .await
            .unwrap();
        if description.limits.longest_list.is_some() {
            eprintln!(
                "skipped: this server lists no more than {:?}",
                description.limits.longest_list
            );
            return;
        }
        same_text(address, &[("steering.exactness", "refetch")], "system-full.jsonl").await;
    });
}

#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn steered_text_is_the_same_over_chat_completions_but_for_a_few_cuts() {
    on_the_real_one(async |address| {
        let (chat, _) = proxy(address, &[PAPER, ("upstream.driver", "openai-chat")]).await;
        // The host cuts the text into tokens anew, and what follows other tokens than the picked ones has other numbers.
        let (positions, partings) = partings(&chat, "system-20.jsonl", PROMPTS).await;
        let by_rounding = partings.iter().filter(|parting| parting.margin < MARGIN).count();
        let same = PROMPTS - partings.len();
        eprintln!(
            "chat completions: {positions} positions, {same} of {PROMPTS} answers are the same as over ids, {by_rounding} differ by \
             rounding: {partings:?}"
        );
        assert!(same + by_rounding >= PROMPTS - 2);
    });
}

#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn answers_stream_and_end() {
    on_the_real_one(async |address| {
        let (_proxy, proxy) = proxy(address, &[]).await;
        let context = [("x-costeer-context", CONTEXT)];
        let whole: Value = ask(proxy, &question(DINNER), &context).await.json().await.unwrap();
        assert_eq!(whole["choices"][0]["finish_reason"], "stop");
        let mut body = question(DINNER);
        body["stream"] = json!(true);
        let stream = ask(proxy, &body, &context).await.text().await.unwrap();
        assert_eq!(events(&stream).last().unwrap(), "[DONE]");
        let (text, last) = streamed_content(&stream);
        assert_eq!(text, content(&whole));
        assert_eq!(last["choices"][0]["finish_reason"], "stop");
    });
}

#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn stop_strings_of_unsteered_requests_are_the_servers() {
    on_the_real_one(async |address| {
        let (_proxy, proxy) = proxy(address, &[]).await;
        let whole = content(&ask(proxy, &question(DINNER), &[]).await.json().await.unwrap());
        let stop: String = whole.split(' ').nth(3).unwrap().into();
        let mut body = question(DINNER);
        body["model"] = json!("tiny-llm");
        body["stop"] = json!([stop]);
        let cut = content(&ask(proxy, &body, &[]).await.json().await.unwrap());
        assert!(whole.starts_with(&cut) && !cut.contains(&stop), "{cut:?} of {whole:?}");
    });
}

#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn an_answer_ends_at_the_end_of_the_context() {
    on_the_real_one(async |address| {
        let description = server(address, Driver::Auto)
            .describe(&Caller::default())
            .await
            .unwrap();
        let context = description.models[0].context_length.unwrap();
        for room in [1, 3] {
            let positions = positions(address, repeated(" dinner", context - room), 8).await;
            assert!(
                (1..=room).contains(&positions.len()),
                "{} positions in {room}",
                positions.len()
            );
        }
        // The proxy knows where that is: an answer that does not fit is cut there, a question that does not is refused.
        let (proxied, proxy) = proxy(address, &[("local.slots", "1")]).await;
        drop(proxied);
        let mut words = context / 2;
        let mut longest = None;
        let mut step = words / 2;
        while step > 0 {
            let body = question(&" dinner".repeat(words));
            let response = ask(proxy, &body, &[("x-costeer-context", "I am vegan.")]).await;
            match response.status().as_u16() {
                200 => {
                    let answer: Value = response.json().await.unwrap();
                    let finish = answer["choices"][0]["finish_reason"].as_str().unwrap().to_owned();
                    longest = Some((words, finish));
                    words += step;
                }
                400 => {
                    let error: Value = response.json().await.unwrap();
                    assert_eq!(error["error"]["code"], "context_length_exceeded", "{error}");
                    words -= step;
                }
                other => panic!("status {other}: {}", response.text().await.unwrap()),
            }
            step /= 2;
        }
        let (words, finish) = longest.unwrap();
        eprintln!("the longest question of {context} tokens has {words} words; its answer ended with {finish:?}");
    });
}

#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn characters_that_are_split_over_tokens_come_whole() {
    on_the_real_one(async |address| {
        let tokenizer = tokenizer("llm");
        let (mut compared, mut withheld) = (0, 0);
        let description = server(address, Driver::Auto)
            .describe(&Caller::default())
            .await
            .unwrap();
        // llama.cpp withholds tokens that are part of a character. This model never says one by itself, so it is made to,
        // behind the driver's back; what is listed is raw and must stay the same.
        let forcing: Change = |body| {
            if body["stream"] == json!(true) {
                body["logit_bias"] = json!([[HALF_A_CHARACTER, 1000.0]]);
            }
        };
        let half = tokenizer.bytes().get(TokenId(HALF_A_CHARACTER));
        assert!(std::str::from_utf8(half).is_err());
        let forced = between(address, forcing).await;
        for text in [
            "日本日本日本日本日本",
            "🦀🦀🦀🦀🦀🦀🦀🦀",
            "Zoë, Zoë, Zoë, Zoë, Zoë",
            "ж ж ж ж ж ж ж ж ж",
            " dinner",
        ] {
            let ids = tokenizer.encode(text).unwrap();
            for cut in 0..ids.len().min(4) {
                let prefix = ids[..ids.len() - cut].to_vec();
                let ours = positions(upstream().await, prefix.clone(), 24).await;
                let theirs = positions(address, prefix.clone(), 24).await;
                compared += same_positions(text, &ours, &theirs);
                if description.driver == Driver::LlamaCpp {
                    let theirs = positions(forced, prefix, 24).await;
                    // It is kept from ending by itself, too.
                    withheld += same_positions(text, &ours, &theirs[..ours.len()]);
                }
            }
        }
        eprintln!("{compared} positions are the same; {withheld} although the server withheld them");
        assert!(compared > 30 && (withheld > 30 || description.driver != Driver::LlamaCpp));
    });
}

/// The first byte of a character, alone.
const HALF_A_CHARACTER: u32 = 160;

/// Compares until the drafts part, which they may where two tokens are about as likely.
fn same_positions(what: &str, ours: &[Position], theirs: &[Position]) -> usize {
    let mut compared = 0;
    for (ours, theirs) in ours.iter().zip(theirs) {
        for ((_, ours), (_, theirs)) in ours.candidates.iter().zip(&theirs.candidates) {
            assert!(
                (ours - theirs).abs() < 0.05,
                "{what}, position {compared}: {ours} and {theirs}"
            );
        }
        if ours.draft != theirs.draft {
            let margin = ours.candidates[0].1 - ours.candidates[1].1;
            assert!(margin < MARGIN, "{what}, position {compared}: {ours:?} and {theirs:?}");
            return compared;
        }
        compared += 1;
    }
    assert_eq!(ours.len(), theirs.len(), "{what}");
    compared
}

#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn a_stream_that_is_dropped_stops_the_servers_work() {
    on_the_real_one(async |address| {
        // Some continuation that does not end by itself.
        let endless = [" dinner", "a", " the", "\n", " 1", "ab"];
        let mut long = None;
        for text in endless {
            let prefix = repeated(text, 64);
            let start = Instant::now();
            if positions(address, prefix.clone(), 1500).await.len() == 1500 {
                long = Some((prefix, start.elapsed()));
                break;
            }
        }
        let (prefix, whole) = long.expect("the model goes on with one of these");
        let before = generated(address).await;
        let server = server(address, Driver::Auto);
        let mut stream = server.positions(request(prefix, 1500)).await.unwrap();
        for _ in 0..5 {
            stream.next().await.unwrap().unwrap();
        }
        drop(stream);
        // Were it not stopped, it would compute for this long.
        tokio::time::sleep(whole.max(Duration::from_secs(1))).await;
        let computed = generated(address).await - before;
        eprintln!("dropped after 5 of 1500 positions, which take {whole:?}: the server computed {computed:.0}");
        assert!(computed < 300.0);
        assert!(!busy(address).await);
    });
}

/// Streams that are interrupted, of each of the sessions below.
const INTERRUPTED: usize = 50;
const SESSIONS: usize = 4;

/// llama.cpp computes a prompt anew wherever a request lands in another slot than the one before.
#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn sessions_side_by_side_compute_their_prompts_once() {
    on_the_real_one(async |address| {
        let server = Arc::new(server(address, Driver::Auto));
        let description = server.describe(&Caller::default()).await.unwrap();
        if description.driver != Driver::LlamaCpp {
            eprintln!("skipped: {} has no slots", description.server);
            return;
        }
        let before = evaluated(address).await;
        let sessions = (0..SESSIONS).map(|number| tokio::spawn(interrupted(Arc::clone(&server), number)));
        let mut answered = 0;
        for session in sessions.collect::<Vec<_>>() {
            answered += session.await.unwrap();
        }
        let (evaluated, prompts) = (evaluated(address).await - before, SESSIONS * LONG_PROMPT);
        eprintln!(
            "{SESSIONS} sessions, {INTERRUPTED} interrupted streams each: {answered} tokens, {evaluated} evaluated, {prompts} of them prompts"
        );
        assert!(evaluated <= 1.1 * answered as f64 + prompts as f64);
    });
}

const LONG_PROMPT: usize = 200;

/// Goes on with another token than the draft again and again, as steering does. Gives the length of the answer.
async fn interrupted(server: Arc<Server>, number: usize) -> usize {
    // Half of it is everybody's, as a system message is.
    let mut prompt = repeated(" dinner", LONG_PROMPT / 2);
    prompt.extend(repeated(["a", " the", " 1", "ab"][number], LONG_PROMPT / 2));
    let mut request = request(prompt, 64);
    for round in 0..INTERRUPTED {
        let mut stream = server.positions(request.clone()).await.unwrap();
        for left in (0..=(round + number) % 3).rev() {
            // The model may have ended its own answer.
            let Some(position) = stream.next().await.transpose().unwrap() else {
                break;
            };
            let other = position.candidates.iter().find(|(id, _)| *id != position.draft);
            // The stream is left where the second best is taken.
            let taken = if left == 0 { other.unwrap().0 } else { position.draft };
            request.prefix.ids.push(taken);
        }
    }
    request.prefix.ids.len() - LONG_PROMPT
}

/// Tokens of prompts that the server says it has computed, and not found in a slot's cache.
async fn evaluated(address: SocketAddr) -> f64 {
    first_of(address, ["llamacpp:prompt_tokens_total ", "vllm:prompt_tokens_total{"]).await
}

/// Tokens the server says it has generated.
async fn generated(address: SocketAddr) -> f64 {
    first_of(
        address,
        ["llamacpp:tokens_predicted_total ", "vllm:generation_tokens_total{"],
    )
    .await
}

async fn busy(address: SocketAddr) -> bool {
    first_of(address, ["llamacpp:requests_processing ", "vllm:num_requests_running{"]).await > 0.0
}

/// The metric whose line begins with one of these.
async fn first_of(address: SocketAddr, names: [&str; 2]) -> f64 {
    let text = metrics_of(address).await;
    let line = text
        .lines()
        .find(|line| names.iter().any(|name| line.starts_with(name)));
    line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn the_server_is_recognised_and_says_what_it_gives() {
    on_the_real_one(async |address| {
        let description = server(address, Driver::Auto)
            .describe(&Caller::default())
            .await
            .unwrap();
        eprintln!("{description}");
        assert!(matches!(description.driver, Driver::Vllm | Driver::LlamaCpp));
        assert_eq!(description.models[0].id, "tiny-llm");
        assert!(description.models[0].context_length.unwrap() >= 1024);
        assert!(description.limits.by_id);
        let limit = description.limits.longest_list;
        assert_eq!(limit, (description.driver == Driver::Vllm).then_some(20));
    });
}

pub fn server(address: SocketAddr, driver: Driver) -> Server {
    let timeouts = Timeouts {
        connect: Duration::from_secs(5),
        first_token: Duration::from_secs(60),
        idle: Duration::from_secs(60),
        whole: Duration::from_secs(60),
    };
    let connection = Connection::new(&format!("http://{address}/v1"), None, None, timeouts).unwrap();
    let vocabulary = ServedVocabulary {
        tokenizer: Arc::new(tokenizer("llm")),
        is_assumed: false,
    };
    Server::new(connection, driver, vocabulary)
}

pub fn request(prefix: Vec<TokenId>, window: usize) -> PositionRequest {
    PositionRequest {
        caller: Caller::default(),
        prefix: Prefix::new(Arc::default(), prefix),
        window,
        top_k: 20,
    }
}

async fn positions(address: SocketAddr, prefix: Vec<TokenId>, window: usize) -> Vec<Position> {
    let server = server(address, Driver::Auto);
    let stream = server.positions(request(prefix, window)).await.unwrap();
    let all: Vec<_> = stream.collect().await;
    all.into_iter().map(Result::unwrap).collect()
}

/// So many tokens of one text over and over.
fn repeated(text: &str, count: usize) -> Vec<TokenId> {
    let ids = tokenizer("llm").encode(text).unwrap();
    ids.iter().copied().cycle().take(count).collect()
}
