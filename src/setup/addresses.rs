use reqwest::Url;

/// The addresses that servers listen on where nobody says otherwise: name and port.
pub const USUAL: [(&str, u16); 7] = [
    ("Ollama", 11434),
    ("llama.cpp", 8080),
    ("vLLM", 8000),
    ("SGLang", 30000),
    ("LM Studio", 1234),
    ("KoboldCpp", 5001),
    ("TabbyAPI", 5000),
];

/// An address to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The base, as `upstream.url` takes it.
    pub url: String,
    /// The program whose usual address it is.
    pub usually: Option<&'static str>,
    /// Whether somebody has named it, and it is not just a usual one.
    pub is_named: bool,
}

/// Those that are named, and after them the usual ones of this machine where `search` wants them.
///
/// # Errors
/// What is no address, and what one looks like.
pub fn addresses(named: &[String], search: bool) -> Result<Vec<Address>, String> {
    let mut found: Vec<Address> = Vec::new();
    for url in named {
        let url = url.trim().trim_end_matches('/');
        let parsed = Url::parse(url).ok();
        let parsed = parsed.filter(|url| url.scheme().starts_with("http") && url.has_host());
        if parsed.is_none() {
            return Err(format!(
                "--upstream {url} is no address; write it like http://127.0.0.1:8080"
            ));
        }
        found.push(Address {
            url: url.to_owned(),
            usually: None,
            is_named: true,
        });
    }
    if search {
        for (name, port) in USUAL {
            let url = format!("http://127.0.0.1:{port}");
            if let Some(named) = found.iter_mut().find(|other| is_same(&other.url, port)) {
                named.usually = Some(name);
            } else {
                found.push(Address {
                    url,
                    usually: Some(name),
                    is_named: false,
                });
            }
        }
    }
    Ok(found)
}

/// Whether `url` is this port of this machine.
fn is_same(url: &str, port: u16) -> bool {
    let url = Url::parse(url).ok();
    url.is_some_and(|url| {
        url.port_or_known_default() == Some(port) && url.host_str().is_some_and(crate::upstream::is_this_machine)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_address_is_looked_at_once_and_first() {
        let named = ["http://localhost:8080/v1/".to_owned()];
        let found = addresses(&named, true).unwrap();
        assert_eq!(found.len(), USUAL.len());
        assert_eq!(found[0].url, "http://localhost:8080/v1");
        assert!(found[0].is_named && found[0].usually == Some("llama.cpp"));
        assert_eq!(addresses(&named, false).unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["localhost:8080", "ftp://x", "", "http://"] {
            assert!(addresses(&[url.to_owned()], true).is_err(), "{url}");
        }
    }
}
