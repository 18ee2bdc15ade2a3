use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::{Value, json};

use super::CommandError;
use super::page::{Page, Piece};
use crate::context::PrivateContext;
use crate::decode::Report;
use crate::http::chat_request;
use crate::service::Service;

/// Questions for the pair that comes along, one JSON object a line.
const QUESTIONS: &str = include_str!("../../config/demo.jsonl");

#[derive(Deserialize)]
struct Question {
    question: String,
    context: String,
}

/// Asks each question twice, through the running proxy without the context and in a steered session with it, and shows
/// both answers beside each other.
///
/// # Errors
/// [`CommandError::Showcase`] when an answer does not come, [`CommandError::Output`] when it cannot be shown.
pub async fn showcase(page: &Page, service: &Service, listen: SocketAddr) -> Result<(), CommandError> {
    let mut reports = Vec::new();
    for line in QUESTIONS.lines() {
        let asked: Question = serde_json::from_str(line).map_err(|error| CommandError::Showcase(error.to_string()))?;
        let body = json!({
            "messages": [{"role": "user", "content": asked.question}],
            "temperature": 0,
            "max_tokens": 128,
        });
        let plain = plain_answer(listen, &body).await?;
        let (steered, report) = steered_answer(service, &body, asked.context.clone()).await?;
        show(page, &asked, &plain, &steered, &report).map_err(CommandError::Output)?;
        reports.push(report);
    }
    summary(page, &reports).map_err(CommandError::Output)
}

async fn plain_answer(listen: SocketAddr, body: &Value) -> Result<Vec<Piece>, CommandError> {
    let url = format!("http://{listen}/v1/chat/completions");
    let failed = |error: reqwest::Error| CommandError::Showcase(error.to_string());
    let response = reqwest::Client::builder()
        .no_proxy()
        .build()
        .map_err(failed)?
        .post(url)
        .json(body)
        .send()
        .await
        .map_err(failed)?;
    let answer: Value = response.json().await.map_err(failed)?;
    let content = answer.pointer("/choices/0/message/content").and_then(Value::as_str);
    let text = content.ok_or_else(|| CommandError::Showcase(answer.to_string()))?;
    Ok(vec![Piece {
        text: text.to_owned(),
        changed: false,
    }])
}

async fn steered_answer(
    service: &Service,
    body: &Value,
    context: String,
) -> Result<(Vec<Piece>, Report), CommandError> {
    let failed = |error: &dyn std::fmt::Display| CommandError::Showcase(error.to_string());
    let fields = body.as_object().cloned().unwrap_or_default();
    let request = chat_request(&fields).map_err(|_| failed(&"the question is not a chat request"))?;
    let context = PrivateContext::new(context);
    let mut session = service
        .open_session(&request, &context)
        .await
        .map_err(|error| failed(&error))?;
    let mut pieces = Vec::new();
    while let Some(event) = session.next().await.map_err(|error| failed(&error))? {
        pieces.push(Piece {
            text: event.text,
            changed: event.picked.token != event.picked.upstream_best,
        });
    }
    Ok((pieces, session.report().clone()))
}

fn show(page: &Page, asked: &Question, plain: &[Piece], steered: &[Piece], report: &Report) -> std::io::Result<()> {
    page.heading(&asked.question)?;
    page.aside(&format!("private context, never sent: {}", asked.context))?;
    page.beside(("plain", plain), ("steered", steered))?;
    page.aside(&format!(
        "{} tokens, {} changed by steering; {} proved to be the full vocabulary's choice; {} upstream requests",
        report.positions, report.changed, report.certified, report.upstream_requests
    ))?;
    page.line("")
}

fn summary(page: &Page, reports: &[Report]) -> std::io::Result<()> {
    let sum = |part: fn(&Report) -> f64| reports.iter().map(part).sum::<f64>();
    let milliseconds = |part: fn(&Report) -> f64| 1e3 * sum(part) / sum(|report| report.positions as f64).max(1.0);
    let local = milliseconds(|report| report.time.local_compute.as_secs_f64());
    let own = milliseconds(|report| (report.time.arithmetic + report.time.rest()).as_secs_f64());
    let mut first: Vec<f64> = reports
        .iter()
        .map(|report| report.time.first_token.as_secs_f64())
        .collect();
    first.sort_unstable_by(f64::total_cmp);
    let median = first.get(first.len() / 2).copied().unwrap_or_default();
    page.heading(&format!(
        "{:.0} steered tokens a second; first token after {:.0} ms (median)",
        sum(|report| report.positions as f64) / sum(|report| report.time.total.as_secs_f64()).max(f64::EPSILON),
        1e3 * median
    ))?;
    page.line(&format!(
        "Each token, in ms: waiting for the upstream {:.2}, waiting for the local model {:.2}, arithmetic {:.3}, rest \
         {:.3}. The local model computed for {local:.2}; arithmetic and rest are {:.1} % of that.",
        milliseconds(|report| report.time.upstream_wait.as_secs_f64()),
        milliseconds(|report| report.time.local_wait.as_secs_f64()),
        milliseconds(|report| report.time.arithmetic.as_secs_f64()),
        milliseconds(|report| report.time.rest().as_secs_f64()),
        100.0 * own / local.max(f64::EPSILON)
    ))?;
    page.line("")
}
