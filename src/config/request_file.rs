//! Lists that people hand in: who opts out, what has been turned off. CSV with a header; the lists
//! that the campaign commands write can be handed in as they are, and so can the results of their runner.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};

use crate::spreadsheet::{ONE_LINE, broken_cell, decoded, line_of, separator};
use lightsout_model::change::Request;
use lightsout_model::evidence::midnight;
use lightsout_model::protocol::Protocol;
use lightsout_model::tenant::is_guid;

/// The columns that are read.
const READ: [&str; 4] = ["tenant_id", "protocols", "by_whom", "happened_at"];

/// Columns of the results that the runner of `campaign apply --runbook` writes: a row for each step of a tenant.
pub const RESULT_COLUMNS: [&str; 3] = [STEP, OUTCOME, "detail"];
const STEP: &str = "step";
const OUTCOME: &str = "outcome";

/// The one row by which a tenant's script says that all of it is done.
const FINISHED: (&str, &str) = (FINISH, "done");
/// The last step of a script, and what is written where one breaks off.
const FINISH: &str = "finish";
const STOP: &str = "stop";

/// What a list holds.
#[derive(Debug, Default)]
pub struct RequestList {
    pub requests: Vec<Request>,
    /// Of a runner's results: tenants whose script did not finish, by id.
    pub unfinished: BTreeSet<String>,
}

/// A list that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum RequestsError {
    #[error("list {file} can't be read: {source}")]
    Read { file: String, source: std::io::Error },
    #[error(
        "list {file}, line {line}: expected CSV, as UTF-8 text; of the lists that `lightsout campaign` writes, that \
         is the one that ends in .csv"
    )]
    NoText { file: String, line: usize },
    #[error(
        "list {file}: expected as many cells in each line as the header has, an unquoted comma makes more: {source}"
    )]
    Csv { file: String, source: csv::Error },
    #[error(
        "list {file}, line {line}: no column tenant_id; expected a header with tenant_id and, optionally, \
         protocols, by_whom and happened_at"
    )]
    NoTenantId { file: String, line: u64 },
    #[error(
        "list {file}, line {line}: unknown column '{column}'; expected CSV with some of: {}, or a .csv list that \
         `lightsout campaign` wrote",
        READ.join(", ")
    )]
    UnknownColumn { file: String, line: u64, column: String },
    #[error("list {file}, line {line}, column {column}: found '{found}', expected {expected}")]
    Value { file: String, line: u64, column: &'static str, found: String, expected: String },
}

/// Reads a list. Protocols are joined with `;`, an empty cell says nothing.
///
/// # Errors
/// Fails if the file is no CSV with a column tenant_id, or a cell can't be what its column holds.
/// `known` are the columns of lists that are written here: they are passed. With [`RESULT_COLUMNS`] among them, of a
/// runner's results the tenants that are finished are asked for.
#[expect(clippy::doc_markdown, reason = "a column's name, also of a file that people write")]
pub fn read(path: &Path, known: &[&str]) -> Result<RequestList, RequestsError> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| RequestsError::Read { file: file.clone(), source })?;
    let text = decoded(bytes).map_err(|line| RequestsError::NoText { file: file.clone(), line })?;
    parse(&text, &file, known)
}

fn parse(text: &str, file: &str, known: &[&str]) -> Result<RequestList, RequestsError> {
    let invalid = |source| RequestsError::Csv { file: file.to_owned(), source };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .delimiter(separator(text))
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(invalid)?.clone();
    let line = line_of(text, header.position());
    let names: Vec<String> = header.iter().map(str::to_ascii_lowercase).collect();
    let expected = |name: &&String| READ.contains(&name.as_str()) || known.contains(&name.as_str());
    if let Some(column) = names.iter().find(|name| !expected(name)).cloned() {
        return Err(RequestsError::UnknownColumn { file: file.to_owned(), line, column });
    }
    let at = |name: &str| names.iter().position(|known| known == name);
    let Some(tenant_at) = at("tenant_id") else {
        return Err(RequestsError::NoTenantId { file: file.to_owned(), line });
    };
    let (protocols_at, by_at, happened_at) = (at("protocols"), at("by_whom"), at("happened_at"));
    let (step_at, outcome_at) = (at(STEP), at(OUTCOME));

    let mut list = RequestList::default();
    for record in reader.records() {
        let record = record.map_err(invalid)?;
        let line = line_of(text, record.position());
        let wrong = |column, found: &str, expected: String| RequestsError::Value {
            file: file.to_owned(),
            line,
            column,
            found: found.to_owned(),
            expected,
        };
        if let Some((at, found)) = broken_cell(&record) {
            let column = READ.into_iter().find(|name| names.get(at).is_some_and(|column| column == name));
            return Err(wrong(column.unwrap_or("tenant_id"), &found, ONE_LINE.to_owned()));
        }
        // Spreadsheets leave lines of nothing but separators.
        if record.iter().all(str::is_empty) {
            continue;
        }
        let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).filter(|text| !text.is_empty());
        let tenant_id = cell(Some(tenant_at)).unwrap_or_default();
        if !is_guid(tenant_id) {
            let expected = "a tenant id like 72f988bf-86f1-41af-91ab-2d7cd011db47".to_owned();
            return Err(wrong("tenant_id", tenant_id, expected));
        }
        if step_at.is_some() && (cell(step_at), cell(outcome_at)) != (Some(FINISHED.0), Some(FINISHED.1)) {
            let tenant_id = tenant_id.to_ascii_lowercase();
            // The last word of a run counts: what was turned off may have been set back since.
            if matches!(cell(step_at), Some(FINISH | STOP)) {
                list.requests.retain(|request| request.tenant_id != tenant_id);
            }
            list.unfinished.insert(tenant_id);
            continue;
        }
        let happened_at = match cell(happened_at) {
            None => None,
            Some(text) => {
                let expected = "a day or a time like 2026-12-01 or 2026-12-01T09:30:00Z".to_owned();
                Some(parse_time(text).ok_or_else(|| wrong("happened_at", text, expected))?)
            }
        };
        let protocols = cell(protocols_at)
            .map(|text| parse_protocols(text).map_err(|found| wrong("protocols", &found, some_of())))
            .transpose()?;
        list.requests.push(Request {
            tenant_id: tenant_id.to_ascii_lowercase(),
            protocols,
            by_whom: cell(by_at).map(str::to_owned),
            happened_at,
            line: Some(line),
        });
    }
    for request in &list.requests {
        list.unfinished.remove(&request.tenant_id);
    }
    Ok(list)
}

