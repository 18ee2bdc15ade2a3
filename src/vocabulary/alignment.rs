use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use super::{TokenId, Tokenizer};

/// How the configuration wants the two vocabularies to be brought together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlignmentChoice {
    /// `Identical` where they are, `Bytes` otherwise.
    #[default]
    Auto,
    /// See [`AlignmentKind::Identical`].
    Identical,
    /// See [`AlignmentKind::Intersection`].
    Intersection,
    /// See [`AlignmentKind::Bytes`].
    Bytes,
}

/// How what the small model says about its own tokens becomes something about the upstream's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlignmentKind {
    /// One vocabulary: ids mean the same to both.
    Identical,
    /// A token of the upstream's is steered by the small model's token of the same bytes, and by nothing where there is none.
    Intersection,
    /// A token of the upstream's is steered by all of the small model's next tokens that begin the text it begins.
    Bytes,
}

impl fmt::Display for AlignmentKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Identical => "identical",
            Self::Intersection => "intersection",
            Self::Bytes => "bytes",
        })
    }
}

/// What two vocabularies have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The upstream's tokens that stand for text.
    pub upstream: usize,
    /// The small model's.
    pub local: usize,
    /// The upstream's for whose bytes the small model has a token, too.
    pub shared: usize,
    /// The upstream's about which some token of the small model's says something.
    pub steered: usize,
    /// The upstream's ids that end a turn and have such an id on the other side.
    pub ends: usize,
}

impl fmt::Display for Overlap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |tokens: usize| 100.0 * tokens as f64 / self.upstream.max(1) as f64;
        write!(
            formatter,
            "the upstream's vocabulary has {} tokens of text and the local model's {}; {} of the upstream's ({:.1} %) are tokens of \
             both, {} ({:.1} %) can be steered",
            self.upstream,
            self.local,
            self.shared,
            share(self.shared),
            self.steered,
            share(self.steered)
        )
    }
}

/// Which tokens of the small model's speak for each token of the upstream's while no text waits to become a whole token: the
/// sum of their probabilities stands for its.
pub struct Voices {
    /// The first voice of each upstream id; [`Self::NOBODY`] where there is none.
    first: Vec<u32>,
    /// The other voices, as (upstream id, local id) in rising order. Most tokens have none.
    others: Vec<(u32, u32)>,
}

impl Voices {
    /// In place of the voice of a token for which nobody speaks.
    pub const NOBODY: u32 = u32::MAX;

    /// From the voices of each upstream id.
    fn new(size: usize, mut pairs: Vec<(u32, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut first = vec![Self::NOBODY; size];
        pairs.retain(|(upstream, local)| match first.get_mut(*upstream as usize) {
            Some(slot) if *slot == Self::NOBODY => {
                *slot = *local;
                false
            }
            Some(_) => true,
            None => false,
        });
        pairs.shrink_to_fit();
        Self { first, others: pairs }
    }

    /// The first voice of each upstream id, shape `[upstream vocabulary]`.
    pub fn first(&self) -> &[u32] {
        &self.first
    }

    /// All further voices, those of one upstream id together.
    pub fn others(&self) -> &[(u32, u32)] {
        &self.others
    }

    /// Everybody who speaks for a token.
    pub fn of(&self, id: TokenId) -> impl Iterator<Item = TokenId> {
        let first = self
            .first
            .get(id.index())
            .copied()
            .filter(|voice| *voice != Self::NOBODY);
        let start = self.others.partition_point(|(upstream, _)| *upstream < id.0);
        let others = self.others[start..]
            .iter()
            .take_while(move |(upstream, _)| *upstream == id.0);
        first.into_iter().chain(others.map(|(_, local)| *local)).map(TokenId)
    }

    /// Heap memory, in bytes.
    pub fn memory(&self) -> usize {
        4 * self.first.len() + 8 * self.others.len()
    }
}

/// Two vocabularies, and how the small model's speaks for the upstream's.
///
/// The texts that begin with a token u of the upstream's are those that the upstream begins with u. Taking the longest token
/// that goes, as tokenizers nearly always do, these are the texts that begin with u's bytes and with no longer token of
/// its. So a token t of the small model's speaks for the longest token of the upstream's that t begins with: for its twin
/// where there is one, which makes this the identity for identical vocabularies. A token of the upstream's that nothing
/// speaks for is longer than what the small model would write next; the first token of its own spelling speaks for it then,
/// as much as can be known before that has been written.
pub struct Alignment {
    kind: AlignmentKind,
    upstream: Arc<Tokenizer>,
    local: Arc<Tokenizer>,
    voices: Voices,
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
    /// Brings the two vocabularies together as `choice` says; `None` where it says that they are identical, and they are not.
    pub fn new(choice: AlignmentChoice, upstream: Arc<Tokenizer>, local: Arc<Tokenizer>) -> Option<Self> {
        let identical = local.same_vocabulary(&upstream);
        let kind = match choice {
            AlignmentChoice::Auto if identical => AlignmentKind::Identical,
            AlignmentChoice::Identical if !identical => return None,
            AlignmentChoice::Identical => AlignmentKind::Identical,
            AlignmentChoice::Intersection => AlignmentKind::Intersection,
            AlignmentChoice::Auto | AlignmentChoice::Bytes => AlignmentKind::Bytes,
        };
        // Ids are passed on as they are where they mean the same.
        let twins = if kind == AlignmentKind::Identical {
            Vec::new()
        } else {
            twins(&upstream, &local)
        };
        let shared = if kind == AlignmentKind::Identical {
            upstream.lexicon().tokens()
        } else {
            distinct(&twins)
        };
        let ends = ends(&upstream, &local);
        let pairs = match kind {
            AlignmentKind::Identical | AlignmentKind::Intersection => twins,
            AlignmentKind::Bytes => speakers(&upstream, &local, twins),
        };
        let steered = if kind == AlignmentKind::Identical {
            shared
        } else {
            distinct(&pairs)
        };
        let overlap = Overlap {
            upstream: upstream.lexicon().tokens(),
            local: local.lexicon().tokens(),
            shared,
            steered,
            ends: distinct(&ends),
        };
        let size = if kind == AlignmentKind::Identical {
            0
        } else {
            upstream.selectable().len()
        };
        let voices = Voices::new(size, pairs.into_iter().chain(ends).collect());
        let leads = (upstream.lead(), local.lead());
        Some(Self {
            kind,
            voices,
            leads: if kind == AlignmentKind::Identical || leads.0 == leads.1 {
                Leads::default()
            } else {
                Leads {
                    upstream: leads.0,
                    local: leads.1,
                }
            },
            overlap,
            upstream,
            local,
        })
    }

