use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::CommandError;
use super::arguments::DoctorArguments;
use super::progress::during;
use super::terminal::in_colour;
use crate::doctor::{Check, Status, examine};
use crate::settings::{Variables, found_file, load};
use crate::telemetry;
use crate::upstream::{Caller, bearer};

/// Prints what was found; the exit code says whether anything failed.
pub async fn run(arguments: DoctorArguments) -> Result<ExitCode, CommandError> {
    telemetry::start("off", false)?;
    let file = found_file(arguments.config.as_deref());
    let checks = match load(file.as_deref(), Variables::Read, &[]) {
        Ok(settings) => {
            let caller = Caller {
                model: arguments.model,
                authorization: arguments.key.as_deref().and_then(bearer),
                ..Caller::default()
            };
            let mut checks = vec![Check::ok("configuration", read_from(file.as_deref()))];
            checks.extend(during("looking at everything", examine(&settings, &caller)).await);
            checks
        }
        Err(error) => vec![Check::failed(
            "configuration",
            error.to_string(),
            "correct the key it names",
        )],
    };
    let healthy = checks.iter().all(|check| check.status != Status::Failed);
    let mut out = std::io::stdout().lock();
    let written = if arguments.json {
        writeln!(out, "{:#}", json!({"ok": healthy, "checks": checks}))
    } else {
        table(&mut out, &checks, healthy)
    };
    written.map_err(CommandError::Output)?;
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read_from(file: Option<&Path>) -> String {
    file.map_or_else(
        || "complete and valid; there is no file".to_owned(),
        |file| format!("complete and valid, with {}", file.display()),
    )
}

fn table(out: &mut impl Write, checks: &[Check], healthy: bool) -> std::io::Result<()> {
    let colour = in_colour();
    // Addresses are long; the columns of all other checks should not be.
    let short = checks
        .iter()
        .map(|check| check.name.chars().count())
        .filter(|length| *length <= WIDEST);
    let width = short.max().unwrap_or(0);
    for check in checks {
        let (word, style) = match check.status {
            Status::Ok => ("ok  ", AnsiColor::Green.on_default()),
            Status::Warning => ("warn", AnsiColor::Yellow.on_default()),
            Status::Failed => ("FAIL", AnsiColor::Red.on_default().bold()),
        };
        let style = if colour { style } else { Style::new() };
        writeln!(out, "{style}{word}{style:#}  {:width$}  {}", check.name, check.finding)?;
        if !check.advice.is_empty() {
            writeln!(out, "      {:width$}  → {}", "", check.advice)?;
        }
    }
    let verdict = if healthy {
        "Steering works."
    } else {
        "Not everything works yet: see FAIL."
    };
    writeln!(out, "\n{verdict}")
}

const WIDEST: usize = 20;
