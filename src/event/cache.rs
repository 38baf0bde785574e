//! Remembered results: a few model ids and user agents come back a million times.

use hashbrown::HashMap;

/// Distinct keys kept; callers choose the keys, so there must be an end.
const MOST: usize = 4096;

/// What was computed for a text before.
#[derive(Debug)]
pub struct Cache<V>(HashMap<String, V>);

impl<V> Default for Cache<V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<V> Cache<V> {
    /// The value of `key`, computed where it is not remembered.
    pub fn get(&mut self, key: &str, compute: impl FnOnce(&str) -> V) -> &V {
        if self.0.len() >= MOST && !self.0.contains_key(key) {
            self.0.clear();
        }
        self.0.entry_ref(key).or_insert_with(|| compute(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computes_once_and_stays_small() {
        let mut cache = Cache::default();
        let mut computed = 0;
        for _ in 0..3 {
            assert_eq!(
                *cache.get("a", |key| {
                    computed += 1;
                    key.len()
                }),
                1
            );
        }
        assert_eq!(computed, 1);
        for number in 0..3 * MOST {
            cache.get(&number.to_string(), str::len);
        }
        assert!(cache.0.len() <= MOST);
    }
}
