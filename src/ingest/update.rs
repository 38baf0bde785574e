//! Which records updates supersede. An `UPDATED_DATA` record takes the place of the one it names, and of what that one
//! had superseded; updates that name each other in a ring are one call, of which the latest stays.
//!
//! What is superseded is told by all updates of the objects read, also by those outside the time asked for: an event counts
//! once, in its latest version, at the time that version tells.

use hashbrown::{HashMap, HashSet};

use crate::decode::record::Update;

/// The ids that do not count, since an update has their place.
#[derive(Debug, Default)]
pub(super) struct Superseded {
    ids: HashSet<u128>,
    /// Ids of which only the rows count that are updates of themselves.
    renewed: HashSet<u128>,
}

impl Superseded {
    /// What `updates` supersede, whatever their order.
    pub(super) fn by(updates: impl IntoIterator<Item = Update>) -> Self {
        let mut found = Self::default();
        let mut graph = Graph::default();
        for update in updates {
            if update.id == update.of {
                found.renewed.insert(update.id);
            } else {
                found.ids.insert(update.of);
                graph.add(update);
            }
        }
        for ring in graph.rings() {
            if let Some(latest) = ring.iter().copied().max_by_key(|id| (graph.times.get(id), *id)) {
                found.ids.remove(&latest);
            }
        }
        found
    }

    /// Whether no row with this id counts.
    pub(super) fn has(&self, id: u128) -> bool {
        self.ids.contains(&id)
    }

    /// Whether of the rows with this id only those count that update themselves.
    pub(super) fn renewed(&self, id: u128) -> bool {
        self.renewed.contains(&id)
    }
}

/// Updates by their ids.
#[derive(Default)]
struct Graph {
    /// What each names.
    names: HashMap<u128, Vec<u128>>,
    /// Who names each.
    named: HashMap<u128, Vec<u128>>,
    /// The latest time of the updates with an id.
    times: HashMap<u128, i64>,
}

impl Graph {
    fn add(&mut self, update: Update) {
        self.names.entry(update.id).or_default().push(update.of);
        self.named.entry(update.of).or_default().push(update.id);
        let time = self.times.entry(update.id).or_insert(update.time);
        *time = update.time.max(*time);
    }

