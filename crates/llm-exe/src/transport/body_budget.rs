//! The memory budget for large response bodies. Without it, the responses to many concurrent
//! requests could exhaust the memory.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{Either, select};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::http::MAX_REPLY_BYTES;

/// Maximum size in bytes of a response body that is read without a wait. Larger bodies wait until
/// the budget has space for them.
pub(super) const SMALL_BODY_BYTES: usize = 64 * 1024;

/// Maximum number of bytes that a stream stores without a wait. It is larger than that of other
/// bodies, because the size of a stream is computed only after each 64 KiB.
const SMALL_STREAM_BYTES: usize = 2 * SMALL_BODY_BYTES;

/// The step in which the space of a stream grows, in bytes.
const GROWTH_BYTES: usize = 128 * 1024;

/// Maximum total size in bytes of the larger bodies in memory, without those in the reserve.
const SHARED_BYTES: usize = 16 * 1024 * 1024;

/// The space for the large response bodies of all requests of a client.
///
/// A body whose size is known, or bounded, gets its space at once. A stream can take minutes, so
/// its space grows with it. Streams that wait for more space while they occupy some could wait for
/// each other; therefore one body at a time may use the reserve, which has space for the largest.
#[derive(Debug, Clone)]
pub(super) struct BodyBudget {
    shared: Arc<Semaphore>,
    reserve: Arc<Semaphore>,
}

impl Default for BodyBudget {
    fn default() -> Self {
        let shared = Arc::new(Semaphore::new(SHARED_BYTES));
        BodyBudget { shared, reserve: Arc::new(Semaphore::new(1)) }
    }
}

/// The space that a body occupies until this is dropped.
#[derive(Debug, Default)]
pub(super) struct BodySpace {
    shared: Option<OwnedSemaphorePermit>,
    /// Whether the body uses the reserve, and may have any size.
    reserve: Option<OwnedSemaphorePermit>,
}

impl BodySpace {
    /// Returns the size of the space in bytes.
    fn size(&self) -> usize {
        match &self.reserve {
            Some(_) => usize::MAX,
            None => self.shared.as_ref().map_or(0, OwnedSemaphorePermit::num_permits),
        }
    }

    /// Returns a body that occupies the space until it is dropped.
    pub(super) fn hold(self, bytes: Bytes) -> Bytes {
        match self.size() {
            0 => bytes,
            _ => Bytes::from_owner(LargeBody { bytes, _space: self }),
        }
    }
}

/// A large response body with its space.
struct LargeBody {
    bytes: Bytes,
    _space: BodySpace,
}

impl AsRef<[u8]> for LargeBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl BodyBudget {
    /// Waits for the space of a body with at most this many bytes.
    pub(super) async fn acquire(&self, bytes: usize) -> BodySpace {
        let mut space = BodySpace::default();
        self.add(&mut space, bytes).await;
        space
    }

    /// Waits until a stream has space for what it stores.
    pub(super) async fn grow(&self, space: &mut BodySpace, bytes: usize) {
        if bytes > SMALL_STREAM_BYTES && bytes > space.size() {
            let missing = bytes.saturating_sub(space.size());
            self.add(space, missing.next_multiple_of(GROWTH_BYTES)).await;
        }
    }

    async fn add(&self, space: &mut BodySpace, bytes: usize) {
        let bytes = u32::try_from(bytes.min(MAX_REPLY_BYTES)).unwrap_or(u32::MAX);
        let shared = pin!(Arc::clone(&self.shared).acquire_many_owned(bytes));
        let reserve = pin!(Arc::clone(&self.reserve).acquire_owned());
        match select(shared, reserve).await {
            Either::Left((Ok(more), _)) => match &mut space.shared {
                Some(known) => known.merge(more),
                None => space.shared = Some(more),
            },
            Either::Right((Ok(reserve), _)) => space.reserve = Some(reserve),
            // The semaphores are never closed.
            Either::Left((Err(_), _)) | Either::Right((Err(_), _)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::{BodyBudget, BodySpace, MAX_REPLY_BYTES, SMALL_STREAM_BYTES};

    const SHORT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn streams_that_grow_at_the_same_time_do_not_block_each_other() {
        let budget = BodyBudget::default();
        let mut spaces: Vec<BodySpace> = (0..16).map(|_| BodySpace::default()).collect();
        for space in &mut spaces {
            budget.grow(space, SMALL_STREAM_BYTES).await;
            assert_eq!(space.size(), 0);
            budget.grow(space, 800_000).await;
        }
        // The shared space is nearly used up. One stream at a time grows further.
        let grow = |mut space: BodySpace| {
            let budget = budget.clone();
            async move {
                for bytes in (1_000_000..MAX_REPLY_BYTES).step_by(500_000) {
                    budget.grow(&mut space, bytes).await;
                    tokio::task::yield_now().await;
                }
            }
        };
        let all = futures_util::future::join_all(spaces.into_iter().map(grow));
        timeout(Duration::from_secs(5), all).await.unwrap();
        assert!(budget.shared.available_permits() >= 2 * MAX_REPLY_BYTES);
        assert_eq!(budget.reserve.available_permits(), 1);
    }

    #[tokio::test]
    async fn a_stream_waits_for_space() {
        let budget = BodyBudget::default();
        let mut large = Vec::new();
        for _ in 0..3 {
            large.push(budget.acquire(MAX_REPLY_BYTES).await);
        }
        let mut space = BodySpace::default();
        // A small stream does not wait.
        timeout(SHORT, budget.grow(&mut space, SMALL_STREAM_BYTES)).await.unwrap();
        assert!(timeout(SHORT, budget.grow(&mut space, 1_000_000)).await.is_err());
        large.pop();
        timeout(SHORT, budget.grow(&mut space, 1_000_000)).await.unwrap();
        assert!(space.size() >= 1_000_000);
    }
}
