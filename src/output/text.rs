//! Text that comes from logs or from the roster is hostile until it has passed one of these: for a
//! CSV cell, a terminal or header, Markdown, or a folder name. Escaping for HTML is not here: a page is
//! made from Markdown, in `html`.

use std::borrow::Cow;

use chrono::NaiveDate;

/// One line without control, direction-changing or invisible characters. Line breaks and tabs become
/// one space each, so that words stay apart.
#[must_use]
pub fn plain(text: &str) -> String {
    let kept = text.chars().filter_map(|c| match c {
        '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
        c if c.is_control() || is_invisible(c) => None,
        c => Some(c),
    });
    kept.collect::<String>().trim().to_owned()
}

/// [`plain`], cut to `characters_max` characters with an ellipsis: a record may hold megabytes.
#[must_use]
pub fn plain_short(text: &str, characters_max: usize) -> String {
    // Cut before cleaning as well, so that a huge value is not copied whole.
    let mut cut: String = text.chars().take(characters_max * 4).collect();
    cut = plain(&cut);
    if cut.chars().count() <= characters_max && text.chars().nth(characters_max * 4).is_none() {
        return cut;
    }
    let mut short: String = cut.chars().take(characters_max.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// One cell of a list. A spreadsheet takes a cell that starts with one of a few characters for a
/// formula; a leading apostrophe makes it text. Quoting of commas is left to the CSV writer.
#[must_use]
pub(crate) fn csv_cell(text: &str) -> String {
    let cell = plain(text);
    // The full-width forms are folded to the plain ones by some spreadsheets.
    let formula = cell.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if formula || text.starts_with(['\t', '\r']) { format!("'{cell}") } else { cell }
}

/// One cell that holds several values, joined with `;`. Each is guarded on its own, since some
/// spreadsheets split cells at `;`, and none can pass for two.
#[must_use]
pub(crate) fn csv_cells<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> String {
    let cells = values.into_iter().map(|value| csv_cell(&value.as_ref().replace(';', ",")));
    cells.filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(";")
}

/// Text that Markdown shows as it is: no markup, no HTML, no table cell, no link, no list.
///
/// Characters are escaped only where they can mean something, so that addresses stay readable.
#[must_use]
pub fn markdown(text: &str) -> String {
    let text = plain(text);
    let mut escaped = String::with_capacity(text.len() + 8);
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let mut before = None;
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        let next = rest.chars().next();
        let alphanumeric = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let means_something = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '$' => true,
            // Inside a word an underscore is no emphasis.
            '_' => !(alphanumeric(before) && alphanumeric(next)),
            '&' => next == Some('#') || alphanumeric(next),
            // Headings, lists and underlines begin a line.
            '#' | '+' | '-' | '=' => at == 0,
            '.' | ')' if at > 0 && at == digits => true,
            // Many readers make links of bare addresses.
            ':' => rest.starts_with("//"),
            '.' => text.get(at.wrapping_sub(3)..at).is_some_and(|www| www.eq_ignore_ascii_case("www")),
            _ => false,
        };
        if means_something {
            escaped.push('\\');
        }
        escaped.push(c);
        before = Some(c);
    }
    escaped
}

/// The folder of a tenant's notices. Ids of lower-case letters, digits and hyphens name it themselves;
/// of anything else, that could be a path or a device, a hash does.
#[must_use]
pub fn folder_name(tenant_id: &str) -> Cow<'_, str> {
    const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
    let device = DEVICES.contains(&tenant_id)
        || ["com", "lpt"].iter().any(|port| tenant_id.len() == 4 && tenant_id.starts_with(port));
    let plain = tenant_id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let looks_hashed = tenant_id.starts_with("tenant-");
    let length_fits = (1..=64).contains(&tenant_id.len());
    if plain && length_fits && !device && !looks_hashed && !tenant_id.starts_with('-') {
        return Cow::Borrowed(tenant_id);
    }
    let hash = blake3::hash(tenant_id.as_bytes()).to_hex();
    Cow::Owned(format!("tenant-{}", &hash[..32]))
}

/// "24 December 2026".
#[must_use]
pub fn date(day: NaiveDate) -> String {
    day.format("%-d %B %Y").to_string()
}

