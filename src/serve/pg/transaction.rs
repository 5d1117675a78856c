//! Transactions of a client that only reads: there is nothing to commit or to take back, but an error ends what was begun,
//! savepoints have names, and one that is to be repeatable sees one state of the lake.

use std::sync::Arc;

use datafusion::logical_expr::sqlparser::ast::{Ident, Statement};
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;

use super::failure::failure;
use super::settings::Settings;
use crate::live::Snapshot;

/// The open transaction of a client, if it has one.
#[derive(Default)]
pub(super) struct Transaction {
    /// The settings before it.
    before: Option<Settings>,
    savepoints: Vec<String>,
    /// The state of the lake that it sees.
    snapshot: Option<Arc<Snapshot>>,
}

/// What a statement does to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) tag: &'static str,
    pub(super) status: TransactionStatus,
    /// Whether the transaction is over.
    pub(super) is_over: bool,
}

impl Transaction {
    /// The state of the lake that is seen: one for all queries of a repeatable transaction.
    pub(super) fn snapshot(&mut self, newest: Arc<Snapshot>, settings: &Settings) -> Arc<Snapshot> {
        if self.before.is_none() || !settings.is_repeatable() {
            return newest;
        }
        Arc::clone(self.snapshot.get_or_insert(newest))
    }

    /// What a statement about transactions does, `None` if it is about something else.
    pub(super) fn respond(
        &mut self,
        statement: &Statement,
        status: TransactionStatus,
        settings: &mut Settings,
    ) -> PgWireResult<Option<Step>> {
        let goes_on = |tag, status| Ok(Some(Step { tag, status, is_over: false }));
        match statement {
            Statement::StartTransaction { modes, .. } => {
                if self.before.is_none() {
                    *self = Self { before: Some(settings.clone()), ..Self::default() };
                }
                if let Err(error) = settings.set_modes(modes, false) {
                    self.end(settings, true);
                    return Err(error);
                }
                goes_on("BEGIN", TransactionStatus::Transaction)
            }
            Statement::Commit { chain, .. } => {
                let is_failed = status == TransactionStatus::Error;
                Ok(Some(self.over(if is_failed { "ROLLBACK" } else { "COMMIT" }, *chain, settings)))
            }
            Statement::Rollback { chain, savepoint: None } => {
                Ok(Some(self.over("ROLLBACK", *chain, settings)))
            }
            Statement::Rollback { savepoint: Some(name), .. } => {
                let at = self.find(name, "ROLLBACK TO SAVEPOINT")?;
                self.savepoints.truncate(at + 1);
                goes_on("ROLLBACK", TransactionStatus::Transaction)
            }
            Statement::Savepoint { name } => {
                if self.before.is_none() {
                    return Err(failure("25P01", "SAVEPOINT can only be used in transaction blocks"));
                }
                self.savepoints.push(name.value.clone());
                goes_on("SAVEPOINT", status)
            }
            Statement::ReleaseSavepoint { name } => {
                let at = self.find(name, "RELEASE SAVEPOINT")?;
                self.savepoints.truncate(at);
                goes_on("RELEASE", status)
            }
            _ => Ok(None),
        }
    }

    fn find(&self, name: &Ident, statement: &str) -> PgWireResult<usize> {
        if self.before.is_none() {
            return Err(failure("25P01", format!("{statement} can only be used in transaction blocks")));
        }
        let found = self.savepoints.iter().rposition(|savepoint| *savepoint == name.value);
        found.ok_or_else(|| failure("3B001", format!("savepoint \"{}\" does not exist", name.value)))
    }

    fn over(&mut self, tag: &'static str, is_chained: bool, settings: &mut Settings) -> Step {
        self.end(settings, tag == "ROLLBACK");
        if is_chained {
            self.before = Some(settings.clone());
        }
        let status = if is_chained { TransactionStatus::Transaction } else { TransactionStatus::Idle };
        Step { tag, status, is_over: true }
    }

    fn end(&mut self, settings: &mut Settings, is_rolled_back: bool) {
        if let Some(before) = self.before.take() {
            settings.end_transaction(before, is_rolled_back);
        }
        *self = Self::default();
    }
}

/// Whether a failed transaction takes a statement: only what ends it or goes back to a savepoint.
pub(super) const fn recovers(statement: &Statement) -> bool {
    matches!(statement, Statement::Commit { .. } | Statement::Rollback { .. })
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::logical_expr::sqlparser::parser::Parser;
    use datafusion_postgres::pgwire::error::ErrorInfo;

    use super::*;

    struct Client(Transaction, Settings, TransactionStatus);

    impl Client {
        fn says(&mut self, sql: &str) -> String {
            let statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).expect(sql).remove(0);
            match self.0.respond(&statement, self.2, &mut self.1) {
                Ok(step) => {
                    let step = step.expect("about transactions");
                    self.2 = step.status;
                    step.tag.to_owned()
                }
                Err(error) => ErrorInfo::from(error).code,
            }
        }
    }

    #[test]
    fn a_transaction_is_begun_ended_and_taken_back_to_a_savepoint() {
        let mut client = Client(Transaction::default(), Settings::default(), TransactionStatus::Idle);
        assert_eq!(client.says("SAVEPOINT a"), "25P01");
        for (sql, told) in [
            ("BEGIN", "BEGIN"),
            ("SAVEPOINT a", "SAVEPOINT"),
            ("SAVEPOINT b", "SAVEPOINT"),
            ("ROLLBACK TO a", "ROLLBACK"),
            ("ROLLBACK TO b", "3B001"),
            ("RELEASE a", "RELEASE"),
            ("RELEASE a", "3B001"),
            ("COMMIT", "COMMIT"),
            ("ROLLBACK", "ROLLBACK"),
        ] {
            assert_eq!(client.says(sql), told, "{sql}");
        }
        assert_eq!(client.2, TransactionStatus::Idle);
    }

    #[test]
    fn a_failed_one_is_taken_back_by_commit_too_and_goes_on_from_a_savepoint() {
        let mut client = Client(Transaction::default(), Settings::default(), TransactionStatus::Idle);
        client.says("BEGIN");
        client.says("SAVEPOINT a");
        client.2 = TransactionStatus::Error;
        assert_eq!(client.says("ROLLBACK TO SAVEPOINT a"), "ROLLBACK");
        assert_eq!(client.2, TransactionStatus::Transaction);
        client.2 = TransactionStatus::Error;
        assert_eq!(client.says("COMMIT"), "ROLLBACK");
    }

    #[test]
    fn a_transaction_that_would_write_is_refused() {
        let mut client = Client(Transaction::default(), Settings::default(), TransactionStatus::Idle);
        assert_eq!(client.says("BEGIN READ WRITE"), "25006");
        assert_eq!(client.says("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), "BEGIN");
        assert!(client.1.is_repeatable());
        client.says("COMMIT");
        assert!(!client.1.is_repeatable());
    }
}
