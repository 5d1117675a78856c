//! Which of a log's checkpoints stay. One says what a table holds at a version, in as many rows as it has
//! files, so keeping all of them would take space that grows with the square of the commits. The commits
//! themselves always stay: from them, on top of an older checkpoint, every version can be read.

use std::fs;
use std::path::Path;

/// After so many commits a checkpoint is made, so that opening a table reads no more than this many of them,
/// however old the lake.
pub(super) const COMMITS: u64 = 20;
/// Of the newest, every checkpoint stays; of older ones, each tenth, and each hundredth of those before.
const NEWEST: u64 = 10 * COMMITS;
const OLDER: u64 = 10 * NEWEST;

/// Whether the checkpoint of a version stays once there is one of `newest`.
const fn stays(version: u64, newest: u64) -> bool {
    let age = newest.saturating_sub(version);
    age <= NEWEST || (age <= OLDER && version.is_multiple_of(NEWEST)) || version.is_multiple_of(OLDER)
}

/// Removes the checkpoints of a log that need not stay. Only files of the names that are given here, so what
/// other writers of the table leave stays.
pub(super) fn thin(log: &Path, newest: u64) {
    let Ok(entries) = fs::read_dir(log) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let version = name.to_str().and_then(version_of);
        if version.is_some_and(|version| !stays(version, newest)) {
            // One that can't be removed takes space and does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The version of a checkpoint that is one file.
fn version_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".checkpoint.parquet")?;
    (digits.len() == 20).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(commits: u64) -> Vec<u64> {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: String| fs::write(folder.path().join(name), "").expect("a file");
        for version in (COMMITS..=commits).step_by(20) {
            write(format!("{version:020}.checkpoint.parquet"));
            write(format!("{version:020}.json"));
            thin(folder.path(), version);
        }
        write("00000000000000000020.checkpoint.0000000001.0000000002.parquet".to_owned());
        thin(folder.path(), commits);
        let names = fs::read_dir(folder.path()).expect("a folder").flatten();
        let names: Vec<String> =
            names.map(|entry| entry.file_name().to_str().expect("ASCII").to_owned()).collect();
        let json = names.iter().filter(|name| name.contains(".json")).count() as u64;
        assert_eq!(json, commits / COMMITS, "no commit goes");
        assert!(names.iter().any(|name| name.contains(".0000000002.")), "nor what others wrote");
        let mut kept: Vec<u64> = names.iter().filter_map(|name| version_of(name)).collect();
        kept.sort_unstable();
        kept
    }

    #[test]
    fn all_of_the_newest_checkpoints_stay_and_of_older_ones_ever_fewer() {
        assert_eq!(kept(220), [20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 220]);
        let mut expected = vec![2_000, 2_400, 2_600, 2_800, 3_000, 3_200, 3_400, 3_600, 3_800, 4_000];
        expected.extend((4_200..=4_400).step_by(20));
        assert_eq!(kept(4_400), expected);
    }
}
