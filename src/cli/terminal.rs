//! What terminals need.

use std::io::IsTerminal;

/// Whether standard output is a terminal, and nobody has asked for no colours there (`NO_COLOR`, no-color.org).
pub fn in_colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
