//! A token that is wanted may be given up and wanted again, and nothing is lost by it.

use std::time::Duration;

use costeer::context::PrivateContext;
use costeer::decode::{Event, Report, Session};
use costeer::http::chat_request;
use serde_json::json;

use crate::lookahead::{FEW, QUESTIONS, with};
use crate::support::{run, tokenizer};

/// The next token of `session`, which is given up again and again before it is there; and how often it was.
async fn next_given_up(session: &mut Session) -> (Option<Event>, u64) {
    let mut given_up = 0;
    let mut patience = 0;
    loop {
        // The first time it is given up where it waits first. It gets longer, because an extra request begins anew each time.
        if let Ok(event) = tokio::time::timeout(Duration::from_millis(patience), session.next()).await {
            return (event.unwrap(), given_up);
        }
        given_up += 1;
        patience += 1 + patience / 2;
    }
}

#[test]
fn a_token_that_is_given_up_and_wanted_again_is_the_same() {
    run(async {
        // Extra requests, for longer lists and for the raised token, and positions that pass unsteered in between.
        let proxy = with(&[
            ("upstream.top_k", "5"),
            ("steering.exactness", "refetch"),
            ("steering.bypass", "reopen"),
        ])
        .await;
        let raised = tokenizer("llm").encode(" 7").unwrap()[0].0;
        for temperature in [0.0, 0.9] {
            let (mut given_up, mut sum) = (0, Report::default());
            for (seed, (question, context)) in QUESTIONS.iter().take(FEW).enumerate() {
                let body = json!({
                    "messages": [{"role": "user", "content": question}],
                    "temperature": temperature,
                    "seed": seed,
                    "max_tokens": 64,
                    "logit_bias": {raised.to_string(): 8},
                });
                let request = chat_request(body.as_object().unwrap()).ok().unwrap();
                let context = PrivateContext::new((*context).to_owned());
                let counts = |report: &Report| {
                    let steered = report.certified + report.refetched + report.uncertified;
                    (report.positions, report.changed, steered, report.passed)
                };

                let mut session = proxy.open_session(&request, &context).await.unwrap();
                let mut plain = Vec::new();
                while let Some(event) = session.next().await.unwrap() {
                    plain.push((event.picked.token, event.text));
                }
                let plain_counts = counts(session.report());
                drop(session);

                let mut session = proxy.open_session(&request, &context).await.unwrap();
                let mut tokens = Vec::new();
                while let (Some(event), times) = next_given_up(&mut session).await {
                    given_up += times;
                    tokens.push((event.picked.token, event.text));
                }
                assert_eq!(tokens, plain, "question {seed}, temperature {temperature}");
                assert_eq!(counts(session.report()), plain_counts, "each position counts once");
                sum.add(session.report());
            }
            assert!(sum.passed > 0 && sum.refetched > 0 && sum.refetch_requests > sum.refetched);
            assert!(
                given_up >= sum.refetched,
                "{given_up} times: no extra request is there at once"
            );
        }
    });
}
