//! Slots of the local model: abandoned sessions leave nothing behind, and waiting is bounded and fair.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use costeer::local::{LocalError, ModelSource, SlotLimits, SlotPool};
use costeer::vocabulary::{TokenId, Tokenizer};
use futures::StreamExt;
use serde_json::json;

use crate::support::{CONTEXT, DINNER, Running, ask, content, open, options, proxy, question, run, upstream};

/// Resident memory of a process in MiB, and how many threads it has.
fn usage(process: u32) -> (f64, usize) {
    let statm = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap();
    let pages: f64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap().count();
    (pages * 4096.0 / f64::from(1 << 20), threads)
}

/// Starts a steered answer and goes away after `chunks` pieces of it; before its first token where that is 0.
async fn abandon(address: SocketAddr, chunks: usize) {
    let mut body = question(DINNER);
    body["stream"] = json!(true);
    let asked = ask(address, &body, &[("x-costeer-context", CONTEXT)]);
    if chunks == 0 {
        let _too_late = tokio::time::timeout(Duration::from_millis(10), asked).await;
        return;
    }
    let mut stream = asked.await.bytes_stream();
    for _ in 0..chunks {
        stream.next().await.unwrap().unwrap();
    }
}

/// Slots of the shipped small model.
async fn slots(slots: usize, queue: usize, queue_timeout: Duration) -> Arc<SlotPool> {
    let source = ModelSource::locate("local.model", "models/tiny/slm").await.unwrap();
    let end = Tokenizer::load(source.folder()).unwrap().end();
    let limits = SlotLimits {
        slots,
        queue,
        queue_timeout,
    };
    SlotPool::load(&source, &options(), limits, end, None).await.unwrap()
}

/// Compares a server's memory and threads before and after `count` sessions that nobody waits for.
fn abandoned_sessions_leave_nothing_behind(count: usize) {
    run(async move {
        let url = format!("http://{}/v1", upstream().await);
        let server = Running::serve(&[("COSTEER__UPSTREAM__URL", &url), ("COSTEER__LOCAL__SLOTS", "2")]).await;
        for round in 0..count.min(60) {
            abandon(server.address, round % 4).await;
        }
        let (memory, threads) = usage(server.process());
        for round in 0..count {
            abandon(server.address, round % 5).await;
        }
        let (memory_after, threads_after) = usage(server.process());
        let grown = memory_after - memory;
        eprintln!(
            "{count} abandoned sessions: {memory:.1} MiB grew by {grown:.1}, threads {threads} to {threads_after}"
        );
        // The KV caches of 200 sessions would be some 300 MiB, those of 40 some 60.
        assert!(grown < 30.0, "memory grew by {grown:.1} MiB");
        assert!(
            threads_after <= threads + 4,
            "threads grew from {threads} to {threads_after}"
        );
        let (body, context) = (question(DINNER), [("x-costeer-context", CONTEXT)]);
        let both = tokio::join!(
            ask(server.address, &body, &context),
            ask(server.address, &body, &context)
        );
        for answer in [both.0, both.1] {
            assert!(content(&answer.json().await.unwrap()).contains("vegan"));
        }
    });
}

#[test]
fn forty_abandoned_sessions_leave_nothing_behind() {
    abandoned_sessions_leave_nothing_behind(40);
}

#[test]
#[ignore = "long proof: 200 sessions; the plain run has 40"]
fn two_hundred_abandoned_sessions_leave_nothing_behind() {
    abandoned_sessions_leave_nothing_behind(200);
}

/// Two at a time give up three sessions and run one, `rounds` times.
fn given_up_sessions_are_not_run_with_the_next(rounds: usize) {
    run(async move {
        let slots = slots(2, 8, Duration::from_secs(30)).await;
        let prompt: Vec<TokenId> = (300..400).map(TokenId).collect();
        let session = async || {
            for _ in 0..rounds {
                for _ in 0..3 {
                    drop(open(&slots, &prompt, &prompt[..60]).await.unwrap());
                }
                let mut pair = open(&slots, &prompt, &prompt[..60]).await.unwrap();
                for _ in 0..3 {
                    let step = tokio::time::timeout(Duration::from_secs(30), pair.logits()).await;
                    step.expect("both engines stand still").unwrap();
                    pair.extend(&[TokenId(300)], 1);
                }
            }
        };
        tokio::join!(session(), session());
    });
}

