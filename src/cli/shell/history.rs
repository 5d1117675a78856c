//! Where typed lines are kept: with the user's other state, never in the lake, since they may name persons.

use std::path::PathBuf;

/// The file, its folder made; `None` where there is no place for it, or nobody wants it.
pub(super) fn file() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = set("XDG_STATE_HOME")
        .or_else(|| set("LOCALAPPDATA"))
        .or_else(|| std::env::home_dir().map(|home| home.join(".local").join("state")))?;
    let folder = state.join("lightsout");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("sql_history"))
}
