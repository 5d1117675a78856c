//! `COPY (query) TO STDOUT`, as drivers read it.

use futures::TryStreamExt as _;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::driver::client;
use crate::server::Server;

async fn copied(client: &Client, sql: &str) -> Vec<u8> {
    let parts = client.copy_out(sql).await.expect(sql);
    let parts: Vec<_> = parts.try_collect().await.expect(sql);
    parts.concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_copied_as_text_csv_and_binary() {
    let server = Server::start(&[]);
    let client = client(server.pg_port, "").await.expect("connected");
    let rows =
        "SELECT x, CASE x WHEN 1 THEN 'a,\"b' WHEN 2 THEN '' END AS t FROM generate_series(1, 3) AS s(x)";
    let text = copied(&client, &format!("COPY ({rows}) TO STDOUT")).await;
    assert_eq!(String::from_utf8(text).expect("text"), "1\ta,\"b\n2\t\n3\t\\N\n");
    let csv = copied(&client, &format!("COPY ({rows}) TO STDOUT (FORMAT CSV, HEADER)")).await;
    assert_eq!(String::from_utf8(csv).expect("text"), "x,t\n1,\"a,\"\"b\"\n2,\"\"\n3,\n");
    let binary = copied(&client, &format!("COPY ({rows}) TO STDOUT (FORMAT BINARY)")).await;
    let header = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
    let first = b"\0\x02\0\0\0\x08\0\0\0\0\0\0\0\x01\0\0\0\x04a,\"b";
    assert!(binary.starts_with(&[&header[..], first].concat()), "{binary:?}");
    assert!(binary.ends_with(b"\xff\xff\xff\xff\xff\xff"), "NULL, and the end: {binary:?}");
    let none = copied(&client, "COPY (SELECT 1 WHERE false) TO STDOUT (FORMAT BINARY)").await;
    assert_eq!(none, [&header[..], b"\xff\xff"].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_copied_whole() {
    let server = Server::start(&[]);
    let client = client(server.pg_port, "").await.expect("connected");
    let count = client.query_one("SELECT count(*) FROM sign_in_records", &[]).await.expect("counted");
    let copied = copied(&client, "COPY sign_in_records (tenant_id, sign_in_id) TO STDOUT").await;
    let lines = copied.split(|byte| *byte == b'\n').count() - 1;
    assert_eq!(i64::try_from(lines).expect("few"), count.get::<_, i64>(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_fails_says_why_and_the_connection_goes_on() {
    let server = Server::start(&[]);
    let client = client(server.pg_port, "").await.expect("connected");
    let sql = "COPY (SELECT 1 / (x - 20000) FROM generate_series(1, 30000) AS t(x)) TO STDOUT";
    let parts = client.copy_out(sql).await.expect("begun");
    let error = parts.map_ok(|_| ()).try_collect::<Vec<()>>().await.err();
    assert_eq!(error.expect("an error").code(), Some(&SqlState::DIVISION_BY_ZERO));
    assert_eq!(client.query_one("SELECT 1::bigint", &[]).await.expect("goes on").get::<_, i64>(0), 1);
}
