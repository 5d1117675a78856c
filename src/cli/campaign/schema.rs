//! `lightsout campaign schema`: what a campaign file may hold, as JSON Schema.

use super::super::shared::print;
use crate::cli::failure::{Failure, Result};

pub(super) fn run() -> Result<u8> {
    let schema = serde_json::to_string_pretty(&lightsout_model::campaign::schema())
        .map_err(|source| Failure::Json { what: "the schema", source })?;
    print(&schema);
    Ok(0)
}
