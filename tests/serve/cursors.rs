//! Rows some at a time: cursors by name, and bound statements with a limit of rows.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::driver::client;
use crate::server::Server;

/// The first column of each row.
async fn firsts(client: &Client, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    let messages = client.simple_query(sql).await?;
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(rows.collect())
}

const NUMBERS: &str = "SELECT x FROM generate_series(1, 20000) AS t(x)";

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_gives_each_row_once_and_ends_with_its_transaction() {
    let server = Server::start(&[]);
    let client = client(server.pg_port, "").await.expect("connected");
    let declare = format!("DECLARE c CURSOR FOR {NUMBERS}");
    let error = client.simple_query(&declare).await.expect_err("outside of a transaction");
    assert_eq!(error.code(), Some(&SqlState::NO_ACTIVE_SQL_TRANSACTION));
    client.simple_query(&format!("BEGIN; {declare}")).await.expect("declared");
    let mut found = firsts(&client, "FETCH NEXT FROM c").await.expect("one");
    found.extend(firsts(&client, "FETCH FORWARD 8191 FROM c").await.expect("some"));
    found.extend(firsts(&client, "FETCH 3 FROM c; FETCH 0 FROM c; FETCH 4 FROM c").await.expect("some"));
    found.extend(firsts(&client, "FETCH ALL FROM c").await.expect("the rest"));
    let expected: Vec<String> = (1..=20_000).map(|number| number.to_string()).collect();
    assert_eq!(found, expected);
    assert!(firsts(&client, "FETCH 5 FROM c").await.expect("none").is_empty());
    client.simple_query("COMMIT").await.expect("over");
    let error = client.simple_query("FETCH 1 FROM c").await.expect_err("gone");
    assert_eq!(error.code(), Some(&SqlState::INVALID_CURSOR_NAME));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_cursor_outlives_its_transaction_and_is_listed() {
    let server = Server::start(&[]);
    let client = client(server.pg_port, "").await.expect("connected");
    client.simple_query(&format!("DECLARE h CURSOR WITH HOLD FOR {NUMBERS}")).await.expect("declared");
    let listed = "SELECT name FROM pg_cursors WHERE is_holdable";
    assert_eq!(firsts(&client, listed).await.expect("listed"), ["h"]);
    client.simple_query("BEGIN; ROLLBACK").await.expect("over");
    assert_eq!(firsts(&client, "FETCH 2 FROM h").await.expect("held"), ["1", "2"]);
    let error = client.simple_query("FETCH PRIOR FROM h").await.expect_err("forward only");
    assert_eq!(error.code(), Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE));
    client.simple_query("CLOSE h").await.expect("closed");
    assert!(firsts(&client, listed).await.expect("none").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_statement_gives_its_rows_some_at_a_time() {
    let server = Server::start(&[]);
    let mut client = client(server.pg_port, "").await.expect("connected");
    let transaction = client.transaction().await.expect("begun");
    let portal = transaction
        .bind("SELECT x FROM generate_series(1, 5000) AS t(x) WHERE x <= $1 ORDER BY x", &[&1_000_i64])
        .await
        .expect("bound");
    let mut found: Vec<i64> = Vec::new();
    for expected in [300, 300, 300, 100, 0] {
        let rows = transaction.query_portal(&portal, 300).await.expect("rows");
        assert_eq!(rows.len(), expected);
        found.extend(rows.iter().map(|row| row.get::<_, i64>(0)));
    }
    assert_eq!(found, (1..=1_000).collect::<Vec<_>>());
}
