//! The tables of an explanation: on a narrow terminal without their least important columns.

use comfy_table::{ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr as _;

/// The rows below their header, in lines of at most `width` columns of a terminal, if there is one. Columns of `spare` go
/// first, in that order, and are named below the table.
pub(super) fn sheet(header: &[&str], rows: &[Vec<String>], spare: &[&str], width: Option<usize>) -> String {
    let mut left_out: Vec<&str> = Vec::new();
    loop {
        let is_kept = |at: &usize| !left_out.contains(&header[*at]);
        let kept: Vec<usize> = (0..header.len()).filter(is_kept).collect();
        let mut table = Table::new();
        table.load_preset(presets::UTF8_BORDERS_ONLY).set_header(kept.iter().map(|at| header[*at]));
        for row in rows {
            table.add_row(kept.iter().map(|at| row[*at].as_str()));
        }
        let text = table.to_string();
        let Some(width) = width.filter(|width| text.lines().any(|line| line.width() > *width)) else {
            return told(text, &left_out);
        };
        let Some(next) = spare.get(left_out.len()) else {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(u16::try_from(width).unwrap_or(u16::MAX));
            return told(table.to_string(), &left_out);
        };
        left_out.push(next);
    }
}

fn told(table: String, left_out: &[&str]) -> String {
    if left_out.is_empty() {
        return table;
    }
    format!("{table}\n(not shown here: {})", left_out.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_important_columns_go_first_and_are_named() {
        let rows = [vec!["imap4".to_owned(), "x".repeat(30), "12".to_owned(), "y".repeat(10)]];
        let header = ["protocol", "agent", "sign-ins", "app"];
        let all = sheet(&header, &rows, &["agent", "app"], None);
        assert!(all.contains("agent") && !all.contains("not shown"), "{all}");
        let narrow = sheet(&header, &rows, &["agent", "app"], Some(45));
        assert!(narrow.ends_with("(not shown here: agent)") && narrow.contains("yyyyyyyyyy"), "{narrow}");
        let narrower = sheet(&header, &rows, &["agent", "app"], Some(25));
        assert!(narrower.ends_with("(not shown here: agent, app)"), "{narrower}");
        assert!(narrower.lines().all(|line| line.width() <= 28), "{narrower}");
    }
}
