mod regimes;
mod simulation;

use proptest::prelude::*;

use super::allowance::STRETCH;
use super::*;

fn adaptive(waste: f64) -> Window {
    Window::new(Lookahead::Adaptive { most: 64, waste })
}

fn outcome(used: usize, unused: usize, broke: bool) -> Outcome {
    Outcome {
        used,
        unused,
        broke,
        delay: Some(Duration::from_millis(50)),
        pace: Some(Duration::from_millis(20)),
    }
}

#[test]
fn a_fixed_window_stays_as_it_is() {
    let mut window = Window::new(Lookahead::Fixed(8));
    for unused in [7, 0, 3] {
        let ask = window.ask(100);
        assert_eq!((ask.positions, ask.unread), (8, 8));
        window.learn(outcome(1, unused, true));
    }
    assert_eq!(window.ask(3).positions, 3);
    assert_eq!(window.ask(0).positions, 1);
}

#[test]
fn drafts_that_break_at_once_shorten_the_window_and_drafts_that_last_lengthen_it() {
    let mut window = adaptive(1.0);
    (0..30).for_each(|_| window.learn(outcome(1, 1, true)));
    let short = window.ask(1000).positions;
    (0..10).for_each(|_| window.learn(outcome(10, 0, false)));
    let long = window.ask(1000).positions;
    assert!(short <= 4 && long >= 24, "{short}, {long}");
}

#[test]
fn where_requests_cost_nothing_and_the_upstream_is_fast_hardly_anything_is_asked_for_in_advance() {
    let mut window = adaptive(1.0);
    for _ in 0..10 {
        window.checked(1, Duration::from_millis(20));
        window.learn(Outcome {
            delay: Some(Duration::from_micros(100)),
            pace: Some(Duration::from_micros(100)),
            ..outcome(4, 2, true)
        });
    }
    assert_eq!(window.ask(1000).positions, 1);
}

#[test]
fn what_takes_no_time_at_all_is_no_trouble() {
    let mut window = adaptive(1.0);
    window.checked(1, Duration::ZERO);
    window.learn(Outcome {
        delay: Some(Duration::ZERO),
        pace: Some(Duration::ZERO),
        ..outcome(8, 0, false)
    });
    assert!((1..=64).contains(&window.ask(1000).positions));
    assert_eq!(window.block(0, 16), 1);
}

/// An upstream that gets ahead by as much as it may, with the position that it is at: what may be left of `ask` once `used` are
/// taken.
fn worst(ask: Ask, used: usize) -> usize {
    if ask.unread >= ask.positions {
        ask.positions - used
    } else {
        (ask.unread + 1).min(ask.positions - used)
    }
}

proptest! {
    #[test]
    fn an_ask_is_within_its_bounds(
        ends in prop::collection::vec((1usize..40, 0usize..80, any::<bool>(), 0u64..300_000, 0u64..300_000), 0..30),
        passes in prop::collection::vec((1usize..64, 0u64..500_000), 0..30),
        most in 1usize..100,
        left in 0usize..200,
        waste in 0.0f64..10.0,
        at_hand in 0usize..100,
        largest in 1usize..64,
    ) {
        let mut window = Window::new(Lookahead::Adaptive { most, waste });
        passes.iter().for_each(|(positions, took)| window.checked(*positions, Duration::from_micros(*took)));
        for (used, unused, broke, delay, pace) in ends {
            let (delay, pace) = (Some(Duration::from_micros(delay)), Some(Duration::from_micros(pace)));
            window.learn(Outcome { used, unused, broke, delay, pace });
        }
        let ask = window.ask(left);
        prop_assert!((1..=most.min(left).max(1)).contains(&ask.positions));
        prop_assert!((1..=ask.positions).contains(&ask.unread));
        prop_assert!((1..=at_hand.min(largest).max(1)).contains(&window.block(at_hand, largest)));
    }

    /// However far the upstream gets ahead, and wherever drafts break.
    #[test]
    fn waste_is_bounded_over_any_stretch(
        breaks in prop::collection::vec((1usize..40, 0u64..100_000), 1..60),
        waste in 0.0f64..3.0,
    ) {
        let mut window = adaptive(waste);
        let mut drafts: Vec<(usize, usize)> = Vec::new();
        for (survives, pace) in breaks {
            let ask = window.ask(10_000);
            let used = survives.min(ask.positions);
            let unused = worst(ask, used);
            window.learn(Outcome { pace: Some(Duration::from_micros(pace)), ..outcome(used, unused, survives <= ask.positions) });
            drafts.push((used, unused));
        }
        for from in 0..drafts.len() {
            let (mut used, mut wasted) = (0, 0);
            for draft in &drafts[from..] {
                used += draft.0;
                wasted += draft.1;
                prop_assert!(wasted as f64 <= waste * (used as f64 + STRETCH) + 1e-6);
            }
        }
    }
}
