//! Whether a server is one of those in the table.

use reqwest::Url;
use reqwest::header::SERVER;

use super::Caller;
use super::connection::{Connection, Endpoint};
use super::hosts::{HOSTS, Host, Sign};
use super::looks::Looks;

/// The host whose signs all show, with those signs in words. Routes are asked for only where the other signs show.
pub async fn known(connection: &Connection, looks: &Looks, caller: &Caller) -> Option<(&'static Host, String)> {
    for host in &HOSTS {
        let mut all = host.signs.iter().all(|sign| shows(*sign, connection, looks));
        for sign in host.signs {
            all = all && answers(*sign, connection, caller).await;
        }
        if all {
            let words: Vec<String> = host.signs.iter().map(|sign| words(*sign)).collect();
            return Some((host, words.join(" and ")));
        }
    }
    None
}

/// Whether a sign shows in what has been looked at. Routes are asked later.
fn shows(sign: Sign, connection: &Connection, looks: &Looks) -> bool {
    match sign {
        Sign::Owner(owner) => looks.owner.as_deref() == Some(owner),
        Sign::NoOwner => looks.owner.is_none() && !looks.models.is_empty(),
        Sign::Header(start) => {
            let header = looks.headers.get(SERVER).and_then(|header| header.to_str().ok());
            header.is_some_and(|header| header.starts_with(start))
        }
        Sign::Domain(domain) => is_below(connection.url(), domain),
        Sign::Route(..) => true,
    }
}

fn is_below(url: &str, domain: &str) -> bool {
    let url = Url::parse(url).ok();
    let name = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    name.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether a route answers as it should; other signs have been looked at.
async fn answers(sign: Sign, connection: &Connection, caller: &Caller) -> bool {
    let Sign::Route(path, fields) = sign else {
        return true;
    };
    let answer = connection.get(Endpoint::Native(path), caller).await;
    answer.is_ok_and(|(_, body)| fields.iter().all(|field| body.get(field).is_some()))
}

fn words(sign: Sign) -> String {
    match sign {
        Sign::Owner(owner) => format!("the owner {owner:?} of its models"),
        Sign::NoOwner => "models without an owner".to_owned(),
        Sign::Header(start) => format!("the header \"Server: {start}\""),
        Sign::Domain(domain) => format!("an address of {domain}"),
        Sign::Route(path, _) => format!("the answer of {path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_a_whole_name() {
        for (url, expected) in [
            ("https://api.together.xyz/v1", true),
            ("https://together.xyz", true),
            ("https://nottogether.xyz/v1", false),
            ("https://together.xyz.example.org/v1", false),
            ("http://127.0.0.1:8000/together.xyz", false),
        ] {
            assert_eq!(is_below(url, "together.xyz"), expected, "{url}");
        }
    }
}
