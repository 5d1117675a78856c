//! Tables of the user's own beside the lake's: rows in memory, under a name that is none of the lake's.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::sqlparser::keywords::{
    ALL_KEYWORDS, ALL_KEYWORDS_INDEX, RESERVED_FOR_COLUMN_ALIAS, RESERVED_FOR_TABLE_ALIAS,
};

use super::catalog::REPORTS;
use super::views::VIEWS;
use super::{Queries, failed};
use crate::{Error, Result};
use lightsout_lake::schema::Table;

/// See the file's first lines.
#[derive(Debug, Clone)]
pub struct UserTable {
    name: String,
    table: Arc<MemTable>,
    rows: usize,
}

/// Whether a table of the user's own can have the name.
///
/// # Errors
/// Fails if a query could not name it as it is, or if the lake or a report has the name.
pub fn check_name(name: &str) -> Result<()> {
    let wrong = |expected: &str| Error::UserTable { name: name.to_owned(), expected: expected.to_owned() };
    let is_name = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_name {
        return Err(wrong(
            "a name of lower-case letters, digits and _, with a letter first, as in vips=vips.csv",
        ));
    }
    if Table::ALL.iter().any(|table| table.as_str() == name) {
        return Err(wrong("another name; the lake has a table of this one"));
    }
    if VIEWS.iter().any(|view| view.name == name) {
        return Err(wrong("another name; the lake has a view of this one"));
    }
    if REPORTS.iter().any(|report| report.name == name) {
        return Err(wrong("another name; a report has this one, and is a view of that name"));
    }
    // A word of SQL, which would end the query's list of tables.
    let keyword = ALL_KEYWORDS.iter().position(|keyword| keyword.eq_ignore_ascii_case(name));
    let is_reserved = keyword.map(|at| ALL_KEYWORDS_INDEX[at]).is_some_and(|keyword| {
        RESERVED_FOR_TABLE_ALIAS.contains(&keyword) || RESERVED_FOR_COLUMN_ALIAS.contains(&keyword)
    });
    if is_reserved {
        return Err(wrong("another name; this one is a word of SQL"));
    }
    Ok(())
}

impl UserTable {
    /// A table of that name with the rows of batches of one schema, of which there must be one.
    ///
    /// # Errors
    /// Fails if it can't [have the name](check_name), or if the batches differ.
    pub fn new(name: &str, batches: Vec<RecordBatch>) -> Result<Self> {
        check_name(name)?;
        let schema = batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        let table = MemTable::try_new(schema, vec![batches]).map_err(|source| failed(name, source))?;
        Ok(Self { name: name.to_owned(), table: Arc::new(table), rows })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Its columns, each with its type as SQL calls it: `user text, seats bigint`.
    #[must_use]
    pub fn columns(&self) -> String {
        let schema = self.table.schema();
        let columns = schema
            .fields()
            .iter()
            .map(|field| format!("{} {}", field.name(), super::column_docs::sql_type(field.data_type())));
        columns.collect::<Vec<_>>().join(", ")
    }
}

impl Queries {
    /// Adds a table of the user's own. What is planned afterwards can name it.
    pub fn add_table(&self, table: &UserTable) {
        self.schema.add_user_table(&table.name, Arc::clone(&table.table) as _);
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};

    use super::*;
    use lightsout_output::table::batch;

    #[test]
    fn a_name_is_one_that_a_query_can_write_and_nothing_else_has() {
        for name in ["vips", "_x9", "users", "old_list"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for (name, why) in [
            ("VIPs", "lower-case letters"),
            ("9lives", "with a letter first"),
            ("my list", "lower-case letters"),
            ("", "lower-case letters"),
            ("a;drop", "lower-case letters"),
            ("sign_in_records", "the lake has a table of this one"),
            ("sign_ins", "the lake has a view of this one"),
            ("contested_ids", "the lake has a view of this one"),
            ("who", "a report has this one"),
            ("select", "a word of SQL"),
            ("where", "a word of SQL"),
        ] {
            let error = check_name(name).expect_err(name).to_string();
            assert!(error.contains(why), "{name}: {error}");
        }
    }

    #[tokio::test]
    async fn its_rows_are_joined_with_the_lakes_and_nothing_can_be_written() {
        let queries = Queries::over_rows(Vec::new(), 64 << 20).await.expect("an empty lake");
        let rows = batch(vec![
            ("user", Arc::new(StringArray::from_iter_values(["Ada", "Grace"])) as _),
            ("seats", Arc::new(Int64Array::from(vec![7, 9])) as _),
        ]);
        let vips = UserTable::new("vips", vec![rows.expect("a batch")]).expect("a table");
        assert_eq!(vips.columns(), "user text, seats bigint");
        queries.add_table(&vips);
        let sql = "SELECT v.seats FROM vips AS v LEFT JOIN sources AS s ON s.path = v.\"user\" ORDER BY 1";
        let found = queries.run("sql", sql, &[]).await.expect("rows");
        assert_eq!(found.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
        for sql in ["INSERT INTO vips VALUES ('x', 1)", "DROP TABLE vips", "SELECT * FROM 'vips.csv'"] {
            assert!(queries.run("sql", sql, &[]).await.is_err(), "{sql}");
        }
        let known =
            queries.run("sql", "SELECT * FROM vipz", &[]).await.expect_err("no such table").to_string();
        assert!(known.contains("did you mean vips?"), "{known}");
    }
}
