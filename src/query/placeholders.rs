//! Where the parameters of a query stand: `$name` outside of texts, quoted names and comments.

use std::ops::Range;

/// One `$name`, its place counted in bytes with the `$`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placeholder<'a> {
    pub(super) name: &'a str,
    pub(super) at: Range<usize>,
}

/// Every placeholder, in the order of the text.
pub(super) fn placeholders(sql: &str) -> Vec<Placeholder<'_>> {
    let bytes = sql.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = &bytes[at..];
        at += match byte {
            // A doubled quote ends the text and opens the next at once, so it needs no rule of its own.
            quote @ (b'\'' | b'"') => memchr::memchr(*quote, &rest[1..]).map_or(rest.len(), |end| end + 2),
            b'-' if rest.starts_with(b"--") => memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"/*") => comment_len(rest),
            b'$' => {
                let name_len = rest[1..].iter().take_while(|byte| is_of_name(**byte)).count();
                if name_len > 0 {
                    let name = &sql[at + 1..=at + name_len];
                    found.push(Placeholder { name, at: at..at + 1 + name_len });
                }
                1 + name_len
            }
            // A `$` inside a name is part of it.
            byte if is_of_name(*byte) => {
                rest.iter().take_while(|byte| is_of_name(**byte) || **byte == b'$').count()
            }
            _ => 1,
        };
    }
    found
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Comments of this kind stand in one another.
fn comment_len(text: &[u8]) -> usize {
    let (mut at, mut depth) = (2, 1);
    while depth > 0 && at < text.len() {
        let rest = &text[at..];
        let (step, deeper) = if rest.starts_with(b"/*") {
            (2, 1)
        } else if rest.starts_with(b"*/") {
            (2, -1)
        } else {
            (1, 0)
        };
        at += step;
        depth += deeper;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_and_what_only_looks_like_one_is_not() {
        let sql = "-- of $header\nSELECT '$text', 'it''s $text', \"$name\", a$b /* $x /* $y */ $z */\n\
                   FROM t WHERE a >= $window_start AND b = $top -- $end\n AND é <> '$";
        let names: Vec<&str> = placeholders(sql).iter().map(|found| found.name).collect();
        assert_eq!(names, ["window_start", "top"]);
        for found in placeholders(sql) {
            assert_eq!(&sql[found.at.clone()], format!("${}", found.name));
        }
        assert!(placeholders("/* $x").is_empty() && placeholders("SELECT $").is_empty());
    }
}
