//! Queries of many clients: on threads of their own, so that connections are heard whatever they compute;
//! only so many at work at once, each with its own time and memory, and with a bound on what all have.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryLimit, MemoryPool, MemoryReservation};
use datafusion::logical_expr::LogicalPlan;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::error::{Error, Result};
use crate::stoppable::{Stoppable, Wanted, Wish};
use lightsout_query::Error as QueryError;
use lightsout_query::answer::{Answer, Limits};
use lightsout_query::{Parameter, Queries};

/// An expression is computed by functions that call themselves, level by level.
const STACK_BYTES: usize = 16 << 20;

/// Queries that compute at once. More wait, in the order in which they came.
const AT_WORK_MAX: usize = 8;

/// Of these, those of one client, so that there is always room for another and for the web pages.
const SHARE_MAX: usize = 6;

/// Of the memory of one query, what all have together.
const ALL_SHARES: usize = 4;

/// On disk, of its memory, what one query may put aside.
const DISK_SHARES: u64 = 4;

/// What one query may take.
#[derive(Debug, Clone, Copy)]
pub struct QueryLimits {
    pub rows: Option<usize>,
    pub time: Duration,
    pub memory_bytes: usize,
}

/// See the file's first lines.
#[derive(Clone)]
pub struct Engine {
    threads: Handle,
    limits: QueryLimits,
    slots: Slots,
    memory: Arc<dyn MemoryPool>,
    counts: Arc<Counts>,
}

/// What became of the queries of clients, since the start.
#[derive(Default)]
struct Counts {
    begun: AtomicU64,
    failed: AtomicU64,
    rows: AtomicU64,
}

/// The same, as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueryCounts {
    pub(crate) begun: u64,
    pub(crate) failed: u64,
    pub(crate) rows: u64,
}

/// Places among those at work.
#[derive(Clone)]
struct Slots {
    all: Arc<Semaphore>,
    /// Of these, what one client may have.
    share: Option<Arc<Semaphore>>,
}

/// A place, held until it is dropped.
struct Slot(#[expect(dead_code, reason = "held")] [Option<OwnedSemaphorePermit>; 2]);

impl Slots {
    async fn take(&self, name: &str, time: Duration) -> Result<Slot> {
        let taken = async {
            // The share first, so that who waits for it holds up nobody.
            let share = match &self.share {
                Some(share) => Some(Arc::clone(share).acquire_owned().await?),
                None => None,
            };
            Ok(Slot([share, Some(Arc::clone(&self.all).acquire_owned().await?)]))
        };
        match tokio::time::timeout(time, taken).await {
            Ok(slot) => {
                slot.map_err(|_: AcquireError| Error::Query(QueryError::Broken { name: name.to_owned() }))
            }
            Err(_) => Err(Error::Query(QueryError::Busy {
                name: name.to_owned(),
                at_work: self.share.as_ref().map_or(AT_WORK_MAX, |_| SHARE_MAX),
                limit: time,
            })),
        }
    }
}

/// The rows of a running query. Dropping it ends the query.
pub struct Running {
    answer: Answer,
    _wish: Wish,
    slots: Slots,
    limits: QueryLimits,
    name: String,
    counts: Arc<Counts>,
}

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    /// Fails if the system gives none.
    pub fn start(limits: QueryLimits) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .thread_name("query")
            .thread_stack_size(STACK_BYTES)
            .worker_threads(cores + 1)
            .build()
            .map_err(|source| Error::Threads { source })?;
        let threads = runtime.handle().clone();
        // Lives as long as the process and is never shut down: running queries are not waited for, and a thread that is
        // detached while it exits can crash in glibc (see `src/main.rs`).
        std::mem::forget(runtime);
        Ok(Self {
            threads,
            limits,
            slots: Slots { all: Arc::new(Semaphore::new(AT_WORK_MAX)), share: None },
            memory: Arc::new(GreedyMemoryPool::new(limits.memory_bytes.saturating_mul(ALL_SHARES))),
            counts: Arc::default(),
        })
    }

    /// The same with a share that is the client's own.
    pub(crate) fn for_client(&self, share: Arc<Semaphore>) -> Self {
        Self { slots: Slots { share: Some(share), ..self.slots.clone() }, ..self.clone() }
    }

    /// What one client may have at work.
    pub(crate) fn share() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(SHARE_MAX))
    }

    #[must_use]
    pub fn limits(&self) -> QueryLimits {
        self.limits
    }

    pub(crate) fn counts(&self) -> QueryCounts {
        let now = |count: &AtomicU64| count.load(Ordering::Relaxed);
        QueryCounts {
            begun: now(&self.counts.begun),
            failed: now(&self.counts.failed),
            rows: now(&self.counts.rows),
        }
    }

    /// How many queries compute now.
    #[must_use]
    pub fn at_work_now(&self) -> usize {
        AT_WORK_MAX - self.slots.all.available_permits()
    }

    /// Asks one question, only reading. `time` is the asker's own limit, if it is shorter.
    ///
    /// # Errors
    /// Fails as [`Queries::ask`] does, or if too many others are at work for as long as it may take.
    pub async fn ask(
        &self,
        queries: &Queries,
        name: &str,
        sql: &str,
        parameters: &[Parameter],
        time: Option<Duration>,
    ) -> Result<Running> {
        let limits = QueryLimits {
            time: time.map_or(self.limits.time, |time| time.min(self.limits.time)),
            ..self.limits
        };
        let wanted = Wanted::default();
        let wish = wanted.wish();
        let queries = self.for_one(queries, wanted)?;
        let (query, text, values) = (name.to_owned(), sql.to_owned(), parameters.to_vec());
        let within = Limits { rows: limits.rows, time: Some(limits.time) };
        let asked = async move { Ok(queries.ask(&query, &text, &values, within).await?) };
        self.counts.begun.fetch_add(1, Ordering::Relaxed);
        let answer = self.at_work(name, limits.time, asked).await;
        if answer.is_err() {
            self.counts.failed.fetch_add(1, Ordering::Relaxed);
        }
        let answer = answer?;
        let (slots, counts) = (self.slots.clone(), Arc::clone(&self.counts));
        Ok(Running { answer, _wish: wish, slots, limits, name: name.to_owned(), counts })
    }

    /// Looks at what a question would be planned as.
    ///
    /// # Errors
    /// Fails as [`Queries::ask`] does before the first row.
    pub async fn plan<T: Send + 'static>(
        &self,
        queries: &Queries,
        name: &str,
        sql: &str,
        look: impl FnOnce(&LogicalPlan) -> T + Send + 'static,
    ) -> Result<T> {
        let queries = self.for_one(queries, Wanted::default())?;
        let prepared = queries.prepare(name.to_owned(), sql.to_owned(), look);
        self.at_work(name, self.limits.time, async move { Ok(prepared.await?) }).await
    }

    /// Runs something on the engine's threads, when it is its turn.
    pub(crate) async fn at_work<T: Send + 'static>(
        &self,
        name: &str,
        time: Duration,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let _slot = self.slots.take(name, time).await?;
        let broken = || Error::Query(QueryError::Broken { name: name.to_owned() });
        let mut task = Task(self.threads.spawn(work));
        match tokio::time::timeout(time, &mut task.0).await {
            Ok(done) => done.map_err(|_| broken())?,
            Err(_) => Err(Error::Query(QueryError::OutOfTime { name: name.to_owned(), limit: time })),
        }
    }

    /// The same session for several queries of one answer, for as long as somebody has the wish.
    pub(super) fn for_answer(&self, queries: &Queries) -> Result<(Queries, Wish)> {
        let wanted = Wanted::default();
        let wish = wanted.wish();
        Ok((self.for_one(queries, wanted)?, wish))
    }

    fn for_one(&self, queries: &Queries, wanted: Wanted) -> Result<Queries> {
        let bytes = self.limits.memory_bytes;
        let own = Share { own: GreedyMemoryPool::new(bytes), all: Arc::clone(&self.memory) };
        Ok(queries.for_one(Arc::new(own), bytes, DISK_SHARES * bytes as u64, Arc::new(Stoppable(wanted)))?)
    }
}