    /// Sets of updates each of which leads to every other, and to which no other update leads.
    ///
    /// Kosaraju's way: met from the last id left to the first, what leads to an id and was not met before is its set.
    fn rings(&self) -> Vec<Vec<u128>> {
        // An id that nothing names is in no ring, and what it leads to has its update there.
        let mut left: Vec<u128> = Vec::with_capacity(self.names.len());
        let mut seen = HashSet::new();
        let mut ids: Vec<u128> = self.names.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            self.leave(id, &mut seen, &mut left);
        }
        let mut met: HashSet<u128> = HashSet::new();
        let mut rings = Vec::new();
        for id in left.into_iter().rev() {
            let mut ring = Vec::new();
            let mut from_elsewhere = false;
            let mut waiting = vec![id];
            while let Some(id) = waiting.pop() {
                if !met.insert(id) {
                    continue;
                }
                ring.push(id);
                waiting
                    .extend(self.named.get(&id).into_iter().flatten().filter(|other| !met.contains(*other)));
            }
            let own: HashSet<u128> = ring.iter().copied().collect();
            for id in &ring {
                from_elsewhere |= self.named.get(id).into_iter().flatten().any(|other| !own.contains(other));
            }
            if ring.len() > 1 && !from_elsewhere {
                rings.push(ring);
            }
        }
        rings
    }

    /// Adds to `left` all ids that `id` leads to and then itself, each once, without recursion: chains have any length.
    fn leave(&self, id: u128, seen: &mut HashSet<u128>, left: &mut Vec<u128>) {
        if !seen.insert(id) {
            return;
        }
        let of = |id: u128| self.names.get(&id).map(Vec::as_slice).unwrap_or_default().iter();
        let mut path = vec![(id, of(id))];
        while let Some((id, next)) = path.last_mut() {
            if let Some(other) = next.find(|other| !seen.contains(*other)).copied() {
                seen.insert(other);
                path.push((other, of(other)));
            } else {
                left.push(*id);
                path.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    fn updates(edges: &[(u8, u8)], times: &[i64]) -> Vec<Update> {
        let time = |id: u8| times.get(usize::from(id)).copied().unwrap_or_default();
        edges.iter().map(|(id, of)| Update { id: (*id).into(), of: (*of).into(), time: time(*id) }).collect()
    }

    fn superseded(edges: &[(u8, u8)], times: &[i64]) -> Vec<u8> {
        let found = Superseded::by(updates(edges, times));
        (0..20).filter(|id| found.has(u128::from(*id))).collect()
    }

    #[test]
    fn a_chain_leaves_its_end_and_a_ring_its_latest() {
        let times: Vec<i64> = (0..20).collect();
        assert_eq!(superseded(&[(2, 1), (3, 2)], &times), [1, 2]);
        assert_eq!(superseded(&[(1, 2), (2, 1)], &times), [1]);
        assert_eq!(superseded(&[(1, 2), (2, 1)], &[9, 8, 7]), [2]);
        assert_eq!(superseded(&[(1, 2), (2, 1)], &[0, 0, 0]), [1], "of equal times the larger id");
        assert_eq!(superseded(&[(1, 2), (2, 3), (3, 4), (4, 1), (1, 9)], &times), [1, 2, 3, 9]);
        assert_eq!(
            superseded(&[(5, 1), (1, 2), (2, 1)], &times),
            [1, 2],
            "who stands before a ring has its place"
        );
        assert_eq!(superseded(&[(1, 2), (2, 1), (2, 8), (8, 9), (9, 8)], &times), [1, 8, 9]);
        assert_eq!(superseded(&[(1, 1)], &times), [0u8; 0]);
        assert!(Superseded::by(updates(&[(1, 1)], &times)).renewed(1));
    }

    #[test]
    fn a_long_chain_and_a_long_ring_take_no_stack() {
        let length = 300_000u128;
        let link = |id: u128| Update { id, of: (id + 1) % length, time: 5 };
        let ring = Superseded::by((0..length).map(link));
        assert_eq!((0..length).filter(|id| !ring.has(*id)).collect::<Vec<_>>(), [length - 1]);
        let chain = Superseded::by((0..length - 1).map(link));
        assert_eq!((0..length).filter(|id| !chain.has(*id)).collect::<Vec<_>>(), [0]);
    }

    proptest! {
        /// Whatever names whatever: of all that hangs together something stays, nothing that stays is led to by
        /// something else that stays, and the order does not matter.
        #[test]
        fn something_always_stays(
            edges in proptest::collection::vec((0u8..9, 0u8..9), 1..16), times in proptest::collection::vec(0i64..4, 9), turn in 0usize..16,
        ) {
            let found = superseded(&edges, &times);
            let mut turned = edges.clone();
            turned.rotate_left(turn % edges.len());
            turned.reverse();
            prop_assert_eq!(&superseded(&turned, &times), &found);
            let mut reach: BTreeMap<u8, BTreeSet<u8>> = BTreeMap::new();
            for (id, of) in &edges {
                reach.entry(*id).or_default().insert(*of);
                reach.entry(*of).or_default();
            }
            for _ in 0..9 {
                let before = reach.clone();
                for to in reach.values_mut() {
                    let further: Vec<u8> = to.iter().flat_map(|id| &before[id]).copied().collect();
                    to.extend(further);
                }
            }
            for (id, to) in &reach {
                let before: Vec<u8> = reach.iter().filter(|(other, to)| *other != id && to.contains(id)).map(|(other, _)| *other).collect();
                let stays = !found.contains(id);
                // Led to by one that it does not lead to itself: gone.
                let gone = before.iter().any(|other| !to.contains(other));
                let ring: BTreeSet<u8> = before.iter().copied().filter(|other| to.contains(other)).chain([*id]).collect();
                let latest = ring.iter().max_by_key(|id| (times[usize::from(**id)], **id));
                prop_assert_eq!(stays, !gone && latest == Some(id), "{} of {:?}", id, edges);
            }
        }
    }
}
