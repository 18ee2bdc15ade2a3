use std::fmt;

use uuid::Uuid;

/// A session's key, by which all of its requests reach the replica whose cache is warm. Random: it says nothing about the
/// session, its user or its text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Affinity(Uuid);

impl Default for Affinity {
    /// A fresh one.
    fn default() -> Self {
        Self(Uuid::new_v4())
    }
}

impl Affinity {
    /// How much this session belongs to the replica with this number: rendezvous hashing. The highest wins, and when that
    /// replica is gone, its sessions spread evenly over the others while all other sessions stay where they are.
    pub fn weight(self, replica: usize) -> u64 {
        let (high, low) = self.0.as_u64_pair();
        let seed = (replica as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mix(high ^ mix(low ^ mix(seed)))
    }
}

/// In hexadecimal, as it goes into a header.
impl fmt::Display for Affinity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(formatter)
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
    fn sessions_spread_evenly_and_move_only_when_theirs_is_gone() {
        let best = |affinity: Affinity, replicas: &[usize]| {
            let weight = |replica: &&usize| affinity.weight(**replica);
            *replicas.iter().max_by_key(weight).unwrap()
        };
        let mut sessions = [0; 3];
        for _ in 0..3000 {
            let affinity = Affinity::default();
            let chosen = best(affinity, &[0, 1, 2]);
            sessions[chosen] += 1;
            if chosen != 1 {
                assert_eq!(best(affinity, &[0, 2]), chosen);
            }
        }
        assert!(sessions.iter().all(|count| (800..1200).contains(count)), "{sessions:?}");
    }
}
