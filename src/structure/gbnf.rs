//! llama.cpp's grammars (GBNF), written as Lark's.
//!
//! A grammar without recursion becomes one terminal, which is quick. In one with recursion each character class and each text is a
//! terminal of its own, so that no terminal takes what belongs to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use serde_json::json;

/// A rule's alternatives, written out, with the rules that it uses.
#[derive(Default)]
struct Rule {
    text: String,
    uses: BTreeSet<String>,
}

/// `grammar` as Lark's.
///
/// # Errors
/// What is wrong with it, and in which line.
pub fn to_lark(grammar: &str) -> Result<String, String> {
    let mut reader = Reader {
        rest: grammar.chars().peekable(),
        line: 1,
        depth: 0,
    };
    let rules = reader
        .rules()
        .map_err(|reason| format!("line {}: {reason}", reader.line))?;
    if !rules.contains_key("root") {
        return Err("it has no rule called root".to_owned());
    }
    let missing = rules
        .values()
        .flat_map(|rule| &rule.uses)
        .find(|name| !rules.contains_key(*name));
    if let Some(missing) = missing {
        return Err(format!("the rule {missing} is used, and there is none"));
    }
    let is_recursive = is_recursive(&rules);
    let names: BTreeMap<&str, String> = rules
        .keys()
        .enumerate()
        .map(|(number, name)| {
            (
                name.as_str(),
                format!("{}{number}", if is_recursive { "r" } else { "T" }),
            )
        })
        .collect();
    let mut lark = format!("start: {}\n", names["root"]);
    for (name, rule) in &rules {
        let mut parts = rule.text.split(MARK);
        let mut text = parts.next().unwrap_or_default().to_owned();
        // Every second part is a rule's name.
        while let (Some(used), Some(further)) = (parts.next(), parts.next()) {
            text.push_str(&names[used]);
            text.push_str(further);
        }
        let _infallible = writeln!(lark, "{}: {text}", names[name.as_str()]);
    }
    Ok(lark)
}

/// Stands around the name of a rule that is used.
const MARK: char = '\0';

/// Brackets within brackets, at most.
const DEEPEST: usize = 100;

fn is_recursive(rules: &BTreeMap<String, Rule>) -> bool {
    // What uses only rules that are known to end ends, too.
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, rule) in rules {
        open.insert(name, rule.uses.len());
        for used in &rule.uses {
            users.entry(used).or_default().push(name);
        }
    }
    let mut ending: Vec<&str> = open
        .iter()
        .filter(|(_, left)| **left == 0)
        .map(|(name, _)| *name)
        .collect();
    let mut ended = 0;
    while let Some(name) = ending.pop() {
        ended += 1;
        for user in users.get(name).into_iter().flatten() {
            if let Some(left) = open.get_mut(user) {
                *left -= 1;
                if *left == 0 {
                    ending.push(user);
                }
            }
        }
    }
    ended < rules.len()
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
    depth: usize,
}

