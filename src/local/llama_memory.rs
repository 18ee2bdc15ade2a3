//! How much memory llama.cpp takes for the tokens of its sequences.

/// Tokens a branch can hold where nothing is set and the model could hold more: memory for all of them is taken at the start.
pub const WINDOW: usize = 4096;

/// Tokens of a sequence from which on flash attention on a CPU takes its kernel for many.
pub const TILE: usize = 64;

/// Cells beyond the window, for tokens that fill up a run and are forgotten again.
const SPARE: usize = TILE;

/// llama.cpp rounds a sequence's cells up to a multiple of this.
const CELLS: usize = 256;

/// Pairs of sequences that only remember: more would not be found faster than computed anew.
const MOST_REMEMBERING: usize = 16;

/// Cells of the memory of a sequence that can hold so many tokens.
pub fn cells(length: usize) -> usize {
    (length + SPARE).next_multiple_of(CELLS)
}

/// Sequences for `slots` sessions, where `cache` bytes remember and a sequence takes `sequence` bytes: two for each session, those that
/// remember, and one that stays empty.
pub fn sequences_for(slots: usize, cache: usize, sequence: usize) -> usize {
    let remembering = (cache / (2 * sequence).max(1)).min(MOST_REMEMBERING);
    2 * (slots + remembering) + 1
}

/// Bytes of all sequences for `slots` sessions of `length` tokens, each token taking `token` bytes.
pub fn memory_of(slots: usize, cache: usize, token: usize, length: usize) -> usize {
    let sequence = token.saturating_mul(cells(length));
    sequence.saturating_mul(sequences_for(slots, cache, sequence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measured_model_takes_what_it_was_measured_to_take() {
        // SmolLM2-135M: 30 layers, 3 heads of 64 numbers for keys and as many for values, two bytes each. Eight slots, a window of 2,048, nothing
        // remembered: 902 MB (benches/README.md).
        let token = 30 * 3 * (64 + 64) * 2;
        assert_eq!(memory_of(8, 0, token, 2048) / 1_000_000, 902);
    }
}