    /// How it is done.
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

    /// Who speaks for whom. Empty for identical vocabularies.
    pub fn voices(&self) -> &Voices {
        &self.voices
    }

    /// How the answer to a chat begins on each side.
    pub fn leads(&self) -> &Leads {
        &self.leads
    }

    /// Heap memory of what the alignment needs beside the two tokenizers, in bytes.
    pub fn memory(&self) -> usize {
        match self.kind {
            AlignmentKind::Identical => 0,
            _ => self.voices.memory() + self.upstream.lexicon().memory() + self.local.lexicon().memory(),
        }
    }
}

/// How many upstream ids have a voice.
fn distinct(pairs: &[(u32, u32)]) -> usize {
    let mut ids: Vec<u32> = pairs.iter().map(|(upstream, _)| *upstream).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.len()
}

/// The tokens of the same bytes. What a text is written in speaks for its like, and lone bytes for lone bytes, where both sides
/// have both.
fn twins(upstream: &Tokenizer, local: &Tokenizer) -> Vec<(u32, u32)> {
    let (theirs, ours) = (upstream.lexicon(), local.lexicon());
    let mut pairs = Vec::new();
    for place in 0..theirs.tokens() {
        let id = theirs.id(place);
        let same: Vec<TokenId> = ours.exactly(theirs.bytes(place)).map(|place| ours.id(place)).collect();
        let alike = |voice: &&TokenId| local.is_lone_byte(**voice) == upstream.is_lone_byte(id);
        let has_like = same.iter().any(|voice| alike(&voice));
        let voices = same.iter().filter(|voice| !has_like || alike(voice));
        pairs.extend(voices.map(|voice| (id.0, voice.0)));
    }
    pairs
}

/// Twins, and whoever speaks for what has none or begins the same text.
fn speakers(upstream: &Tokenizer, local: &Tokenizer, twins: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    let (theirs, ours) = (upstream.lexicon(), local.lexicon());
    let mut pairs = twins;
    for place in 0..ours.tokens() {
        let bytes = ours.bytes(place);
        let longest = theirs.longest_beginning(bytes);
        let goes_on = longest.filter(|place| theirs.bytes(*place).len() < bytes.len());
        pairs.extend(goes_on.map(|longest| (theirs.id(longest).0, ours.id(place).0)));
    }
    let mut spoken_for = vec![false; upstream.selectable().len()];
    for (id, _) in &pairs {
        spoken_for[*id as usize] = true;
    }
    for place in 0..theirs.tokens() {
        let id = theirs.id(place);
        if !spoken_for[id.index()]
            && let Some(first) = local.split(theirs.bytes(place)).first()
        {
            pairs.push((id.0, first.0));
        }
    }
    pairs
}

/// What ends a turn speaks for what ends a turn: each side's usual one for the other's; of the rest, those of one name for each other,
/// and otherwise all of them.
fn ends(upstream: &Tokenizer, local: &Tokenizer) -> Vec<(u32, u32)> {
    let others = || local.ends().iter().filter(|id| **id != local.end());
    let mut pairs = vec![(upstream.end().0, local.end().0)];
    for id in upstream.ends().iter().filter(|id| **id != upstream.end()) {
        let namesake = others().find(|other| local.name(**other) == upstream.name(*id));
        match namesake {
            Some(namesake) => pairs.push((id.0, namesake.0)),
            None => pairs.extend(others().map(|other| (id.0, other.0))),
        }
    }
    pairs
}
