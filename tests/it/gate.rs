//! The gate before every route: who gets past it ([`who`]), for whom what is stored is ([`stored`]), and what may pass in either direction
//! ([`passing`]).

mod passing;
mod stored;
mod who;

use std::net::SocketAddr;

use crate::support::{Raw, RawAnswer, raw};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> RawAnswer {
    raw(address, Raw::get(path, headers)).await
}

async fn sent(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &str) -> RawAnswer {
    let headers: Vec<(&str, &str)> = [JSON].into_iter().chain(headers.iter().copied()).collect();
    raw(address, Raw::post(path, &headers, body.as_bytes())).await
}
