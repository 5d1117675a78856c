//! A limit on pages that are computed at once: a few run, others wait, and a request that would wait behind too many
//! is turned away at once.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::error_page::PageError;
use crate::engine::Engine;
use crate::error::{Error, Result};
use lightsout_query::Error as QueryError;

/// What errors call the work for a page.
const NAME: &str = "page";

/// See the file's first lines.
pub(super) struct ConcurrencyLimit {
    engine: Arc<Engine>,
    free: Semaphore,
    waiting: AtomicUsize,
    waiting_max: usize,
}

/// Counted while it waits, however that ends.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ConcurrencyLimit {
    pub(super) fn new(engine: Arc<Engine>, at_once: usize, waiting_max: usize) -> Self {
        Self { engine, free: Semaphore::new(at_once), waiting: AtomicUsize::new(0), waiting_max }
    }

    /// Runs something on the engine's threads, when it is its turn. It is large and lives apart from who waits.
    pub(super) fn run<'a, T: Send + 'static>(
        &'a self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Pin<Box<dyn Future<Output = Result<T, PageError>> + Send + 'a>> {
        let work = Box::pin(work);
        Box::pin(async move {
            let _turn = self.turn().await?;
            Ok(self.engine.at_work(NAME, self.engine.limits().time, work).await?)
        })
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, PageError> {
        if let Ok(turn) = self.free.try_acquire() {
            return Ok(turn);
        }
        let _waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.waiting_max {
            return Err(PageError::Busy);
        }
        let closed = |_| PageError::Failed(Error::Query(QueryError::Broken { name: NAME.to_owned() }));
        self.free.acquire().await.map_err(closed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::QueryLimits;

    /// One at work, one waiting.
    fn one_and_one() -> ConcurrencyLimit {
        let limits = QueryLimits { rows: None, time: Duration::from_mins(1), memory_bytes: 1 << 20 };
        ConcurrencyLimit::new(Arc::new(Engine::start(limits).expect("threads")), 1, 1)
    }

    #[tokio::test]
    async fn some_are_at_work_some_wait_and_one_more_is_told_so() {
        let limit = Arc::new(one_and_one());
        let (go_on, wait) = tokio::sync::oneshot::channel::<()>();
        let first = {
            let limit = Arc::clone(&limit);
            tokio::spawn(async move {
                let work = async move {
                    let _ = wait.await;
                    Ok(1)
                };
                limit.run(work).await
            })
        };
        while limit.free.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let second = {
            let limit = Arc::clone(&limit);
            tokio::spawn(async move { limit.run(async { Ok(2) }).await })
        };
        while limit.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(limit.run(async { Ok(3) }).await, Err(PageError::Busy)));
        go_on.send(()).expect("it waits");
        assert!(matches!(first.await.expect("it ends"), Ok(1)));
        assert!(matches!(second.await.expect("it ends"), Ok(2)));
        assert_eq!(limit.waiting.load(Ordering::Relaxed), 0);
        assert!(matches!(limit.run(async { Ok(4) }).await, Ok(4)), "there is room again");
    }

    #[tokio::test]
    async fn who_does_not_wait_any_more_gives_the_turn_back() {
        let limit = one_and_one();
        let never = limit.run(std::future::pending::<Result<()>>());
        assert!(tokio::time::timeout(Duration::from_millis(20), never).await.is_err());
        assert!(matches!(limit.run(async { Ok(()) }).await, Ok(())));
    }
}
