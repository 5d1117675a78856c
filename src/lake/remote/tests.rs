//! Lakes in a store in memory, with working copies of several machines, and a store that fails on purpose.

use std::ffi::OsStr;
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arrow::array::RecordBatch;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _};
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use object_store::{
    CopyOptions, Error as StoreError, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
};

use super::{Copy, Remote, lease_seconds};
use crate::commit::Manifest;
use crate::schema::Table;
use crate::write::write_file;
use crate::{Error, Lake};

const URL: &str = "memory://lakes/lake";

/// What becomes of one write, counted from 1; 0: of none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// The machine is gone from the n-th write on, which is not made.
    DeadFrom(u64),
    /// The n-th write is made, and its answer is lost.
    AnswerLost(u64),
    /// Conditions are ignored.
    Unconditional,
}

#[derive(Debug)]
struct Faulty {
    inner: Arc<InMemory>,
    fault: Fault,
    writes: AtomicU64,
    /// Nothing reaches the store.
    is_asleep: AtomicBool,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a store with faults")
    }
}

fn unreachable() -> StoreError {
    StoreError::Generic { store: "test", source: "not reached".into() }
}

impl Faulty {
    fn over(inner: &Arc<InMemory>, fault: Fault) -> Arc<Self> {
        let (writes, is_asleep) = (AtomicU64::new(0), AtomicBool::new(false));
        Arc::new(Self { inner: Arc::clone(inner), fault, writes, is_asleep })
    }

    fn is_dead(&self) -> bool {
        let is_gone =
            matches!(self.fault, Fault::DeadFrom(first) if self.writes.load(Ordering::SeqCst) >= first);
        is_gone || self.is_asleep.load(Ordering::SeqCst)
    }

    fn alive(&self) -> StoreResult<()> {
        if self.is_dead() { Err(unreachable()) } else { Ok(()) }
    }

    /// Counts a write; whether its answer is lost.
    fn write(&self) -> StoreResult<bool> {
        self.alive()?;
        let number = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        self.alive()?;
        Ok(self.fault == Fault::AnswerLost(number))
    }
}

