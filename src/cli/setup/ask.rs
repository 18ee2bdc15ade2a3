use std::io::{BufRead, IsTerminal, Write};

use crate::cli::CommandError;

/// Whether there is somebody to ask.
#[derive(Clone, Copy)]
pub struct Asker {
    is_there: bool,
}

impl Asker {
    /// Somebody at a terminal who has not said yes to everything.
    pub fn new(yes_to_all: bool) -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        Self {
            is_there: terminal && !yes_to_all,
        }
    }

    /// Yes or no; `None` where nobody is there.
    pub fn yes(self, question: &str) -> Result<Option<bool>, CommandError> {
        if !self.is_there {
            return Ok(None);
        }
        loop {
            match self.line(&format!("{question} [Y/n] "))?.to_lowercase().as_str() {
                "" | "y" | "yes" => return Ok(Some(true)),
                "n" | "no" => return Ok(Some(false)),
                _ => {}
            }
        }
    }

    /// A number from 1 to `count`, of which the first is the usual answer; as an index. `None` where nobody is there.
    pub fn number(self, question: &str, count: usize) -> Result<Option<usize>, CommandError> {
        if !self.is_there {
            return Ok(None);
        }
        loop {
            let line = self.line(&format!("{question} [1] "))?;
            if line.is_empty() {
                return Ok(Some(0));
            }
            if let Some(number) = line.parse::<usize>().ok().filter(|number| (1..=count).contains(number)) {
                return Ok(Some(number - 1));
            }
        }
    }

    fn line(self, question: &str) -> Result<String, CommandError> {
        let mut out = std::io::stdout().lock();
        write!(out, "{question}")
            .and_then(|()| out.flush())
            .map_err(CommandError::Output)?;
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        match read {
            Ok(0) => Err(CommandError::Usage("no answer came, so nothing was written".to_owned())),
            Ok(_) => Ok(line.trim().to_owned()),
            Err(error) => Err(CommandError::Usage(format!("standard input cannot be read: {error}"))),
        }
    }
}
