//! What a value must be like.

use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName};

use super::{Context, Local, Settings, SettingsError, Upstream};
use crate::context::{Template, is_almost_ours};
use crate::decode::Lookahead;
use crate::local::KvType;
use crate::steering::Cap;
use crate::store::ProfileName;

fn require(holds: bool, key: &'static str, reason: &str) -> Result<(), SettingsError> {
    if holds {
        Ok(())
    } else {
        let reason = reason.to_owned();
        Err(SettingsError::Value { key, reason })
    }
}

/// Far above anything useful: a server would compute as many positions for one that is used.
const MOST_POSITIONS: usize = 1024;

fn check_local(local: &Local) -> Result<(), SettingsError> {
    require(local.slots >= 1, "local.slots", "it must be at least 1")?;
    require(
        (128..=4096).contains(&local.batch),
        "local.batch",
        "it must be from 128 to 4096",
    )?;
    require(
        (1..=MOST_BLOCK).contains(&local.block),
        "local.block",
        "it must be from 1 to 32",
    )?;
    require(
        2 * local.block <= local.batch,
        "local.block",
        "it must be at most half of local.batch: both branches of a session are computed in one pass",
    )?;
    require(
        local.kv_type != KvType::Q8 || local.flash_attention,
        "local.kv_type",
        "\"q8_0\" needs flash attention; set local.flash_attention to true",
    )
}

/// Larger blocks gain nothing: drafts seldom last that long.
const MOST_BLOCK: usize = 32;

fn check_lookahead(lookahead: Lookahead) -> Result<(), SettingsError> {
    let range = format!("it must be from 1 to {MOST_POSITIONS}");
    match lookahead {
        Lookahead::Fixed(positions) => {
            let reason = format!("{range}, or \"adaptive\"");
            require((1..=MOST_POSITIONS).contains(&positions), "upstream.lookahead", &reason)
        }
        Lookahead::Adaptive { most, waste } => {
            require((1..=MOST_POSITIONS).contains(&most), "upstream.max_lookahead", &range)?;
            require(
                (0.0..=10.0).contains(&waste),
                "upstream.max_waste",
                "it must be a number from 0 to 10",
            )
        }
    }
}

/// Headers that requests to the upstream have already.
const RESERVED: [HeaderName; 4] = [AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST];

/// Headers that belong to one connection or are written here.
const NEVER_PASSED: [&str; 15] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    // It may hold what opens this proxy.
    "x-api-key",
];

fn check_pass_headers(names: &[String]) -> Result<(), SettingsError> {
    let fit = |name: &String| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok();
        name.is_some_and(|name| !NEVER_PASSED.contains(&name.as_str()) && !is_almost_ours(name.as_str()))
    };
    require(
        names.iter().all(fit),
        "upstream.pass_headers",
        "it must hold names of headers, none that belong to a connection, are written by the proxy (Authorization, Content-Type) or look \
         like X-CoSteer-*",
    )
}

/// Fields that change what an answer is, and that not every driver sets itself.
const ANSWER_FIELDS: [&str; 14] = [
    "best_of",
    "costeer",
    "echo",
    "format",
    "grammar",
    "json_schema",
    "logit_bias",
    "messages",
    "n",
    "prompt",
    "response_format",
    "stop",
    "stream",
    "tools",
];

fn check_extra(upstream: &Upstream) -> Result<(), SettingsError> {
    let fit = |name: &HeaderName| !NEVER_PASSED.contains(&name.as_str()) && !is_almost_ours(name.as_str());
    require(
        upstream.headers.keys().all(fit),
        "upstream.headers",
        "it must hold no headers that belong to a connection, are written by the proxy (Content-Type; for Authorization see \
         upstream.api_key) or look like X-CoSteer-*",
    )?;
    let fit = |name: &String| !ANSWER_FIELDS.contains(&name.as_str()) && !is_almost_ours(name);
    require(
        upstream.extra_body.keys().all(fit),
        "upstream.extra_body",
        &format!(
            "it must hold none of the fields {}: they change what an answer is",
            ANSWER_FIELDS.join(", ")
        ),
    )
}

fn check_markers(key: &'static str, markers: &[String]) -> Result<(), SettingsError> {
    let fit = markers.is_empty() || (markers.len() == 2 && markers.iter().all(|marker| !marker.trim().is_empty()));
    require(
        fit,
        key,
        "it must hold what begins a thought and what ends it, such as [\"<think>\", \"</think>\"], or nothing",
    )
}

fn check_hosts(hosts: &[String]) -> Result<(), SettingsError> {
    let fit = |host: &String| !host.is_empty() && !host.contains(['/', ':', '@', '*', ' ']);
    require(
        hosts.iter().all(fit),
        "server.hosts",
        "it must hold names without scheme, port and path, such as costeer.lan",
    )
}

