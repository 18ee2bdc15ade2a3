/// Whether there is nothing but blanks; true of nothing at all.
pub fn is_blank(text: &[u8]) -> bool {
    text.trim_ascii().is_empty()
}

/// Where `mark` begins in `text`.
pub fn position_of(text: &[u8], mark: &[u8]) -> Option<usize> {
    text.windows(mark.len().max(1)).position(|window| window == mark)
}

/// Bytes at the end of `text` that `mark` begins with.
pub fn longest_beginning(text: &[u8], mark: &[u8]) -> usize {
    let lengths = (1..=mark.len().min(text.len())).rev();
    let fits = |length: &usize| mark.get(..*length).is_some_and(|beginning| text.ends_with(beginning));
    lengths.into_iter().find(fits).unwrap_or(0)
}
