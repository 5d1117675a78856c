//! Files that are read again because the lake lost rows of them.

use std::collections::HashSet;
use std::path::{PathBuf, absolute};

use super::find::Input;
use crate::Result;
use lightsout_lake::Lake;

/// Removes what the lake still has of those given files of which it lost rows, so that they are read like new ones;
/// returns the paths of these sources.
///
/// # Errors
/// Fails if the lake is damaged, or can't be read or written; then everything stays.
pub async fn forget_lost(lake: &mut Lake, inputs: &[Input], now_ms: i64) -> Result<Vec<String>> {
    let given: HashSet<PathBuf> =
        inputs.iter().filter_map(|input| absolute(input.path.as_ref()?).ok()).collect();
    // A member of an archive is named below it.
    let is_given =
        |path: &str| absolute(path).is_ok_and(|path| path.ancestors().any(|path| given.contains(path)));
    let lock = lake.lock().await?;
    Ok(lake.remove_lost_sources(&lock, is_given, now_ms).await?)
}
