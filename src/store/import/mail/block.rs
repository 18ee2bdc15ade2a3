//! Where the words of others begin without a mark on every line.

use super::phrases::{FIELDS, MARKS, OPENERS, SENDER, VERBS, WROTE};

/// Fields that must come with the sender's within so many lines.
const FIELDS_NEEDED: usize = 2;
const NEAR: usize = 9;
/// The longest line that introduces somebody, in characters. Programs break longer ones.
const LONGEST: usize = 250;

/// Whether everything from line `at` on is somebody else's: it stands under a mark, or under the fields of a message's head.
pub fn begins(lines: &[&str], at: usize) -> bool {
    let Some(line) = lines.get(at) else { return false };
    is_mark(line)
        || (field(line).is_some_and(|name| SENDER.contains(&name.as_str()))
            && has_fields(lines.get(at + 1..).unwrap_or_default()))
}

/// "-----Original Message-----", and what other programs write in its place.
fn is_mark(line: &str) -> bool {
    let line = line.trim().trim_matches(['*', '_']);
    let inner = line.trim_matches(|character: char| "-–—_=> ".contains(character));
    let dashed = line.starts_with(['-', '–', '—', '_', '=']) && line.len() > inner.len() + 3;
    let inner = inner.to_lowercase().replace('’', "'");
    let known = MARKS.iter().any(|mark| {
        inner.strip_prefix(mark).is_some_and(|rest| {
            if dashed {
                rest.len() < 80
            } else {
                matches!(rest, ":" | " :")
            }
        })
    });
    known && (dashed || line.ends_with(':'))
}

fn has_fields(lines: &[&str]) -> bool {
    let near = lines.iter().take(NEAR).map(|line| line.trim());
    // The head ends with a blank line; some programs put one between its fields.
    let known = near.filter(|line| field(line).is_some_and(|name| FIELDS.contains(&name.as_str())));
    known.count() >= FIELDS_NEEDED
}

/// The name of a head's field, if the line has one.
fn field(line: &str) -> Option<String> {
    let line = line.trim().trim_start_matches(['*', '|', ' ']);
    let (name, value) = line.split_once([':', '：'])?;
    let name = name
        .trim()
        .trim_end_matches('*')
        .trim()
        .to_lowercase()
        .replace('’', "'");
    let addressed = !value.trim().trim_matches('*').is_empty() || name.chars().count() < 12;
    addressed.then_some(name)
}

/// How many lines from `at` on say who wrote what comes next: "On 1 May, Ada <ada@example.com>", "wrote:". Each has to have a date or an address,
/// for people write such words, too.
pub fn introduction(lines: &[&str], at: usize) -> usize {
    let fits = |count: &usize| {
        let Some(lines) = lines.get(at..at + count) else {
            return false;
        };
        // A line of the owner's before it is none of it.
        let alone = (1..*count).any(|skipped| lines.get(skipped..).is_some_and(|rest| introduces(rest) && opens(rest)));
        introduces(lines) && !alone && (*count == 1 || opens(lines))
    };
    (1..=3).find(fits).unwrap_or(0)
}

/// Whether nothing but a program writes such an introduction: it has an address, or a time of day.
pub fn is_sure(lines: &[&str]) -> bool {
    let text = lines.join(" ");
    let timed = text
        .split(|character: char| !(character.is_ascii_digit() || ":.h".contains(character)))
        .any(|word| {
            let mut parts = word.split([':', '.', 'h']);
            let numbers = parts
                .by_ref()
                .take(2)
                .filter(|part| (1..=2).contains(&part.len()))
                .count();
            numbers == 2 && word.contains([':', 'h'])
        });
    text.contains('@') || timed
}

/// Whether the first line begins like an introduction.
fn opens(lines: &[&str]) -> bool {
    let first = lines
        .first()
        .map(|line| line.trim().trim_start_matches(['*', '_']).to_lowercase())
        .unwrap_or_default();
    first.starts_with(|character: char| character.is_ascii_digit())
        || OPENERS.iter().any(|opener| first.starts_with(opener))
}

fn introduces(lines: &[&str]) -> bool {
    if lines.iter().any(|line| line.trim().is_empty() || line.starts_with('>')) {
        return false;
    }
    let text = lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let text = text.trim_matches(['*', '_', '-']).trim();
    let Some(said) = text.strip_suffix(':').or_else(|| text.strip_suffix('：')) else {
        return false;
    };
    let said = said.trim_end().to_lowercase();
    if said.chars().count() > LONGEST
        || lines.len() > 1
            && lines
                .first()
                .is_some_and(|line| line.trim().ends_with(['.', '!', '?', ':']))
    {
        return false;
    }
    let address = said.contains('@');
    let numbers = said
        .split(|character: char| !character.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .count();
    let ends = WROTE.iter().any(|verb| said.ends_with(verb));
    let inside = VERBS.iter().any(|verb| said.contains(verb));
    // A date has a day and a year at least, or a time.
    (ends || inside) && (address || numbers >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn introductions_are_told_from_sentences() {
        for lines in [
            &["On Tue, 30 Apr 2024 at 10:00, Bob <bob@example.com> wrote:"][..],
            &[
                "On Tue, 30 Apr 2024 at 10:00, Robert Longname",
                "<bob@example.com> wrote:",
            ],
            &["Am 30.04.2024 um 10:00 schrieb Bob:"],
            &["Le mar. 30 avr. 2024 à 10:00, Bob <bob@example.com> a écrit :"],
            &["El mar, 30 abr 2024 a las 10:00, Bob (<bob@example.com>) escribió:"],
            &["Il giorno mar 30 apr 2024 alle ore 10:00 Bob <bob@example.com> ha scritto:"],
            &["30 апр. 2024 г., в 10:00, Bob <bob@example.com> написал(а):"],
            &["2024年4月30日(火) 10:00 Bob <bob@example.com>のメッセージ:"],
        ] {
            assert_eq!(introduction(lines, 0), lines.len(), "{lines:?}");
        }
        for line in [
            "My friend wrote:",
            "On Monday Bob wrote:",
            "I wrote two things:",
            "Shopping for 30 people at 10:",
        ] {
            assert_eq!(introduction(&[line], 0), 0, "{line}");
        }
    }

    #[test]
    fn heads_and_marks_begin_the_words_of_others() {
        for text in [
            "-----Original Message-----",
            "---------- Forwarded message ---------",
            "Begin forwarded message:",
            "-------- Weitergeleitete Nachricht --------",
            "From: Bob <bob@example.com>\nSent: Tuesday\nTo: Ada\nSubject: S",
            "*Von:* Bob\n*Gesendet:* Dienstag\n*An:* Ada\n*Betreff:* S",
            "De : Bob\nEnvoyé : mardi\nÀ : Ada\nObjet : S",
        ] {
            assert!(begins(&text.lines().collect::<Vec<_>>(), 0), "{text}");
        }
        for text in [
            "From: the garden\nwe saw a fox.",
            "An original message",
            "To: do\nDate: none",
            "--- my list ---",
        ] {
            assert!(!begins(&text.lines().collect::<Vec<_>>(), 0), "{text}");
        }
    }
}