/// "12,345".
#[must_use]
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// "1 sign-in", "1,200 sign-ins".
#[must_use]
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// "POP3, IMAP4 and SMTP AUTH".
#[must_use]
pub fn enumerate(names: &[impl AsRef<str>]) -> String {
    let mut text = String::new();
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            text.push_str(if at + 1 == names.len() { " and " } else { ", " });
        }
        text.push_str(name.as_ref());
    }
    text
}

/// Characters that change the direction of text or are not seen at all. The two joiners stay: some
/// scripts and emoji need them.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        | '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Characters that turn the direction of text around, and so what a reader sees.
#[must_use]
pub fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_one_line_without_control_or_direction_characters() {
        assert_eq!(plain("a\r\nBcc: b\u{1b}[31m\u{202e}c\u{0}\u{200b}"), "a  Bcc: b[31mc");
        assert_eq!(plain("  Łódź 東京 می\u{200c}خواهم "), "Łódź 東京 می\u{200c}خواهم");
    }

    #[test]
    fn a_short_text_stays_and_a_long_one_is_cut_with_an_ellipsis() {
        assert_eq!(plain_short("åbc", 3), "åbc");
        assert_eq!(plain_short("abcd", 3), "ab…");
        assert_eq!(plain_short(&"\u{200b}".repeat(100), 3), "…");
    }

    #[test]
    fn a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u{200b}=1", "＝1"] {
            assert!(csv_cell(formula).starts_with('\''), "{formula:?}");
        }
        assert_eq!(csv_cell("Contoso = good"), "Contoso = good");
        assert_eq!(csv_cell("\tplain"), "'plain");
    }

    #[test]
    fn several_values_in_a_cell_are_guarded_each_and_none_passes_for_two() {
        assert_eq!(csv_cells(["a@x.example", "=b;c", "\n"]), "a@x.example;'=b,c");
    }

    #[test]
    fn markdown_keeps_ordinary_names_and_addresses_as_they_are() {
        for name in ["svc_mail@contoso.example", "Smith & Sons (UK)", "2026-11-03", "1,234 users", "A-B #3"] {
            assert_eq!(markdown(name), name);
        }
    }

    #[test]
    fn markdown_escapes_whatever_has_a_meaning_there() {
        assert_eq!(markdown("<b>&lt;"), r"\<b\>\&lt;");
        assert_eq!(markdown("[x](http://y) ![z]"), r"\[x\](http\://y) !\[z\]");
        assert_eq!(markdown("a|b*c*`d`_e_"), r"a\|b\*c\*\`d\`\_e\_");
        assert_eq!(markdown("# head"), r"\# head");
        assert_eq!(markdown("- item"), r"\- item");
        assert_eq!(markdown("1. item"), r"1\. item");
        assert_eq!(markdown("www.evil.example"), r"www\.evil.example");
        assert_eq!(markdown("a\n# b"), "a # b");
    }

    #[test]
    fn a_folder_name_is_never_a_path_a_device_or_another_tenants() {
        let id = "3f2b8c1e-0000-4000-8000-000000000001";
        assert_eq!(folder_name(id), id);
        for hostile in
            ["..", "a/b", "a\\b", "", "C:", "con", "com1", "-rf", "Ä", "A", "tenant-0", &"a".repeat(65)]
        {
            let name = folder_name(hostile);
            assert!(name.strip_prefix("tenant-").is_some_and(|hash| hash.len() == 32), "{hostile:?} {name}");
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{name}");
        }
        assert_ne!(folder_name("A/B"), folder_name("A\\B"));
        assert_eq!(folder_name("a/b"), folder_name("a/b"), "stable");
    }

    #[test]
    fn numbers_and_lists_read_as_english() {
        assert_eq!(count(1, "user", "users"), "1 user");
        assert_eq!(count(1_234_567, "user", "users"), "1,234,567 users");
        assert_eq!(count(0, "user", "users"), "0 users");
        assert_eq!(enumerate(&["A", "B", "C"]), "A, B and C");
        assert_eq!(enumerate(&["A"]), "A");
        assert_eq!(NaiveDate::from_ymd_opt(2026, 12, 4).map(date).as_deref(), Some("4 December 2026"));
    }
}
