//! The lake's lock: one writer at a time. It says who holds it, so that who waits can tell.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// How a process waits for the lock, and what it writes into it.
#[derive(Debug, Clone, Default)]
pub struct LockPolicy {
    /// Who this is, for others that wait.
    pub holder: String,
    /// The longest wait; `None`: as long as it takes.
    pub wait_max: Option<Duration>,
    /// Told once, when the wait is long.
    pub tell: Option<fn(&str)>,
}

static POLICY: OnceLock<LockPolicy> = OnceLock::new();

/// After so long somebody is told what is waited for.
pub(crate) const LONG: Duration = Duration::from_secs(2);

const FIRST_PAUSE: Duration = Duration::from_millis(2);
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// Of the holder's words: whatever a file there may hold.
const HOLDER_BYTES_MAX: u64 = 300;

/// Sets the policy of this process, once, before the first lock.
pub fn set_lock_policy(policy: LockPolicy) {
    // The first one stays.
    let _ = POLICY.set(policy);
}

/// How this process waits.
pub(crate) fn policy() -> &'static LockPolicy {
    POLICY.get_or_init(LockPolicy::default)
}

/// Takes the lock, and waits for it by the policy.
///
/// # Errors
/// Fails if the file can't be opened, or another process holds the lock for too long.
pub(super) async fn acquire(path: &Path, lake: &Path) -> Result<File> {
    let policy = policy();
    let options = File::options().create(true).read(true).write(true).truncate(false).open(path);
    let mut file = options.map_err(Error::write(path))?;
    let began = Instant::now();
    let (mut pause, mut is_told) = (FIRST_PAUSE, false);
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(Error::write(path)(source)),
        }
        let waited = began.elapsed();
        if policy.wait_max.is_some_and(|most| waited >= most) {
            return Err(Error::Locked {
                lake: lake.display().to_string(),
                holder: holder(&mut file),
                waited,
            });
        }
        if waited >= LONG && !is_told {
            is_told = true;
            if let Some(tell) = policy.tell {
                tell(&format!(
                    "waiting for {}, which writes to the lake at {}",
                    holder(&mut file),
                    lake.display()
                ));
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
    // For others; a lock without it holds as well.
    let _ =
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(policy.holder.as_bytes()));
    Ok(file)
}

/// What the holder says of itself.
fn holder(file: &mut File) -> String {
    let mut said = Vec::new();
    let read = file.rewind().and_then(|()| file.take(HOLDER_BYTES_MAX).read_to_end(&mut said));
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    match read {
        Ok(_) if !said.is_empty() => said,
        _ => "another process".to_owned(),
    }
}
