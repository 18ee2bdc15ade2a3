//! Circles, and drawings without what follows from the rest.

use std::collections::{BTreeMap, BTreeSet};

pub type Graph<T> = BTreeMap<T, BTreeSet<T>>;

/// Everything that can be reached from `start`, itself only in a circle.
pub fn reachable<T: Ord + Copy>(graph: &Graph<T>, start: T) -> BTreeSet<T> {
    let mut found = BTreeSet::new();
    let mut open = vec![start];
    while let Some(node) = open.pop() {
        for next in graph.get(&node).into_iter().flatten() {
            if found.insert(*next) {
                open.push(*next);
            }
        }
    }
    found
}

/// Groups that reach each other in both directions.
pub fn circles<T: Ord + Copy>(graph: &Graph<T>) -> BTreeSet<BTreeSet<T>> {
    let reach: BTreeMap<T, BTreeSet<T>> = graph.keys().map(|node| (*node, reachable(graph, *node))).collect();
    let around = |node: &T| -> BTreeSet<T> {
        let both = |other: &&T| reach.get(*other).is_some_and(|back| back.contains(node));
        reach[node].iter().filter(both).copied().collect()
    };
    graph.keys().map(around).filter(|circle| !circle.is_empty()).collect()
}

/// The same graph without edges that a longer way makes needless.
pub fn reduced<T: Ord + Copy>(graph: &Graph<T>) -> Graph<T> {
    let direct = |node: &T| {
        let all = &graph[node];
        let needed = |one: &&T| {
            !all.iter()
                .any(|other| other != *one && reachable(graph, *other).contains(*one))
        };
        all.iter().filter(needed).copied().collect()
    };
    graph.keys().map(|node| (*node, direct(node))).collect()
}

#[test]
fn a_circle_is_found_and_a_needless_edge_left_out() {
    let edges = |pairs: &[(char, &str)]| -> Graph<char> {
        pairs.iter().map(|(from, to)| (*from, to.chars().collect())).collect()
    };
    let without = edges(&[('a', "bc"), ('b', "c"), ('c', "")]);
    assert!(circles(&without).is_empty());
    assert_eq!(reduced(&without), edges(&[('a', "b"), ('b', "c"), ('c', "")]));
    let with = edges(&[('a', "b"), ('b', "c"), ('c', "b")]);
    assert_eq!(circles(&with), BTreeSet::from([BTreeSet::from(['b', 'c'])]));
}
