//! What every upstream that takes text must do, tried on a real one: `COSTEER_TEST_UPSTREAM` names it, and `COSTEER_TEST_DRIVER` the driver where
//! that is not `auto`. `tests/upstreams/run.sh` starts the servers, and runs these tests, which are ignored otherwise.

use std::sync::Arc;

use costeer::context::PrivateContext;
use costeer::http::chat_request;
use costeer::service::Service;
use costeer::upstream::{Caller, Driver, Server, Upstream};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::conformity::{real_upstream, request, server};
use crate::parity::{Prompt, prompts};
use crate::support::{
    CONTEXT, DINNER, ask, content, events, proxy, question, run, streamed_content, tokenizer, upstream,
};

/// The driver to try, as it is configured.
fn driver() -> String {
    std::env::var("COSTEER_TEST_DRIVER").unwrap_or_else(|_| "auto".to_owned())
}

/// The real server, by that driver. Where there is none, the test fails: nothing has been shown.
fn real() -> Server {
    let address = real_upstream().expect("COSTEER_TEST_UPSTREAM names no server; tests/upstreams/run.sh starts one");
    server(address, Driver::deserialize(json!(driver())).unwrap())
}

/// A proxy before it, and one before the embedded upstream, which both get lists of the same length.
async fn both() -> [Arc<Service>; 2] {
    let longest = real().describe(&Caller::default()).await.unwrap().limits.longest_list;
    let top_k = longest.unwrap_or(20).min(20).to_string();
    let (theirs, _) = proxy(
        real_upstream().unwrap(),
        &[("upstream.driver", &driver()), ("upstream.top_k", &top_k)],
    )
    .await;
    let (ours, _) = proxy(upstream().await, &[("upstream.top_k", &top_k)]).await;
    [theirs, ours]
}

/// The picked tokens, and how far apart the two best scores are at each.
async fn answer(proxy: &Arc<Service>, prompt: &Prompt) -> Vec<(u32, f64)> {
    let body =
        json!({"messages": prompt.messages, "temperature": 0, "max_tokens": 128, "logprobs": true, "top_logprobs": 2});
    let request = chat_request(body.as_object().unwrap()).ok().unwrap();
    let context = PrivateContext::new(prompt.context.clone());
    let mut session = proxy.open_session(&request, &context).await.unwrap();
    let mut tokens = Vec::new();
    while let Some(event) = session.next().await.unwrap() {
        let best = event.picked.listing.map(|listing| listing.best).unwrap_or_default();
        let margin = match best[..] {
            [(_, first), (_, second), ..] => first - second,
            _ => f64::INFINITY,
        };
        tokens.push((event.picked.token.0, margin));
    }
    tokens
}

const PROMPTS: usize = 20;
const MARGIN: f64 = 1e-2;

#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn steered_text_is_that_of_the_embedded_upstream_but_for_a_few_cuts() {
    run(async {
        let [theirs, ours] = both().await;
        let (mut same, mut by_rounding, mut positions) = (0, 0, 0);
        for prompt in prompts().iter().take(PROMPTS) {
            let (theirs, ours) = (answer(&theirs, prompt).await, answer(&ours, prompt).await);
            positions += ours.len();
            let parting = ours.iter().zip(&theirs).position(|(ours, theirs)| ours.0 != theirs.0);
            match parting {
                None => same += usize::from(ours.len() == theirs.len()),
                Some(at) => {
                    eprintln!("parts at {at} of {}, where the margin is {}", ours.len(), ours[at].1);
                    by_rounding += usize::from(ours[at].1 < MARGIN);
                }
            }
        }
        eprintln!("{PROMPTS} answers, {positions} positions: {same} are equal, {by_rounding} differ by rounding");
        assert!(same + by_rounding >= PROMPTS - 2);
    });
}

#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn a_text_server_is_recognised_and_says_what_it_gives() {
    run(async {
        let description = real().describe(&Caller::default()).await.unwrap();
        eprintln!("{description}; recognised by {}", description.signs);
        assert!(matches!(
            description.driver,
            Driver::Completions | Driver::Ollama | Driver::OpenaiChat
        ));
        assert!(!description.limits.by_id);
    });
}

#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn answers_of_a_text_server_stream_and_end() {
    run(async {
        let (_proxy, proxy) = proxy(real_upstream().unwrap(), &[("upstream.driver", &driver())]).await;
        let context = [("x-costeer-context", CONTEXT)];
        let whole: Value = ask(proxy, &question(DINNER), &context).await.json().await.unwrap();
        assert_eq!(whole["choices"][0]["finish_reason"], "stop", "{whole}");
        let mut body = question(DINNER);
        body["stream"] = json!(true);
        let stream = ask(proxy, &body, &context).await.text().await.unwrap();
        assert_eq!(events(&stream).last().unwrap(), "[DONE]");
        let (text, last) = streamed_content(&stream);
        assert_eq!(text, content(&whole));
        assert_eq!(last["choices"][0]["finish_reason"], "stop");
        // A stop string is ours to find.
        let stop: String = text.split(' ').nth(3).unwrap().into();
        body["stop"] = json!([stop]);
        let cut = streamed_content(&ask(proxy, &body, &context).await.text().await.unwrap()).0;
        assert!(text.starts_with(&cut) && !cut.contains(&stop), "{cut:?} of {text:?}");
    });
}

#[test]
#[ignore = "needs a real server: tests/upstreams/run.sh"]
fn characters_of_several_tokens_come_whole_from_a_text_server() {
    run(async {
        let tokenizer = tokenizer("llm");
        let theirs = real();
        if theirs.describe(&Caller::default()).await.unwrap().driver == Driver::OpenaiChat {
            eprintln!("skipped: it takes chats only");
            return;
        }
        let ours = server(upstream().await, Driver::Auto);
        let (mut compared, mut refused) = (0, 0);
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
                let ours: Vec<_> = ours
                    .positions(request(prefix.clone(), 24))
                    .await
                    .unwrap()
                    .collect()
                    .await;
                let theirs: Vec<_> = theirs.positions(request(prefix, 24)).await.unwrap().collect().await;
                for (ours, theirs) in ours.into_iter().zip(theirs) {
                    let ours = ours.unwrap();
                    let Ok(theirs) = theirs else {
                        refused += 1;
                        break;
                    };
                    if ours.draft != theirs.draft {
                        let margin = ours.candidates[0].1 - ours.candidates[1].1;
                        assert!(margin < MARGIN, "{text}, {cut} left out: {ours:?} and {theirs:?}");
                        break;
                    }
                    compared += 1;
                }
            }
        }
        eprintln!("{compared} positions are the same; {refused} prefixes end where the server would go on otherwise");
        assert!(compared > 30, "{compared}");
    });
}
