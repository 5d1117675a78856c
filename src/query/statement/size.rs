//! Whether a text is of a size that can be read and planned: how deep, how wide, and how often anew. Its words
//! and signs are looked at, before the parser sees them.

use std::collections::HashMap;

use datafusion::logical_expr::sqlparser::keywords::Keyword;
use datafusion::logical_expr::sqlparser::tokenizer::{Token, TokenWithSpan};

/// Words and signs in one expression. Each may make it one level deeper, and planning takes the time of their
/// square and more.
const EXPRESSION_TOKENS_MAX: usize = 400;

/// Joins and set operations in one query, each a level of its plan.
const JOINS_MAX: usize = 200;

/// Tables that a query reads from, once each name of its `WITH` stands for what it is: with each that names
/// the one before it twice, they double.
const TABLES_MAX: u64 = 1_000;

/// Brackets in brackets.
pub(super) const BRACKETS_MAX: usize = 50;

/// Open brackets that the parser reads in a second way where the first one fails: each may double its time.
const READ_TWICE_MAX: usize = 10;

/// Looks at a text; a sentence says why it is not taken.
pub(super) fn check(tokens: &[TokenWithSpan]) -> Result<(), String> {
    let tokens: Vec<&TokenWithSpan> =
        tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    check_depth(&tokens)?;
    check_growth(&tokens)
}

/// One level of brackets, or of `CASE`.
#[derive(Default)]
struct Level {
    is_case: bool,
    /// Where a table is expected, at its start.
    is_table: bool,
    /// See [`READ_TWICE_MAX`].
    read_twice: usize,
    /// Since the last comma: what may be one expression.
    tokens: usize,
    joins: usize,
    /// In a list of tables a comma is a join.
    in_from: bool,
}

/// Whether a word and a bracket after it are read as what the word stands for in SQL, and if that fails, as a
/// function's or a column's name.
const fn is_read_twice(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::ARRAY
            | Keyword::CASE
            | Keyword::CAST
            | Keyword::CEIL
            | Keyword::CONVERT
            | Keyword::EXISTS
            | Keyword::EXTRACT
            | Keyword::FLOOR
            | Keyword::IN
            | Keyword::MAP
            | Keyword::NOT
            | Keyword::OVERLAY
            | Keyword::POSITION
            | Keyword::SAFE_CAST
            | Keyword::STRUCT
            | Keyword::SUBSTR
            | Keyword::SUBSTRING
            | Keyword::TRIM
            | Keyword::TRY_CAST
            | Keyword::TRY_CONVERT
    )
}

const fn keyword(token: &Token) -> Keyword {
    if let Token::Word(word) = token { word.keyword } else { Keyword::NoKeyword }
}

/// The level that a bracket or a `CASE` opens between two tokens.
fn opened(level: &Level, before: Option<&Token>, opening: Keyword, next: Option<&Token>) -> Level {
    let is_table = opening == Keyword::NoKeyword
        && before.is_some_and(|before| match before {
            Token::Comma => level.in_from,
            Token::LParen => level.is_table,
            word => matches!(keyword(word), Keyword::FROM | Keyword::JOIN),
        });
    // As a query, and as tables that are joined.
    let is_either = is_table
        && next.is_some_and(|next| {
            *next == Token::LParen || !matches!(keyword(next), Keyword::NoKeyword | Keyword::SELECT)
        });
    let is_call =
        opening == Keyword::NoKeyword && before.is_some_and(|before| is_read_twice(keyword(before)));
    Level {
        is_case: opening == Keyword::CASE,
        is_table,
        read_twice: usize::from(is_either || is_call),
        ..Level::default()
    }
}

