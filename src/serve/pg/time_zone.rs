//! Time zones by their names, and PostgreSQL's error for what is none.

use datafusion_postgres::pgwire::error::PgWireResult;

use super::failure::hinted;
pub(super) use lightsout_query::zoned::UTC;
use lightsout_query::zoned::time_zone;

/// A time zone by its name.
///
/// # Errors
/// Fails if it is none.
pub(super) fn zone(name: &str) -> PgWireResult<String> {
    time_zone(name).ok_or_else(|| {
        hinted(
            "22023",
            format!("invalid value for parameter \"TimeZone\": \"{name}\""),
            "expected UTC or a name as in Europe/Berlin",
        )
    })
}
