//! The text of HTML.

use html2text::render::{TaggedLine, TextDecorator};

/// A page in words.
pub struct Page {
    /// What its head calls it.
    pub title: Option<String>,
    /// Its text. Quotes are lines that begin with `>`.
    pub text: String,
}

/// Wide enough to leave lines as they are.
const WIDTH: usize = 100_000;

/// Elements within elements, at most. The library's work grows with the cube of it.
const DEEPEST: usize = 200;

/// Elements that are laid out within each other, of those whose ends are always written: a cell may end where the next begins.
const NESTING: [&[u8]; 7] = [b"blockquote", b"ul", b"ol", b"dl", b"table", b"div", b"pre"];

/// Bytes of a page that the library reads, at most.
const LARGEST: usize = 8 << 20;

/// The title and the text of `html`.
pub fn read(html: &str) -> Page {
    let text = if html.len() > LARGEST || is_deep(html) {
        mail_parser::decoders::html::html_to_text(html)
    } else {
        laid_out(html)
    };
    Page {
        title: title(html),
        text,
    }
}

/// Whether elements are nested deeper than people write them.
fn is_deep(html: &str) -> bool {
    let mut depth = 0usize;
    for (at, _) in html.match_indices('<') {
        let rest = html.as_bytes().get(at + 1..).unwrap_or_default();
        let (is_end, name) = match rest.split_first() {
            Some((b'/', name)) => (true, name),
            _ => (false, rest),
        };
        let is_nesting = NESTING.iter().any(|nesting| {
            let begins = name
                .get(..nesting.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(nesting));
            begins && !name.get(nesting.len()).is_some_and(u8::is_ascii_alphanumeric)
        });
        if is_nesting && is_end {
            depth = depth.saturating_sub(1);
        } else if is_nesting {
            depth += 1;
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

fn laid_out(html: &str) -> String {
    let config = html2text::config::with_decorator(Words)
        .raw_mode(true)
        .no_table_borders()
        .allow_width_overflow()
        .link_footnotes(false);
    let text = config.string_from_read(html.as_bytes(), WIDTH);
    // What it gives up on is read in a simpler way.
    text.unwrap_or_else(|_| mail_parser::decoders::html::html_to_text(html))
}

fn title(html: &str) -> Option<String> {
    let small = html.to_ascii_lowercase();
    let begin = small.find("<title")?;
    let begin = begin + small.get(begin..)?.find('>')? + 1;
    let end = begin + small.get(begin..)?.find("</title")?;
    let title = mail_parser::decoders::html::html_to_text(html.get(begin..end)?);
    let title = super::entry::one_line(&title);
    (!title.is_empty()).then_some(title)
}

/// Words and nothing beside them.
#[derive(Clone)]
struct Words;

impl TextDecorator for Words {
    type Annotation = ();

    fn decorate_link_start(&mut self, _url: &str) -> (String, ()) {
        Default::default()
    }

    fn decorate_link_end(&mut self) -> String {
        String::new()
    }

    fn decorate_em_start(&self) -> (String, ()) {
        Default::default()
    }

    fn decorate_em_end(&self) -> String {
        String::new()
    }

    fn decorate_strong_start(&self) -> (String, ()) {
        Default::default()
    }

    fn decorate_strong_end(&self) -> String {
        String::new()
    }

    fn decorate_strikeout_start(&self) -> (String, ()) {
        Default::default()
    }

    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }

    fn decorate_code_start(&self) -> (String, ()) {
        Default::default()
    }

    fn decorate_code_end(&self) -> String {
        String::new()
    }

    fn decorate_preformat_first(&self) {}

    fn decorate_preformat_cont(&self) {}

    fn decorate_image(&mut self, _source: &str, title: &str) -> (String, ()) {
        (title.to_owned(), ())
    }

    fn header_prefix(&self, _level: usize) -> String {
        String::new()
    }

    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }

    fn unordered_item_prefix(&self) -> String {
        "- ".to_owned()
    }

    fn ordered_item_prefix(&self, number: i64) -> String {
        format!("{number}. ")
    }

    fn make_subblock_decorator(&self) -> Self {
        Self
    }

    fn decorate_superscript_start(&self) -> (String, ()) {
        Default::default()
    }

    fn decorate_superscript_end(&self) -> String {
        String::new()
    }

    fn finalise(&mut self, _links: Vec<String>) -> Vec<TaggedLine<()>> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_left() {
        let page = read(
            "<html><head><title>My &amp; soup</title><style>p{}</style></head><body><h1>Soup</h1><p>I am <b>vegan</b>, <a href='x'>see</a>.</p>\
             <ul><li>one</li></ul><blockquote>Bob's<br>words</blockquote><table><tr><td>left</td><td>right</td></tr></table><script>x</script></body></html>",
        );
        assert_eq!(page.title.as_deref(), Some("My & soup"));
        for part in [
            "Soup\n",
            "I am vegan, see.",
            "- one",
            "> Bob's\n> words",
            "left",
            "right",
        ] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        assert!(!page.text.contains(['<', '*', '{', 'x']), "{}", page.text);
    }

    #[test]
    fn a_page_that_is_nested_too_deep_keeps_its_words() {
        let page = read(&format!("{}soup", "<blockquote>x".repeat(20_000)));
        assert!(page.text.contains("soup"));
    }

    #[test]
    fn cells_without_ends_are_not_nested() {
        let page = read(&format!(
            "<table><tr>{}</table><blockquote>Bob</blockquote>",
            "<td>x".repeat(500)
        ));
        assert!(page.text.contains("> Bob"), "{}", page.text);
    }
}
