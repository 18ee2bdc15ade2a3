use std::io;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::fetch::Source;
use super::keys::{Wish, listen};
use super::screen::Screen;
use super::view::{Kind, Line, view};
use super::window::Window;
use crate::cli::listen::shutdown;
use crate::cli::terminal::in_colour;

/// Shows what the proxy does until somebody wants it to end.
pub async fn live(source: &Source, every: Duration) -> io::Result<()> {
    let mut screen = Screen::open(in_colour())?;
    let (sender, mut wishes) = mpsc::channel(8);
    listen(sender);
    let (looks, mut looked) = mpsc::channel(1);
    let looking = async {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // It is received below for as long as this runs.
            let _sent = looks.send(source.sample().await).await;
        }
    };
    tokio::pin!(looking);
    let ending = shutdown();
    tokio::pin!(ending);
    let (mut window, mut lines) = (Window::default(), waiting(source));
    loop {
        screen.draw(&lines)?;
        tokio::select! {
            () = &mut looking => {}
            () = &mut ending => return Ok(()),
            wish = wishes.recv() => match wish {
                Some(Wish::Redraw) => {}
                Some(Wish::Quit) | None => return Ok(()),
            },
            Some(sample) = looked.recv() => lines = match sample {
                Ok(sample) => {
                    window.add(Instant::now(), sample);
                    let mut lines = view(source.proxy(), &window);
                    lines.extend([line(Kind::Plain, ""), line(Kind::Aside, "q ends")]);
                    lines
                }
                Err(problem) => {
                    // What is known is old by the time the proxy is back.
                    window.clear();
                    away(&problem, every)
                }
            },
        }
    }
}

fn waiting(source: &Source) -> Vec<Line> {
    vec![line(Kind::Aside, &format!("asking {} …", source.proxy()))]
}

fn away(problem: &str, every: Duration) -> Vec<Line> {
    vec![
        line(Kind::Problem, problem),
        line(
            Kind::Plain,
            &format!("It is tried again every {} s.", every.as_secs_f64()),
        ),
        line(Kind::Plain, ""),
        line(Kind::Aside, "q ends"),
    ]
}

fn line(kind: Kind, text: &str) -> Line {
    Line {
        text: text.to_owned(),
        kind,
    }
}
