//! How the format of a lake may grow. Tables that an earlier version made lack columns of today: here is how that
//! is seen, and how a table's log gets them; what the new columns of old rows hold is `ingest::upgrade`'s. A lake
//! whose format is newer than this program's is refused, since its rows may mean something else.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, Fields, Schema};
use deltalake::kernel::engine::arrow_conversion::{TryIntoArrow as _, TryIntoKernel as _};
use deltalake::kernel::{Action, MetadataExt as _, StructType};
use deltalake::{DeltaTable, DeltaTableError};

use super::Lake;
use super::schema::Table;
use super::write::BOUNDED;
use crate::error::{Error, Result};

const WHAT: &str = "a table's columns";

/// The format that this program writes. Another number where an older program would misread the lake or harm it; a
/// new column that it may leave alone needs none. 2 was the first that tables name; since 3 the lake has a log, and
/// a program that does not write it would leave readers with an older cut; and a decision's tenants lie in tables of
/// their own; since 4 announcements can be withdrawn, and an older program would turn off what was; since 5 a source may
/// have counted sign-ins, whose account an older program would call wrong.
pub(super) const FORMAT_VERSION: u32 = 5;

/// The format of lakes whose tables do not name one.
const FIRST_FORMAT: &str = "1";

/// The property of a table that names the lake's format. Other engines keep it.
const FORMAT_PROPERTY: &str = "lightsout.formatVersion";

/// The property that names the hash by which contents are known. A content that could be made to have another's id would
/// be passed as known, and what it shows be lost, so it has to be a cryptographic one. A program that knows several
/// would hash by the lake's, since the ids that a lake has stay as they are.
const CONTENT_HASH_PROPERTY: &str = "lightsout.contentHash";

/// The hash of every lake until now, also of those that name none.
const CONTENT_HASH: &str = "blake3";