/// A UTC day or an RFC 3339 time.
#[must_use]
pub fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let day = || text.parse::<NaiveDate>().ok().map(midnight);
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc()).or_else(day)
}

/// Names joined with `;`; the error is the first that is none.
fn parse_protocols(text: &str) -> Result<Vec<Protocol>, String> {
    let names = text.split(';').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| name.to_ascii_lowercase().parse().map_err(|_| name.to_owned())).collect()
}

fn some_of() -> String {
    format!("some of {}, joined with ;", Protocol::NAMED.map(Protocol::as_str).join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "72F988BF-86f1-41af-91ab-2d7cd011db47";

    fn told(text: &str) -> String {
        parse(text, "list.csv", &["display_name"]).expect_err("refused").to_string()
    }

    #[test]
    fn a_row_names_a_tenant_and_what_it_does_not_say_is_left_open() {
        let text = format!(
            "tenant_id,display_name,protocols,happened_at\r\n{ID},Adatum,imap4; pop3,2026-12-01\r\n{ID},,,\r\n"
        );
        let rows = parse(&text, "list.csv", &["display_name"]).expect("a list").requests;
        assert_eq!(rows[0].tenant_id, ID.to_ascii_lowercase());
        assert_eq!(rows[0].protocols, Some(vec![Protocol::Imap4, Protocol::Pop3]));
        assert_eq!(
            rows[0].happened_at.map(|at| at.to_rfc3339()),
            Some("2026-12-01T00:00:00+00:00".to_owned())
        );
        assert_eq!((&rows[1].protocols, rows[1].happened_at, rows[1].line), (&None, None, Some(3)));
    }

    #[test]
    fn what_is_wrong_is_told_with_line_and_column() {
        assert!(told("id\n1\n").contains("line 1: unknown column 'id'"));
        assert!(told("protocols\npop3\n").contains("line 1: no column tenant_id"));
        assert!(told("tenant_id\ncontoso\n").contains("line 2, column tenant_id: found 'contoso'"));
        let imap = told(&format!("tenant_id,protocols\n{ID},pop3;imap\n"));
        assert!(imap.contains("line 2, column protocols: found 'imap'") && imap.contains("imap4"), "{imap}");
        let open = told(&format!("tenant_id,by_whom\n{ID},\"Ann\n{ID},Bob\n"));
        assert!(open.contains("line 2, column by_whom") && open.contains("not closed"), "{open}");
        let time = told(&format!("tenant_id,happened_at\n{ID},1/12/26\n"));
        assert!(time.contains("found '1/12/26', expected a day or a time"), "{time}");
    }

    #[test]
    fn of_results_only_a_tenant_whose_script_finished_is_asked_for() {
        let (other, again) = ("72f988bf-86f1-41af-91ab-2d7cd011db48", "72f988bf-86f1-41af-91ab-2d7cd011db49");
        let text = format!(
            "\"tenant_id\",\"happened_at\",\"step\",\"outcome\",\"protocols\",\"detail\"\n\
             \"{ID}\",\"2026-12-24T09:00:00Z\",\"guards\",\"passed\",\"\",\"\"\n\
             \"{ID}\",\"2026-12-24T09:00:05Z\",\"finish\",\"done\",\"pop3;smtp_auth\",\"\"\n\
             \"{other}\",\"2026-12-24T09:01:00Z\",\"finish\",\"incomplete\",\"\",\"\"\n\
             \"{again}\",\"2026-12-24T09:02:00Z\",\"stop\",\"failed\",\"\",\"not connected, \"\"x\"\"\"\n\
             \"{again}\",\"2026-12-24T09:03:00Z\",\"finish\",\"done\",\"pop3\",\"\"\n"
        );
        let list = parse(&text, "result.csv", &RESULT_COLUMNS).expect("results");
        let asked: Vec<_> = list.requests.iter().map(|row| (row.tenant_id.as_str(), row.line)).collect();
        assert_eq!(asked, [(ID.to_ascii_lowercase().as_str(), Some(3)), (again, Some(6))]);
        assert_eq!(list.requests[0].protocols, Some(vec![Protocol::Pop3, Protocol::SmtpAuth]));
        assert_eq!(list.unfinished.into_iter().collect::<Vec<_>>(), [other]);
        assert!(told(&text).contains("unknown column 'step'"), "an opt-out takes no results");
        // It was turned off and set back, into one file.
        for last in ["\"finish\",\"undone\"", "\"stop\",\"failed\""] {
            let text = format!("{text}\"{ID}\",\"2026-12-25T09:00:00Z\",{last},\"\",\"\"\n");
            let list = parse(&text, "result.csv", &RESULT_COLUMNS).expect("results");
            let asked: Vec<_> = list.requests.iter().map(|row| row.tenant_id.as_str()).collect();
            assert_eq!(asked, [again], "{last}");
            assert!(list.unfinished.contains(&ID.to_ascii_lowercase()), "{last}");
        }
    }
}
