//! Which of the server's slots a session computes in.
//!
//! A slot holds the cache of what was last computed in it. Left to itself, the server gives a request that is reopened to another slot
//! when the session's own is not yet free again, or to a slot whose cache another session still needs. The whole prompt is then computed
//! anew. So each session has a slot of its own, as long as there are enough.

use std::cmp::Reverse;
use std::sync::{Mutex, PoisonError, Weak};

use crate::upstream::Affinity;
use crate::upstream::affinity::Session;
use crate::vocabulary::TokenId;

/// Which slot a request goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The server's number of the slot.
    pub slot: usize,
    /// Tokens of the prefix that the slot need not hold yet, as far as is known here.
    pub fresh: usize,
    /// Whether the session has been there before.
    pub returning: bool,
}

impl Seat {
    /// Whether next to nothing has to be computed there before the answer goes on.
    pub fn only_goes_on(&self) -> bool {
        self.returning && self.fresh <= FEW
    }
}

/// Tokens that any server computes at once.
const FEW: usize = 64;

/// The slots of one server, as this proxy uses them. Other programs may use them, too.
pub struct Slots(Mutex<Vec<Slot>>);

#[derive(Clone, Default)]
struct Slot {
    /// The sessions that compute in it.
    sessions: Vec<Weak<Session>>,
    /// What it was last asked to go on from.
    held: Vec<TokenId>,
}

impl Slots {
    /// So many, all free.
    pub fn new(count: usize) -> Self {
        Self(Mutex::new(vec![Slot::default(); count]))
    }

    /// The slot for a session that goes on from `prefix`: its own, or else the one with the fewest sessions, and of those the one that
    /// holds the longest beginning of the prefix. `None` where no slots are known.
    pub fn seat(&self, affinity: &Affinity, prefix: &[TokenId]) -> Option<Seat> {
        let mut slots = self.slots();
        let own = slots.iter().position(|slot| slot.has(affinity));
        let slot = own.or_else(|| choose(&slots, prefix, None))?;
        Some(sit(&mut slots, slot, affinity, prefix, own.is_some()))
    }

    /// The slot turned out to hold something else, or to be busy with something else: somebody shares it. Gives the session another one
    /// at random, because that somebody may be about to move as well.
    pub fn leave(&self, affinity: &Affinity, slot: usize) {
        let mut slots = self.slots();
        let Some(left) = slots.get_mut(slot) else {
            return;
        };
        left.sessions.retain(|session| !affinity.is(session));
        left.held.clear();
        if let Some(other) = choose(&slots, &[], Some(slot)) {
            sit(&mut slots, other, affinity, &[], false);
        }
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, Vec<Slot>> {
        // Nothing that holds the lock can panic half way through a change.
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for slot in slots.iter_mut() {
            slot.sessions.retain(|session| session.strong_count() > 0);
        }
        slots
    }
}

impl Slot {
    fn has(&self, affinity: &Affinity) -> bool {
        self.sessions.iter().any(|session| affinity.is(session))
    }
}

fn choose(slots: &[Slot], prefix: &[TokenId], but: Option<usize>) -> Option<usize> {
    let usable = slots.iter().enumerate().filter(|(index, _)| Some(*index) != but);
    let order = |slot: &Slot| {
        let chance: u32 = rand::random();
        (slot.sessions.len(), Reverse(common(&slot.held, prefix)), chance)
    };
    usable.min_by_key(|(_, slot)| order(slot)).map(|(index, _)| index)
}

fn sit(slots: &mut [Slot], index: usize, affinity: &Affinity, prefix: &[TokenId], returning: bool) -> Seat {
    let mut fresh = prefix.len();
    if let Some(slot) = slots.get_mut(index) {
        fresh -= common(&slot.held, prefix);
        slot.held = prefix.to_vec();
        if !returning {
            slot.sessions.push(affinity.session());
        }
    }
    Seat {
        slot: index,
        fresh,
        returning,
    }
}

/// Tokens that both begin with.
fn common(left: &[TokenId], right: &[TokenId]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &[u32]) -> Vec<TokenId> {
        text.iter().copied().map(TokenId).collect()
    }

    #[test]
    fn each_session_has_a_slot_of_its_own_until_it_ends() {
        let slots = Slots::new(3);
        let sessions: Vec<Affinity> = (0..3).map(|_| Affinity::default()).collect();
        let seat = |affinity: &Affinity| slots.seat(affinity, &ids(&[1, 2])).unwrap();
        let first: Vec<Seat> = sessions.iter().map(seat).collect();
        let mut taken: Vec<usize> = first.iter().map(|seat| seat.slot).collect();
        taken.sort_unstable();
        assert_eq!(taken, [0, 1, 2]);
        for (session, first) in sessions.iter().zip(&first) {
            let again = seat(&session.clone());
            assert_eq!((again.slot, again.fresh, again.returning), (first.slot, 0, true));
        }
        let (gone, kept) = sessions.split_first().unwrap();
        assert_eq!(kept.len(), 2);
        let freed = seat(gone).slot;
        drop(sessions);
        let new = Affinity::default();
        assert!(!seat(&new).returning);
        assert!(freed < 3);
    }

    #[test]
    fn a_new_session_goes_where_its_beginning_is_kept() {
        let slots = Slots::new(4);
        let (one, other) = (Affinity::default(), Affinity::default());
        let kept = slots.seat(&one, &ids(&[1, 2, 3, 4])).unwrap().slot;
        slots.seat(&other, &ids(&[9, 9])).unwrap();
        drop((one, other));
        let next = slots.seat(&Affinity::default(), &ids(&[1, 2, 3, 7, 8])).unwrap();
        assert_eq!((next.slot, next.fresh), (kept, 2));
    }

    #[test]
    fn more_sessions_than_slots_are_spread_evenly_and_one_that_leaves_goes_elsewhere() {
        let slots = Slots::new(2);
        let sessions: Vec<Affinity> = (0..6).map(|_| Affinity::default()).collect();
        let seat = |affinity: &Affinity| slots.seat(affinity, &ids(&[1])).unwrap().slot;
        let sum: usize = sessions.iter().map(seat).sum();
        assert_eq!(sum, 3);
        let before = seat(&sessions[0]);
        slots.leave(&sessions[0], before);
        assert_eq!(seat(&sessions[0]), 1 - before);
        assert_eq!(Slots::new(0).seat(&sessions[0], &ids(&[1])), None);
        let only = Slots::new(1);
        assert_eq!(only.seat(&sessions[0], &ids(&[1])).unwrap().slot, 0);
        only.leave(&sessions[0], 0);
        assert_eq!(only.seat(&sessions[0], &ids(&[1])).unwrap().slot, 0);
    }
}
