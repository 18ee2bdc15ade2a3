//! Text whose lines flow (RFC 3676): a space at the end says that the paragraph goes on.

/// `text` with a line for each paragraph. Where `joined`, that last space is no part of the text.
pub fn unflowed(text: &str, joined: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let line = line.trim_end_matches(['\r', '\n']);
        let depth = line.bytes().take_while(|byte| *byte == b'>').count();
        let content = line.get(depth..).unwrap_or_default();
        // A space was put before what would look like a quote or a mailbox's line.
        let content = content.strip_prefix(' ').unwrap_or(content);
        let signature = content == "-- ";
        if open.is_some_and(|open| open != depth || signature) {
            end_line(&mut out);
            open = None;
        }
        if open.is_none() && depth > 0 {
            out.extend(std::iter::repeat_n('>', depth));
            out.push(' ');
        }
        let flows = content.ends_with(' ') && !signature;
        let kept = if flows && joined {
            content.strip_suffix(' ').unwrap_or(content)
        } else {
            content
        };
        out.push_str(kept);
        if flows {
            open = Some(depth);
        } else {
            out.push('\n');
            open = None;
        }
    }
    if open.is_some() {
        end_line(&mut out);
    }
    out
}

fn end_line(out: &mut String) {
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::unflowed;

    #[test]
    fn paragraphs_are_put_together() {
        assert_eq!(
            unflowed("One line \r\nthat flows.\r\n\r\n> Two \r\n> three\r\n-- \r\nAda", false),
            "One line that flows.\n\n> Two three\n-- \nAda\n"
        );
        assert_eq!(unflowed("ab \ncd\n From here ", true), "abcd\nFrom here\n");
        assert_eq!(unflowed("one \n> two\n", false), "one\n> two\n");
    }
}
