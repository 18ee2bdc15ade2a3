//! Traces for an OpenTelemetry collector (feature `otel`), in OTLP over HTTP. The standard's own variables say where it is
//! (OpenTelemetry specification, "OTLP exporter configuration"): `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME` and so on.
//! A span holds method, route and request id, and nothing of what was said.

use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HeaderExtractor, HeaderInjector, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use reqwest::header::HeaderMap;
use tokio::runtime::Handle;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Where spans go, if a collector is named. To be called on the runtime that will send them.
pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> Option<impl Layer<S>> {
    let named = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
    named
        .iter()
        .find(|variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty()))?;
    let sender = Sender {
        client: reqwest::Client::builder().build().ok()?,
        runtime: Handle::try_current().ok()?,
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(sender)
        .build()
        .ok()?;
    let mut resource = Resource::builder();
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name("costeer");
    }
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.build())
        .build();
    let provider = PROVIDER.get_or_init(|| provider);
    Some(tracing_opentelemetry::layer().with_tracer(provider.tracer("costeer")))
}

/// Makes `span` a part of the trace that the headers name, and the headers name the span: whoever is asked next comes below it.
pub fn join(span: &Span, headers: &mut HeaderMap) {
    if PROVIDER.get().is_none() {
        return;
    }
    let propagator = TraceContextPropagator::new();
    let parent = propagator.extract(&HeaderExtractor(headers));
    if span.set_parent(parent).is_ok() {
        propagator.inject_context(&span.context(), &mut HeaderInjector(headers));
    }
}

/// Sends what has not been sent.
pub async fn finish() {
    if let Some(provider) = PROVIDER.get() {
        // It waits for its own thread, which needs this runtime to send.
        let flushed = tokio::task::spawn_blocking(|| provider.shutdown_with_timeout(FLUSH_TIMEOUT)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::debug!("some spans could not be sent");
        }
    }
}

/// For the last spans.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// Sends on our runtime: the exporter calls from a thread that has none.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let sending = self
            .client
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .body(body)
            .send();
        let answering = self.runtime.spawn(async move {
            let answer = sending.await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            Ok::<_, reqwest::Error>((status, headers, answer.bytes().await?))
        });
        let (status, headers, body) = answering.await??;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}
