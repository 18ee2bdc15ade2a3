use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll, read};
use tokio::sync::mpsc::Sender;

/// How often it is looked whether anybody still wants keys.
const PAUSE: Duration = Duration::from_millis(100);

/// What a person does at the terminal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wish {
    /// End.
    Quit,
    /// Draw anew: the terminal has another size.
    Redraw,
}

/// Sends what is typed, from a thread of its own, for as long as somebody receives it.
pub fn listen(to: Sender<Wish>) {
    std::thread::spawn(move || {
        while !to.is_closed() {
            let wish = match poll(PAUSE) {
                Ok(false) => None,
                Ok(true) => read().map_or(Some(Wish::Quit), |event| wish(&event)),
                // Nobody can end it by a key any more.
                Err(_) => Some(Wish::Quit),
            };
            if wish.is_some_and(|wish| to.blocking_send(wish).is_err() || wish == Wish::Quit) {
                return;
            }
        }
    });
}

fn wish(event: &Event) -> Option<Wish> {
    match event {
        Event::Resize(..) => Some(Wish::Redraw),
        Event::Key(KeyEvent {
            code,
            modifiers,
            // Windows says as well when a key is let go.
            kind: KeyEventKind::Press,
            ..
        }) => {
            let is_quit = match code {
                KeyCode::Esc => true,
                KeyCode::Char('q' | 'Q') => true,
                KeyCode::Char('c') => modifiers.contains(KeyModifiers::CONTROL),
                _ => false,
            };
            is_quit.then_some(Wish::Quit)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_escape_and_control_c_end_it_and_nothing_else_does() {
        let typed = |code, modifiers| wish(&Event::Key(KeyEvent::new(code, modifiers)));
        let none = KeyModifiers::NONE;
        for (code, modifiers) in [
            (KeyCode::Char('q'), none),
            (KeyCode::Char('Q'), KeyModifiers::SHIFT),
            (KeyCode::Esc, none),
            (KeyCode::Char('c'), KeyModifiers::CONTROL),
        ] {
            assert_eq!(typed(code, modifiers), Some(Wish::Quit), "{code:?}");
        }
        assert_eq!(typed(KeyCode::Char('c'), none), None);
        assert_eq!(typed(KeyCode::Enter, none), None);
        assert_eq!(wish(&Event::Resize(80, 25)), Some(Wish::Redraw));
        let released = KeyEvent::new_with_kind(KeyCode::Char('q'), none, KeyEventKind::Release);
        assert_eq!(wish(&Event::Key(released)), None);
    }
}
