use std::net::IpAddr;

/// Whether a host is this machine by its very name: no name server gives these to anybody else (RFC 6761, section 6.3). IPv6 addresses
/// may stand in brackets.
pub fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<IpAddr>();
    address.is_ok_and(|address| address.to_canonical().is_loopback())
        || host == "localhost"
        || host.ends_with(".localhost")
}