/// The parser holds brackets in brackets in check, and not what it reads in a loop: ten thousand `OR`s are a
/// tree as deep, and whoever walks it by calling itself runs out of stack. Nor does it count how often it
/// starts again.
fn check_depth(tokens: &[&TokenWithSpan]) -> Result<(), String> {
    let mut levels = vec![Level::default()];
    // Of the levels around the last one.
    let (mut tokens_around, mut joins_around, mut twice_around) = (0, 0, 0);
    for (at, TokenWithSpan { token, span }) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| &tokens[before].token);
        let next = tokens.get(at + 1).map(|next| &next.token);
        let keyword = keyword(token);
        let depth = levels.len();
        let Some(level) = levels.last_mut() else { break };
        let opens =
            keyword == Keyword::CASE || matches!(token, Token::LParen | Token::LBracket | Token::LBrace);
        let closes = if level.is_case {
            keyword == Keyword::END
        } else {
            matches!(token, Token::RParen | Token::RBracket | Token::RBrace)
        };
        if opens {
            level.tokens += 1;
            tokens_around += level.tokens;
            joins_around += level.joins;
            twice_around += level.read_twice;
            let opened = opened(level, before, keyword, next);
            levels.push(opened);
        } else if closes && depth > 1 {
            levels.pop();
            if let Some(level) = levels.last() {
                tokens_around -= level.tokens;
                joins_around -= level.joins;
                twice_around -= level.read_twice;
            }
        } else {
            match token {
                Token::Comma if level.in_from => level.joins += 1,
                Token::Comma | Token::SemiColon => level.tokens = 0,
                Token::VerticalBarRightAngleBracket => level.joins += 1,
                _ => level.tokens += 1,
            }
            match keyword {
                Keyword::FROM => level.in_from = true,
                Keyword::SELECT | Keyword::GROUP | Keyword::ORDER => level.in_from = false,
                // The next expression.
                Keyword::WHERE | Keyword::HAVING => {
                    level.in_from = false;
                    level.tokens = 0;
                }
                Keyword::WHEN | Keyword::THEN | Keyword::ELSE if level.is_case => level.tokens = 0,
                Keyword::JOIN | Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::MINUS => {
                    // The condition of the join before it is another expression.
                    level.joins += 1;
                    level.tokens = 0;
                }
                // Read as a type and as a word, with all that comes after it.
                Keyword::INTERVAL
                    if matches!(next, Some(Token::Word(_) | Token::LParen | Token::Minus | Token::Plus)) =>
                {
                    level.read_twice += 1;
                }
                _ => {}
            }
        }
        let place = || format!("line {}, column {}", span.start.line, span.start.column);
        let last = levels.last();
        let with = |around: usize, own: fn(&Level) -> usize| around + last.map_or(0, own);
        if levels.len() > BRACKETS_MAX {
            return Err(format!("more than {BRACKETS_MAX} brackets are open at {}", place()));
        }
        if with(twice_around, |level| level.read_twice) > READ_TWICE_MAX {
            return Err(format!(
                "more than {READ_TWICE_MAX} brackets that can be read in two ways, as those of FROM ((, NOT ( and \
                 CAST (, are open at {}; name the inner parts in WITH",
                place()
            ));
        }
        if with(tokens_around, |level| level.tokens) > EXPRESSION_TOKENS_MAX {
            return Err(format!(
                "more than {EXPRESSION_TOKENS_MAX} tokens follow each other without a comma at {}; write \
                 a list as IN (...), or as a join with VALUES",
                place()
            ));
        }
        if with(joins_around, |level| level.joins) > JOINS_MAX {
            return Err(format!("more than {JOINS_MAX} joins or unions at {}", place()));
        }
    }
    Ok(())
}

/// A bracket that is open.
struct Open {
    /// The word before it.
    after: Option<String>,
    /// The name that its query has in `WITH`.
    defines: Option<String>,
    tables: u64,
}