/// The properties that a table has from its creation.
pub(super) fn properties(table: Table) -> [(&'static str, String); 5] {
    let columns = table.table_schema();
    let bounded: Vec<&str> =
        BOUNDED.into_iter().filter(|column| columns.field_with_name(column).is_ok()).collect();
    // Decisions name old versions, so neither log nor files are cleaned by other writers' defaults.
    [
        ("delta.logRetentionDuration", "interval 3650 days".to_owned()),
        ("delta.deletedFileRetentionDuration", "interval 3650 days".to_owned()),
        // Readers look for no other column's statistics, of every file and with every commit.
        ("delta.dataSkippingStatsColumns", bounded.join(",")),
        (FORMAT_PROPERTY, FORMAT_VERSION.to_string()),
        (CONTENT_HASH_PROPERTY, CONTENT_HASH.to_owned()),
    ]
}

/// The columns of a table as its log has them.
pub(super) fn kernel_schema(table: Table) -> Result<StructType> {
    table.table_schema().as_ref().try_into_kernel().map_err(|source| Error::Arrow { what: WHAT, source })
}

impl Lake {
    /// The tables that lack a column of today, or a member of one. A column that is not known is left alone.
    ///
    /// # Errors
    /// Fails if a table has columns that no engine reads.
    pub fn outdated(&self) -> Result<Vec<Table>> {
        let mut outdated = Vec::new();
        for table in Table::ALL {
            if lacks(self.logged_schema(table)?.fields(), table.table_schema().fields()) {
                outdated.push(table);
            }
        }
        Ok(outdated)
    }

    /// The tables that lack a column of today or the name of today's format.
    ///
    /// # Errors
    /// As [`Lake::outdated`].
    pub fn to_upgrade(&self) -> Result<Vec<Table>> {
        let mut tables = self.outdated()?;
        for table in Table::ALL {
            if !tables.contains(&table) && self.format_of(self.table(table)?)? != FORMAT_VERSION.to_string() {
                tables.push(table);
            }
        }
        tables.sort_unstable();
        Ok(tables)
    }

    /// The format of the lake: the oldest that one of its tables has.
    ///
    /// # Errors
    /// Fails if a table can't be read.
    pub fn format(&self) -> Result<u32> {
        let mut oldest = FORMAT_VERSION;
        for table in self.tables.values() {
            oldest = oldest.min(self.format_of(table)?.parse().unwrap_or(FORMAT_VERSION));
        }
        Ok(oldest)
    }

    /// The format that a table names; the first if it names none.
    fn format_of(&self, table: &DeltaTable) -> Result<String> {
        Ok(self.property(table, FORMAT_PROPERTY)?.unwrap_or_else(|| FIRST_FORMAT.to_owned()))
    }

    fn property(&self, table: &DeltaTable, name: &str) -> Result<Option<String>> {
        let snapshot =
            table.snapshot().map_err(|source| self.wrong("reading a table's properties", source))?;
        Ok(snapshot.metadata().configuration().get(name).cloned())
    }

    /// Fails if the table names a format that is newer than this program's, or one that is not a number; or a hash that
    /// this program does not know.
    pub(super) fn check_format(&self, table: &DeltaTable) -> Result<()> {
        let found = self.format_of(table)?;
        if !found.parse::<u32>().is_ok_and(|version| version <= FORMAT_VERSION) {
            return Err(Error::NewerFormat { lake: self.name(), found, known: FORMAT_VERSION });
        }
        match self.property(table, CONTENT_HASH_PROPERTY)? {
            Some(found) if found != CONTENT_HASH => {
                Err(Error::UnknownHash { lake: self.name(), found, known: CONTENT_HASH })
            }
            _ => Ok(()),
        }
    }

    /// The columns that a table's log names.
    ///
    /// # Errors
    /// Fails if a table has columns that no engine reads.
    pub fn logged_schema(&self, table: Table) -> Result<Schema> {
        let snapshot = self
            .table(table)?
            .snapshot()
            .map_err(|source| self.wrong("reading a table's columns", source))?;
        snapshot.schema().as_ref().try_into_arrow().map_err(|source| Error::Arrow { what: WHAT, source })
    }

    /// The log's action that gives a table the columns and the format of today.
    pub(super) fn new_columns(&self, table: Table) -> Result<Action> {
        let wrong = |source| self.wrong("changing a table's columns", source);
        let of_kernel = |source| wrong(DeltaTableError::from(source));
        let snapshot = self.table(table)?.snapshot().map_err(wrong)?;
        let mut metadata = snapshot.metadata().clone();
        if self.outdated()?.contains(&table) {
            metadata = metadata.with_schema(&kernel_schema(table)?).map_err(of_kernel)?;
        }
        for (key, value) in properties(table) {
            metadata = metadata.add_config_key(key.to_owned(), value).map_err(of_kernel)?;
        }
        Ok(Action::Metadata(metadata))
    }
}

/// Whether one of `needed` is not there with all its members.
fn lacks(there: &Fields, needed: &Fields) -> bool {
    needed.iter().any(|field| {
        there.iter().find(|other| other.name() == field.name()).is_none_or(|other| differs(other, field))
    })
}

fn differs(there: &Field, needed: &Field) -> bool {
    match (there.data_type(), needed.data_type()) {
        (DataType::Struct(there), DataType::Struct(needed)) => lacks(there, needed),
        (DataType::List(there), DataType::List(needed)) => differs(there, needed),
        _ => false,
    }
}

/// A batch with all columns of a table; those that it lacks are null.
///
/// # Errors
/// Fails if a column is of another type than the table's.
pub(super) fn widened(table: Table, batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = table.file_schema();
    let column = |field: &Arc<Field>| -> ArrayRef {
        let there = batch.column_by_name(field.name()).cloned();
        there.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()))
    };
    let columns = schema.fields().iter().map(column).collect();
    RecordBatch::try_new(schema, columns).map_err(|source| Error::Arrow { what: WHAT, source })
}
