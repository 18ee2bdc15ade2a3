//! What was found, for people to read.

use std::io::Write;

use anstyle::{AnsiColor, Style};

use crate::cli::CommandError;
use crate::cli::terminal::in_colour;
use crate::foreign::line;
use crate::setup::{Estimate, Family, Found, Place, Proposal, Sighting, family_of};
use crate::upstream::{Identity, ServedModel};

/// Writes a line.
pub fn say(text: &str) -> Result<(), CommandError> {
    writeln!(std::io::stdout().lock(), "{text}").map_err(CommandError::Output)
}

/// Writes a line that stands out.
pub fn heading(text: &str) -> Result<(), CommandError> {
    let style = if in_colour() { Style::new().bold() } else { Style::new() };
    say(&format!("{style}{text}{style:#}"))
}

/// The family of a served model, by its name, by what it was made from, and by its file.
pub fn family(identity: &Identity, model: Option<&ServedModel>) -> &'static Family {
    let file = identity.file.as_ref().map(|file| file.to_string_lossy().into_owned());
    let id = model.map(|model| model.id.as_str());
    // Made of JSON's words: a directory's or a repository's name stands in quotes.
    let root = model.and_then(|model| model.identity.split('"').nth(1));
    family_of(id.into_iter().chain(root).chain(file.as_deref()))
}

/// What is at the addresses, but for usual ones where nothing is.
pub fn sightings(sightings: &[Sighting]) -> Result<(), CommandError> {
    heading("Servers")?;
    let is_worth_it = |sighting: &&Sighting| sighting.address.is_named || !matches!(sighting.found, Found::Nothing(_));
    let mut shown = sightings.iter().filter(is_worth_it).peekable();
    if shown.peek().is_none() {
        return say("  none at the usual addresses");
    }
    for sighting in shown {
        let url = &sighting.address.url;
        let (mark, what) = described(sighting);
        let style = if in_colour() { mark.style() } else { Style::new() };
        say(&format!("  {style}{}{style:#}  {url}  {what}", mark.word()))?;
    }
    Ok(())
}

enum Mark {
    Yes,
    Perhaps,
    No,
}

impl Mark {
    fn word(&self) -> &'static str {
        match self {
            Self::Yes => "yes    ",
            Self::Perhaps => "perhaps",
            Self::No => "no     ",
        }
    }

    fn style(&self) -> Style {
        match self {
            Self::Yes => AnsiColor::Green.on_default(),
            Self::Perhaps => AnsiColor::Yellow.on_default(),
            Self::No => AnsiColor::Red.on_default(),
        }
    }
}

fn described(sighting: &Sighting) -> (Mark, String) {
    match &sighting.found {
        Found::Server(identity) => {
            let (mark, terms) = match identity.unsteerable {
                Some(known) => (
                    Mark::No,
                    format!("cannot be steered: {}; instead: {}", known.why, known.instead),
                ),
                None if identity.driver.must_be_tried() => {
                    let terms = identity.driver.terms();
                    (
                        Mark::Perhaps,
                        format!("{terms}; doctor tries whether it goes on with a message"),
                    )
                }
                None => (Mark::Yes, identity.driver.terms().to_owned()),
            };
            (mark, format!("{}{}; {terms}", line(&identity.server), served(identity)))
        }
        Found::WantsKey => {
            let usually = sighting.address.usually;
            let usually = usually.map_or_else(String::new, |name| format!(" ({name} usually listens there)"));
            let how = format!("--upstream {} --key KEY", sighting.address.url);
            (Mark::Perhaps, format!("wants a key{usually}: {how}"))
        }
        Found::Nothing(reason) => (Mark::No, format!("nothing listens there ({})", line(reason))),
        Found::Other(problem) => (Mark::No, format!("it {}", line(problem))),
    }
}

/// The models of a server, and their families.
fn served(identity: &Identity) -> String {
    let named = identity.models.iter().map(|model| {
        let family = family(identity, Some(model));
        format!("{} (family: {})", line(&model.id), family.name)
    });
    let mut named: Vec<String> = named.collect();
    let more = named.len().saturating_sub(MOST_MODELS);
    named.truncate(MOST_MODELS);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    if named.is_empty() {
        return String::new();
    }
    format!(", serves {}", named.join(", "))
}

const MOST_MODELS: usize = 6;

/// Small models to choose from.
pub fn proposals(proposals: &[Proposal]) -> Result<(), CommandError> {
    heading("Small models for it")?;
    for (number, proposal) in (1..).zip(proposals) {
        say(&format!("  {number}  {}", line(&proposal.name)))?;
        say(&format!("     {}", about(proposal)))?;
    }
    Ok(())
}

/// Where it is, its size, and what it takes.
pub fn about(proposal: &Proposal) -> String {
    let size = |bytes: u64| format!("{} MB", bytes.div_ceil(1_000_000));
    let mut parts = vec![match &proposal.place {
        Place::Here(path) => format!("here: {}", line(path)),
        Place::Hub { id, file: None } => format!("on the hub: {id}"),
        Place::Hub { id, file: Some(file) } => format!("on the hub: {id}, {file}"),
    }];
    parts.extend(proposal.bytes.map(size));
    parts.push(if proposal.is_same_vocabulary {
        "the big model's vocabulary".to_owned()
    } else {
        "another vocabulary, aligned by bytes".to_owned()
    });
    parts.extend(proposal.estimate.map(|estimate| expected(&estimate)));
    parts.join("; ")
}

fn expected(estimate: &Estimate) -> String {
    format!(
        "here about {} MB of memory, prompts at {} tokens a second, then {} ms a token",
        estimate.memory.div_ceil(1_000_000),
        rounded(estimate.prompt_rate),
        rounded(estimate.token_ms)
    )
}

/// An estimate has two figures at most.
fn rounded(number: f64) -> f64 {
    let unit = 10_f64.powf(number.abs().max(1.0).log10().floor() - 1.0).max(1.0);
    (number / unit).round() * unit
}
