//! Accepted tokens, remembered for a short time (`T9`): verifying is what a token costs.
//!
//! A token is found by the SHA-256 of all its bytes, so that two tokens are never taken for each other; the token
//! itself is not kept. Nothing is remembered of a refused one. A hit still has to pass what time and keys decide.
//!
//! The memory is bounded: so many entries, each of a token of 4 KiB at most. Looking up, storing and making room take
//! the same time however full it is. The lock is one of sixteen and is held for that time alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::backend::Digest;
use super::claims::Claims;
use super::key::KeyId;

/// Longer tokens are verified each time.
pub(super) const MAX_TOKEN_LEN: usize = 4096;

/// A decision is used again for this long at most.
const MAX_LIFE: Duration = Duration::from_secs(5 * 60);

/// The most entries that may be asked for.
pub(super) const MAX_ENTRIES: usize = 65_536;

const SHARDS: usize = 16;

/// A token that was accepted.
#[derive(Clone)]
pub(super) struct Entry {
    /// Whose rules it met.
    pub(super) trust: usize,
    /// The key that verified it.
    pub(super) key: KeyId,
    pub(super) claims: Arc<Claims>,
    stored_at: Duration,
    ends_at: Duration,
}

impl Entry {
    /// Nothing if the token is already over, and lives on by the leeway alone.
    pub(super) fn new(
        trust: usize,
        key: KeyId,
        claims: Arc<Claims>,
        now: Duration,
    ) -> Option<Self> {
        let ends_at = claims.expires_at().min(now.saturating_add(MAX_LIFE));
        (ends_at > now).then_some(Self {
            trust,
            key,
            claims,
            stored_at: now,
            ends_at,
        })
    }

    /// A clock that was set back makes an entry useless, or it would live longer.
    pub(super) fn is_alive(&self, now: Duration) -> bool {
        (self.stored_at..self.ends_at).contains(&now)
    }
}

pub(super) struct Cache {
    shards: Box<[Mutex<Shard>]>,
}

