//! A notice's Markdown as a page. Raw HTML in it is shown, never obeyed; links go only where a reader
//! expects them to; images become their text, since a page that loads nothing tells nobody it was read.
//!
//! Mail clients drop style sheets, some of them or all, and put a page into their own. So what a reader
//! can't do without stands at the elements themselves, and says nothing of colours but for lines; the
//! style sheet only makes it nicer where it is obeyed.

use std::fmt::Write as _;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

const TEXT: &str = "font-family: 'Segoe UI', system-ui, sans-serif; line-height: 1.5";
const CELL: &str = "border: 1px solid #888888; padding: 4px 8px; vertical-align: top; overflow-wrap: normal; font-size: 14px";
const QUOTE: &str = "margin: 0 0 16px 0; padding: 4px 12px; border-left: 4px solid #b3541e";

/// Longest word, or piece of one, that a table cell holds in one line.
const WORD_CHARACTERS_MAX: usize = 16;
/// Shorter pieces would make a tower of an address.
const PIECE_CHARACTERS_MIN: usize = 10;

/// Markdown, taken apart.
pub(super) struct Page {
    /// Text of the first heading of level one; empty if there is none.
    pub(super) title: String,
    /// HTML of everything.
    pub(super) whole: String,
    /// HTML without that heading, for readers that show the title themselves.
    pub(super) body: String,
}

pub(super) fn page(markdown: &str) -> Page {
    let mut in_cell = false;
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).filter_map(tame);
    let events = events.flat_map(|event| match event {
        Event::Text(text) if in_cell => breakable(&text),
        event => {
            match event {
                Event::Start(Tag::TableCell) => in_cell = true,
                Event::End(TagEnd::TableCell) => in_cell = false,
                _ => {}
            }
            vec![event]
        }
    });
    let events: Vec<Event> = events.collect();
    let heading = |event: &Event| matches!(event, Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }));
    let start = events.iter().position(heading);
    let end = start.and_then(|start| {
        let ends = |event: &Event| matches!(event, Event::End(TagEnd::Heading(HeadingLevel::H1)));
        events[start..].iter().position(ends).map(|length| start + length)
    });
    let title = start.zip(end).map(|(start, end)| &events[start..end]).unwrap_or_default();
    let body = match start.zip(end) {
        Some((start, end)) => [&events[..start], &events[end + 1..]].concat(),
        None => events.clone(),
    };
    Page { title: text_of(title), body: html_of(body), whole: html_of(events) }
}

