use std::io::Write;

use secrecy::ExposeSecret;

use super::CommandError;
use super::arguments::TokenArguments;
use crate::settings::{Variables, found_file, load};
use crate::token;

/// Prints the token, which is made where there is none yet, or the page's address with it.
pub fn run(arguments: &TokenArguments) -> Result<(), CommandError> {
    let settings = load(found_file(arguments.config.as_deref()).as_deref(), Variables::Read, &[])?;
    if settings.server.api_key.is_some() {
        return Err(CommandError::Usage(
            "server.api_key is set, and it takes the token's place everywhere".into(),
        ));
    }
    let token = token::load_or_make(&token::path(&settings.store.file()?))?;
    let token = token.expose_secret();
    let mut out = std::io::stdout().lock();
    let printed = if arguments.page {
        // What is behind the # stays in the browser.
        writeln!(out, "http://{}/costeer/#token={token}", settings.server.listen)
    } else {
        writeln!(out, "{token}")
    };
    printed.map_err(CommandError::Output)
}
