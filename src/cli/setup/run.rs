use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;

use super::ask::Asker;
use super::choose::Server;
use super::show::{self, about, heading, say};
use super::{SetupArguments, choose, fetch};
use crate::cli::CommandError;
use crate::cli::arguments::DoctorArguments;
use crate::cli::demo::SHIPPED_PAIR;
use crate::cli::doctor;
use crate::cli::progress::during;
use crate::foreign::line;
use crate::settings::{Variables, load, usual_file};
use crate::setup::{Draft, Family, Proposal, addresses, can_write, survey, write};
use crate::upstream::ServedModel;

/// Where both sides are one model, this strength gives what it says after it has read the context, and more would overshoot.
const SAME_MODEL: [(&str, &str); 1] = [("steering.strength", "1")];

/// Looks, proposes, fetches, writes and checks, as far as it may.
pub async fn run(mut arguments: SetupArguments) -> Result<ExitCode, CommandError> {
    // A variable that is set to nothing is none.
    arguments.key = arguments.key.filter(|key| !key.is_empty());
    let asker = Asker::new(arguments.yes);
    let path = file(&arguments)?;
    if arguments.may_write() {
        // Before anything is looked for or fetched.
        can_write(&path, arguments.force)?;
    }
    if arguments.key.is_some() && arguments.upstream.len() > 1 {
        let message = "a key is one server's: name that server alone with --upstream, or leave the key out";
        return Err(CommandError::Usage(message.to_owned()));
    }
    let looked_at = addresses(&arguments.upstream, !arguments.no_search).map_err(CommandError::Usage)?;
    let sightings = during("looking for servers", survey(looked_at, arguments.key.as_deref())).await;
    show::sightings(&sightings)?;
    let server = choose::server(&sightings, asker)?;
    let model = choose::model(server.identity, &arguments, asker)?;
    let family = show::family(server.identity, model);
    let proposal = choose::small_model(family, &arguments, asker)?;
    let pair = Pair {
        tokenizer: choose::tokenizer(server.identity, model, family, &arguments),
        server,
        model,
        family,
        proposal,
    };
    pair.check()?;
    let Some(value) = fetch::here(&pair.proposal, &arguments, asker).await? else {
        say("\nNothing was fetched or written. --fetch fetches the first one, and --write writes the configuration.")?;
        let is_done = !arguments.may_write();
        return Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    };
    let draft = pair.draft(&value, arguments.key.as_deref());
    heading(&format!("\nThe configuration, for {}", path.display()))?;
    let shown = Draft {
        key: draft.key.map(|_| "********"),
        ..draft.clone()
    };
    say(&shown.text())?;
    if !(arguments.may_write() || asker.yes("Write it?")?.unwrap_or(false)) {
        say("Nothing was written. --write writes it.")?;
        return Ok(ExitCode::SUCCESS);
    }
    write(&path, &draft.text(), arguments.force)?;
    say(&format!("Written to {}.\n", path.display()))?;
    let healthy = doctor::run(DoctorArguments {
        config: Some(path.clone()),
        model: model.map(|model| model.id.clone()),
        key: None,
        json: false,
    });
    let code = healthy.await?;
    if code == ExitCode::SUCCESS {
        next(&path, arguments.config.is_some(), &pair)?;
    }
    Ok(code)
}

fn file(arguments: &SetupArguments) -> Result<PathBuf, CommandError> {
    let path = arguments.config.clone().or_else(usual_file);
    path.ok_or_else(|| {
        CommandError::Usage("this system names no folder for configurations; name a file with --config".to_owned())
    })
}

/// What was chosen.
struct Pair<'a> {
    server: Server<'a>,
    /// The big model, where the server says what it has.
    model: Option<&'a ServedModel>,
    family: &'static Family,
    proposal: Proposal,
    /// Of the big model; `None` for the small one's.
    tokenizer: Option<String>,
}

impl Pair<'_> {
    /// Two vocabularies can be aligned where both are known.
    fn check(&self) -> Result<(), CommandError> {
        if self.tokenizer.is_some() || self.proposal.is_same_vocabulary {
            return Ok(());
        }
        Err(CommandError::Usage(format!(
            "{} has another vocabulary than the big model, and the server does not say where that one's tokenizer is; name it with --tokenizer: a \
             directory, a GGUF file or a hub id",
            line(&self.proposal.name)
        )))
    }

    /// The name of the big model, for people to read.
    fn served(&self) -> String {
        self.model.map_or_else(|| "a model".to_owned(), |model| line(&model.id))
    }

    /// The configuration with `value` as `local.model`.
    fn draft<'a>(&'a self, value: &'a str, key: Option<&'a str>) -> Draft<'a> {
        let is_one_model = self.tokenizer.as_deref() == Some(value);
        let more: &[(&str, &str)] = if self.family.is_shipped() {
            &SHIPPED_PAIR
        } else if is_one_model {
            &SAME_MODEL
        } else {
            &[]
        };
        Draft {
            day: Timestamp::now().strftime("%Y-%m-%d").to_string(),
            served: format!("{}, serves {}", line(&self.server.identity.server), self.served()),
            url: self.server.url,
            // It was for the named server alone.
            key: key.filter(|_| self.server.is_named),
            tokenizer: self.tokenizer.as_deref(),
            model: value,
            about_model: format!("{}; {}", line(&self.proposal.name), about(&self.proposal)),
            quantisation: self.proposal.quantisation,
            more,
        }
    }
}

/// What a client needs.
fn next(path: &Path, is_named: bool, pair: &Pair<'_>) -> Result<(), CommandError> {
    let listen = load(Some(path), Variables::Read, &[])?.server.listen;
    let named = if is_named {
        format!(" --config {}", path.display())
    } else {
        String::new()
    };
    heading("\nStart it, and point any OpenAI client at it:")?;
    say(&format!("  costeer serve{named}\n"))?;
    say(&format!("  export OPENAI_BASE_URL=http://{listen}/v1"))?;
    say("  export OPENAI_API_KEY=any\n")?;
    if pair.server.identity.models.len() > 1 {
        say(&format!(
            "The server has several models, and this is for {}.",
            pair.served()
        ))?;
    }
    say(&format!(
        "The header X-CoSteer-Context brings what is private. The page at http://{listen}/costeer/ shows what it does."
    ))
}
