//! A tenant's settings as evidence: what Exchange Online's configuration says about Basic
//! Authentication, and the "SMTP AUTH clients" report of the Exchange admin center.
//!
//! [`COLLECTOR`] is the PowerShell that writes the first; [`collected`] reads its JSON and
//! [`smtp_report`] the CSV of the second. Both turn text into facts: bytes, files and the lake are the
//! ingest's, and what the facts prove is decided in `assess::settings`.

pub mod collected;
mod header;
pub mod smtp_report;
#[cfg(test)]
mod tests;

/// The read-only collector, as `lightsout settings script` prints it.
pub const COLLECTOR: &str = include_str!("collector.ps1");

/// A longer file is refused: it is read as a whole.
pub const FILE_BYTES_MAX: usize = 16 << 20;

/// Addresses that the lake keeps of one file. Their number is kept in full.
const ADDRESSES_MAX: usize = 1000;

/// A text that a file brings is cut to this.
const TEXT_CHARACTERS_MAX: usize = 200;

/// A text from outside, without control characters and not longer than makes sense.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_CHARACTERS_MAX).collect()
}