#[async_trait::async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(
        &self,
        location: &ObjectPath,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> StoreResult<PutResult> {
        let is_lost = self.write()?;
        if self.fault == Fault::Unconditional {
            options.mode = PutMode::Overwrite;
        }
        let put = self.inner.put_opts(location, payload, options).await;
        if is_lost { Err(unreachable()) } else { put }
    }

    async fn put_multipart_opts(
        &self,
        location: &ObjectPath,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.write()?;
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &ObjectPath, options: GetOptions) -> StoreResult<GetResult> {
        self.alive()?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &ObjectPath, ranges: &[Range<u64>]) -> StoreResult<Vec<Bytes>> {
        self.alive()?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, StoreResult<ObjectPath>>,
    ) -> BoxStream<'static, StoreResult<ObjectPath>> {
        match self.write() {
            Ok(_) => self.inner.delete_stream(locations),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    fn list(&self, prefix: Option<&ObjectPath>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        match self.alive() {
            Ok(()) => self.inner.list(prefix),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&ObjectPath>) -> StoreResult<ListResult> {
        self.alive()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &ObjectPath, to: &ObjectPath, options: CopyOptions) -> StoreResult<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// A process with a working copy on a machine.
fn process(machine: &Path, store: Arc<dyn ObjectStore>) -> Arc<Remote> {
    let copy = Copy::claim_in(machine, URL).expect("a copy");
    let mut remote =
        Remote::new(URL.to_owned(), String::new(), store, ObjectPath::from("lake"), copy).expect("a lake");
    Arc::get_mut(&mut remote).expect("nobody else has it").seconds = Duration::from_secs(1);
    remote
}

async fn open(remote: &Arc<Remote>) -> crate::Result<Lake> {
    Box::pin(Lake::open_with(Path::new(URL), Some(Arc::clone(remote)), false)).await
}

/// Commits a batch of one file in each of two tables.
async fn commit(lake: &mut Lake, batch_id: &str) -> crate::Result<()> {
    let lock = lake.lock().await?;
    commit_under(lake, &lock, batch_id).await
}

async fn commit_under(lake: &mut Lake, lock: &crate::commit::Locked, batch_id: &str) -> crate::Result<()> {
    let file =
        |table: Table| write_file(lake.root(), table, batch_id, &RecordBatch::new_empty(table.file_schema()));
    let files = vec![file(Table::Rejects)?, file(Table::Sources)?];
    let manifest = Manifest { batch_id: batch_id.to_owned(), files, replaced: Vec::new() };
    lake.commit(lock, &manifest, 0).await
}

/// The batches that a lake holds, which must be the same in both tables and whole.
fn batches(lake: &Lake) -> Vec<String> {
    let of = |table: Table| -> Vec<String> {
        let files = lake.files(table).expect("files");
        lake.fetch(table, &files).expect("all are there");
        files.into_iter().map(|file| file.path.trim_end_matches(".parquet").to_owned()).collect()
    };
    let (rejects, sources) = (of(Table::Rejects), of(Table::Sources));
    assert_eq!(rejects, sources, "a batch is whole");
    rejects
}

#[tokio::test]
async fn two_machines_write_in_turn_and_see_each_other() {
    let (store, first, second) = (Arc::new(InMemory::new()), folder(), folder());
    let (first, second) =
        (process(first.path(), Arc::clone(&store) as _), process(second.path(), store as _));
    let mut one = open(&first).await.expect("a new lake");
    let mut two = open(&second).await.expect("the same lake");
    // More than a checkpoint's worth.
    let mut expected = Vec::new();
    for number in 0..12 {
        for (lake, who) in [(&mut one, "a"), (&mut two, "b")] {
            let name = format!("{number:02}{who}");
            commit(lake, &name).await.expect("a commit");
            expected.push(name);
        }
    }
    assert!(one.has_news().await.expect("asked") && !two.has_news().await.expect("asked"));
    one.refresh().await.expect("seen");
    for lake in [&one, &two, &open(&first).await.expect("opened again")] {
        assert_eq!(batches(lake), expected);
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// How many writes a new lake and two batches take.
async fn writes() -> u64 {
    let (store, machine) = (Faulty::over(&Arc::new(InMemory::new()), Fault::None), folder());
    let remote = process(machine.path(), Arc::clone(&store) as _);
    let mut lake = open(&remote).await.expect("a lake");
    commit(&mut lake, "1").await.expect("a commit");
    commit(&mut lake, "2").await.expect("a commit");
    store.writes.load(Ordering::SeqCst)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_before_any_write_nothing_is_lost_and_nothing_doubled() {
    let writes = writes().await;
    assert!(writes > 30, "{writes}");
    for dead_from in 1..=writes {
        let (store, machine) = (Arc::new(InMemory::new()), folder());
        let faulty = Faulty::over(&store, Fault::DeadFrom(dead_from));
        let killed = process(machine.path(), faulty as _);
        let other = process(machine.path(), Arc::clone(&store) as _);
        let mut done = Vec::new();
        if let Ok(mut lake) = open(&killed).await {
            for name in ["1", "2"] {
                if commit(&mut lake, name).await.is_err() {
                    break;
                }
                done.push(name.to_owned());
            }
        }
        drop(killed);
        let mut lake = open(&other).await.unwrap_or_else(|error| panic!("dead from {dead_from}: {error}"));
        commit(&mut lake, "3").await.unwrap_or_else(|error| panic!("dead from {dead_from}: {error}"));
        let mut found = batches(&lake);
        assert_eq!(found.pop().as_deref(), Some("3"), "dead from {dead_from}");
        assert!(found.starts_with(&done), "dead from {dead_from}: {done:?} were done, {found:?} are there");
        assert!(found.len() <= done.len() + 1, "dead from {dead_from}: {found:?}");
        // Whoever opens it next sees the same.
        drop((lake, other));
        let next = process(machine.path(), store as _);
        found.push("3".to_owned());
        assert_eq!(batches(&open(&next).await.expect("a lake")), found, "dead from {dead_from}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_does_no_harm_wherever_it_is_lost() {
    for lost in 1..=writes().await {
        let (store, machine) = (Arc::new(InMemory::new()), folder());
        let remote = process(machine.path(), Faulty::over(&store, Fault::AnswerLost(lost)) as _);
        let mut done = Vec::new();
        // What the client itself repeats, this store does not: a command may fail, and is run again.
        for _ in 0..3 {
            let Ok(mut lake) = open(&remote).await else { continue };
            for name in ["1", "2"] {
                if !batches(&lake).contains(&name.to_owned()) && commit(&mut lake, name).await.is_ok() {
                    done.push(name);
                }
            }
        }
        drop(remote);
        let next = process(machine.path(), store as _);
        assert_eq!(
            batches(&open(&next).await.expect("a lake")),
            ["1", "2"],
            "answer {lost} is lost: {done:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_lease_was_stolen_commits_nothing_and_can_go_on() {
    let (store, first, second) = (Arc::new(InMemory::new()), folder(), folder());
    let faulty = Faulty::over(&store, Fault::None);
    let (first, second) =
        (process(first.path(), Arc::clone(&faulty) as _), process(second.path(), store as _));
    let mut sleeper = open(&first).await.expect("a lake");
    let lock = sleeper.lock().await.expect("the lease");
    faulty.is_asleep.store(true, Ordering::SeqCst);
    let mut thief = open(&second).await.expect("a lake");
    commit(&mut thief, "thief").await.expect("the lease after its time");
    faulty.is_asleep.store(false, Ordering::SeqCst);
    let refused = commit_under(&mut sleeper, &lock, "sleeper").await.expect_err("its lease is gone");
    assert!(matches!(refused, Error::WrittenMeanwhile { .. }), "{refused}");
    drop(lock);
    commit(&mut sleeper, "again").await.expect("a lease of its own");
    thief.refresh().await.expect("seen");
    for lake in [&sleeper, &thief] {
        assert_eq!(batches(lake), ["again", "thief"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_is_renewed_is_not_stolen() {
    let (store, first, second) = (Arc::new(InMemory::new()), folder(), folder());
    let (first, second) =
        (process(first.path(), Arc::clone(&store) as _), process(second.path(), store as _));
    let mut owner = open(&first).await.expect("a lake");
    let lock = owner.lock().await.expect("the lease");
    let mut waiting = open(&second).await.expect("a lake");
    let waiter = tokio::spawn(async move { commit(&mut waiting, "waiter").await });
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(!waiter.is_finished(), "it waits for longer than the lease lasts without a renewal");
    commit_under(&mut owner, &lock, "owner").await.expect("a commit");
    drop(lock);
    waiter.await.expect("no panic").expect("a commit");
    owner.refresh().await.expect("seen");
    assert_eq!(batches(&owner), ["owner", "waiter"]);
}

#[tokio::test]
async fn a_store_that_ignores_conditions_is_refused() {
    let (store, machine) = (Faulty::over(&Arc::new(InMemory::new()), Fault::Unconditional), folder());
    let refused = open(&process(machine.path(), store as _)).await.map(drop).expect_err("refused");
    assert!(matches!(refused, Error::StoreIgnoresConditions { .. }), "{refused}");
    assert!(refused.to_string().contains(URL), "{refused}");
}

#[tokio::test]
async fn a_data_file_that_is_gone_is_named() {
    let (store, first, second) = (Arc::new(InMemory::new()), folder(), folder());
    let mut lake = open(&process(first.path(), Arc::clone(&store) as _)).await.expect("a lake");
    commit(&mut lake, "batch").await.expect("a commit");
    let reader = open(&process(second.path(), Arc::clone(&store) as _)).await.expect("a lake");
    object_store::ObjectStoreExt::delete(store.as_ref(), &"lake/rejects/batch.parquet".into())
        .await
        .expect("deleted");
    let files = reader.files(Table::Rejects).expect("files");
    let gone = reader.fetch(Table::Rejects, &files).expect_err("gone").to_string();
    assert!(gone.contains("rejects/batch.parquet is gone"), "{gone}");
}

#[tokio::test]
async fn machines_that_serve_a_lake_have_one_key_of_pseudonyms() {
    for fault in [Fault::None, Fault::AnswerLost(1)] {
        let inner = Arc::new(InMemory::new());
        let mut keys = Vec::new();
        for store in [Faulty::over(&inner, fault), Faulty::over(&inner, Fault::None)] {
            let machine = folder();
            let remote = process(machine.path(), store as _);
            let offered = if keys.is_empty() { b"first" } else { b"other" };
            keys.push(remote.get_or_create("_pseudonym_key", offered).await.expect("a key"));
        }
        assert_eq!(keys, [b"first", b"first"], "{fault:?}");
    }
}

#[test]
fn seconds_of_a_lease_are_taken_or_refused() {
    let of = |text: &str| lease_seconds(Some(OsStr::new(text))).map(|seconds| seconds.as_secs());
    assert_eq!(lease_seconds(None).expect("the default").as_secs(), 60);
    assert_eq!(of("").expect("the default"), 60);
    assert_eq!(of("3").expect("as set"), 3);
    for wrong in ["0", "86401", "-1", "1.5", "1m", "a\u{1b}[2J"] {
        let told = of(wrong).expect_err(wrong).to_string();
        assert!(told.contains("LIGHTSOUT_LEASE_SECONDS") && !told.contains('\u{1b}'), "{told}");
    }
}