impl Cache {
    /// Room for so many tokens, in all.
    pub(super) fn new(entries: usize) -> Self {
        // A small one is not divided, so that it holds as many as it says.
        let shards = if entries < SHARDS * SHARDS { 1 } else { SHARDS };
        let shard = |index| {
            Mutex::new(Shard::new(
                entries / shards + usize::from(index < entries % shards),
            ))
        };
        Self {
            shards: (0..shards).map(shard).collect(),
        }
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<Entry> {
        let shard = self.shard(digest)?;
        let slot = *shard.places.get(digest)?;
        shard
            .slots
            .get(slot)?
            .as_ref()
            .map(|(_, entry)| entry.clone())
    }

    /// Remembers a token. Whether another one had to go for it.
    pub(super) fn insert(&self, digest: Digest, entry: Entry) -> bool {
        self.shard(&digest)
            .is_some_and(|mut shard| shard.insert(digest, entry))
    }

    pub(super) fn remove(&self, digest: &Digest) {
        if let Some(mut shard) = self.shard(digest)
            && let Some(slot) = shard.places.remove(digest)
            && let Some(slot) = shard.slots.get_mut(slot)
        {
            *slot = None;
        }
    }

    /// A shard is never left half changed for long enough to matter: a lost entry is a token that is verified again,
    /// so the lock of a thread that panicked is taken over.
    fn shard(&self, digest: &Digest) -> Option<MutexGuard<'_, Shard>> {
        let index = usize::from(digest[0]) % self.shards.len().max(1);
        let shard = self.shards.get(index)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// That places and slots of each shard name each other.
    #[cfg(test)]
    fn assert_whole(&self) {
        for shard in &self.shards {
            let shard = shard.lock().expect("whole");
            assert!(shard.slots.len() <= shard.capacity);
            assert_eq!(shard.slots.iter().flatten().count(), shard.places.len());
            for (digest, slot) in &shard.places {
                let held = shard.slots[*slot].as_ref().map(|(held, _)| held);
                assert_eq!(held, Some(digest));
            }
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        let shards = self.shards.iter();
        shards
            .map(|shard| shard.lock().expect("whole").places.len())
            .sum()
    }
}

/// A ring of slots: the oldest entry makes room for the newest.
struct Shard {
    slots: Vec<Option<(Digest, Entry)>>,
    places: HashMap<Digest, usize>,
    next: usize,
    capacity: usize,
}

impl Shard {
    fn new(capacity: usize) -> Self {
        Self {
            slots: Vec::new(),
            places: HashMap::new(),
            next: 0,
            capacity,
        }
    }

    fn insert(&mut self, digest: Digest, entry: Entry) -> bool {
        if let Some(slot) = self.places.get(&digest) {
            if let Some(slot) = self.slots.get_mut(*slot) {
                *slot = Some((digest, entry));
            }
            return false;
        }
        if self.slots.len() < self.capacity {
            self.places.insert(digest, self.slots.len());
            self.slots.push(Some((digest, entry)));
            return false;
        }
        let Some(slot) = self.slots.get_mut(self.next) else {
            return false;
        };
        let oldest = slot.replace((digest, entry));
        if let Some((oldest, _)) = &oldest {
            self.places.remove(oldest);
        }
        self.places.insert(digest, self.next);
        self.next = (self.next + 1) % self.capacity;
        oldest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::super::backend::Backend;
    use super::super::key::Key;
    use super::super::key::{KeySpec, Material};
    use super::*;

    fn key() -> KeyId {
        let material = Material::secret(&[7; 32]).expect("long enough");
        Key::new(&KeySpec::by_itself(material), Backend::default())
            .expect("usable")
            .id()
    }

    fn entry(expires_at: u64, now: u64) -> Option<Entry> {
        let claims = Arc::new(Claims::ending_at(expires_at));
        Entry::new(0, key(), claims, Duration::from_secs(now))
    }

    fn digest(number: usize) -> Digest {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_le_bytes());
        digest
    }

    #[test]
    fn t9_an_entry_lives_to_exp_or_for_five_minutes_without_leeway() {
        let alive = |expires_at, now, at: u64| {
            entry(expires_at, now).is_some_and(|entry| entry.is_alive(Duration::from_secs(at)))
        };
        let table = [
            ("at once", 2000, 1000, 1000, true),
            ("at the end of five minutes", 2000, 1000, 1299, true),
            ("after five minutes", 2000, 1000, 1300, false),
            ("just before exp", 1100, 1000, 1099, true),
            ("at exp", 1100, 1000, 1100, false),
            ("accepted by the leeway alone", 1000, 1000, 1000, false),
            ("long over", 900, 1000, 1000, false),
            ("the clock was set back", 2000, 1000, 999, false),
        ];
        for (name, expires_at, now, at, expected) in table {
            assert_eq!(alive(expires_at, now, at), expected, "{name}");
        }
    }

    #[test]
    fn t9_a_full_cache_forgets_the_oldest_and_never_grows() {
        for entries in [1, 2, 255, 256, 1000, 1024] {
            let cache = Cache::new(entries);
            let mut evicted = 0;
            for number in 0..entries * 3 {
                evicted +=
                    usize::from(cache.insert(digest(number), entry(2000, 1000).expect("alive")));
            }
            assert!(cache.len() <= entries, "{entries}: {}", cache.len());
            assert_eq!(evicted, entries * 3 - cache.len(), "{entries}");
            assert!(
                cache.get(&digest(entries * 3 - 1)).is_some(),
                "{entries}: the newest"
            );
            assert!(cache.get(&digest(0)).is_none(), "{entries}: the oldest");
        }
    }

    #[test]
    fn t9_a_poisoned_lock_is_taken_over() {
        let cache = Arc::new(Cache::new(1));
        let other = Arc::clone(&cache);
        let thread = std::thread::spawn(move || {
            let _guard = other.shards[0].lock().expect("whole");
            panic!("on purpose");
        });
        assert!(thread.join().is_err());
        assert!(!cache.insert(digest(1), entry(2000, 1000).expect("alive")));
        assert!(cache.get(&digest(1)).is_some());
    }

    /// Each of several threads stores, finds and removes tokens of its own among those of all, which push each other
    /// out. What a thread removed stays gone, whatever the others do, and what it finds is what it stored.
    #[test]
    fn t9_many_threads_keep_the_bound_and_lose_no_removal() {
        const THREADS: usize = 8;
        const STEPS: usize = 4000;
        const OWN: usize = 40;

        for entries in [1, 17, 256, 1000] {
            let cache = Cache::new(entries);
            let start = std::sync::Barrier::new(THREADS);
            let work = |thread: usize| {
                let (cache, start) = (&cache, &start);
                move || {
                    // Tells whose token an entry is, as a key cannot.
                    let own = |number: usize| Entry {
                        trust: thread * OWN + number,
                        ..entry(2000, 1000).expect("alive")
                    };
                    let mut stored = [false; OWN];
                    let mut random = thread * 7919 + 1;
                    start.wait();
                    for step in 0..STEPS {
                        random = random
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1_442_695_040_888_963_407);
                        let number = (random >> 33) % OWN;
                        let name = digest(thread * OWN + number);
                        match (random >> 60) % 4 {
                            0 => {
                                cache.remove(&name);
                                stored[number] = false;
                            }
                            1 | 2 => {
                                cache.insert(name, own(number));
                                stored[number] = true;
                            }
                            _ => {}
                        }
                        let found = cache.get(&name).map(|entry| entry.trust);
                        assert!(
                            found.is_none_or(|trust| trust == thread * OWN + number),
                            "{entries}: another's, step {step}"
                        );
                        assert!(
                            stored[number] || found.is_none(),
                            "{entries}: removed and there again, step {step}"
                        );
                        if step % 64 == 0 {
                            assert!(cache.len() <= entries, "{entries}: grew");
                        }
                    }
                    stored
                }
            };
            let stored: Vec<[bool; OWN]> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..THREADS).map(|t| scope.spawn(work(t))).collect();
                let join = |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join();
                threads
                    .into_iter()
                    .map(|thread| join(thread).expect("no assertion failed"))
                    .collect()
            });
            // Nobody works on it any more: what it holds is whole.
            let mut held = 0;
            for (number, is_stored) in stored.iter().flatten().enumerate() {
                let found = cache.get(&digest(number)).map(|entry| entry.trust);
                assert!(found.is_none() || (*is_stored && found == Some(number)));
                held += usize::from(found.is_some());
            }
            assert_eq!(held, cache.len(), "{entries}");
            assert!((1..=entries).contains(&held), "{entries}: {held}");
            cache.assert_whole();
        }
    }

    proptest! {
        #[test]
        fn t9_what_was_removed_is_gone_and_what_is_found_was_stored(
            entries in 1_usize..40, steps in proptest::collection::vec((any::<bool>(), 0_usize..60), 0..200)
        ) {
            let cache = Cache::new(entries);
            let mut stored = HashSet::new();
            for (insert, number) in steps {
                if insert {
                    cache.insert(digest(number), entry(2000, 1000).expect("alive"));
                    stored.insert(number);
                    prop_assert!(cache.get(&digest(number)).is_some());
                } else {
                    cache.remove(&digest(number));
                    stored.remove(&number);
                }
                prop_assert!(cache.len() <= entries);
                for number in 0..60 {
                    prop_assert!(stored.contains(&number) || cache.get(&digest(number)).is_none());
                }
            }
        }
    }
}
