//! The merges of a SentencePiece vocabulary, which has scores instead.

use std::collections::HashMap;

/// Bytes of a piece, at most: no model has a piece that is near it, and each is cut at every character.
const MOST_BYTES: usize = 4096;

/// Pairs of pieces that may become one, the most urgent first. `pieces` are texts with their scores, `known` the ids of all tokens.
///
/// A piece may come of any two that make it up. The higher its score, the earlier it is made; of the same piece and of equal scores,
/// longer first parts come first.
pub fn merges<'a>(pieces: &[(&'a str, f64)], known: &HashMap<&str, usize>) -> Vec<(&'a str, &'a str)> {
    let mut all: Vec<(f64, &str, &str)> = Vec::new();
    for (piece, score) in pieces.iter().filter(|(piece, _)| piece.len() <= MOST_BYTES) {
        let cuts = piece.char_indices().skip(1).map(|(cut, _)| piece.split_at(cut));
        let mut halves: Vec<(usize, usize, &str, &str)> = cuts
            .filter_map(|(left, right)| Some((*known.get(left)?, *known.get(right)?, left, right)))
            .collect();
        halves.sort_unstable();
        all.extend(halves.into_iter().map(|(_, _, left, right)| (*score, left, right)));
    }
    let length = |text: &str| text.chars().count();
    all.sort_by(|one, other| {
        let by_score = other.0.total_cmp(&one.0);
        let by_left = || length(other.1).cmp(&length(one.1));
        let by_right = || length(other.2).cmp(&length(one.2));
        by_score.then_with(by_left).then_with(by_right)
    });
    all.into_iter().map(|(_, left, right)| (left, right)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn higher_scores_merge_first_and_parts_must_be_tokens() {
        let tokens = ["a", "b", "ab", "aba", "ba", "c"];
        let known = tokens.iter().enumerate().map(|(id, token)| (*token, id)).collect();
        let pieces = [("ab", -2.0), ("ba", -1.0), ("aba", -3.0), ("bc", -9.0), ("xa", 0.0)];
        assert_eq!(
            merges(&pieces, &known),
            [("b", "a"), ("a", "b"), ("ab", "a"), ("a", "ba"), ("b", "c")]
        );
    }
}
