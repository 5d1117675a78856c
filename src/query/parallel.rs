//! Runs work that does not block on all cores.

use std::num::NonZero;

/// How many there are.
pub(super) fn core_count() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// What comes of each of them, in their order; `None`: of one of them nothing does.
pub(super) fn on_all_cores<T: Send + Sync, R: Send>(
    items: &[T],
    each: impl Fn(&T) -> Option<R> + Sync,
) -> Option<Vec<R>> {
    let threads = core_count().min(items.len().max(1));
    let work = |thread: usize| -> Vec<(usize, Option<R>)> {
        let mine = items.iter().enumerate().skip(thread).step_by(threads);
        mine.map(|(at, item)| (at, each(item))).collect()
    };
    let mut done = std::thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = (1..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        let mut done = work(0);
        for other in others {
            // A thread that panicked has done nothing, which is seen below.
            done.extend(other.join().unwrap_or_default());
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    if done.len() != items.len() {
        return None;
    }
    done.into_iter().map(|(_, done)| done).collect()
}
