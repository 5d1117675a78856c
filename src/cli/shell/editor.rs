//! Text from files and from the user's editor.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use crate::cli::failure::{Failure, Result};

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String> {
    let name = || path.display().to_string();
    let bytes = std::fs::read(path).map_err(Failure::read(name()))?;
    lightsout_config::spreadsheet::decoded(bytes).map_err(|line| {
        let source = std::io::Error::other(format!("line {line} is not text; expected UTF-8"));
        Failure::Read { path: name(), source }
    })
}

/// What the user makes of a text in `$VISUAL` or `$EDITOR`. The file lies in the folder for temporary files meanwhile.
pub(super) fn edit(text: &str) -> Result<String> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    let failed = |source| Failure::Write { path: std::env::temp_dir(), source };
    let mut file = tempfile::Builder::new().suffix(".sql").tempfile().map_err(failed)?;
    writeln!(file, "{text}").map_err(failed)?;
    let path = file.path().to_owned();
    let status = Command::new("sh")
        .args(["-c", &format!("{editor} \"$1\""), "sh"])
        .arg(&path)
        .status()
        .map_err(Failure::read(editor.clone()))?;
    if !status.success() {
        let source = std::io::Error::other(format!("it ended with {status}; nothing was run"));
        return Err(Failure::Read { path: editor, source });
    }
    read(&path)
}
