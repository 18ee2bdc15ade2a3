//! Against the definition, looked up token by token, on made-up vocabularies and models.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::logits::ProjectedLogits;
use super::*;
use crate::steering::Projection;
use crate::vocabulary::{Alignment, AlignmentChoice, TokenId, Tokenizer};

const END: &str = "<end>";

const TEMPLATE: &str = "{{ messages[0].content }}";

fn tokenizer(words: &[Vec<u8>]) -> Arc<Tokenizer> {
    tokenizer_with(words, TEMPLATE)
}

/// A byte-level tokenizer with these tokens, none of which is merged from others, and one that ends a turn.
fn tokenizer_with(words: &[Vec<u8>], template: &str) -> Arc<Tokenizer> {
    let folder = std::env::temp_dir().join(format!("costeer-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder).unwrap();
    let names = words.iter().map(|word| String::from_utf8(word.clone()).unwrap());
    let vocabulary: Map<String, Value> = names.enumerate().map(|(id, word)| (word, id.into())).collect();
    let id = words.len();
    let write = |name: &str, value: Value| std::fs::write(folder.join(name), value.to_string()).unwrap();
    write(
        "tokenizer.json",
        json!({
            "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "post_processor": null,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
            "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
            "added_tokens": [{
                "id": id, "content": END, "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false
            }],
            "model": {
                "type": "BPE", "vocab": vocabulary, "merges": [], "dropout": null, "unk_token": null,
                "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
                "ignore_merges": false
            }
        }),
    );
    write(
        "tokenizer_config.json",
        json!({"eos_token": END, "chat_template": template}),
    );
    let loaded = Tokenizer::load(Path::new(&folder)).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    Arc::new(loaded)
}

/// Logits that depend on everything fed before, and on the branch.
fn logits(fed: &[TokenId], branch: usize, size: usize) -> Logits {
    let logit = |id: usize| {
        let mut hasher = DefaultHasher::new();
        (fed, branch, id).hash(&mut hasher);
        (hasher.finish() % 8000) as f32 / 1000.0 - 4.0
    };
    Logits::new((0..size).map(logit).collect())
}

/// What each branch says about every token of the upstream's.
fn written_out(spelling: &Spelling, branches: &Arc<[Logits; 2]>) -> [ProjectedLogits; 2] {
    match spelling.project(branches) {
        Projected::Pending(projected) => projected,
        Projected::Settled(settled) => [0, 1].map(|branch: usize| {
            let normaliser = <[f64; 2]>::from(settled.normalisers())[branch];
            let each = (0..settled.size()).map(|token| settled.logits(token));
            ProjectedLogits {
                logits: each
                    .map(|logits| logits.map_or(normaliser as f32, |logits| logits[branch]))
                    .collect(),
                normaliser,
            }
        }),
    }
}

/// A walk through a text, and what the definition needs of it.
pub(super) struct Walk {
    pub(super) upstream: Vec<Vec<u8>>,
    local: Vec<Vec<u8>>,
    pub(super) spelling: Spelling,
    pub(super) branches: Arc<[Logits; 2]>,
    fed: Vec<TokenId>,
    /// What the small model has not been fed as a whole token.
    pending: Vec<u8>,
    /// The logits before the last token fed, where that was one token, and the bytes pending then: a longer token may have been meant.
    before: Option<(Arc<[Logits; 2]>, Vec<u8>, TokenId)>,
}

impl Walk {
    pub(super) fn new(choice: AlignmentChoice, upstream: Vec<Vec<u8>>, local: Vec<Vec<u8>>) -> Self {
        let alignment = Alignment::new(choice, tokenizer(&upstream), tokenizer(&local)).unwrap();
        let size = local.len() + 1;
        Self {
            spelling: Spelling::new(Arc::new(alignment), false),
            branches: Arc::new([logits(&[], 0, size), logits(&[], 1, size)]),
            upstream,
            local,
            fed: Vec::new(),
            pending: Vec::new(),
            before: None,
        }
    }

    pub(super) fn step(&mut self, picked: usize) {
        let token = TokenId(picked as u32);
        let written = [self.pending.as_slice(), &self.upstream[picked]].concat();
        let tokens = self
            .spelling
            .follow(&[token], Some([&self.branches[0], &self.branches[1]]));
        if tokens.is_empty() {
            self.pending = written;
            self.before = None;
            return;
        }
        let spelled: Vec<u8> = tokens.iter().flat_map(|id| self.local[id.index()].clone()).collect();
        assert_eq!(spelled, written, "what is fed must be what is written");
        self.fed.extend(&tokens);
        let size = self.local.len() + 1;
        let new = Arc::new([logits(&self.fed, 0, size), logits(&self.fed, 1, size)]);
        let old = std::mem::replace(&mut self.branches, new);
        let one = tokens.len() == 1;
        self.before = one.then(|| (old, std::mem::take(&mut self.pending), token));
        self.pending.clear();
    }

    /// The longest token of the upstream's that `text` begins with.
    fn first(&self, text: &[u8]) -> Option<usize> {
        let begins = (0..self.upstream.len()).filter(|id| text.starts_with(&self.upstream[*id]));
        begins.max_by_key(|id| self.upstream[*id].len())
    }

    /// The probability that the small model goes on with a text that the upstream begins with `token`, by looking at every token;
    /// `None` where there is none.
    fn owned(&self, token: usize, branch: usize) -> Option<f64> {
        let probability = |logits: &Logits, id: usize| logits.logprob(TokenId(id as u32)).exp();
        let all = 0..self.local.len();
        let longer =
            |id: &usize, begun: &[u8]| self.local[*id].len() > begun.len() && self.local[*id].starts_with(begun);
        let within = all.clone().filter(|id| longer(id, &self.pending));
        let own = within.filter(|id| self.first(&self.local[*id][self.pending.len()..]) == Some(token));
        let mut parts: Vec<f64> = own.map(|id| probability(&self.branches[branch], id)).collect();
        let is_unmapped = parts.is_empty();
        if let Some((branches, rest, picked)) = &self.before {
            let begun = [rest.as_slice(), &self.upstream[picked.index()]].concat();
            let fed = all.clone().find(|id| self.local[*id] == begun).unwrap();
            let meant = all.filter(|id| longer(id, &begun));
            let meant = meant.filter(|id| self.first(&self.local[*id][rest.len()..]) == Some(picked.index()));
            let meant = meant.filter(|id| self.first(&self.local[*id][begun.len()..]) == Some(token));
            parts.extend(meant.map(|id| probability(&branches[branch], id) / probability(&branches[branch], fed)));
            if is_unmapped && !parts.is_empty() {
                // It is mapped to its first letter, too, which begins the same text.
                let first = self
                    .local
                    .iter()
                    .position(|word| *word == self.upstream[token][..1])
                    .unwrap();
                parts.push(probability(&self.branches[branch], first));
            }
        }
        (!parts.is_empty()).then(|| parts.iter().sum())
    }

    /// The probability that what waits is a whole token.
    fn ends_here(&self, branch: usize) -> f64 {
        let whole = self.local.iter().position(|word| *word == self.pending);
        whole.map_or(0.0, |id| self.branches[branch].logprob(TokenId(id as u32)).exp())
    }
}

/// All letters, and some words of them.
pub(super) fn words() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let letter = || prop::sample::select(vec![b'a', b'b', b'c']);
    prop::collection::btree_set(prop::collection::vec(letter(), 2..5), 0..25).prop_map(|words| {
        let letters = [b"a", b"b", b"c"].map(|letter| letter.to_vec());
        letters.into_iter().chain(words).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn delta_of_a_token_is_the_sum_over_everything_that_goes_on_with_it(
        upstream in words(),
        local in words(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..12),
    ) {
        let mut walk = Walk::new(AlignmentChoice::Bytes, upstream, local);
        for pick in picks {
            let projected = written_out(&walk.spelling, &walk.branches);
            for token in 0..walk.upstream.len() {
                let logratio = |branch: usize| f64::from(projected[branch].logits[token]);
                let expected = [0, 1].map(|branch| walk.owned(token, branch));
                if let [Some(private), Some(public)] = expected {
                    let delta = logratio(0) - logratio(1);
                    let constant = walk.branches[0].normaliser() - walk.branches[1].normaliser();
                    let constant = if walk.pending.is_empty() { constant } else { 0.0 };
                    prop_assert!(
                        (delta - constant - (private.ln() - public.ln())).abs() < 1e-4,
                        "{:?} after {:?}: {} is not {}", walk.upstream[token], walk.pending, delta - constant, private.ln() - public.ln()
                    );
                }
            }
            walk.step(pick.index(walk.upstream.len()));
        }
    }

    /// The bytes themselves as the upstream's vocabulary: what comes next is a byte, the end, or something that ends what waits.
    #[test]
    fn next_bytes_sum_to_one(local in words(), picks in prop::collection::vec(0usize..3, 1..12)) {
        let bytes: Vec<Vec<u8>> = [b"a", b"b", b"c"].map(|letter| letter.to_vec()).to_vec();
        let mut walk = Walk::new(AlignmentChoice::Bytes, bytes, local);
        for pick in picks {
            let projected = written_out(&walk.spelling, &walk.branches);
            for (branch, one) in projected.iter().enumerate() {
                let probability = |id: usize| (f64::from(one.logits[id]) - one.normaliser).exp();
                let total = one.normaliser.exp();
                let byte = (0..3).filter(|byte| walk.owned(*byte, branch).is_some()).map(probability);
                let waits = !walk.pending.is_empty();
                let other = if waits { walk.ends_here(branch) / total } else { probability(3) };
                let sum = byte.sum::<f64>() + other;
                prop_assert!((sum - 1.0).abs() < 1e-5, "{sum} after {:?}", walk.pending);
            }
            walk.step(pick);
        }
    }

    #[test]
    fn one_vocabulary_comes_out_as_it_went_in(
        words in words(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..8),
        choice in prop::sample::select(vec![AlignmentChoice::Intersection, AlignmentChoice::Bytes]),
    ) {
        let mut walk = Walk::new(choice, words.clone(), words);
        for pick in picks {
            let projected = written_out(&walk.spelling, &walk.branches);
            for (one, logits) in projected.iter().zip(walk.branches.iter()) {
                prop_assert_eq!(&one.logits, &logits.raw);
            }
            let fed = walk.fed.len();
            let pick = pick.index(walk.upstream.len());
            walk.step(pick);
            prop_assert_eq!(&walk.fed[fed..], &[TokenId(pick as u32)]);
        }
    }

    #[test]
    fn what_has_no_twin_is_neither_favoured_nor_hindered(upstream in words(), local in words()) {
        let walk = Walk::new(AlignmentChoice::Intersection, upstream, local);
        let [private, public] = written_out(&walk.spelling, &walk.branches);
        for (id, word) in walk.upstream.iter().enumerate() {
            match walk.local.iter().position(|other| other == word) {
                Some(twin) => prop_assert_eq!(private.logits[id], walk.branches[0].raw[twin]),
                None => {
                    prop_assert_eq!(private.logits[id], private.normaliser as f32);
                    prop_assert_eq!(public.logits[id], public.normaliser as f32);
                }
            }
        }
    }
}

/// Some families put a space before an answer, others do not; what follows is the same text.
#[test]
fn a_space_before_the_answer_is_nobodys_word() {
    let spaced = "{% for message in messages %}[{{ message.role }}]{% if message.role == 'assistant' %} {% endif %}{{ message.content }}{% endfor %}{% if messages | length == 1 %}[assistant]{% endif %}";
    let bare = "{% for message in messages %}[{{ message.role }}]{{ message.content }}{% endfor %}{% if messages | length == 1 %}[assistant]{% endif %}";
    let words: Vec<Vec<u8>> = ["a", "b", "Ġ", "Ġa", "Ġb", "Ġab", "ab"]
        .iter()
        .map(|word| word.as_bytes().to_vec())
        .collect();
    let [a, spaced_a] = [TokenId(0), TokenId(3)];
    for (upstream, local, picked, fed) in [(bare, spaced, a, spaced_a), (spaced, bare, spaced_a, a)] {
        for choice in [AlignmentChoice::Intersection, AlignmentChoice::Bytes] {
            let (upstream, local) = (tokenizer_with(&words, upstream), tokenizer_with(&words, local));
            let alignment = Arc::new(Alignment::new(choice, upstream, local).unwrap());
            let branches = Arc::new([logits(&[], 0, 8), logits(&[], 1, 8)]);
            let mut spelling = Spelling::new(Arc::clone(&alignment), true);
            let projected = written_out(&spelling, &branches);
            let delta = f64::from(projected[0].logits[picked.index()]) - f64::from(projected[1].logits[picked.index()]);
            let meant = branches[0].logprob(fed) - branches[1].logprob(fed);
            assert!((delta - meant).abs() < 1e-5, "{choice:?}: {delta} is not {meant}");
            assert_eq!(spelling.follow(&[picked], Some([&branches[0], &branches[1]])), [fed]);
            // A bare text has no such beginning.
            let mut spelling = Spelling::new(alignment, false);
            assert_eq!(spelling.follow(&[picked], Some([&branches[0], &branches[1]])), [picked]);
        }
    }
}
