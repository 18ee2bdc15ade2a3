use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use uuid::Uuid;

/// To which replica a session belongs. Its key is random: it says nothing about the session, its user or its text. Clones
/// are of the same session.
#[derive(Clone)]
pub struct Affinity {
    key: Uuid,
    /// Shared by all clones.
    session: Arc<Session>,
}

/// What the clones of an [`Affinity`] share. It lives as long as the session.
pub struct Session {
    /// The replica that answered last, whose cache is warm.
    home: AtomicUsize,
}

const NOWHERE: usize = usize::MAX;

impl Default for Affinity {
    /// A new session's.
    fn default() -> Self {
        Self {
            key: Uuid::new_v4(),
            session: Arc::new(Session {
                home: AtomicUsize::new(NOWHERE),
            }),
        }
    }
}

impl Affinity {
    /// How much this session belongs to the replica with this number: most to the one that answered last, and to the others by a hash
    /// (rendezvous hashing). When a replica is gone, its sessions spread evenly over the others.
    pub fn weight(&self, replica: usize) -> u64 {
        if self.session.home.load(Ordering::Relaxed) == replica {
            return u64::MAX;
        }
        let (high, low) = self.key.as_u64_pair();
        let seed = (replica as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mix(high ^ mix(low ^ mix(seed)))
    }

    /// This replica has the session's prefix in its cache now.
    pub fn settle(&self, replica: usize) {
        self.session.home.store(replica, Ordering::Relaxed);
    }

    /// What tells whether the session is still there.
    pub fn session(&self) -> Weak<Session> {
        Arc::downgrade(&self.session)
    }

    /// Whether that is this session.
    pub fn is(&self, session: &Weak<Session>) -> bool {
        std::ptr::eq(session.as_ptr(), Arc::as_ptr(&self.session))
    }
}

/// In hexadecimal, as it goes into a header.
impl fmt::Display for Affinity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.simple().fmt(formatter)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_spread_evenly_move_when_theirs_is_gone_and_stay_where_they_settle() {
        let best = |affinity: &Affinity, replicas: &[usize]| {
            let weight = |replica: &&usize| affinity.weight(**replica);
            *replicas.iter().max_by_key(weight).unwrap()
        };
        let mut sessions = [0; 3];
        for _ in 0..3000 {
            let affinity = Affinity::default();
            let chosen = best(&affinity, &[0, 1, 2]);
            sessions[chosen] += 1;
            if chosen != 1 {
                assert_eq!(best(&affinity, &[0, 2]), chosen);
            }
            let elsewhere = (chosen + 1) % 3;
            affinity.clone().settle(elsewhere);
            assert_eq!(best(&affinity, &[0, 1, 2]), elsewhere);
        }
        assert!(sessions.iter().all(|count| (800..1200).contains(count)), "{sessions:?}");
    }
}
