use std::net::IpAddr;

/// Whether the name of a host means this machine. No name server gives these names to another one (RFC 6761, section 6.3). IPv6
/// addresses may be in brackets.
pub fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<IpAddr>();
    address.is_ok_and(|address| address.to_canonical().is_loopback())
        || host == "localhost"
        || host.ends_with(".localhost")
}
