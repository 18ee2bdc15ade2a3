//! Malformed and hostile requests, no two alike: nothing panics, nothing is lost, nothing grows.

use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{CONTEXT, DINNER, Running, ask, metrics_of, question, run, upstream};

/// How many forms [`hostile`] knows.
const FORMS: usize = 17;

/// The request of a number. The first of each form are as they are; the others are damaged, each in a way of its own.
fn request(number: usize) -> (Vec<u8>, bool) {
    let (mut bytes, waits) = hostile(number % FORMS);
    if number < FORMS {
        return (bytes, waits);
    }
    let mut chance = ChaCha8Rng::seed_from_u64(number as u64);
    let end = bytes.windows(4).position(|end| end == b"\r\n\r\n");
    let body = end.map_or(bytes.len(), |at| at + 4);
    let says_its_length = String::from_utf8_lossy(&bytes[..body]).contains("content-length");
    let within_body = says_its_length && body < bytes.len() && chance.random_bool(0.5);
    let start = if within_body { body } else { 0 };
    for _ in 0..chance.random_range(1..=6) {
        let at = chance.random_range(start..bytes.len());
        bytes[at] = match chance.random_range(0..3) {
            0 => chance.random(),
            1 => *b"\"\\{}[]<>:,-.0e \0".choose(&mut chance).unwrap(),
            _ => bytes[chance.random_range(start..bytes.len())],
        };
    }
    // A damaged head may promise more than there is, and nobody can wait for an answer to that.
    if !within_body && chance.random_bool(0.3) {
        bytes.truncate(chance.random_range(1..=bytes.len()));
    }
    (bytes, waits && within_body)
}

/// Bytes to send, and whether to wait for the answer before leaving.
fn hostile(form: usize) -> (Vec<u8>, bool) {
    let body = question(DINNER).to_string();
    let post = |head: &str, body: &[u8]| {
        let mut request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{head}content-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend(body);
        request
    };
    let context = "x-costeer-context: I am vegan.\r\n";
    match form {
        // A body that ends early.
        0 => {
            let mut request = post(context, body.as_bytes());
            request.truncate(request.len() - 20);
            (request, false)
        }
        1 => (post(context, "[".repeat(50_000).as_bytes()), true),
        2 => (
            post(
                context,
                format!("{}1{}", "{\"a\":".repeat(20_000), "}".repeat(20_000)).as_bytes(),
            ),
            true,
        ),
        3 => (post(&format!("x-filler: {}\r\n", "y".repeat(300_000)), b"{}"), true),
        4 => (post(context, b"{\"messages\": \"\xff\xfe\"}"), true),
        // It leaves before anything can have come, and in the middle of the answer.
        5 => (post(context, body.as_bytes()), false),
        6 => (
            post(context, body.replacen('{', "{\"stream\":true,", 1).as_bytes()),
            false,
        ),
        7 => (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), true),
        8 => (b"GET / HTTP/9.9\r\n\r\n".to_vec(), true),
        9 => (post("x-costeer-context-base64: !!!\r\n", body.as_bytes()), true),
        10 => (post("x-costeer-strength: NaN\r\n", body.as_bytes()), true),
        11 => (
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nZZZ\r\n"
                .to_vec(),
            true,
        ),
        12 => (
            post(
                context,
                br#"{"messages":[{"role":"user","content":"x"}],"n":1e9,"max_tokens":-5}"#,
            ),
            true,
        ),
        13 => (
            b"GET /v1/../../etc/passwd%00 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_vec(),
            true,
        ),
        14 => (
            post(context, br#"{"messages":[{"role":"user","content":"\ud800"}]}"#),
            true,
        ),
        // Nothing is wrong with it until it is damaged.
        15 => (
            post(
                context,
                question(DINNER)
                    .to_string()
                    .replace("\"max_tokens\":96", "\"max_tokens\":2")
                    .as_bytes(),
            ),
            true,
        ),
        _ => (
            format!(
                "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
                u64::MAX
            )
            .into_bytes(),
            false,
        ),
    }
}

/// Sends it; gives the status, where an answer came.
async fn attack(address: SocketAddr, number: usize) -> Option<u16> {
    let (bytes, waits) = request(number);
    let mut stream = TcpStream::connect(address).await.unwrap();
    if number.is_multiple_of(5) {
        // A slow sender.
        let (head, rest) = bytes.split_at(bytes.len() / 2);
        stream.write_all(head).await.ok()?;
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.write_all(rest).await.ok()?;
    } else {
        stream.write_all(&bytes).await.ok()?;
    }
    let patience = if waits { 60_000 } else { number % 30 };
    let mut answer = vec![0; 64];
    let read = tokio::time::timeout(Duration::from_millis(patience as u64), stream.read(&mut answer)).await;
    assert!(
        read.is_ok() || !waits,
        "request {number}: neither an answer nor the end of the connection"
    );
    let count = read.ok()?.ok()?;
    String::from_utf8_lossy(&answer[..count])
        .split(' ')
        .nth(1)?
        .parse()
        .ok()
}

fn resident_megabytes(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().split(' ').next().unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Sends so many to a server of their own.
#[cfg(target_os = "linux")]
fn leave_nothing_behind(requests: usize) {
    run(async move {
        let url = format!("http://{}/v1", upstream().await);
        let variables = [
            ("COSTEER__UPSTREAM__URL", url.as_str()),
            ("COSTEER__LOCAL__QUEUE", "1000"),
        ];
        let mut running = Running::serve(&variables).await;
        let address = running.address;
        let mut memory = Vec::new();
        let mut statuses = std::collections::BTreeMap::new();
        for half in 0..2 {
            let numbers = half * requests / 2..(half + 1) * requests / 2;
            let attacks = futures::stream::iter(numbers.map(|number| attack(address, number)));
            let answered: Vec<Option<u16>> = attacks.buffer_unordered(32).collect().await;
            for status in answered.into_iter().flatten() {
                *statuses.entry(status).or_insert(0) += 1;
            }
            // The slot is free, and an answer is what it always was.
            let response = ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
            assert_eq!(response.status(), 200);
            let answer: Value = response.json().await.unwrap();
            assert!(
                answer["choices"][0]["message"]["content"]
                    .as_str()
                    .unwrap()
                    .contains("vegan")
            );
            memory.push(resident_megabytes(running.process()));
        }
        eprintln!("{requests} hostile requests: {statuses:?}, resident memory {memory:.1?} MB");
        assert!(
            statuses
                .keys()
                .all(|status| *status == 200 || (400..500).contains(status)),
            "{statuses:?}"
        );
        assert!(memory[1] < memory[0] + 48.0, "{memory:?}");
        let text = metrics_of(address).await;
        assert!(
            text.contains("costeer_slots_busy 0") && text.contains("costeer_queue_waiting 0"),
            "{text}"
        );
        let process = running.process().to_string();
        std::process::Command::new("kill").arg(process).status().unwrap();
        let (status, log) = tokio::task::spawn_blocking(move || running.wait()).await.unwrap();
        assert!(status.success() && !log.contains("panicked"), "{log}");
    });
}

#[test]
#[cfg(target_os = "linux")]
fn hostile_requests_leave_nothing_behind() {
    leave_nothing_behind(400);
}

#[test]
#[ignore = "long proof: 6,000 requests; the plain run sends 400"]
#[cfg(target_os = "linux")]
fn thousands_of_hostile_requests_leave_nothing_behind() {
    leave_nothing_behind(6000);
}
