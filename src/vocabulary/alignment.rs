use std::sync::Arc;

use super::pairing::{by_bytes, distinct, ends, twins};
use super::{AlignmentChoice, AlignmentKind, Overlap, TokenMap, Tokenizer};

/// Two vocabularies, and which tokens of the small model's stand for which of the upstream's.
///
/// The probability of an upstream token u is the probability of the texts that the upstream would begin with u. Tokenizers
/// nearly always take the longest token that fits. So these are the texts that begin with the bytes of u, and with no longer
/// token of the upstream's. A token t of the small model's is therefore mapped to the longest upstream token that t begins with.
/// That is its twin of the same bytes, where there is one, so that identical vocabularies are mapped one to one.
///
/// An upstream token that no local token is mapped to is longer than anything the small model would write next. The first token
/// of the small model's own spelling of it stands for it then: more cannot be known before that token has been written.
pub struct Alignment {
    kind: AlignmentKind,
    upstream: Arc<Tokenizer>,
    local: Arc<Tokenizer>,
    token_map: TokenMap,
    leads: Leads,
    overlap: Overlap,
}

/// What each side writes between a chat's prompt and the answer, where that is not the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leads {
    /// The upstream.
    pub upstream: Vec<u8>,
    /// The small model.
    pub local: Vec<u8>,
}

impl Alignment {
    /// Aligns the two vocabularies as `choice` says. `None` where it says that they are identical, and they are not.
    pub fn new(choice: AlignmentChoice, upstream: Arc<Tokenizer>, local: Arc<Tokenizer>) -> Option<Self> {
        let identical = local.same_vocabulary(&upstream);
        let kind = match choice {
            AlignmentChoice::Auto if identical => AlignmentKind::Identical,
            AlignmentChoice::Identical if !identical => return None,
            AlignmentChoice::Identical => AlignmentKind::Identical,
            AlignmentChoice::Intersection => AlignmentKind::Intersection,
            AlignmentChoice::Auto | AlignmentChoice::Bytes => AlignmentKind::Bytes,
        };
        // Identical ids are passed on as they are and need no pairs.
        let is_identical = kind == AlignmentKind::Identical;
        let twins = if is_identical {
            Vec::new()
        } else {
            twins(&upstream, &local)
        };
        let shared = distinct(&twins);
        let pairs = match kind {
            AlignmentKind::Identical | AlignmentKind::Intersection => twins,
            AlignmentKind::Bytes => by_bytes(&upstream, &local, twins),
        };
        let ends = ends(&upstream, &local);
        let tokens = upstream.lexicon().tokens();
        let overlap = Overlap {
            upstream: tokens,
            local: local.lexicon().tokens(),
            shared: if is_identical { tokens } else { shared },
            steered: if is_identical { tokens } else { distinct(&pairs) },
            ends: distinct(&ends),
        };
        let size = |side: &Tokenizer| if is_identical { 0 } else { side.selectable().len() };
        let pairs = pairs.into_iter().chain(ends).collect();
        let token_map = TokenMap::new(size(&upstream), size(&local), pairs);
        let leads = Leads {
            upstream: upstream.lead(),
            local: local.lead(),
        };
        let is_same_lead = is_identical || leads.upstream == leads.local;
        Some(Self {
            kind,
            token_map,
            leads: if is_same_lead { Leads::default() } else { leads },
            overlap,
            upstream,
            local,
        })
    }

    /// In which way the small model's tokens stand for the upstream's.
    pub fn kind(&self) -> AlignmentKind {
        self.kind
    }

    /// What the vocabularies have in common.
    pub fn overlap(&self) -> Overlap {
        self.overlap
    }

    /// The upstream's vocabulary, in which answers are written.
    pub fn upstream(&self) -> &Arc<Tokenizer> {
        &self.upstream
    }

    /// The small model's.
    pub fn local(&self) -> &Arc<Tokenizer> {
        &self.local
    }

    /// Which local tokens stand for which upstream token. Empty for identical vocabularies.
    pub fn token_map(&self) -> &TokenMap {
        &self.token_map
    }

    /// How the answer to a chat begins on each side.
    pub fn leads(&self) -> &Leads {
        &self.leads
    }

    /// Heap memory of what the alignment needs beside the two tokenizers, in bytes.
    pub fn memory(&self) -> usize {
        match self.kind {
            AlignmentKind::Identical => 0,
            _ => self.token_map.memory() + self.upstream.lexicon().memory() + self.local.lexicon().memory(),
        }
    }
}
