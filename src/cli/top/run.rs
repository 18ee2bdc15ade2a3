use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::arguments::TopArguments;
use super::fetch::Source;
use super::live::live;
use super::view::view;
use super::window::Window;
use crate::cli::CommandError;

/// Shows the view until it is ended, or once.
pub async fn run(arguments: &TopArguments) -> Result<(), CommandError> {
    let source = Source::find(arguments)?;
    if arguments.once {
        return once(&source, arguments.interval).await;
    }
    if !(std::io::stdout().is_terminal() && std::io::stdin().is_terminal()) {
        let message = "this is no terminal; --once prints what the proxy does as plain text";
        return Err(CommandError::Usage(message.to_owned()));
    }
    live(&source, arguments.interval).await.map_err(CommandError::Output)
}

/// Two looks, so that there are rates, as plain text.
async fn once(source: &Source, pause: Duration) -> Result<(), CommandError> {
    let mut window = Window::default();
    window.add(Instant::now(), source.sample().await.map_err(CommandError::Usage)?);
    tokio::time::sleep(pause).await;
    window.add(Instant::now(), source.sample().await.map_err(CommandError::Usage)?);
    let mut out = std::io::stdout().lock();
    for line in view(source.proxy(), &window) {
        writeln!(out, "{}", line.text).map_err(CommandError::Output)?;
    }
    Ok(())
}
