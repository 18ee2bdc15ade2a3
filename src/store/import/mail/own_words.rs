use super::block;
use super::phrases::DEVICES;

/// `text` without what others have written, and without the lines that say who did. Quoted lines go wherever they are. Where others' words
/// have no marks, everything from their beginning on goes. So does the signature.
pub fn of(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let raw: Vec<&str> = text.lines().collect();
    let mut own: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        if is_quoted(line) {
            at += 1;
            continue;
        }
        if block::begins(&lines, at) {
            // Some programs rule a line above it.
            drop_rule(&mut own);
            break;
        }
        // RFC 3676: two dashes and a space. Programs that cut spaces at ends of lines leave two dashes.
        let signed = raw.get(at).is_some_and(|raw| raw.trim_end_matches(['\r']) == "-- ")
            || *line == "--"
            || is_list_footer(&lines, at);
        if signed {
            // Behind a signature come quotes at most, and what somebody wrote below them is rare.
            break;
        }
        let introduction = block::introduction(&lines, at);
        if introduction > 0 {
            let next = lines
                .get(at + introduction..)
                .unwrap_or_default()
                .iter()
                .find(|line| !line.is_empty());
            if next.is_none_or(|line| is_quoted(line)) {
                at += introduction;
                continue;
            }
            // Apple's and Yahoo's programs leave the words of others without marks.
            if block::is_sure(lines.get(at..at + introduction).unwrap_or_default()) {
                break;
            }
        }
        // In a language that is not known, an address and a colon before a quote say the same.
        let named = line.ends_with([':', '：']) && line.contains('@');
        if named
            && lines
                .get(at + 1..)
                .unwrap_or_default()
                .iter()
                .find(|line| !line.is_empty())
                .is_some_and(|line| is_quoted(line))
        {
            at += 1;
            continue;
        }
        own.push(line);
        at += 1;
    }
    trim(&mut own);
    if own.last().is_some_and(|line| is_device(line)) {
        own.pop();
    }
    tidy(&own)
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

fn is_device(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    line.chars().count() < 80 && DEVICES.iter().any(|begin| line.starts_with(begin))
}

/// What mailing lists put under every message: a long rule, and where the list is.
fn is_list_footer(lines: &[&str], at: usize) -> bool {
    let long = |line: &&str| line.len() >= 40 && line.bytes().all(|byte| byte == b'_');
    let below = lines.get(at + 1..).unwrap_or_default().iter().take(3);
    lines.get(at).is_some_and(long)
        && below
            .map(|line| line.to_lowercase())
            .any(|line| line.contains("mailing list") || line.contains("unsubscribe"))
}

fn trim(lines: &mut Vec<&str>) {
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
}

fn drop_rule(lines: &mut Vec<&str>) {
    trim(lines);
    let rule = |line: &&str| line.len() >= 5 && (line.bytes().all(|byte| byte == b'_' || byte == b'-' || byte == b'='));
    if lines.last().is_some_and(rule) {
        lines.pop();
    }
}

/// The lines as a text, with one blank line where quotes have left several.
fn tidy(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut blank = 0;
    for line in lines {
        blank = if line.is_empty() { blank + 1 } else { 0 };
        if blank < 2 {
            text.push_str(line);
            text.push('\n');
        }
    }
    text.trim().to_owned()
}
