//! Tells a whole last row of a table from one that was cut inside its last cell, where the file does not end with a line
//! end. Such a row has as many cells as any other; only the last cells of the rows above tell.

use std::collections::BTreeSet;

/// With fewer rows above, a last cell that differs tells nothing.
const ROWS_MIN: usize = 3;
/// Times and ids are this long at least: the form of a shorter cell may be like that of others by chance.
const FORM_LEN_MIN: usize = 16;

/// The last cells of a table's first rows.
#[derive(Debug, Clone, Default)]
pub(super) struct LastCells {
    rows: usize,
    texts: BTreeSet<String>,
}

impl LastCells {
    pub(super) fn new(cells: impl Iterator<Item = String>) -> Self {
        let mut known = Self::default();
        for cell in cells {
            known.rows += 1;
            known.texts.insert(cell);
        }
        known
    }

    /// Whether the last cell of the file's last row is evidently part of one: empty where all others are filled, the
    /// start of another, or the start of a time or an id in the form that all others have.
    pub(super) fn is_cut(&self, cell: &str) -> bool {
        if self.rows < ROWS_MIN || self.texts.contains(cell) {
            return false;
        }
        let starts_another = self.texts.iter().any(|known| known.starts_with(cell));
        let cell = form(cell);
        let starts_form = |known: &String| {
            let known = form(known);
            known.len() >= FORM_LEN_MIN && known.len() > cell.len() && known.starts_with(&cell)
        };
        if cell.is_empty() {
            return self.texts.iter().all(|known| !known.trim().is_empty());
        }
        starts_another || self.texts.iter().all(starts_form)
    }
}

/// A text with one sign for all letters and digits.
fn form(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_alphanumeric() { 'x' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_cut(above: &[&str], cell: &str) -> bool {
        LastCells::new(above.iter().map(|cell| (*cell).to_owned())).is_cut(cell)
    }

    #[test]
    fn a_part_of_a_last_cell_is_told_from_a_whole_one() {
        let times = ["2026-10-05T08:15:30Z", "2026-10-05T09:15:30Z", "2026-10-06T08:15:30Z"];
        let ids = [
            "10000000-0000-4000-8000-00000000000a",
            "2000000b-0000-4000-8000-000000000001",
            "30000000-00c0-4000-8000-000000000002",
        ];
        let words = ["Browser", "IMAP4", "Browser"];
        for (above, cell, expected) in [
            (times, "2026-10-07T08:15:3", true),
            (times, "2026-10-07T08:15:31Z", false),
            (ids, "40000000-0000-4000-8", true),
            (ids, "40000000-0000-4000-8000-000000000003", false),
            (words, "Brow", true),
            (words, "", true),
            (words, "POP3", false),
            (words, "Other clients", false),
            (["0", "", "50126"], "", false),
            (["0", "0", "50126"], "501", true),
            (["0", "0", "50126"], "53003", false),
        ] {
            assert_eq!(is_cut(&above, cell), expected, "'{cell}' below {above:?}");
        }
        assert!(!is_cut(&["Browser", "Browser"], "Brow"), "two rows tell nothing");
    }
}
