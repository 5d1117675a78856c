//! What may be asked: one statement that only reads, of a size that can be planned. Looked at before
//! anything of it is planned.

use std::collections::HashMap;

use datafusion::error::DataFusionError;
use datafusion::logical_expr::sqlparser::ast::Statement as Ast;
use datafusion::logical_expr::sqlparser::dialect::GenericDialect;
use datafusion::logical_expr::sqlparser::keywords::Keyword;
use datafusion::logical_expr::sqlparser::parser::ParserError;
use datafusion::logical_expr::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use datafusion::sql::parser::{DFParserBuilder, Statement};

/// A longer text is no question that a person or a tool asks.
pub(super) const QUERY_BYTES_MAX: usize = 1 << 20;

/// Words and signs in one expression. Each may make it one level deeper.
const EXPRESSION_TOKENS_MAX: usize = 1_000;

/// Joins and set operations in one query, each a level of its plan.
const JOINS_MAX: usize = 200;

/// Tables that a query reads from, once each name of its `WITH` stands for what it is: with each that names
/// the one before it twice, they double.
const TABLES_MAX: u64 = 1_000;

/// Brackets in brackets.
const DEPTH_MAX: usize = 50;

/// The parser counts more than brackets: it takes several steps down for one.
const PARSER_DEPTH_MAX: usize = 8 * DEPTH_MAX;

/// Why a text is not taken as a query.
#[derive(Debug)]
pub(super) enum Refused {
    /// The engine's parser can't read it.
    Parser(DataFusionError),
    /// A sentence that says why.
    Size(String),
    /// It would write, or change the session.
    NotReadOnly(String),
}

/// The one statement of a text.
pub(super) fn read(sql: &str) -> Result<Statement, Refused> {
    if sql.len() > QUERY_BYTES_MAX {
        let tenths = sql.len() * 10 / QUERY_BYTES_MAX;
        let told = format!(
            "it is {}.{} MiB of SQL, and at most 1 MiB is taken; a long list belongs into a join",
            tenths / 10,
            tenths % 10
        );
        return Err(Refused::Size(told));
    }
    let parser = |source: ParserError| Refused::Parser(source.into());
    let tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize_with_location()
        .map_err(|source| parser(source.into()))?;
    check_depth(&tokens)?;
    check_growth(&tokens)?;
    let mut statements = DFParserBuilder::new(tokens)
        .with_recursion_limit(PARSER_DEPTH_MAX)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(Refused::Parser)?;
    match (statements.len(), statements.pop_front()) {
        (1, Some(statement)) => match writing(&statement) {
            Some(found) => Err(Refused::NotReadOnly(found)),
            None => Ok(statement),
        },
        (0, _) => Err(Refused::Size("expected a query, found nothing".to_owned())),
        (count, _) => {
            let told = format!("expected one statement, found {count}; ask them one after the other");
            Err(Refused::Size(told))
        }
    }
}

/// What a statement is called, if it does more than read.
fn writing(statement: &Statement) -> Option<String> {
    match statement {
        Statement::Statement(ast) => writing_ast(ast),
        Statement::Explain(explain) => writing(&explain.statement),
        Statement::CreateExternalTable(_) => Some("CREATE EXTERNAL TABLE".to_owned()),
        Statement::CopyTo(_) => Some("COPY".to_owned()),
        Statement::Reset(_) => Some("RESET".to_owned()),
    }
}

fn writing_ast(statement: &Ast) -> Option<String> {
    match statement {
        Ast::Query(_)
        | Ast::ExplainTable { .. }
        | Ast::ShowTables { .. }
        | Ast::ShowColumns { .. }
        | Ast::ShowFunctions { .. }
        | Ast::ShowVariable { .. } => None,
        Ast::Explain { statement, .. } => writing_ast(statement),
        other => {
            let text = other.to_string();
            let mut words = text.split_whitespace();
            let first = words.next().unwrap_or_default().to_owned();
            Some(match words.next() {
                Some(second) if ["CREATE", "DROP", "ALTER"].contains(&first.as_str()) => {
                    format!("{first} {second}")
                }
                _ => first,
            })
        }
    }
}

