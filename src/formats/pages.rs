//! What lies around the records of a Graph download: of each page whether a link leads to a next one, and the
//! filter that the links repeat. Found in the text itself, since records are cut out of it without their pages.

use std::io::{self, Read};

use super::json::Cursor;
use super::text::Text;

/// The pages of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pages {
    pub count: u64,
    /// Those with a link to a next one.
    pub linked: u64,
    /// The filter of the links; `None` where they have none, or several.
    pub filter: Option<String>,
}

const CONTEXT: &[u8] = b"\"@odata.context\"";
const NEXT_LINK: &[u8] = b"\"@odata.nextLink\"";
/// A link with its filter is far shorter; what is longer is read as one without.
const LINK_BYTES_MAX: usize = 16 << 10;
const BUFFER_BYTES: usize = 256 << 10;

/// Reads the text to its end; `None` where it has no page.
pub fn read(mut text: Text) -> io::Result<Option<Pages>> {
    let mut found = Found::default();
    let mut buffer: Vec<u8> = Vec::new();
    loop {
        let before = buffer.len();
        buffer.resize(before + BUFFER_BYTES, 0);
        let read = match text.reader.read(&mut buffer[before..]) {
            Ok(read) => read,
            // Records tell of a broken stream, and of a torn file nothing is concluded.
            Err(_) if text.compressed => 0,
            Err(error) => return Err(error),
        };
        buffer.truncate(before + read);
        let last = read == 0;
        let looked_at = found.look(&buffer, last);
        buffer.drain(..looked_at);
        if last {
            return Ok(found.finish());
        }
    }
}

#[derive(Default)]
struct Found {
    pages: u64,
    linked: u64,
    filters: Vec<Option<String>>,
}

impl Found {
    /// Looks through the text; how much need not be looked at again.
    fn look(&mut self, text: &[u8], last: bool) -> usize {
        // What may begin here and end behind it waits for more.
        let until = if last { text.len() } else { text.len().saturating_sub(LINK_BYTES_MAX) };
        for at in memchr::memmem::find_iter(text, b"\"@odata.").take_while(|at| *at < until) {
            if text[at..].starts_with(CONTEXT) {
                self.pages += 1;
            } else if text[at..].starts_with(NEXT_LINK)
                && let Some(link) = string_after(&text[at + NEXT_LINK.len()..])
            {
                self.linked += 1;
                let filter = filter_of(&link);
                if !self.filters.contains(&filter) && self.filters.len() < 2 {
                    self.filters.push(filter);
                }
            }
        }
        until
    }

    fn finish(self) -> Option<Pages> {
        let pages = self.pages.max(self.linked);
        let filter = match <[_; 1]>::try_from(self.filters) {
            Ok([filter]) => filter,
            Err(_) => None,
        };
        (pages > 0).then_some(Pages { count: pages, linked: self.linked, filter })
    }
}

/// The text that follows a key.
fn string_after(text: &[u8]) -> Option<String> {
    let colon = text.iter().position(|byte| !byte.is_ascii_whitespace()).filter(|at| text[*at] == b':')?;
    let value = &text[colon + 1..];
    let start = value.iter().position(|byte| !byte.is_ascii_whitespace()).filter(|at| value[*at] == b'"')?;
    let value = &value[start..value.len().min(start + LINK_BYTES_MAX)];
    // A quote that no backslash escapes ends it.
    let mut at = 1;
    while let Some(byte) = value.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => {
                let literal = std::str::from_utf8(&value[..=at]).ok()?;
                let mut cursor = Cursor::new(literal);
                cursor.skip().and_then(|()| cursor.end()).ok()?;
                return serde_json::from_str(literal).ok();
            }
            _ => at += 1,
        }
    }
    None
}

/// The filter of a link, as it was asked for.
fn filter_of(link: &str) -> Option<String> {
    let link = url::Url::parse(link).ok()?;
    link.query_pairs()
        .find(|(name, _)| name.eq_ignore_ascii_case("$filter"))
        .map(|(_, filter)| filter.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::Encoding;

    fn pages(text: &str) -> Option<Pages> {
        let reader = Box::new(io::Cursor::new(text.to_owned().into_bytes()));
        let text = Text::new(reader, false, Encoding::Utf8, 0);
        read(text).expect("memory can be read")
    }

    const LINK: &str = "https://graph.microsoft.com/v1.0/auditLogs/signIns?$filter=createdDateTime+ge+2026-10-01T00%3a00%3a00Z&$skiptoken=abc";

    #[test]
    fn pages_their_links_and_the_filter_are_found_wherever_they_stand() {
        let linked =
            format!(r#"{{"@odata.context":"c","@odata.nextLink" : "{LINK}","value":[{{"id":"1"}}]}}"#);
        let behind = format!(r#"{{"value":[{{"id":"2"}}],"@odata.nextLink":"{LINK}"}}"#);
        let last = r#"{"@odata.context":"c","value":[]}"#;
        let filter = Some("createdDateTime ge 2026-10-01T00:00:00Z".to_owned());
        assert_eq!(pages(&linked), Some(Pages { count: 1, linked: 1, filter: filter.clone() }));
        assert_eq!(pages(&behind), Some(Pages { count: 1, linked: 1, filter: filter.clone() }));
        assert_eq!(pages(last), Some(Pages { count: 1, linked: 0, filter: None }));
        let all = format!("{linked}\n{linked}\n{last}");
        assert_eq!(pages(&all), Some(Pages { count: 3, linked: 2, filter }));
        assert_eq!(pages(r#"[{"id":"1"}]"#), None);
    }

    #[test]
    fn a_text_of_the_log_that_names_the_key_is_no_link() {
        let hostile =
            r#"{"@odata.context":"c","value":[{"appDisplayName":"\"@odata.nextLink\":\"https://a\""}]}"#;
        assert_eq!(pages(hostile), Some(Pages { count: 1, linked: 0, filter: None }));
    }

    #[test]
    fn links_of_several_filters_have_none() {
        let one = r#"{"@odata.context":"c","@odata.nextLink":"https://a/?$filter=a","value":[]}"#;
        let other = r#"{"@odata.context":"c","@odata.nextLink":"https://a/?$filter=b","value":[]}"#;
        assert_eq!(pages(&format!("{one}{other}")).and_then(|pages| pages.filter), None);
    }
}
