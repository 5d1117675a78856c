//! Files of the user's own as tables, `--with NAME=FILE`: read before anything is asked, and nothing else of the disk.

use std::path::PathBuf;

use clap::Args;

use super::shared::Global;
use crate::cli::failure::Result;
use lightsout_config::table_file;
use lightsout_output::text::{count, plain};
use lightsout_query::Error as QueryError;
use lightsout_query::catalog::own::Library;
use lightsout_query::user_tables::{UserTable, check_name};

/// Of the memory limit, what a file may take.
const FILE_SHARE: usize = 2;

#[derive(Debug, Clone, Args)]
pub(super) struct UserTables {
    /// A CSV, Parquet or NDJSON file as a table beside the lake's, e.g.
    /// vips=vips.csv; can be repeated
    #[arg(long = "with", value_name = "NAME=FILE", value_parser = parse)]
    with: Vec<NamedFile>,
}

#[derive(Debug, Clone)]
struct NamedFile {
    name: String,
    path: PathBuf,
}

fn parse(text: &str) -> Result<NamedFile, String> {
    let expected = "expected a name and a file, as in vips=vips.csv";
    let (name, path) = text.split_once('=').ok_or(expected)?;
    if path.is_empty() {
        return Err(expected.to_owned());
    }
    Ok(NamedFile { name: name.trim().to_owned(), path: path.into() })
}

impl UserTables {
    /// Reads the files, and says which columns each has.
    pub(super) fn read(
        &self,
        library: &Library,
        memory_limit_bytes: usize,
        global: &Global,
    ) -> Result<Vec<UserTable>> {
        // All names first: a wrong one need not wait for a large file.
        for (at, file) in self.with.iter().enumerate() {
            check_name(&file.name)?;
            let taken = |expected: String| QueryError::UserTable { name: file.name.clone(), expected };
            if let Some(path) = library.path(&file.name) {
                return Err(taken(format!("another name; {} has this one", path.display())).into());
            }
            if self.with[..at].iter().any(|other| other.name == file.name) {
                return Err(taken("another name; two files have this one".to_owned()).into());
            }
        }
        let bytes_max = (memory_limit_bytes / FILE_SHARE) as u64;
        let mut tables = Vec::new();
        for NamedFile { name, path } in &self.with {
            let table = UserTable::new(name, table_file::read(path, bytes_max)?)?;
            let rows = count(table.rows() as u64, "row", "rows");
            (global.note())(&format!("{name}: {rows} of {}: {}", path.display(), plain(&table.columns())));
            tables.push(table);
        }
        Ok(tables)
    }
}
