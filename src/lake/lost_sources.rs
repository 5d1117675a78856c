//! Sources that lost rows: fewer are held than their accounts say. What is left of one is removed, so that it can be
//! ingested again and counts once.

use std::collections::HashMap;

use arrow::array::{Array as _, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::Int64Type;

use super::Lake;
use super::commit::{Locked, Replaced};
use super::remove::Removal;
use super::schema::Table;
use crate::error::Result;

/// Tables whose rows come from files that can be ingested again.
pub(super) const OF_SOURCES: [Table; 3] = [Table::SignInRecords, Table::Rejects, Table::Sources];

impl Lake {
    /// Removes what is left of the sources that lost rows and whose paths are wanted, and returns their paths, sorted.
    /// The caller holds the lock.
    ///
    /// # Errors
    /// Fails if a data file is damaged, or the lake can't be read or written; then everything stays.
    pub async fn remove_lost_sources(
        &mut self,
        lock: &Locked,
        is_wanted: impl Fn(&str) -> bool,
        now_ms: i64,
    ) -> Result<Vec<String>> {
        self.check_sizes()?;
        let mut lost = self.lost_sources(&[])?;
        lost.retain(|_, path| path.as_deref().is_some_and(&is_wanted));
        if lost.is_empty() {
            return Ok(Vec::new());
        }
        self.remove_sources(lock, |id| lost.contains_key(id), Vec::new(), now_ms).await?;
        let mut paths: Vec<String> = lost.into_values().flatten().collect();
        paths.sort_unstable();
        Ok(paths)
    }

    /// Removes all rows of some sources, by their ids, and files that are not read.
    pub(super) async fn remove_sources(
        &mut self,
        lock: &Locked,
        is_removed: impl Fn(&str) -> bool,
        unread: Vec<Replaced>,
        now_ms: i64,
    ) -> Result<()> {
        let leaves = |rows: &RecordBatch| -> Result<BooleanArray> {
            let ids = rows.column_by_name("source_id").and_then(|column| column.as_string_opt::<i32>());
            Ok(ids.into_iter().flatten().map(|id| Some(id.is_some_and(&is_removed))).collect())
        };
        let removals = OF_SOURCES.map(|table| Removal { table, columns: &["source_id"], leaves: &leaves });
        self.remove_rows_and_files(lock, &removals, unread, now_ms).await?;
        Ok(())
    }

    /// The sources whose account does not hold without some files, with their names where they are known.
    pub(super) fn lost_sources(&self, without: &[Replaced]) -> Result<HashMap<String, Option<String>>> {
        #[derive(Default)]
        struct Account {
            path: Option<String>,
            expected: i64,
            held: i64,
        }
        let mut accounts: HashMap<String, Account> = HashMap::new();
        for table in OF_SOURCES {
            let columns: &[&str] = match table {
                Table::Sources => &["source_id", "path", "rows", "rejected"],
                _ => &["source_id"],
            };
            for file in self.files(table)? {
                if without.iter().any(|gone| gone.table == table && gone.path == file.path) {
                    continue;
                }
                for batch in self.open_file(table, &file)?.batches(Some(columns))? {
                    let batch = batch?;
                    let text = |name: &str| batch.column_by_name(name).map(AsArray::as_string::<i32>);
                    let number = |name: &str, row: usize| {
                        let column = batch.column_by_name(name).map(AsArray::as_primitive::<Int64Type>);
                        column.filter(|column| column.is_valid(row)).map_or(0, |column| column.value(row))
                    };
                    for (row, id) in text("source_id").into_iter().flatten().enumerate() {
                        let account = accounts.entry(id.unwrap_or_default().to_owned()).or_default();
                        if table == Table::Sources {
                            account.expected += number("rows", row) + number("rejected", row);
                            account.path = text("path").map(|paths| paths.value(row).to_owned());
                        } else {
                            account.held += 1;
                        }
                    }
                }
            }
        }
        accounts.retain(|_, account| account.expected != account.held || account.path.is_none());
        Ok(accounts.into_iter().map(|(id, account)| (id, account.path)).collect())
    }
}