fn check_urls(urls: &[String]) -> Result<(), SettingsError> {
    let key = "upstream.url";
    for (index, url) in urls.iter().enumerate() {
        let parsed = reqwest::Url::parse(url).ok();
        let secret = parsed
            .as_ref()
            .is_some_and(|url| !url.username().is_empty() || url.password().is_some());
        require(
            !secret,
            key,
            "it must hold no user and no password: addresses stand in errors and logs",
        )?;
        let is_base = parsed.is_some_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none()
        });
        let reason = "it must be an address without ? and #, such as http://127.0.0.1:8000/v1, or a list of them";
        require(is_base, key, reason)?;
        let named = ["/chat/completions", "/completions", "/models"]
            .iter()
            .find(|path| url.ends_with(**path));
        if let Some(path) = named {
            require(false, key, &format!("it must be the base of the API, without {path}"))?;
        }
        let earlier = urls.iter().take(index);
        require(
            earlier.into_iter().all(|other| other != url),
            key,
            &format!("it has {url} twice"),
        )?;
    }
    require(!urls.is_empty(), key, "it must have at least one address")
}

/// Refuses the first value that is out of range, and values that exclude each other.
///
/// # Errors
/// [`SettingsError::Value`] naming the key.
pub fn check(settings: &Settings) -> Result<(), SettingsError> {
    let upstream = &settings.upstream;
    let steering = &settings.steering;
    check_urls(&upstream.urls)?;
    // OPENAI_BASE_URL often points at this very proxy, for the clients' sake.
    let own = format!("http://{}", settings.server.listen);
    require(
        upstream
            .urls
            .iter()
            .all(|url| url.strip_suffix("/v1").unwrap_or(url) != own),
        "upstream.url",
        "it is this proxy's own address (server.listen); it must be the big model's server",
    )?;
    let header = upstream.affinity_header.as_deref().unwrap_or("x-session-id");
    require(
        HeaderName::from_bytes(header.as_bytes()).is_ok_and(|name| !RESERVED.contains(&name)),
        "upstream.affinity_header",
        "it must be the name of a header that nothing else uses, such as x-session-id",
    )?;
    check_pass_headers(&upstream.pass_headers)?;
    check_extra(upstream)?;
    check_markers("upstream.thinking_markers", &upstream.thinking_markers)?;
    check_markers("local.thinking_markers", &settings.local.thinking_markers)?;
    check_hosts(&settings.server.hosts)?;
    require(upstream.retries <= 10, "upstream.retries", "it must be from 0 to 10")?;
    require(upstream.top_k >= 1, "upstream.top_k", "it must be at least 1")?;
    check_lookahead(upstream.lookahead())?;
    check_local(&settings.local)?;
    require(steering.max_tokens >= 1, "steering.max_tokens", "it must be at least 1")?;
    require(
        steering.max_answers >= 1,
        "steering.max_answers",
        "it must be at least 1",
    )?;
    require(
        (0.0..=1.0).contains(&steering.delta_floor),
        "steering.delta_floor",
        "it must be a number from 0 to 1",
    )?;
    require(
        (0.0..=1.0).contains(&steering.plausibility),
        "steering.plausibility",
        "it must be a number from 0 to 1",
    )?;
    require(
        (0.0..=Cap::LIMIT).contains(&steering.max_shift),
        "steering.max_shift",
        "it must be a number from 0 to 100",
    )?;
    require(
        (0.0..=1.0).contains(&steering.bypass_threshold),
        "steering.bypass_threshold",
        "it must be a number from 0 to 1",
    )?;
    require(
        steering.bypass_positions >= 1,
        "steering.bypass_positions",
        "it must be at least 1",
    )?;
    require(
        (0.0..=1.0).contains(&steering.forced_stop),
        "steering.forced_stop",
        "it must be a number from 0 to 1",
    )?;
    require(
        steering.default_strength().is_some(),
        "steering.strength",
        "it, or what the five numbers come to, must be a number from -100 to 100",
    )?;
    check_context(&settings.context)?;
    require(
        settings.store.key_sources() <= 1,
        "store.key",
        "of store.key, store.key_file and store.keyring only one may be set",
    )
}

/// Documents beyond this would only be left out again.
const MOST_HISTORY: usize = 100;

fn check_context(context: &Context) -> Result<(), SettingsError> {
    let sources = [
        context.text.is_some(),
        context.file.is_some(),
        context.profile.is_some(),
    ];
    require(
        sources.into_iter().filter(|set| *set).count() <= 1,
        "context.text",
        "of context.text, context.file and context.profile only one may be set",
    )?;
    let name = context.profile.as_deref().map(ProfileName::new);
    if let Some(Err(error)) = name {
        require(false, "context.profile", &error.to_string())?;
    }
    require(
        context.history <= MOST_HISTORY,
        "context.history",
        &format!("it must be from 0 to {MOST_HISTORY}"),
    )?;
    require(context.budget >= 1, "context.budget", "it must be at least 1")?;
    require(
        context.document_tokens >= 1,
        "context.document_tokens",
        "it must be at least 1",
    )?;
    let template = Template::compile(context.template.as_deref());
    require(
        template.is_ok(),
        "context.template",
        &template.err().unwrap_or_default(),
    )
}
