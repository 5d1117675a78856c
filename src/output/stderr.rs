//! What a person reads while a command runs. Names of files, tenants and reports come from outside: no control character of
//! theirs reaches a terminal. A stderr that is closed or full ends no command.

use std::fmt;
use std::io::{self, Write as _};

use crate::text::is_invisible;

/// Writes a line to stderr; takes what `format!` takes.
#[macro_export]
macro_rules! stderr {
    ($($arguments:tt)*) => {
        $crate::stderr::line(::std::format_args!($($arguments)*))
    };
}

/// Writes a line, or several, as [`stderr!`](crate::stderr!) does.
pub fn line(arguments: fmt::Arguments<'_>) {
    let mut text = arguments.to_string();
    text.push('\n');
    // Nobody is left to tell if it fails.
    let _ = io::stderr().lock().write_all(safe(&text).as_bytes());
}

/// Text of one or more lines without characters that steer a terminal or can't be seen.
fn safe(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\t') || !(c.is_control() || is_invisible(*c))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_and_what_steers_a_terminal_goes() {
        assert_eq!(safe("a\u{1b}]0;title\u{7}b\n\tc\u{202e}d\r\u{9b}2J\n"), "a]0;titleb\n\tcd2J\n");
    }
}
