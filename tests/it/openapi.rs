//! openapi.yaml says what the code does: routes, headers and error codes are the same in both.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::enclosed;

fn text(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

#[test]
fn every_route_is_described_and_every_description_has_a_route() {
    let router: String = text("src/http/router.rs").split_whitespace().collect();
    let mut routes = enclosed(&router, ".route(\"", '"');
    assert!(
        routes.remove("/v1/{*path}"),
        "what is passed through has no description of its own"
    );
    let described: BTreeSet<String> = text("openapi.yaml")
        .lines()
        .filter_map(|line| line.strip_prefix("  /")?.strip_suffix(':'))
        .map(|path| format!("/{path}"))
        .collect();
    assert_eq!(described, routes);
}

#[test]
fn private_headers_and_error_codes_are_described() {
    let described = text("openapi.yaml");
    let headers = enclosed(
        &text("src/http/gate/names.rs"),
        "HeaderName = HeaderName::from_static(\"",
        '"',
    );
    assert!(headers.len() >= 3);
    for header in headers {
        assert!(described.to_lowercase().contains(&header), "{header}");
    }
    let codes = enclosed(&text("src/http/error.rs"), "code: Some(\"", '"');
    assert!(codes.len() >= 4);
    for code in codes {
        assert!(described.contains(&code), "{code}");
    }
}

#[test]
fn every_option_of_a_request_is_described() {
    let described = text("openapi.yaml");
    let source = text("src/http/request/options.rs");
    let arms = source
        .lines()
        .filter(|line| line.contains(" => ") && line.trim_start().starts_with('"'));
    let options: BTreeSet<&str> = arms.map(|line| line.split('"').nth(1).unwrap()).collect();
    assert!(options.len() >= 14, "{options:?}");
    for option in options {
        assert!(described.contains(&format!("        {option}:\n")), "{option}");
    }
}
