//! A table no wider than a screen: long cells go on in the next line.

use comfy_table::{ContentArrangement, Table, presets};

use lightsout_output::text::plain;

/// The rows below their header, in lines of at most `width` characters. Texts of a log in them are made plain.
#[must_use]
pub fn fitted_table(header: &[&str], rows: impl Iterator<Item = Vec<String>>, width: u16) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(header);
    for row in rows {
        table.add_row(row.iter().map(|cell| plain(cell)));
    }
    table.trim_fmt()
}
