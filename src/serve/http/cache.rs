//! What has been computed, for the next who asks the same of the same state of the lake. It is computed once,
//! whoever else asks meanwhile waits for it; few are kept.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::error_page::PageError;
use super::request::Range;
use lightsout_lake::schema::Table;

/// What a result depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) versions: Vec<(Table, u64)>,
    /// `None`: of the range that is taken where nobody names one.
    pub(super) range: Option<Range>,
    /// Of one tenant.
    pub(super) tenant: Option<String>,
}

type Entry<T> = (Key, Arc<OnceCell<Arc<T>>>);

/// See the file's first lines.
pub(super) struct Cache<T> {
    /// Who was asked for last is last.
    entries: Mutex<Vec<Entry<T>>>,
    entries_max: usize,
}

impl<T> Cache<T> {
    pub(super) const fn new(entries_max: usize) -> Self {
        Self { entries: Mutex::new(Vec::new()), entries_max }
    }

    /// What is kept, or computed now. A failure is not kept.
    pub(super) async fn get(
        &self,
        key: Key,
        compute: impl Future<Output = Result<T, PageError>>,
    ) -> Result<Arc<T>, PageError> {
        let cell = self.cell(key);
        cell.get_or_try_init(|| async { compute.await.map(Arc::new) }).await.cloned()
    }

    fn cell(&self, key: Key) -> Arc<OnceCell<Arc<T>>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody asks for an older state of the lake again.
        entries.retain(|(kept, _)| kept.versions == key.versions);
        let cell = match entries.iter().position(|(kept, _)| *kept == key) {
            Some(at) => entries.remove(at).1,
            None => Arc::default(),
        };
        entries.push((key, Arc::clone(&cell)));
        if entries.len() > self.entries_max {
            entries.remove(0);
        }
        cell
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use chrono::NaiveDate;

    use super::*;

    fn key(version: u64, days: u32) -> Key {
        let as_of = NaiveDate::from_ymd_opt(2026, 11, 2).expect("a day");
        Key {
            versions: vec![(Table::SignInRecords, version)],
            range: Some(Range { as_of, days }),
            tenant: None,
        }
    }

    /// How often each key had to be computed.
    async fn computed(cache: &Cache<u32>, keys: &[Key]) -> Vec<bool> {
        let mut told = Vec::new();
        for key in keys {
            let mut is_new = false;
            let days = key.range.map_or(0, |range| range.days);
            let made = cache
                .get(key.clone(), async {
                    is_new = true;
                    Ok(days)
                })
                .await;
            assert_eq!(*made.expect("computed"), days);
            told.push(is_new);
        }
        told
    }

    #[tokio::test]
    async fn few_are_kept_the_last_asked_for_the_longest_and_none_of_an_older_lake() {
        let cache = Cache::new(2);
        let request = [key(1, 7), key(1, 30), key(1, 7), key(1, 90), key(1, 7), key(1, 30)];
        assert_eq!(computed(&cache, &request).await, [true, true, false, true, false, true]);
        assert_eq!(computed(&cache, &[key(2, 30)]).await, [true]);
        assert_eq!(cache.entries.lock().expect("whole").len(), 1);
    }

    #[tokio::test]
    async fn many_who_ask_at_once_have_it_computed_once_and_a_failure_is_tried_again() {
        let cache = Arc::new(Cache::new(2));
        assert!(cache.get(key(1, 7), async { Err(PageError::Busy) }).await.is_err());
        let count = Arc::new(AtomicUsize::new(0));
        let ask = || {
            let (cache, count) = (Arc::clone(&cache), Arc::clone(&count));
            tokio::spawn(async move {
                let compute = async {
                    count.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    Ok(5)
                };
                cache.get(key(1, 7), compute).await.map(|found| *found)
            })
        };
        for asked in (0..20).map(|_| ask()).collect::<Vec<_>>() {
            assert!(matches!(asked.await.expect("it ends"), Ok(5)));
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }
}
