//! A batch is read as often as it takes: what one attempt shows of its inputs, the next one heeds.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use crate::source::Source;
use crate::{Error, Result};
use lightsout_lake::write::DataFile;

/// What came of reading a batch. Where it is to be read once more, nothing is left of what was written.
pub(crate) enum Read {
    All(Vec<Source>, Vec<DataFile>),
    /// Two inputs of different sizes hold the same content (a file, and the same in an archive), or one holds
    /// what the lake has: to be read once more, and hashed before.
    Twins,
    /// Inputs whose own records say that they are another tenant's, by name, and why: to be read once more
    /// without them.
    Foreign(HashMap<String, String>),
    /// Files that have to be read from their start: what was appended to them can't be told apart.
    Whole(HashSet<PathBuf>),
    /// Files that changed while they were read: to be read once more, or left for the next ingest.
    Changed(HashSet<PathBuf>),
}

/// What earlier attempts to read a batch have shown.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    /// Every input is hashed before it is read.
    pub(super) hash_first: bool,
    /// Inputs that are refused, and why.
    pub(super) foreign: HashMap<String, String>,
    /// Files that are read from their start, although the lake has their first lines.
    pub(super) whole: HashSet<PathBuf>,
    /// Files that changed once while they were read.
    pub(super) changed: HashSet<PathBuf>,
    /// Files that changed again: they are left for the next ingest.
    pub(super) changing: HashSet<PathBuf>,
}

impl Attempts {
    /// Takes in what came of one; the batch, if it was the last.
    pub(crate) fn learn(&mut self, read: Read) -> Result<Option<(Vec<Source>, Vec<DataFile>)>> {
        match read {
            Read::All(sources, files) => return Ok(Some((sources, files))),
            Read::Twins if !self.hash_first => self.hash_first = true,
            Read::Foreign(more) if more.keys().any(|name| !self.foreign.contains_key(name)) => {
                self.foreign.extend(more);
            }
            Read::Whole(paths) => self.whole.extend(paths),
            Read::Changed(paths) => {
                for path in paths {
                    if !self.changed.insert(path.clone()) {
                        self.changing.insert(path);
                    }
                }
            }
            Read::Twins | Read::Foreign(_) => return Err(Error::WorkerLost),
        }
        Ok(None)
    }
}
