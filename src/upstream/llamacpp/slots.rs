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
#[derive(Default)]
pub struct Slots(Mutex<Vec<Slot>>);

#[derive(Clone, Default)]
struct Slot {
    /// The sessions that compute in it.
    sessions: Vec<Weak<Session>>,
    /// What it was last asked to go on from.
    held: Vec<TokenId>,
}

impl Slots {
    /// The slot that the session has, to go on from `prefix` there.
    pub fn own(&self, affinity: &Affinity, prefix: &[TokenId]) -> Option<Seat> {
        let mut slots = self.slots();
        let own = slots.iter().position(|slot| slot.has(affinity))?;
        Some(sit(&mut slots, own, affinity, prefix, true))
    }

    /// A slot for a new session that goes on from `prefix`, of those that are idle: the one with the fewest sessions, and of those the one
    /// that holds the longest beginning of the prefix. `busy` says of each of the server's slots whether somebody computes in it. `None`
    /// where all are busy: then the server knows best which will be free first.
    pub fn take(&self, affinity: &Affinity, prefix: &[TokenId], busy: &[bool]) -> Option<Seat> {
        let mut slots = self.slots();
        // The server may have come back with another number of them.
        slots.resize_with(busy.len(), Slot::default);
        let is_idle = |index: usize| busy.get(index) == Some(&false);
        let slot = choose(&slots, prefix, is_idle)?;
        Some(sit(&mut slots, slot, affinity, prefix, false))
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
        let other = choose(&slots, &[], |other| other != slot);
        if let Some(seat) = other.or(Some(slot)) {
            sit(&mut slots, seat, affinity, &[], false);
        }
    }

    /// Nothing is known any more: the server has failed, and may have started anew.
    pub fn forget(&self) {
        self.slots().clear();
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

fn choose(slots: &[Slot], prefix: &[TokenId], usable: impl Fn(usize) -> bool) -> Option<usize> {
    let usable = slots.iter().enumerate().filter(|(index, _)| usable(*index));
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

    /// As the driver does it, with `busy` as the server's word.
    fn seat(slots: &Slots, affinity: &Affinity, prefix: &[u32], busy: &[bool]) -> Option<Seat> {
        let prefix = ids(prefix);
        let own = slots.own(affinity, &prefix);
        own.or_else(|| slots.take(affinity, &prefix, busy))
    }

    #[test]
    fn each_session_has_a_slot_of_its_own_until_it_ends() {
        let slots = Slots::default();
        let sessions: Vec<Affinity> = (0..3).map(|_| Affinity::default()).collect();
        let seat = |affinity: &Affinity| seat(&slots, affinity, &[1, 2], &[false; 3]).unwrap();
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
        let slots = Slots::default();
        let (one, other) = (Affinity::default(), Affinity::default());
        let kept = seat(&slots, &one, &[1, 2, 3, 4], &[false; 4]).unwrap().slot;
        seat(&slots, &other, &[9, 9], &[false; 4]).unwrap();
        drop((one, other));
        let next = seat(&slots, &Affinity::default(), &[1, 2, 3, 7, 8], &[false; 4]).unwrap();
        assert_eq!((next.slot, next.fresh), (kept, 2));
    }

    #[test]
    fn a_new_session_takes_no_slot_that_another_program_is_in() {
        let slots = Slots::default();
        for _ in 0..20 {
            let session = Affinity::default();
            let first = seat(&slots, &session, &[1], &[true, false, true]).unwrap();
            assert_eq!((first.slot, first.returning), (1, false));
            // Its own may be busy, with the end of its own last stream.
            assert_eq!(seat(&slots, &session, &[1], &[true; 3]).unwrap().slot, 1);
        }
        assert_eq!(seat(&slots, &Affinity::default(), &[1], &[true; 3]), None);
        assert_eq!(seat(&slots, &Affinity::default(), &[1], &[]), None);
    }

    #[test]
    fn a_server_that_has_started_anew_is_asked_how_many_it_has() {
        let slots = Slots::default();
        let session = Affinity::default();
        seat(&slots, &session, &[1], &[true, true, true, false]).unwrap();
        slots.forget();
        assert_eq!(seat(&slots, &session, &[1], &[false]).unwrap().slot, 0);
        let more: Vec<Affinity> = (0..4).map(|_| Affinity::default()).collect();
        let taken = more
            .iter()
            .map(|session| seat(&slots, session, &[1], &[false; 5]).unwrap().slot);
        assert_eq!(taken.collect::<std::collections::BTreeSet<_>>().len(), 4);
    }

    #[test]
    fn more_sessions_than_slots_are_spread_evenly_and_one_that_leaves_goes_elsewhere() {
        let slots = Slots::default();
        let sessions: Vec<Affinity> = (0..6).map(|_| Affinity::default()).collect();
        let place = |affinity: &Affinity| seat(&slots, affinity, &[1], &[false; 2]).unwrap().slot;
        let sum: usize = sessions.iter().map(place).sum();
        assert_eq!(sum, 3);
        let before = place(&sessions[0]);
        slots.leave(&sessions[0], before);
        assert_eq!(place(&sessions[0]), 1 - before);
        let only = Slots::default();
        assert_eq!(seat(&only, &sessions[0], &[1], &[false]).unwrap().slot, 0);
        only.leave(&sessions[0], 0);
        assert_eq!(seat(&only, &sessions[0], &[1], &[false]).unwrap().slot, 0);
    }
}
