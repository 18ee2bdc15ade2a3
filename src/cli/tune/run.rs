use std::io::Write;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::arguments::TuneArguments;
use super::cost::Left;
use super::table::{NO_GAIN, table};
use super::write;
use crate::cli::CommandError;
use crate::cli::progress::during;
use crate::settings::{Settings, Variables, load};
use crate::steering::Cap;
use crate::telemetry;
use crate::tune::{Numbers, Pair, Question, Report, SHIPPED, State, TuneError, read};
use crate::upstream::{Caller, bearer};

/// Asks what has not been asked yet, and shows what follows from all of it.
pub async fn run(arguments: TuneArguments) -> Result<(), CommandError> {
    telemetry::start("off", false)?;
    let settings = load(arguments.config.as_deref(), Variables::Read, &[])?;
    let written = arguments.config.as_deref().filter(|_| arguments.write);
    if let Some(path) = written {
        write::check(path, settings.steering.preset)?;
    }
    let set = match &arguments.set {
        Some(path) => std::fs::read_to_string(path).map_err(|source| CommandError::Unreadable {
            path: path.clone(),
            source,
        })?,
        None => SHIPPED.to_owned(),
    };
    let mut questions = read(&set)?;
    if let Some(most) = arguments.questions {
        questions.truncate(most as usize);
    }
    let caller = Caller {
        model: arguments.model.clone(),
        authorization: arguments.key.as_deref().and_then(bearer),
        ..Caller::default()
    };
    let loading = Pair::load(&settings, caller, arguments.tokens as usize, &set);
    let pair = during("loading the small model", loading).await?;
    let mut state = State::open(&State::path_of(pair.key())?, arguments.fresh)?;
    let left = first(&pair, &questions, &mut state).await?;
    say(&pair, &left)?;
    if arguments.estimate {
        if arguments.json {
            print(&format!("{:#}", json!({"estimate": left})))?;
        }
        return Ok(());
    }
    ask(&pair, &questions, &mut state, &left).await?;
    let records = state.records(questions.len());
    if records.is_empty() {
        return Err(TuneError::Nothing.into());
    }
    let cap = Cap::new(settings.steering.max_shift);
    let report = Report::of(&records, pair.floors(), cap, configured(&settings)?);
    let written = match (written, &report.proposal) {
        (Some(path), Some(proposal)) => {
            write::write(path, proposal)?;
            Some(path)
        }
        _ => None,
    };
    let mut text = Vec::new();
    if arguments.json {
        let [upstream, local] = pair.names();
        let shown = json!({"upstream": upstream, "local": local, "report": report, "written": written});
        writeln!(text, "{shown:#}").map_err(CommandError::Output)?;
    } else {
        table(&mut text, &report).map_err(CommandError::Output)?;
        if let Some(path) = written {
            writeln!(text, "\nWritten into {}.", path.display()).map_err(CommandError::Output)?;
        }
    }
    print(String::from_utf8_lossy(&text).trim_end())?;
    if arguments.write && written.is_none() {
        return Err(CommandError::Usage(format!("nothing was written. {NO_GAIN}")));
    }
    Ok(())
}

/// Asks one question if none was, so that what the others cost can be said. Gives that.
async fn first(pair: &Pair, questions: &[Question], state: &mut State) -> Result<Left, CommandError> {
    if let Some((number, question)) = questions
        .iter()
        .enumerate()
        .next()
        .filter(|(number, _)| !state.has(*number))
    {
        let record = during("asking the first question", pair.ask(number, question)).await?;
        state.keep(record)?;
    }
    let left = (0..questions.len()).filter(|number| !state.has(*number)).count();
    Ok(Left::of(&state.records(questions.len()), left))
}

/// Says on standard error what will be done, before it is.
fn say(pair: &Pair, left: &Left) -> Result<(), CommandError> {
    let [upstream, local] = pair.names();
    let mut err = std::io::stderr().lock();
    writeln!(err, "Upstream: {upstream}\nSmall model: {local}\n{}", left.sentence()).map_err(CommandError::Output)
}

async fn ask(pair: &Pair, questions: &[Question], state: &mut State, left: &Left) -> Result<(), CommandError> {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} questions, {eta} left");
    let bar = ProgressBar::new(left.questions as u64);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    for (number, question) in questions.iter().enumerate() {
        if state.has(number) {
            continue;
        }
        let record = pair.ask(number, question).await?;
        state.keep(record)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

fn configured(settings: &Settings) -> Result<Numbers, CommandError> {
    let strength = settings.steering.default_strength();
    let strength = strength.ok_or(crate::service::StartError::Strength)?;
    Ok(Numbers {
        strength: strength.value(),
        delta_floor: settings.steering.delta_floor,
        plausibility: settings.steering.plausibility,
    })
}

fn print(text: &str) -> Result<(), CommandError> {
    writeln!(std::io::stdout().lock(), "{text}").map_err(CommandError::Output)
}
