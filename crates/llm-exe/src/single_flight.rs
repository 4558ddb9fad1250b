//! Ensures that concurrent callers fetch a value only once: the first one fetches it while the
//! others wait.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

/// A set of locks, one per key. `acquire` removes the locks that no caller holds or waits for.
#[derive(Debug)]
pub struct SingleFlight<K> {
    locks: Mutex<HashMap<K, Weak<tokio::sync::Mutex<()>>>>,
}

impl<K> Default for SingleFlight<K> {
    fn default() -> Self {
        SingleFlight { locks: Mutex::default() }
    }
}

impl<K: Clone + Eq + Hash> SingleFlight<K> {
    /// Acquires the lock for a key, waiting if another caller holds it. Dropping the guard releases
    /// the lock.
    ///
    /// The caller must then check whether a previous holder of the lock has already fetched the
    /// value.
    pub async fn acquire(&self, key: &K) -> OwnedMutexGuard<()> {
        self.get_or_insert_lock(key).lock_owned().await
    }

    fn get_or_insert_lock(&self, key: &K) -> Arc<tokio::sync::Mutex<()>> {
        // Each operation leaves the map consistent, so a lock poisoned by a panic is safe to use.
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| lock.strong_count() > 0);
        if let Some(lock) = locks.get(key).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        locks.insert(key.clone(), Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::SingleFlight;

    const SOON: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn a_key_has_one_holder_at_a_time() {
        let flights = SingleFlight::default();
        let guard = flights.acquire(&"a").await;
        assert!(tokio::time::timeout(SOON, flights.acquire(&"a")).await.is_err());
        assert!(tokio::time::timeout(SOON, flights.acquire(&"b")).await.is_ok());
        drop(guard);
        assert!(tokio::time::timeout(SOON, flights.acquire(&"a")).await.is_ok());
    }

    #[tokio::test]
    async fn keys_without_a_holder_are_removed() {
        let flights = SingleFlight::default();
        for key in 0..100 {
            drop(flights.acquire(&key).await);
        }
        assert_eq!(flights.locks.lock().unwrap().len(), 1);
    }
}
