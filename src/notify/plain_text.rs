//! A notice's Markdown as plain text, for the part of a mail that everybody can read: headings are
//! underlined, lines wrapped, and a table stands in columns where they fit, else row by row with the
//! names of its columns.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::html::is_expected;

/// Mail is read in windows of eighty columns, and quoted there.
const WIDTH: usize = 76;

pub(super) fn of(markdown: &str) -> String {
    let mut writer = Writer::default();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        writer.take(event);
    }
    writer.text
}

#[derive(Default)]
struct Writer {
    text: String,
    /// The paragraph, heading or cell that is being read.
    line: String,
    /// What each line of it begins with: a part for each quote and item around it.
    indents: Vec<String>,
    /// Stands in the first line of an item in place of its part.
    bullet: Option<String>,
    /// The next number of each list around it, `None` where it is not numbered.
    lists: Vec<Option<u64>>,
    /// Where the link goes that is being read, and where its text began.
    link: Option<(String, usize)>,
    rows: Vec<Vec<String>>,
}

impl Writer {
    fn take(&mut self, event: Event) {
        match event {
            Event::Text(part) | Event::Code(part) | Event::Html(part) | Event::InlineHtml(part) => {
                self.line.push_str(&part);
            }
            Event::SoftBreak => self.line.push(' '),
            Event::HardBreak => self.line.push('\n'),
            Event::Rule => self.line.push_str("----"),
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag) {
        match tag {
            Tag::BlockQuote(_) => self.indents.push("> ".to_owned()),
            Tag::List(first) => {
                // An item that holds a list says its own line first.
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                let number = self.lists.last_mut().and_then(Option::as_mut);
                let bullet = number.map_or_else(
                    || "- ".to_owned(),
                    |number| {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    },
                );
                self.item(bullet);
            }
            Tag::Link { dest_url, .. } => self.link = Some((dest_url.to_string(), self.line.len())),
            Tag::Table(_) => self.rows.clear(),
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock | TagEnd::CodeBlock => {
                self.flush();
                if self.lists.is_empty() {
                    self.blank();
                }
            }
            TagEnd::Heading(level) => {
                let width = self.line.chars().count().min(WIDTH);
                self.blank();
                self.flush();
                let under = if level == HeadingLevel::H1 { "=" } else { "-" };
                self.text.push_str(&(under.repeat(width) + "\n"));
                self.blank();
            }
            TagEnd::BlockQuote(_) => {
                self.indents.pop();
                self.blank();
            }
            TagEnd::Item => {
                self.flush();
                self.indents.pop();
            }
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.blank();
                }
            }
            TagEnd::Link => {
                if let Some((to, from)) = self.link.take()
                    && self.line.get(from..).is_some_and(|text| text != to)
                    && is_expected(&to)
                {
                    self.line.push_str(" <");
                    self.line.push_str(&to);
                    self.line.push('>');
                }
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.line);
                if let Some(row) = self.rows.last_mut() {
                    row.push(cell);
                }
            }
            TagEnd::Table => self.table(),
            _ => {}
        }
    }

    /// One empty line, unless there is one or nothing yet.
    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Writes the line that was read, wrapped.
    fn flush(&mut self) {
        let line = std::mem::take(&mut self.line);
        for line in line.lines().filter(|line| !line.trim().is_empty()) {
            self.wrapped(line);
        }
    }

    fn item(&mut self, bullet: String) {
        self.indents.push(" ".repeat(bullet.len()));
        self.bullet = Some(bullet);
    }

    fn wrapped(&mut self, line: &str) {
        let indent = self.indents.concat();
        let mut start = match self.bullet.take() {
            Some(bullet) => {
                self.indents.split_last().map(|(_, outer)| outer.concat()).unwrap_or_default() + &bullet
            }
            None => indent.clone(),
        };
        let mut width = 0;
        for word in line.split_whitespace() {
            let length = word.chars().count();
            if width > 0 && start.chars().count() + width + 1 + length > WIDTH {
                self.text.push('\n');
                start.clone_from(&indent);
                width = 0;
            }
            if width == 0 {
                self.text.push_str(&start);
            } else {
                self.text.push(' ');
                width += 1;
            }
            self.text.push_str(word);
            width += length;
        }
        self.text.push('\n');
    }

    fn table(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let Some((head, rows)) = rows.split_first() else { return };
        let width = |column: usize| {
            let cells = rows.iter().chain([head]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        if widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1) <= WIDTH {
            for row in [head].into_iter().chain(rows) {
                let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
                let line = cells.collect::<Vec<_>>().join("  ");
                self.text.push_str(line.trim_end());
                self.text.push('\n');
            }
        } else {
            for row in rows {
                let cells = head.iter().zip(row).map(|(name, cell)| format!("{name}: {cell}"));
                self.item("- ".to_owned());
                self.wrapped(&cells.collect::<Vec<_>>().join("; "));
                self.indents.pop();
            }
        }
        self.blank();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_underlined_and_emphasis_and_escapes_are_gone() {
        let text = of("# A *b* `c`\n\nFor **Alpine**, tenant 1\\_2.\n\n## D\n\nE\\\nF\n");
        assert_eq!(text, "A b c\n=====\n\nFor Alpine, tenant 1_2.\n\nD\n-\n\nE\nF\n\n");
    }

    #[test]
    fn a_long_line_is_wrapped_and_a_long_word_is_left_whole() {
        let text = of(&format!("> {} {}\n", "word ".repeat(20), "x".repeat(90)));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("> word word") && lines[0].len() <= WIDTH, "{text}");
        assert!(lines[1].starts_with("> word"), "{text}");
        assert_eq!(lines[2], format!("> {}", "x".repeat(90)));
    }

    #[test]
    fn lists_keep_their_bullets_and_numbers_and_what_belongs_to_an_item_is_indented() {
        let text = of("Two:\n\n- one\n  Cure: this.\n- two\n\n1. a\n2. b\n\nEnd.\n");
        assert_eq!(text, "Two:\n\n- one Cure: this.\n- two\n\n1. a\n2. b\n\nEnd.\n\n");
        let long = of(&format!("- {}\n", "word ".repeat(30)));
        assert!(long.lines().nth(1).is_some_and(|line| line.starts_with("  word")), "{long}");
    }

    #[test]
    fn a_link_says_where_it_goes_unless_it_is_its_own_text() {
        assert_eq!(of("[a](https://b.example)"), "a <https://b.example>\n\n");
        assert_eq!(of("<https://b.example>"), "https://b.example\n\n");
    }

    #[test]
    fn a_narrow_table_stands_in_columns_and_a_wide_one_row_by_row() {
        assert_eq!(
            of("| Protocol | Users |\n|---|---:|\n| IMAP4 | 2 |\n\nEnd."),
            "Protocol  Users\nIMAP4     2\n\nEnd.\n\n"
        );
        let wide = of(&format!("| User | App |\n|---|---|\n| ada | {} |\n", "app ".repeat(30)));
        assert!(wide.starts_with("- User: ada; App: app app"), "{wide}");
        assert!(wide.lines().nth(1).is_some_and(|line| line.starts_with("  app")), "{wide}");
    }
}