#[test]
fn sessions_given_up_before_they_began_are_not_run_with_the_next() {
    given_up_sessions_are_not_run_with_the_next(10);
}

#[test]
#[ignore = "long proof: 40 rounds; the plain run has 10"]
fn sessions_given_up_before_they_began_are_not_run_with_the_next_many_times() {
    given_up_sessions_are_not_run_with_the_next(40);
}

#[test]
fn waiting_for_a_slot_is_bounded() {
    run(async {
        let slots = slots(1, 1, Duration::from_millis(300)).await;
        let prompt = [TokenId(300)];
        let held = open(&slots, &prompt, &prompt).await.unwrap();
        let (waiting, refused) = tokio::join!(open(&slots, &prompt, &prompt), async {
            tokio::task::yield_now().await;
            open(&slots, &prompt, &prompt).await
        });
        assert!(matches!(refused.err(), Some(LocalError::Busy { slots: 1, waiting: 1 })));
        assert!(
            matches!(waiting.err(), Some(LocalError::Busy { .. })),
            "it waits no longer than its timeout"
        );
        let (waiting, ()) = tokio::join!(open(&slots, &prompt, &prompt), async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(held);
        });
        waiting.unwrap().logits().await.unwrap();
    });
}

#[test]
fn a_request_keeps_its_slot_from_one_answer_to_the_next() {
    run(async {
        let settings = [("local.slots", "1"), ("local.queue", "0")];
        let (_proxy, address) = proxy(upstream().await, &settings).await;
        let mut body = question(DINNER);
        body["n"] = json!(4);
        body["stream"] = json!(true);
        let context = [("x-costeer-context", CONTEXT)];
        let answers = async {
            loop {
                let response = ask(address, &body, &context).await;
                // The others may have been faster on a busy machine.
                if response.status() != 429 {
                    assert_eq!(response.status(), 200);
                    break response.text().await.unwrap();
                }
            }
        };
        let others = async {
            let mut refused = 0;
            for _ in 0..40 {
                tokio::time::sleep(Duration::from_millis(5)).await;
                refused += u32::from(ask(address, &question("Hi"), &context).await.status() == 429);
            }
            refused
        };
        let (answers, refused) = tokio::join!(answers, others);
        assert_eq!(answers.matches("\"finish_reason\":\"").count(), 4, "{answers}");
        assert!(answers.ends_with("data: [DONE]\n\n"), "{answers}");
        assert!(refused > 0, "nobody else wanted the slot");
    });
}

#[test]
fn clients_that_go_away_free_their_slot() {
    run(async {
        let settings = [("local.slots", "1"), ("local.queue", "0")];
        let (_proxy, address) = proxy(upstream().await, &settings).await;
        let mut body = question(DINNER);
        body["stream"] = json!(true);
        let context = [("x-costeer-context", CONTEXT)];
        for _ in 0..20 {
            let response = loop {
                // The slot comes free at the next token of the session before.
                let response = ask(address, &body, &context).await;
                if response.status() == 200 {
                    break response;
                }
                assert_eq!(response.status(), 429);
                assert_eq!(response.headers()["retry-after"], "1");
                tokio::time::sleep(Duration::from_millis(5)).await;
            };
            let mut stream = response.bytes_stream();
            stream.next().await.unwrap().unwrap();
        }
        body["stream"] = json!(false);
        tokio::time::sleep(Duration::from_millis(500)).await;
        let answer = ask(address, &body, &context).await;
        assert_eq!(answer.status(), 200);
        assert!(content(&answer.json().await.unwrap()).contains("vegan"));
    });
}