/// A whole page around `body`: no scripts, nothing loaded, readable printed, narrow and in the dark.
pub(super) fn shell(title: &str, language: &str, body: &str) -> String {
    let title = escape(title);
    let language = escape(language);
    format!(
        r#"<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; padding: 1.5rem; color: #1b1b1b; background: #fff; }}
main {{ max-width: 48rem; margin: 0 auto; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.6rem; line-height: 1.25; }}
h2 {{ font-size: 1.2rem; margin-top: 2rem; }}
a {{ color: #0b57b0; }}
blockquote {{ background: #fdf1e7; }}
table {{ width: 100%; }}
code {{ font-family: ui-monospace, Consolas, monospace; }}
@media (prefers-color-scheme: dark) {{
  body {{ color: #e8e8e8; background: #161616; }}
  a {{ color: #8ab8ff; }}
  blockquote {{ background: #33261b; }}
}}
@media print {{
  body {{ color: #000; background: #fff; padding: 0; font-size: 10pt; }}
  main {{ max-width: none; }}
  h2 {{ break-after: avoid; }}
  tr {{ break-inside: avoid; }}
  thead {{ display: table-header-group; }}
}}
</style>
</head>
<body>
<main style="{TEXT}">
{body}</main>
</body>
</html>
"#
    )
}

fn tame(event: Event<'_>) -> Option<Event<'_>> {
    Some(match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => return None,
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = if is_expected(&dest_url) { dest_url } else { CowStr::Borrowed("#") };
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        other => other,
    })
}

/// Marks where a long word may be broken, so that a column is as narrow as its page needs it: after what
/// divides addresses and paths, and wherever a piece is long still. Short words stay whole.
fn breakable<'a>(text: &str) -> Vec<Event<'a>> {
    let mut pieces = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let long = word.chars().count() > WORD_CHARACTERS_MAX;
        let mut characters = 0;
        for c in word.chars() {
            if let Some(piece) = pieces.last_mut() {
                piece.push(c);
            }
            characters += 1;
            let divides = matches!(c, '@' | '.' | '/' | '-' | '_' | '\\' | ';' | ',' | '+' | '=');
            if long && (divides && characters >= PIECE_CHARACTERS_MIN || characters == WORD_CHARACTERS_MAX) {
                pieces.push(String::new());
                characters = 0;
            }
        }
    }
    let mut events = Vec::new();
    for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
        if !events.is_empty() {
            events.push(Event::InlineHtml(CowStr::Borrowed("<wbr>")));
        }
        events.push(Event::Text(piece.into()));
    }
    events
}

/// To the web or to mail.
pub(super) fn is_expected(link: &str) -> bool {
    ["https://", "http://", "mailto:"]
        .iter()
        .any(|scheme| link.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

fn html_of(events: Vec<Event>) -> String {
    let mut written = String::new();
    html::push_html(&mut written, events.into_iter());
    // Text has no angle bracket of its own left, so these are the tags.
    let cell = |written: String, name: &str, scope: &str| {
        let start = format!("<{name}{scope} style=\"{CELL}; text-align: ");
        written
            .replace(&format!("<{name}>"), &format!("{start}left\">"))
            .replace(&format!("<{name} style=\"text-align: "), &start)
    };
    cell(cell(written, "th", " scope=\"col\""), "td", "")
        .replace("<table>", "<table style=\"border-collapse: collapse\">")
        .replace("<blockquote>", &format!("<blockquote style=\"{QUOTE}\">"))
}

fn text_of(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        match event {
            Event::Text(part) | Event::Code(part) => text.push_str(part),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
    }
    lightsout_output::text::plain(&text)
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '<' | '>' | '&' | '"' | '\'') {
            // Writing to a String can't fail.
            let _ = write!(escaped, "&#{};", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_html_is_shown_and_not_obeyed() {
        let page = page("<script>alert(1)</script>\n\na <b onclick=x>b</b>\n");
        assert!(!page.whole.contains("<script") && !page.whole.contains("<b "), "{}", page.whole);
        assert!(page.whole.contains("&lt;script&gt;alert(1)"), "{}", page.whole);
    }

    #[test]
    fn links_lead_to_the_web_or_to_mail_and_images_are_only_text() {
        let page = page("[a](javascript:x) [b](https://b.example) ![c](https://c.example/c.png)");
        assert!(
            page.whole.contains(r##"<a href="#">a</a> <a href="https://b.example">b</a> c"##),
            "{}",
            page.whole
        );
        assert!(!page.whole.contains("img") && !page.whole.contains("javascript"));
    }

    #[test]
    fn the_title_is_the_first_heading_and_the_body_is_without_it() {
        let page = page("> note\n\n# A `b` & *c*\n\n# d\n");
        assert_eq!(page.title, "A b & c");
        assert!(!page.body.contains("<code>b</code>") && page.body.contains("<h1>d</h1>"));
        assert!(page.body.contains("note") && page.whole.contains("<code>b</code>"));
    }

    #[test]
    fn a_table_has_its_lines_and_alignment_where_no_style_sheet_is_obeyed() {
        let page = page("| a | b |\n|---|---:|\n| <td> | d |\n");
        assert!(page.whole.contains("<table style=\"border-collapse: collapse\">"), "{}", page.whole);
        let cell = |name: &str, align: &str| format!("<{name} style=\"{CELL}; text-align: {align}\">");
        for start in
            [cell("th scope=\"col\"", "right") + "b", cell("td", "left") + "&lt;td", cell("td", "right")]
        {
            assert_eq!(page.whole.matches(&start).count(), 1, "{start} in {}", page.whole);
        }
    }

    #[test]
    fn long_words_of_a_cell_may_be_broken_and_no_others() {
        let agent = "x".repeat(20);
        let page = page(&format!(
            "longer_than_a_column@example.com\n\n| a |\n|---|\n| ada_lovelace@example.com 23 November {agent} |\n"
        ));
        assert!(page.whole.contains("<p>longer_than_a_column@example.com</p>"), "{}", page.whole);
        let cell = "ada_lovelace@<wbr>example.com 23 November xxxxxxxxxxxxxxxx<wbr>xxxx</td>";
        assert!(page.whole.contains(cell), "{}", page.whole);
    }

    #[test]
    fn the_shell_escapes_its_title() {
        let page = shell("</title><script>", "en", "");
        assert!(page.contains("<html lang=\"en\">") && !page.contains("<script>"), "{page}");
    }
}
