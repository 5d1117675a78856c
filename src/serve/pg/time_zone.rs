//! Time zones by their names.

use arrow::array::timezone::Tz;
use datafusion_postgres::pgwire::error::PgWireResult;

use super::failure::hinted;

/// The time zone in which the lake keeps its times.
pub(super) const UTC: &str = "UTC";

/// Names of UTC.
const UTC_NAMES: [&str; 14] = [
    "utc",
    "etc/utc",
    "gmt",
    "etc/gmt",
    "uct",
    "etc/uct",
    "universal",
    "etc/universal",
    "zulu",
    "etc/zulu",
    "z",
    "0",
    "+00",
    "+00:00",
];

/// A time zone by its name.
///
/// # Errors
/// Fails if it is none. Offsets are refused too: clients disagree whether +02 lies east or west.
pub(super) fn zone(name: &str) -> PgWireResult<String> {
    if UTC_NAMES.contains(&name.to_lowercase().as_str()) || name.eq_ignore_ascii_case("local") {
        return Ok(UTC.to_owned());
    }
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic());
    match name.parse::<Tz>() {
        Ok(_) if is_name => Ok(name.to_owned()),
        _ => Err(hinted(
            "22023",
            format!("invalid value for parameter \"TimeZone\": \"{name}\""),
            "expected UTC or a name as in Europe/Berlin",
        )),
    }
}
