//! The folders of working copies. A process has one for itself: who comes while it is in use takes the next.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::super::durable;
use super::super::error::{Error, Result};
use super::Mark;

/// Locked for as long as a process has the copy.
const CLAIM: &str = "_copy";
/// Processes of one machine and user that have the same lake open.
const COPIES_MAX: usize = 256;

/// A working copy that this process has for itself.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(super) root: PathBuf,
    /// The folder that holds the copies.
    beside: PathBuf,
    name: String,
    _claim: File,
}

/// Where working copies lie.
fn cache() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("LIGHTSOUT_CACHE") {
        return Some(folder);
    }
    let home = || set("HOME").or_else(|| set("USERPROFILE")).map(|home| home.join(".cache"));
    Some(set("XDG_CACHE_HOME").or_else(home)?.join("lightsout").join("lakes"))
}

fn folder(beside: &Path, name: &str, number: usize) -> PathBuf {
    beside.join(if number == 1 { name.to_owned() } else { format!("{name}-{number}") })
}

impl Copy {
    /// The first copy of a lake that no process has.
    pub(crate) fn claim(url: &str) -> Result<Self> {
        let beside = cache().ok_or_else(|| Error::NoCache { lake: url.to_owned() })?;
        Self::claim_in(&beside, url)
    }

    pub(crate) fn claim_in(beside: &Path, url: &str) -> Result<Self> {
        let last = url.rsplit('/').next().unwrap_or_default();
        let plain: String =
            last.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(40).collect();
        let hash = blake3::hash(url.as_bytes()).to_hex();
        let name = format!("{plain}-{}", &hash[..12]);
        for number in 1..=COPIES_MAX {
            let root = folder(beside, &name, number);
            durable::create_folders(&root).map_err(Error::write(&root))?;
            let path = root.join(CLAIM);
            let claim = File::options().create(true).truncate(false).write(true).open(&path);
            let claim = claim.map_err(Error::write(&path))?;
            if claim.try_lock().is_ok() {
                let root = root.canonicalize().map_err(Error::write(&root))?;
                return Ok(Self { root, beside: beside.to_owned(), name, _claim: claim });
            }
        }
        Err(Error::NoCache { lake: url.to_owned() })
    }

    /// Whether the process that had this copy has ended: no process of this machine has it.
    pub(super) fn is_abandoned(&self, copy_id: &str) -> bool {
        (1..=COPIES_MAX)
            .map(|number| folder(&self.beside, &self.name, number))
            .take_while(|root| root.is_dir())
            .filter(|root| Mark::read(root).is_some_and(|mark| mark.copy_id == copy_id))
            .any(|root| File::open(root.join(CLAIM)).is_ok_and(|claim| claim.try_lock().is_ok()))
    }
}
