//! Lines that become statements: a semicolon ends one, unless it stands in text, a quoted name or a comment.

/// The statements of a text, each at its place: what stands before it is blank, so that errors name the lines and columns
/// of the text. The last one may go without a semicolon.
pub(super) fn statements_in(text: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut start = 0;
    for end in ends(text).into_iter().chain([text.len()]) {
        let statement = &text[start..end];
        if !is_blank(statement) {
            let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
            let before: String = text[..start].chars().map(blank).collect();
            statements.push(before + statement);
        }
        start = (end + 1).min(text.len());
    }
    statements
}

/// Whether a text says nothing: it is blank, or comments alone.
fn is_blank(text: &str) -> bool {
    let mut rest = text.trim_start();
    loop {
        let after = match rest.as_bytes() {
            [] => return true,
            [b'-', b'-', ..] => rest.find('\n').map(|end| end + 1),
            [b'/', b'*', ..] => rest.find("*/").map(|end| end + 2),
            _ => return false,
        };
        let Some(after) = after else { return true };
        rest = rest[after..].trim_start();
    }
}

/// What was typed and not yet asked.
#[derive(Debug, Default)]
pub(super) struct Typed(String);

impl Typed {
    pub(super) fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn add(&mut self, line: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(line);
    }

    /// The statements that are whole, without their semicolons; what is left waits for more.
    pub(super) fn statements(&mut self) -> Vec<String> {
        let mut statements = Vec::new();
        let mut start = 0;
        for end in ends(&self.0) {
            let statement = self.0[start..end].trim();
            if !statement.is_empty() {
                statements.push(statement.to_owned());
            }
            start = end + 1;
        }
        self.0.drain(..start);
        if self.is_empty() {
            self.clear();
        }
        statements
    }
}

/// Where the semicolons are that end a statement.
fn ends(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut ends = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let after =
            |end: &str, from: usize| rest[from..].find(end).map(|found| at + from + found + end.len());
        // A doubled quote ends a text and begins the next, which is the same.
        let next = match bytes[at] {
            b'\'' => after("'", 1),
            b'"' => after("\"", 1),
            b'-' if rest.starts_with("--") => after("\n", 2),
            b'/' if rest.starts_with("/*") => after("*/", 2),
            b';' => {
                ends.push(at);
                Some(at + 1)
            }
            _ => Some(at + rest.chars().next().map_or(1, char::len_utf8)),
        };
        let Some(next) = next else { break };
        at = next;
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_of_a_text_keep_their_lines_and_columns() {
        let text = "SELECT 1;  SELECT ';'\n -- two;\n;\n-- nothing\n;SELECT 3\n";
        let expected = ["SELECT 1", "           SELECT ';'\n -- two;\n"];
        let found = statements_in(text);
        assert_eq!(found[0], expected[0]);
        assert_eq!(found[1].trim_start(), expected[1].trim_start());
        assert!(found[1].starts_with("           SELECT"), "{:?}", found[1]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[2].lines().position(|line| line.contains("SELECT 3")), Some(4), "{:?}", found[2]);
        assert!(statements_in(" \n-- nothing\n/* at all */ ;").is_empty());
    }

    #[test]
    fn a_semicolon_ends_a_statement_where_it_is_one() {
        let mut typed = Typed::default();
        typed.add("SELECT ';' AS \";\" -- no end; here");
        assert!(typed.statements().is_empty());
        typed.add("/* nor; here */ FROM 'it''s;'; SELECT 2 ;; SELECT é");
        let first = "SELECT ';' AS \";\" -- no end; here\n/* nor; here */ FROM 'it''s;'";
        assert_eq!(typed.statements(), [first, "SELECT 2"]);
        assert!(!typed.is_empty());
        typed.add("FROM é;");
        assert_eq!(typed.statements(), ["SELECT é\nFROM é"]);
        assert!(typed.is_empty());
        typed.add("SELECT 'open;");
        assert!(typed.statements().is_empty());
        typed.clear();
        assert!(typed.is_empty());
    }
}
