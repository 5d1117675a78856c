//! Words of the column `coverage` of `sources`, which ingest writes and queries read.

use serde::{Deserialize, Serialize};

/// Stands for several values in `only_client_app` and the like.
pub const SEVERAL: &str = "*";

/// Who or what states a range of days to be complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The operator, by `--covers`.
    Covers,
    /// The dates in the name of a portal download.
    FileName,
    /// An export that ends at a limit, of the days on this side of the cut.
    CutOff,
}
