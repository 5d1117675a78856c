//! What a driver does that psql does not: binds values in their own types, cancels, and comes fifty at a time.

use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls};

use crate::hostile::ENDLESS;
use crate::server::{Server, lake};

pub(crate) async fn client(port: u16, password: &str) -> Result<Client, tokio_postgres::Error> {
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(port).user("anybody").dbname("lightsout");
    if !password.is_empty() {
        config.password(password);
    }
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_bound_in_their_own_types() {
    let server = Server::start(&[]);
    let client = client(server.pg_port, "").await.expect("connected");
    let prepared = client
        .prepare("SELECT count(*) AS n FROM sign_ins WHERE protocol = $1 AND signed_in_at >= $2 AND error_code >= $3")
        .await
        .expect("prepared");
    assert_eq!(prepared.params(), &[Type::TEXT, Type::TIMESTAMPTZ, Type::INT8]);
    assert_eq!(prepared.columns()[0].type_(), &Type::INT8);
    let since = std::time::SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 47);
    let expected = client
        .query_one("SELECT count(*) FROM sign_ins WHERE protocol = 'imap4' AND error_code >= 0", &[])
        .await
        .expect("counted");
    let bound = client.query_one(&prepared, &[&"imap4", &since, &0_i64]).await.expect("bound");
    assert!(expected.get::<_, i64>(0) > 0, "the samples have sign-ins by IMAP");
    assert_eq!(bound.get::<_, i64>("n"), expected.get::<_, i64>(0));
    let later = std::time::SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 120);
    let none = client.query_one(&prepared, &[&"imap4", &later, &0_i64]).await.expect("bound again");
    assert_eq!(none.get::<_, i64>(0), 0);
    // A hostile value is a value.
    let none = client.query_one(&prepared, &[&"imap4' OR '1'='1", &since, &0_i64]).await.expect("bound");
    assert_eq!(none.get::<_, i64>(0), 0);
    let refused = client.prepare("DELETE FROM sources WHERE path = $1").await.expect_err("refused");
    assert_eq!(refused.code(), Some(&SqlState::READ_ONLY_SQL_TRANSACTION));
    let cast = client.query_one("SELECT $1::bigint + 1", &[&41_i64]).await.expect("cast");
    assert_eq!(cast.get::<_, i64>(0), 42);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_the_users_own_is_beside_the_lakes_and_of_its_types() {
    let place = lake();
    place.write("vips.csv", "mail;badge;seats\r\nnobody@x.example;00123;7\r\n".as_bytes());
    let file = format!("vips={}", place.path("vips.csv").display());
    let server = Server::over(place, &["--with", &file], &[]);
    let client = client(server.pg_port, "").await.expect("connected");
    let row = client
        .query_one("SELECT v.badge, v.seats FROM vips AS v LEFT JOIN sign_ins AS s ON s.user_principal_name = v.mail", &[])
        .await
        .expect("a row");
    assert_eq!((row.get::<_, &str>(0), row.get::<_, i64>(1)), ("00123", 7));
    let listed = client
        .query_one("SELECT count(*) FROM information_schema.tables WHERE table_name = 'vips'", &[])
        .await
        .expect("a count");
    assert_eq!(listed.get::<_, i64>(0), 1);
    let refused = client.batch_execute("INSERT INTO vips VALUES ('a', 'b', 1)").await.expect_err("refused");
    assert_eq!(refused.code(), Some(&SqlState::READ_ONLY_SQL_TRANSACTION));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_cancelled_from_another_connection() {
    let server = Server::start(&[]);
    let client = client(server.pg_port, "").await.expect("connected");
    let cancel = client.cancel_token();
    let started = Instant::now();
    let cancelled = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(700)).await;
        cancel.cancel_query(NoTls).await
    });
    let error = client.query(ENDLESS, &[]).await.expect_err("cancelled");
    assert_eq!(error.code(), Some(&SqlState::QUERY_CANCELED));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    cancelled.await.expect("joined").expect("sent");
    // While rows are on their way, too.
    let cancel = client.cancel_token();
    let cancelled = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(700)).await;
        cancel.cancel_query(NoTls).await
    });
    let error = client
        .query("SELECT x FROM generate_series(1, 100000000000) AS t(x) WHERE x % 100000 = 0", &[])
        .await
        .expect_err("cancelled");
    assert_eq!(error.code(), Some(&SqlState::QUERY_CANCELED));
    cancelled.await.expect("joined").expect("sent");
    assert_eq!(client.query_one("SELECT 1::bigint", &[]).await.expect("goes on").get::<_, i64>(0), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_refused_and_the_right_one_lets_in() {
    let server = Server::over(lake(), &[], &[("LIGHTSOUT_PASSWORD", "correct horse")]);
    let port = server.pg_port;
    let error = client(port, "wrong horse").await.expect_err("refused");
    assert_eq!(error.code(), Some(&SqlState::INVALID_PASSWORD), "{error:?}");
    let client = client(port, "correct horse").await.expect("let in");
    assert!(client.query_one("SELECT count(*) FROM sign_ins", &[]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_clients_are_answered_beside_a_query_that_has_no_end() {
    let server = Server::start(&["--timeout", "10m"]);
    let port = server.pg_port;
    let heavy = client(port, "").await.expect("connected");
    let heavy = tokio::spawn(async move { heavy.query(ENDLESS, &[]).await });
    let mut clients = Vec::new();
    for _ in 0..50 {
        clients.push(tokio::spawn(async move {
            let client = client(port, "").await.expect("connected");
            let mut counted = Vec::new();
            for sql in ["SELECT count(*) FROM sign_ins", "SELECT count(*) FROM usage_by_protocol"] {
                counted.push(client.query_one(sql, &[]).await.expect(sql).get::<_, i64>(0));
            }
            counted
        }));
    }
    let mut counted = Vec::new();
    for client in clients {
        counted.push(client.await.expect("answered"));
    }
    assert!(counted[0][0] > 0 && counted.iter().all(|each| *each == counted[0]), "{counted:?}");
    assert!(!heavy.is_finished(), "the heavy one still runs");
    heavy.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bi_tool_finds_its_way() {
    let server = Server::start(&[]);
    let client = client(server.pg_port, "").await.expect("connected");
    let names = |rows: Vec<tokio_postgres::SimpleQueryMessage>, column: usize| -> Vec<String> {
        rows.iter()
            .filter_map(|row| match row {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(column).map(str::to_owned),
                _ => None,
            })
            .collect()
    };
    // As the JDBC driver lists tables.
    let tables = client
        .simple_query(
            "SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, c.relname AS TABLE_NAME, \
             CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' ELSE NULL END AS TABLE_TYPE, d.description AS REMARKS \
             FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c \
             LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass) \
             WHERE c.relnamespace = n.oid AND n.nspname LIKE 'public' AND c.relkind IN ('r', 'v') \
             ORDER BY TABLE_TYPE, TABLE_SCHEM, TABLE_NAME",
        )
        .await
        .expect("tables");
    let tables = names(tables, 2);
    for name in ["sign_in_records", "sign_ins", "usage_by_protocol", "verdicts"] {
        assert!(tables.contains(&name.to_owned()), "{name}: {tables:?}");
    }
    let columns = client
        .simple_query(
            "SELECT table_name, column_name, data_type, is_nullable, ordinal_position FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name = 'sign_ins' ORDER BY ordinal_position",
        )
        .await
        .expect("columns");
    let columns = names(columns, 1);
    assert_eq!(columns[0], "tenant_id");
    for sql in [
        "SELECT version()",
        "SELECT current_database(), current_schema(), current_user",
        "SELECT nspname FROM pg_namespace ORDER BY 1",
        "SELECT oid, typname, typtype FROM pg_type WHERE typname = 'timestamptz'",
        "SET extra_float_digits = 3; SET application_name = 'a tool'",
        "SHOW transaction_isolation",
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a \
         JOIN pg_class c ON a.attrelid = c.oid WHERE c.relname = 'sign_ins' AND a.attnum > 0 ORDER BY a.attnum",
        "SELECT con.conname FROM pg_constraint con WHERE con.contype = 'p'",
    ] {
        assert!(client.simple_query(sql).await.is_ok(), "{sql}");
    }
}