/// Counts the tables that are read from, names of `WITH` for what they stand for.
fn check_growth(tokens: &[&TokenWithSpan]) -> Result<(), String> {
    let tokens: Vec<&Token> = tokens.iter().map(|token| &token.token).collect();
    let word = |at: usize| match tokens.get(at) {
        Some(Token::Word(word)) => Some(word),
        _ => None,
    };
    let is =
        |at: Option<usize>, keyword: Keyword| at.and_then(word).is_some_and(|word| word.keyword == keyword);
    let mut weights: HashMap<String, u64> = HashMap::new();
    let mut open = vec![Open { after: None, defines: None, tables: 0 }];
    let mut closed: Option<String> = None;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::LParen => {
                let before = at.checked_sub(1);
                let named =
                    before.filter(|_| is(before, Keyword::AS)).and_then(|before| before.checked_sub(1));
                // `name AS (`, or `name (columns) AS (`.
                let defines = named.and_then(|named| match tokens.get(named) {
                    Some(Token::RParen) => closed.clone(),
                    _ => word(named).map(|word| word.value.to_lowercase()),
                });
                let after = at.checked_sub(1).and_then(word).map(|word| word.value.to_lowercase());
                open.push(Open { after, defines, tables: 0 });
            }
            Token::RParen if open.len() > 1 => {
                let Some(Open { after, defines, tables }) = open.pop() else { break };
                closed = after;
                match (defines, open.last_mut()) {
                    (Some(name), _) => drop(weights.insert(name, tables.max(1))),
                    (None, Some(around)) => around.tables = around.tables.saturating_add(tables),
                    (None, None) => {}
                }
            }
            Token::Word(found) => {
                let before = at.checked_sub(1);
                let may_be_table = is(before, Keyword::FROM)
                    || is(before, Keyword::JOIN)
                    || is(before, Keyword::LATERAL)
                    || before.is_some_and(|before| matches!(tokens[before], Token::Comma | Token::LParen));
                if let (true, Some(level)) = (may_be_table, open.last_mut()) {
                    let own = |before| is(before, Keyword::FROM) || is(before, Keyword::JOIN);
                    let weight = weights.get(&found.value.to_lowercase()).copied();
                    // Of what no `WITH` names, only a table is one.
                    let weight = weight.unwrap_or_else(|| u64::from(own(before)));
                    level.tables = level.tables.saturating_add(weight);
                }
            }
            _ => {}
        }
    }
    let tables = open.iter().fold(0_u64, |sum, level| sum.saturating_add(level.tables));
    if tables > TABLES_MAX {
        return Err(format!("its WITH queries, when expanded, read more than {TABLES_MAX} tables"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::tests::refusal_of;
    use crate::catalog::REPORTS;

    #[test]
    fn every_shipped_report_is_accepted() {
        for report in REPORTS {
            assert_eq!(refusal_of(report.sql), "accepted", "{}", report.name);
        }
    }

    #[test]
    fn long_lists_are_wide_and_long_rows_are_deep() {
        let repeated = |text: &str, times: usize| text.repeat(times);
        let wide = format!("SELECT 1 WHERE 1 IN (0{})", repeated(", 1 + 2", 20_000));
        assert_eq!(refusal_of(&wide), "accepted");
        let whens = format!("SELECT CASE {} END", repeated("WHEN 1 = 2 AND 2 = 3 THEN 1 + 1 ", 5_000));
        assert_eq!(refusal_of(&whens), "accepted");
        let joined = format!("SELECT 1 FROM a{}", repeated(" JOIN a ON a.x = a.y AND a.z = a.w", 100));
        assert_eq!(refusal_of(&joined), "accepted");
        for deep in [
            format!("SELECT 1{}", repeated(" + 1", 501)),
            format!("SELECT {}1", repeated("- ", 1_001)),
            format!("SELECT 1{}", repeated("::bigint", 501)),
            format!("SELECT 1{}", repeated(" + CASE WHEN true THEN 1 END", 501)),
            format!("SELECT 1{}", repeated(" + f(1, 2)", 501)),
            format!("SELECT a{}", repeated("[1]", 1_001)),
            format!("SELECT a{}", repeated(" || [1, 2]", 501)),
            format!("SELECT 1 WHERE true{}", repeated(" OR 1 = 2", 251)),
            format!("SELECT 1 WHERE true{}", repeated(" OR 1 IS DISTINCT FROM 2", 251)),
            format!("SELECT (1 + (1{}){}", repeated(" + 1", 300), repeated(" + 1", 600)),
        ] {
            assert!(
                refusal_of(&deep).starts_with("more than 400 tokens"),
                "{}: {}",
                &deep[..40],
                refusal_of(&deep)
            );
        }
        for joined in [
            format!("SELECT 1 FROM a{}", repeated(", a", 201)),
            format!("SELECT 1 FROM (SELECT 1 FROM a{})", repeated(", a", 201)),
            format!("SELECT 1 FROM a{}", repeated(" JOIN a ON true", 201)),
            format!("SELECT 1, 2{}", repeated(" UNION ALL SELECT 1, 2", 201)),
        ] {
            assert!(
                refusal_of(&joined).starts_with("more than 200 joins"),
                "{}: {}",
                &joined[..40],
                refusal_of(&joined)
            );
        }
        let brackets = format!("SELECT {}1{}", repeated("(", 100_000), repeated(")", 100_000));
        assert!(refusal_of(&brackets).starts_with("more than 50 brackets"), "{}", refusal_of(&brackets));
    }

    #[test]
    fn a_name_of_with_counts_as_its_query() {
        let doubled = |levels: usize, from: &str| {
            let mut sql = "WITH t0 AS (SELECT 1 AS x)".to_owned();
            for level in 1..=levels {
                let from = from.replace("$t", &format!("t{}", level - 1));
                let _ = write!(sql, ", T{level} (x) AS (SELECT a.x FROM {from})");
            }
            format!("{sql} SELECT * FROM t{levels}")
        };
        for from in ["$t AS a, $t AS b", "$t AS a CROSS JOIN $t AS b", "($t AS a CROSS JOIN $t AS b)"] {
            assert_eq!(refusal_of(&doubled(9, from)), "accepted", "{from}");
            for levels in [10, 39] {
                assert!(
                    refusal_of(&doubled(levels, from)).contains("more than 1000 tables"),
                    "{levels} of {from}"
                );
            }
        }
        let once = "$t AS a";
        assert_eq!(refusal_of(&doubled(200, once)), "accepted");
    }

    #[test]
    fn syntax_that_the_parser_reads_twice_nests_only_so_deep() {
        let nested = |open: &str, close: &str, times: usize| {
            format!("SELECT 1 FROM t WHERE x = {}1{}", open.repeat(times), close.repeat(times))
        };
        for (open, close) in [
            ("CAST(", ")"),
            ("position(", ", 1)"),
            ("NOT (", ")"),
            ("ceil(", ")"),
            ("1 IN ((SELECT ", "))"),
            ("(SELECT 1 FROM ((SELECT ", " AS x) AS a JOIN t ON true))"),
            ("(SELECT 1 FROM t, ((SELECT ", " AS x) AS a JOIN t ON true))"),
            ("(SELECT 1 FROM (VALUES (", ")))"),
            ("INTERVAL ", ""),
            ("INTERVAL - ", ""),
        ] {
            for closed in [close, ""] {
                let message = refusal_of(&nested(open, closed, 12));
                assert!(message.contains("can be read in two ways"), "{open}: {message}");
                // Right or wrong, it is known at once.
                let started = std::time::Instant::now();
                let message = refusal_of(&nested(open, closed, 5));
                assert!(!message.contains("can be read in two ways"), "{open}: {message}");
                assert!(started.elapsed().as_secs() < 10, "{open}: {:?}", started.elapsed());
            }
        }
        for brackets in [12, 100, 5_000] {
            let message = refusal_of(&format!("SELECT 1 FROM {}", "(".repeat(brackets)));
            assert!(message.starts_with("more than "), "{brackets}: {message}");
        }
        for taken in [
            "SELECT 1 FROM ((a JOIN b ON true) JOIN c ON true)",
            "SELECT count(*) FILTER (WHERE NOT (x IN (1, 2))) FROM (SELECT * FROM (SELECT 1 AS x))",
            "SELECT now() - INTERVAL '1' DAY + INTERVAL '2 days' * $n",
        ] {
            assert_eq!(refusal_of(taken), "accepted", "{taken}");
        }
    }
}
