use std::process::ExitCode;
use std::time::Duration;

use super::CommandError;
use super::arguments::HealthArguments;

/// A probe that takes longer has failed.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks `/readyz`; the exit code is the answer.
pub async fn run(arguments: &HealthArguments) -> Result<ExitCode, CommandError> {
    let url = format!("{}/readyz", arguments.url.trim_end_matches('/'));
    let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build();
    let asked = match client {
        Ok(client) => client.get(&url).send().await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(answer) if answer.status().is_success() => Ok(ExitCode::SUCCESS),
        Ok(answer) => Err(CommandError::NotReady(format!("{url} says {}", answer.status()))),
        Err(error) => Err(CommandError::NotReady(error.to_string())),
    }
}