/// One level of brackets, or of `CASE`.
#[derive(Default)]
struct Level {
    is_case: bool,
    /// Since the last comma: what may be one expression.
    tokens: usize,
    joins: usize,
    /// In a list of tables a comma is a join.
    in_from: bool,
}

/// The parser holds brackets in brackets in check, and not what it reads in a loop: ten thousand `OR`s are a
/// tree as deep, and whoever walks it by calling itself runs out of stack.
fn check_depth(tokens: &[TokenWithSpan]) -> Result<(), Refused> {
    let mut levels = vec![Level::default()];
    // Of the levels around the last one.
    let (mut tokens_around, mut joins_around) = (0, 0);
    for TokenWithSpan { token, span } in tokens {
        let keyword = if let Token::Word(word) = token { word.keyword } else { Keyword::NoKeyword };
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
            levels.push(Level { is_case: keyword == Keyword::CASE, ..Level::default() });
        } else if closes && depth > 1 {
            levels.pop();
            if let Some(level) = levels.last() {
                tokens_around -= level.tokens;
                joins_around -= level.joins;
            }
        } else {
            match token {
                Token::Whitespace(_) => continue,
                Token::Comma if level.in_from => level.joins += 1,
                Token::Comma | Token::SemiColon => level.tokens = 0,
                Token::VerticalBarRightAngleBracket => level.joins += 1,
                _ => level.tokens += 1,
            }
            match keyword {
                Keyword::FROM => level.in_from = true,
                Keyword::SELECT | Keyword::WHERE | Keyword::GROUP | Keyword::ORDER => level.in_from = false,
                Keyword::WHEN | Keyword::THEN | Keyword::ELSE if level.is_case => level.tokens = 0,
                Keyword::JOIN | Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::MINUS => {
                    // The condition of the join before it is another expression.
                    level.joins += 1;
                    level.tokens = 0;
                }
                _ => {}
            }
        }
        let place = || format!("line {}, column {}", span.start.line, span.start.column);
        let last = levels.last();
        if levels.len() > DEPTH_MAX {
            return Err(Refused::Size(format!("more than {DEPTH_MAX} brackets are open at {}", place())));
        }
        if tokens_around + last.map_or(0, |level| level.tokens) > EXPRESSION_TOKENS_MAX {
            return Err(Refused::Size(format!(
                "more than {EXPRESSION_TOKENS_MAX} words and signs stand in one row without a comma at {}; write \
                 a list as IN (...), or as a join with VALUES",
                place()
            )));
        }
        if joins_around + last.map_or(0, |level| level.joins) > JOINS_MAX {
            return Err(Refused::Size(format!("more than {JOINS_MAX} joins or unions at {}", place())));
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
fn check_growth(tokens: &[TokenWithSpan]) -> Result<(), Refused> {
    let tokens: Vec<&Token> = tokens
        .iter()
        .map(|token| &token.token)
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .collect();
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
                let mut before = at.checked_sub(1);
                for keyword in [Keyword::MATERIALIZED, Keyword::NOT] {
                    if is(before, keyword) {
                        before = before.and_then(|before| before.checked_sub(1));
                    }
                }
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
        return Err(Refused::Size(format!(
            "its names of WITH, each put in place of what it stands for, come to more than {TABLES_MAX} tables"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn refused(sql: &str) -> String {
        match read(sql) {
            Ok(_) => "taken".to_owned(),
            Err(Refused::Size(why)) => why,
            Err(Refused::NotReadOnly(found)) => format!("found {found}"),
            Err(Refused::Parser(source)) => source.to_string(),
        }
    }

    #[test]
    fn what_only_reads_is_taken_and_everything_else_is_called_by_its_name() {
        for sql in [
            "SELECT 1",
            "SELECT 1;",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "VALUES (1), (2)",
            "EXPLAIN ANALYZE SELECT 1",
            "SHOW TABLES",
            "DESCRIBE sign_ins",
        ] {
            assert_eq!(refused(sql), "taken", "{sql}");
        }
        for (sql, found) in [
            ("COPY sign_ins TO '/tmp/x.csv'", "COPY"),
            ("EXPLAIN ANALYZE COPY sign_ins TO '/tmp/x.csv'", "COPY"),
            ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", "CREATE EXTERNAL TABLE"),
            ("CREATE TABLE t AS SELECT 1", "CREATE TABLE"),
            ("CREATE VIEW v AS SELECT 1", "CREATE VIEW"),
            ("DROP TABLE sign_ins", "DROP TABLE"),
            ("INSERT INTO sources VALUES (1)", "INSERT"),
            ("DELETE FROM sources", "DELETE"),
            ("UPDATE sources SET path = ''", "UPDATE"),
            ("SET datafusion.execution.batch_size = 1", "SET"),
            ("PREPARE p AS SELECT 1", "PREPARE"),
            ("EXECUTE p", "EXECUTE"),
            ("BEGIN", "BEGIN"),
        ] {
            assert_eq!(refused(sql), format!("found {found}"), "{sql}");
        }
    }

    #[test]
    fn one_statement_is_taken_at_a_time() {
        assert!(refused("SELECT 1; SELECT 2").starts_with("expected one statement, found 2"));
        assert!(refused(" -- nothing\n").starts_with("expected a query"));
    }

    #[test]
    fn long_lists_are_wide_and_long_rows_are_deep() {
        let repeated = |text: &str, times: usize| text.repeat(times);
        let wide = format!("SELECT 1 WHERE 1 IN (0{})", repeated(", 1 + 2", 20_000));
        assert_eq!(refused(&wide), "taken");
        let whens = format!("SELECT CASE {} END", repeated("WHEN 1 = 2 AND 2 = 3 THEN 1 + 1 ", 5_000));
        assert_eq!(refused(&whens), "taken");
        let joined = format!("SELECT 1 FROM a{}", repeated(" JOIN a ON a.x = a.y AND a.z = a.w", 100));
        assert_eq!(refused(&joined), "taken");
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
                refused(&deep).starts_with("more than 1000 words"),
                "{}: {}",
                &deep[..40],
                refused(&deep)
            );
        }
        for joined in [
            format!("SELECT 1 FROM a{}", repeated(", a", 201)),
            format!("SELECT 1 FROM (SELECT 1 FROM a{})", repeated(", a", 201)),
            format!("SELECT 1 FROM a{}", repeated(" JOIN a ON true", 201)),
            format!("SELECT 1, 2{}", repeated(" UNION ALL SELECT 1, 2", 201)),
        ] {
            assert!(
                refused(&joined).starts_with("more than 200 joins"),
                "{}: {}",
                &joined[..40],
                refused(&joined)
            );
        }
        let brackets = format!("SELECT {}1{}", repeated("(", 100_000), repeated(")", 100_000));
        assert!(refused(&brackets).starts_with("more than 50 brackets"), "{}", refused(&brackets));
        let long = format!("SELECT '{}'", repeated("x", 10 << 20));
        assert!(refused(&long).starts_with("it is 10.0 MiB"), "{}", refused(&long));
    }

    #[test]
    fn names_of_with_count_for_what_they_stand_for() {
        let doubled = |levels: usize, from: &str| {
            let mut sql = "WITH t0 AS (SELECT 1 AS x)".to_owned();
            for level in 1..=levels {
                let from = from.replace("$t", &format!("t{}", level - 1));
                let _ = write!(sql, ", T{level} (x) AS NOT MATERIALIZED (SELECT a.x FROM {from})");
            }
            format!("{sql} SELECT * FROM t{levels}")
        };
        for from in ["$t AS a, $t AS b", "$t AS a CROSS JOIN $t AS b", "($t AS a CROSS JOIN $t AS b)"] {
            assert_eq!(refused(&doubled(9, from)), "taken", "{from}");
            for levels in [10, 39] {
                assert!(
                    refused(&doubled(levels, from)).contains("more than 1000 tables"),
                    "{levels} of {from}"
                );
            }
        }
        let once = "$t AS a";
        assert_eq!(refused(&doubled(200, once)), "taken");
    }
}