impl Reader<'_> {
    fn rules(&mut self) -> Result<BTreeMap<String, Rule>, String> {
        let mut rules = BTreeMap::new();
        loop {
            self.blanks(true);
            if self.rest.peek().is_none() {
                return Ok(rules);
            }
            let name = self.name();
            if name.is_empty() {
                return Err("a rule's name is expected".to_owned());
            }
            self.blanks(false);
            if !"::=".chars().all(|wanted| self.rest.next_if_eq(&wanted).is_some()) {
                return Err(format!("::= is expected after {name}"));
            }
            self.blanks(true);
            let mut rule = Rule::default();
            self.alternatives(&mut rule, false)?;
            if rules.insert(name.clone(), rule).is_some() {
                return Err(format!("there are two rules called {name}"));
            }
        }
    }

    fn alternatives(&mut self, rule: &mut Rule, is_nested: bool) -> Result<(), String> {
        loop {
            let before = rule.text.len();
            self.sequence(rule, is_nested)?;
            if rule.text.len() == before {
                rule.text.push_str("\"\"");
            }
            if !is_nested {
                self.go_to_alternative();
            }
            if self.rest.next_if_eq(&'|').is_none() {
                return Ok(());
            }
            rule.text.push_str(" | ");
            self.blanks(true);
        }
    }

    /// Goes on to the next line where an alternative stands there.
    fn go_to_alternative(&mut self) {
        let mut ahead = self.rest.clone();
        let mut lines = 0;
        while let Some(blank) = ahead.next_if(|next| next.is_ascii_whitespace()) {
            lines += usize::from(blank == '\n');
        }
        if ahead.peek() == Some(&'|') {
            self.rest = ahead;
            self.line += lines;
        }
    }

    fn sequence(&mut self, rule: &mut Rule, is_nested: bool) -> Result<(), String> {
        let mut separator = "";
        loop {
            self.blanks(is_nested);
            let Some(next) = self.rest.peek().copied() else {
                return Ok(());
            };
            if matches!(next, '|' | ')' | '\n' | '\r') {
                return Ok(());
            }
            rule.text.push_str(separator);
            separator = " ";
            match next {
                '"' => {
                    let text = self.literal()?;
                    rule.text.push_str(&json!(text).to_string());
                }
                '[' => {
                    let class = self.class()?;
                    let _infallible = write!(rule.text, "/{class}/");
                }
                '.' => {
                    self.rest.next();
                    rule.text.push_str("/(.|\\n)/");
                }
                '(' => {
                    self.rest.next();
                    self.depth += 1;
                    if self.depth > DEEPEST {
                        return Err(format!("there are more than {DEEPEST} brackets within brackets"));
                    }
                    rule.text.push('(');
                    self.alternatives(rule, true)?;
                    if self.rest.next_if_eq(&')').is_none() {
                        return Err("a bracket is not closed".to_owned());
                    }
                    rule.text.push(')');
                    self.depth -= 1;
                }
                next if is_named_with(next) => {
                    let name = self.name();
                    let _infallible = write!(rule.text, "{MARK}{name}{MARK}");
                    rule.uses.insert(name);
                }
                _ => return Err(format!("nothing begins with {}", next.escape_debug())),
            }
            self.repetition(rule)?;
        }
    }

    fn repetition(&mut self, rule: &mut Rule) -> Result<(), String> {
        if let Some(sign) = self.rest.next_if(|next| matches!(next, '*' | '+' | '?')) {
            rule.text.push(sign);
        } else if self.rest.next_if_eq(&'{').is_some() {
            let mut times = String::new();
            while let Some(next) = self.rest.next_if(|next| *next != '}' && *next != '\n') {
                times.push(next);
            }
            let is_number = |text: &str| text.len() < 6 && text.chars().all(|digit| digit.is_ascii_digit());
            let (least, most) = times.split_once(',').unwrap_or((&times, "0"));
            let (least, most) = (least.trim(), most.trim());
            if self.rest.next_if_eq(&'}').is_none() || least.is_empty() || !is_number(least) || !is_number(most) {
                return Err("a repetition must be like {2}, {2,} or {2,5}".to_owned());
            }
            let most = if times.contains(',') { most } else { least };
            let _infallible = write!(rule.text, "{{{least},{most}}}");
        }
        Ok(())
    }

    fn literal(&mut self) -> Result<String, String> {
        self.rest.next();
        let mut text = String::new();
        loop {
            match self.character('"', "a text is not closed")? {
                Some(character) => text.push(character),
                None => return Ok(text),
            }
        }
    }

    fn class(&mut self) -> Result<String, String> {
        self.rest.next();
        let mut class = String::from("[");
        if self.rest.next_if_eq(&'^').is_some() {
            class.push('^');
        }
        let before = class.len();
        while let Some(first) = self.character(']', "a class of characters is not closed")? {
            let _infallible = write!(class, "\\x{{{:x}}}", u32::from(first));
            let mut ahead = self.rest.clone();
            if ahead.next() == Some('-') && ahead.peek() != Some(&']') {
                self.rest = ahead;
                let last = self
                    .character(']', "a class of characters is not closed")?
                    .unwrap_or(first);
                let _infallible = write!(class, "-\\x{{{:x}}}", u32::from(last));
            }
        }
        if class.len() == before {
            return Err("a class of characters is empty".to_owned());
        }
        class.push(']');
        Ok(class)
    }

    /// The next character of a text or class, its escapes read; `None` at its `end`.
    fn character(&mut self, end: char, unclosed: &str) -> Result<Option<char>, String> {
        let next = self.rest.next().filter(|next| *next != '\n').ok_or(unclosed)?;
        if next == end {
            return Ok(None);
        }
        if next != '\\' {
            return Ok(Some(next));
        }
        let escaped = self.rest.next().ok_or(unclosed)?;
        let digits = match escaped {
            'n' => return Ok(Some('\n')),
            'r' => return Ok(Some('\r')),
            't' => return Ok(Some('\t')),
            '"' | '\\' | '[' | ']' | '-' | '^' | '/' => return Ok(Some(escaped)),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => return Err(format!("the escape \\{} is not known", escaped.escape_debug())),
        };
        let number: String = self.rest.by_ref().take(digits).collect();
        let code = u32::from_str_radix(&number, 16).ok().and_then(char::from_u32);
        code.map(Some)
            .ok_or_else(|| format!("\\{escaped} is followed by no character's number"))
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(next) = self.rest.next_if(|next| is_named_with(*next)) {
            name.push(next);
        }
        name
    }

    /// Passes over blanks and remarks, and over ends of lines where they mean nothing.
    fn blanks(&mut self, over_lines: bool) {
        while let Some(next) = self.rest.peek().copied() {
            match next {
                ' ' | '\t' => {}
                '\n' if over_lines => self.line += 1,
                '\r' if over_lines => {}
                '#' => {
                    while self.rest.next_if(|next| *next != '\n').is_some() {}
                    continue;
                }
                _ => return,
            }
            self.rest.next();
        }
    }
}

fn is_named_with(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grammar_without_recursion_is_one_terminal() {
        let lark = to_lark("root ::= word (\" \" word){0,3} # some words\nword ::= [a-z]+\n  | \"\\\"\"").unwrap();
        let wanted = "start: T0\nT0: T1 (\" \" T1){0,3}\nT1: /[\\x{61}-\\x{7a}]/+ | \"\\\"\"\n";
        assert_eq!(lark, wanted);
    }

    #[test]
    fn a_recursive_one_is_made_of_rules() {
        let lark = to_lark("root ::= \"(\" root? \")\"").unwrap();
        assert_eq!(lark, "start: r0\nr0: \"(\" r0? \")\"\n");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (grammar, wanted) in [
            ("root ::= \"a", "line 1: a text is not closed"),
            ("root ::= (\"a\"\n", "line 2: a bracket is not closed"),
            ("root ::= b", "the rule b is used, and there is none"),
            ("a ::= \"x\"", "it has no rule called root"),
            (
                "root ::= \"a\"\n\nroot ::= \"b\"",
                "line 3: there are two rules called root",
            ),
            ("root ::= [z", "line 1: a class of characters is not closed"),
            ("root ::= \"\\q\"", "line 1: the escape \\q is not known"),
            ("root ::= <[12]>", "line 1: nothing begins with <"),
            (
                "root ::= \"a\"{x}",
                "line 1: a repetition must be like {2}, {2,} or {2,5}",
            ),
        ] {
            assert_eq!(to_lark(grammar).unwrap_err(), wanted, "{grammar}");
        }
    }
}
