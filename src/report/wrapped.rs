//! Sentences in lines of a terminal.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

/// The sentence after `first`, broken at blanks into lines of at most `width` columns, the further ones below the text of
/// the first. A word that is longer has a line of its own.
#[must_use]
pub(crate) fn wrapped(first: &str, sentence: &str, width: usize) -> String {
    let indent = first.width();
    let (mut text, mut line, mut is_start) = (String::new(), first.to_owned(), true);
    for word in sentence.split(' ') {
        if !is_start && line.width() + 1 + word.width() > width {
            let _ = writeln!(text, "{line}");
            line = " ".repeat(indent);
            is_start = true;
        }
        if !is_start {
            line.push(' ');
        }
        line.push_str(word);
        is_start = false;
    }
    let _ = writeln!(text, "{line}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks_and_hang_below_the_first() {
        let text = wrapped("  - ", "one two three 山田 averyveryverylongword four", 14);
        assert_eq!(text, "  - one two\n    three 山田\n    averyveryverylongword\n    four\n");
        assert_eq!(wrapped("- ", "all on one line", usize::MAX), "- all on one line\n");
    }
}