impl Running {
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.answer.schema()
    }

    /// The next rows, `None` at the end. Takes a place among those at work while it waits for them, so that
    /// who reads slowly holds up nobody.
    ///
    /// # Errors
    /// Fails if the query does, if its time is over, or if it has more rows than it may.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let next = self.computed().await;
        match &next {
            Ok(Some(rows)) => self.counts.rows.fetch_add(rows.num_rows() as u64, Ordering::Relaxed),
            Ok(None) => 0,
            Err(_) => self.counts.failed.fetch_add(1, Ordering::Relaxed),
        };
        next
    }

    async fn computed(&mut self) -> Result<Option<RecordBatch>> {
        let _slot = self.slots.take(&self.name, self.limits.time).await?;
        let rows = self.answer.next().await?;
        match (&rows, self.limits.rows) {
            (None, Some(limit)) if self.answer.is_cut() => {
                Err(Error::Query(QueryError::TooManyRows { name: self.name.clone(), limit }))
            }
            _ => Ok(rows),
        }
    }
}

/// Work that ends with who waits for it.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The memory of one query, out of what all have together.
#[derive(Debug)]
struct Share {
    own: GreedyMemoryPool,
    all: Arc<dyn MemoryPool>,
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.own, self.all)
    }
}

impl MemoryPool for Share {
    fn name(&self) -> &'static str {
        "share"
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.own.grow(reservation, additional);
        self.all.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.own.shrink(reservation, shrink);
        self.all.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<(), DataFusionError> {
        self.own.try_grow(reservation, additional)?;
        self.all.try_grow(reservation, additional).inspect_err(|_| self.own.shrink(reservation, additional))
    }

    fn reserved(&self) -> usize {
        self.own.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.own.memory_limit()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::MemoryConsumer;

    use super::*;

    #[test]
    fn a_query_has_its_share_and_all_have_theirs() {
        let all: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(150));
        let share = || -> Arc<dyn MemoryPool> {
            Arc::new(Share { own: GreedyMemoryPool::new(100), all: Arc::clone(&all) })
        };
        let (first, second) = (share(), share());
        let of_first = MemoryConsumer::new("first").register(&first);
        let of_second = MemoryConsumer::new("second").register(&second);
        assert!(of_first.try_grow(101).is_err(), "more than one may have");
        assert!(of_first.try_grow(100).is_ok());
        assert!(of_second.try_grow(51).is_err(), "more than is left of all");
        assert_eq!(second.reserved(), 0, "what was refused is not held");
        assert!(of_second.try_grow(50).is_ok());
        drop(of_first);
        assert_eq!(all.reserved(), 50);
        assert!(of_second.try_grow(50).is_ok());
    }
}
