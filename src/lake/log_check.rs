//! Whether the files of a log are what was written. A commit of lightsout says the hash of its actions, and an entry of
//! the lake's log the hash of its text and of the newest checkpoints, so that a file that was cut, zeroed or changed is
//! told before anything is read from it: a commit that lost a line would only look like a smaller one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use deltalake::kernel::Action;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Lake;
use super::schema::Table;
use super::write::hash_of;
use crate::error::{Error, Result};

/// The member of a table commit's `commitInfo` that says that lightsout made it: its version.
pub(super) const OURS: &str = "lightsout";

/// A checkpoint as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointEntry {
    pub version: u64,
    pub bytes: u64,
    /// As of a data file.
    pub hash: String,
}

/// The member of a table commit's `commitInfo` that says the hash of its other actions.
pub(super) const CHECK: &str = "lightsoutCheck";

/// The hash of a text as logs name it.
pub(super) fn hash_of_bytes(bytes: &[u8]) -> String {
    format!("blake3:{}", blake3::hash(bytes).to_hex())
}

/// The hash of a commit's actions.
pub(super) fn check_of(actions: &[Action]) -> Result<String> {
    let failed = |source| Error::Json { what: "the actions of a commit", source };
    let mut values = Vec::new();
    for action in actions {
        values.push(serde_json::to_value(action).map_err(failed)?);
    }
    Ok(check_of_values(&values))
}

fn check_of_values<'a>(actions: impl IntoIterator<Item = &'a Value>) -> String {
    let lines: Vec<String> = actions.into_iter().map(|action| sorted(action).to_string()).collect();
    hash_of_bytes(lines.join("\n").as_bytes())
}

/// The same value with the members of every object in order: maps are written in any.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<&String, Value> =
                members.iter().map(|(name, member)| (name, sorted(member))).collect();
            Value::Object(members.into_iter().map(|(name, member)| (name.clone(), member)).collect())
        }
        Value::Array(elements) => Value::Array(elements.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// Why a file of a log can't be one, before its text is looked at.
pub(super) fn unreadable(text: &[u8]) -> Option<String> {
    if text.is_empty() {
        return Some("it is empty".to_owned());
    }
    if text.contains(&0) {
        return Some("it holds zero bytes where JSON is expected".to_owned());
    }
    None
}

/// What is wrong with a table's commit; `None`: nothing.
pub(super) fn damage_of_commit(text: &[u8]) -> Option<String> {
    if let Some(found) = unreadable(text) {
        return Some(found);
    }
    let Ok(text) = std::str::from_utf8(text) else { return Some("it is no UTF-8 text".to_owned()) };
    let mut info = None;
    let mut actions = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<Value>(line) {
            Err(source) => {
                return Some(format!("line {} is no JSON, perhaps cut off ({source})", number + 1));
            }
            Ok(mut action) => match action.get_mut("commitInfo") {
                Some(found) => info = Some(found.take()),
                None => actions.push(action),
            },
        }
    }
    let info = info.unwrap_or_default();
    match info.get(CHECK).and_then(Value::as_str) {
        Some(check) if check != check_of_values(&actions) => {
            Some("its hash is not that of its actions, of which some were changed or lost".to_owned())
        }
        None if info.get(OURS).is_some() && actions.is_empty() => {
            Some("all of its actions are lost".to_owned())
        }
        _ => None,
    }
}

/// A checkpoint that has just been written.
pub(super) fn checkpoint_entry(log: &Path, version: u64) -> Result<CheckpointEntry> {
    let path = log.join(format!("{version:020}.checkpoint.parquet"));
    let read = || {
        let file = File::open(&path)?;
        Ok((file.metadata()?.len(), hash_of(&file)?))
    };
    let (bytes, hash) = read().map_err(Error::read(path.display().to_string()))?;
    Ok(CheckpointEntry { version, bytes, hash })
}

impl Lake {
    /// Fails if a file of a table's log is damaged that its version is read from.
    pub(super) fn check_log(&self, table: Table, version: u64) -> Result<()> {
        let log = self.log_of(table);
        for needed in (0..=version).rev() {
            if log.join(format!("{needed:020}.checkpoint.parquet")).exists() {
                return self.check_checkpoint(table, needed);
            }
            self.check_commit(table, needed)?;
        }
        Ok(())
    }

    /// Fails if a commit of a table behind this version is damaged.
    pub(super) fn check_commits_after(&self, table: Table, seen: u64) -> Result<()> {
        let mut version = seen + 1;
        while self.check_commit(table, version)? {
            version += 1;
        }
        Ok(())
    }

    /// Whether there is such a commit; fails if it is damaged.
    fn check_commit(&self, table: Table, version: u64) -> Result<bool> {
        let path = self.log_of(table).join(format!("{version:020}.json"));
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(Error::read(path.display().to_string())(source)),
        };
        match damage_of_commit(&text) {
            Some(found) => Err(Error::DamagedLog { path, lake: self.root.clone(), found }),
            None => Ok(true),
        }
    }

    fn check_checkpoint(&self, table: Table, version: u64) -> Result<()> {
        let known = self.entry.as_ref().and_then(|entry| entry.checkpoints.get(table.as_str()));
        let Some(known) = known.filter(|known| known.version == version) else { return Ok(()) };
        let log = self.log_of(table);
        if checkpoint_entry(&log, version)? == *known {
            return Ok(());
        }
        let path = log.join(format!("{version:020}.checkpoint.parquet"));
        let found = "its hash is not that of what was written".to_owned();
        Err(Error::DamagedLog { path, lake: self.root.clone(), found })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_commit_that_was_cut_zeroed_or_changed_is_damaged() {
        let actions = [json!({"add": {"path": "a", "size": 1}}), json!({"remove": {"path": "b"}})];
        let check = check_of_values(&actions);
        let info = json!({"commitInfo": {OURS: "0.1.0", CHECK: check}});
        let text = format!("{info}\n{}\n{}", actions[0], actions[1]);
        assert_eq!(damage_of_commit(text.as_bytes()), None);
        let cut_at_a_line = text.rsplit_once('\n').expect("lines").0.to_owned();
        let damaged = [
            String::new(),
            "\0".repeat(text.len()),
            text[..text.len() / 2].to_owned(),
            cut_at_a_line,
            text.replace("\"size\":1", "\"size\":2"),
            json!({"commitInfo": {OURS: "0.1.0"}}).to_string(),
        ];
        for text in damaged {
            assert!(damage_of_commit(text.as_bytes()).is_some(), "{text:?}");
        }
        // Other programs, and lightsout of before, say no hash.
        assert_eq!(damage_of_commit(actions[0].to_string().as_bytes()), None);
    }
}
