//! Transactions of a server that only reads, and what a client sets for itself.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::driver::client;
use crate::program::sample;
use crate::server::{LAKE, Server};

async fn first(client: &Client, sql: &str) -> String {
    let messages = client.simple_query(sql).await.expect(sql);
    let first = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    first.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_ends_a_transaction_but_for_the_way_back_to_a_savepoint() {
    let server = Server::start(&[]);
    let client = client(server.pg_port, "").await.expect("connected");
    client.simple_query("BEGIN; SAVEPOINT here").await.expect("begun");
    client.simple_query("SELECT nothing FROM nowhere").await.expect_err("no table");
    let error = client.simple_query("SELECT 1").await.expect_err("failed before");
    assert_eq!(error.code(), Some(&SqlState::IN_FAILED_SQL_TRANSACTION));
    client.simple_query("ROLLBACK TO SAVEPOINT here").await.expect("back");
    assert_eq!(first(&client, "SELECT 1").await, "1");
    client.simple_query("RELEASE here; COMMIT").await.expect("over");
    let error = client.simple_query("ROLLBACK TO here").await.expect_err("no transaction");
    assert_eq!(error.code(), Some(&SqlState::NO_ACTIVE_SQL_TRANSACTION));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeatable_transaction_sees_one_state_of_the_lake() {
    let place = crate::program::Place::new();
    place.write("none.json", b"");
    place.ingest(LAKE, &[&sample("logs")]);
    let server = Server::over(place, &[], &[]);
    let (kept, newest) = (
        client(server.pg_port, "").await.expect("connected"),
        client(server.pg_port, "").await.expect("connected"),
    );
    let count = "SELECT count(*) FROM sign_in_records";
    kept.simple_query("BEGIN ISOLATION LEVEL REPEATABLE READ").await.expect("begun");
    let before = first(&kept, count).await;
    server.place.write("more.json", first_record().as_bytes());
    server.place.ingest(LAKE, &[&server.place.path("more.json").display().to_string()]);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while first(&newest, count).await == before {
        assert!(std::time::Instant::now() < until, "the new commit is not seen");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(first(&kept, count).await, before);
    kept.simple_query("COMMIT").await.expect("over");
    assert_ne!(first(&kept, count).await, before);
}

/// A record that the samples do not have.
fn first_record() -> String {
    r#"{"time":"2026-11-20T10:00:00Z","category":"SignInLogs","tenantId":"11111111-2222-4333-8444-555555555555","properties":{"id":"99999999-aaaa-4bbb-8ccc-dddddddddddd","createdDateTime":"2026-11-20T10:00:00Z","userId":"12121212-3434-4545-8656-787878787878","userPrincipalName":"a@example.com","clientAppUsed":"IMAP4","status":{"errorCode":0}}}"#
        .to_owned()
        + "\n"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_zone_is_that_of_days_and_texts_too() {
    let server = Server::start(&[]);
    let client = client(server.pg_port, "").await.expect("connected");
    assert_eq!(first(&client, "SHOW TIME ZONE").await, "UTC");
    let day = "SELECT count(*) FROM sign_ins WHERE signed_in_at::date <> event_date";
    assert_eq!(first(&client, day).await, "0");
    let noon = "SELECT max(signed_in_at) FROM sign_ins WHERE signed_in_at < '2030-01-01'";
    let in_utc = first(&client, noon).await;
    client.simple_query("SET TIME ZONE 'Pacific/Auckland'").await.expect("set");
    assert_eq!(first(&client, "SHOW timezone").await, "Pacific/Auckland");
    let there = first(&client, noon).await;
    assert!(there.ends_with("+13:00") || there.ends_with("+13") || there.ends_with("+12:00"), "{there}");
    assert_ne!(in_utc, there);
    assert_ne!(first(&client, day).await, "0", "days begin earlier there");
    // An offset is the same moment, and a text without one is local.
    let moment = "SELECT TIMESTAMPTZ '2026-11-02 00:00:00' = TIMESTAMPTZ '2026-11-01 11:00:00+00'";
    assert_eq!(first(&client, moment).await, "t");
    let error = client.simple_query("SET TIME ZONE 'Mars/Olympus'").await.expect_err("no zone");
    assert_eq!(error.code(), Some(&SqlState::INVALID_PARAMETER_VALUE));
    client.simple_query("RESET timezone").await.expect("reset");
    assert_eq!(first(&client, noon).await, in_utc);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_is_one_that_clients_know_and_names_the_program() {
    let server = Server::start(&[]);
    let client = client(server.pg_port, "").await.expect("connected");
    let version = first(&client, "SELECT version()").await;
    assert!(version.starts_with("PostgreSQL 15.") && version.contains("lightsout"), "{version}");
    let number = first(&client, "SELECT current_setting('server_version_num')::int / 10000").await;
    assert_eq!(number, "15");
    assert!(first(&client, "SHOW server_version").await.contains("lightsout"));
    assert_eq!(first(&client, "SELECT current_user").await, "anybody");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subquery_that_refers_to_the_outer_query_is_counted_and_not_null() {
    // The rules for the catalogue once put NULL in its place, in queries on the lake too.
    let server = Server::start(&[]);
    let client = client(server.pg_port, "").await.expect("connected");
    let sql = "SELECT (SELECT count(*) FROM sign_ins AS s WHERE s.tenant_id = t.tenant_id) FROM tenants AS t \
               WHERE t.tenant_id IN (SELECT tenant_id FROM sign_ins) LIMIT 1";
    let counted: u64 = first(&client, sql).await.parse().expect("a number");
    assert!(counted > 0);
}
