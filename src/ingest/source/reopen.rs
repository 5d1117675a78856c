//! A source of the lake, opened again to read its rejects.

use std::path::PathBuf;
use std::sync::Mutex;

use super::{Name, Source};
use crate::FileFate;
use crate::assign::Assignments;
use crate::find::{Assigned, Input, PathFacts};
use crate::source_row::SourceRow;
use lightsout_formats::encoding::Encoding;
use lightsout_formats::shapes::{RecordReader, Shape};
use lightsout_model::time::DateOrder;

impl Source {
    /// The source of a row, as its records are read again; `None` if they were not read before.
    pub(crate) fn reopen(row: &SourceRow, assignments: &Assignments, dates: DateOrder) -> Option<Self> {
        let path = PathBuf::from(&row.path);
        let mut reader = match &row.header {
            Some(header) => RecordReader::csv(header).ok()?,
            None => RecordReader::json(Shape::from_word(row.shape.as_deref()?)?),
        };
        reader.dates = dates;
        let mut input = Input {
            says: PathFacts::of(&path),
            path: Some(path),
            blob: None,
            name: row.path.clone(),
            stored_bytes: 0,
            assigned: Assigned::default(),
            is_of_folder: false,
            unreadable: None,
        };
        input.assigned = assignments.of(&input);
        Some(Self {
            reader: Some(reader),
            header: row.header.clone(),
            encoding: Mutex::new(Encoding::from_word(&row.encoding).unwrap_or_default()),
            fate: FileFate::Ingested,
            name: Name { id: row.source_id.clone(), content_id: String::new(), stored_bytes: 0 }.into(),
            ..Self::unnamed(input)
        })
    }
}
