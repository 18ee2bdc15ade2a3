use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

#[derive(Args)]
pub struct TopArguments {
    /// A TOML file with the settings of the proxy, instead of costeer/costeer.toml in the configuration folder.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// The proxy, instead of the address in the settings, such as http://127.0.0.1:8089.
    #[arg(long)]
    pub url: Option<String>,
    /// The key that the proxy wants. Without --url it is server.api_key of the settings where it is not given.
    #[arg(long, env = "COSTEER_API_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub interval: Duration,
    /// Look twice, print plain text and exit. Needs no terminal.
    #[arg(long)]
    pub once: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "this is no number of seconds".to_owned())?;
    if (0.1..=3600.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("0.1 to 3600 seconds are possible".to_owned())
    }
}
