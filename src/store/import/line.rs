//! Reading line by line, with lines of bounded length.

use std::io::{BufRead, Read, Result};

/// The longest line that is read, in bytes.
pub const MOST_BYTES: usize = 16 << 20;

/// What [`read_line`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A line, which may be empty.
    Whole,
    /// A line of more bytes than wanted. It has been passed over.
    TooLong,
    /// Nothing more.
    End,
}

/// Reads a line of up to `most` bytes into `line`, which is empty before.
pub fn read_line(source: &mut impl BufRead, line: &mut Vec<u8>, most: usize) -> Result<Line> {
    if source.by_ref().take(most as u64 + 1).read_until(b'\n', line)? == 0 {
        return Ok(Line::End);
    }
    if line.len() > most && line.last() != Some(&b'\n') {
        source.skip_until(b'\n')?;
        return Ok(Line::TooLong);
    }
    Ok(Line::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_passed_over() {
        let mut source: &[u8] = b"abc\n\nabcd\nab";
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            let found = read_line(&mut source, &mut line, 3).unwrap();
            if found == Line::End {
                break;
            }
            lines.push((found, line.len()));
        }
        assert_eq!(
            lines,
            [(Line::Whole, 4), (Line::Whole, 1), (Line::TooLong, 4), (Line::Whole, 2)]
        );
    }
}
