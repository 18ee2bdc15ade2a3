//! The service managers that are known: systemd's for users, and launchd.

use std::path::PathBuf;
use std::process::Command;

use super::text;
use crate::cli::CommandError;

/// The service's name.
const NAME: &str = "costeer";

/// One of them.
#[derive(Clone, Copy)]
pub enum Manager {
    /// systemd, for one person.
    Systemd,
    /// launchd, for one person.
    Launchd,
}

impl Manager {
    /// This system's.
    pub fn of_this_system() -> Result<Self, CommandError> {
        if cfg!(target_os = "linux") {
            Ok(Self::Systemd)
        } else if cfg!(target_os = "macos") {
            Ok(Self::Launchd)
        } else {
            Err(CommandError::Usage(
                "this system's service manager is not known; have it run \"costeer serve\" when you log in".to_owned(),
            ))
        }
    }

    /// Where it looks for services.
    pub fn file(self) -> Result<PathBuf, CommandError> {
        let (folder, name) = match self {
            Self::Systemd => (
                dirs::config_dir().map(|folder| folder.join("systemd/user")),
                format!("{NAME}.service"),
            ),
            Self::Launchd => (
                dirs::home_dir().map(|folder| folder.join("Library/LaunchAgents")),
                format!("{NAME}.plist"),
            ),
        };
        folder
            .map(|folder| folder.join(name))
            .ok_or_else(|| CommandError::Usage("this system names no folder for services".to_owned()))
    }

    /// What the file says, for a service that runs `command`.
    pub fn text(self, command: &[String]) -> String {
        match self {
            Self::Systemd => text::systemd(command),
            Self::Launchd => text::launchd(NAME, command),
        }
    }

    /// The commands that start the service now and whenever its person logs in.
    pub fn start(self) -> Result<Vec<Vec<String>>, CommandError> {
        Ok(match self {
            Self::Systemd => vec![
                words(&["systemctl", "--user", "daemon-reload"]),
                words(&["systemctl", "--user", "enable", "--now", NAME]),
            ],
            Self::Launchd => vec![words(&["launchctl", "load", "-w", &self.file()?.to_string_lossy()])],
        })
    }

    /// The commands that end it.
    pub fn stop(self) -> Result<Vec<Vec<String>>, CommandError> {
        Ok(match self {
            Self::Systemd => vec![words(&["systemctl", "--user", "disable", "--now", NAME])],
            Self::Launchd => vec![words(&["launchctl", "unload", "-w", &self.file()?.to_string_lossy()])],
        })
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Runs a command to its end.
///
/// # Errors
/// The command and what it said.
pub fn run(command: &[String]) -> Result<(), String> {
    let shown = command.join(" ");
    let (program, arguments) = command.split_first().ok_or_else(|| shown.clone())?;
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("\"{shown}\" cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("\"{shown}\" failed: {}", crate::foreign::line(&said)))
}
