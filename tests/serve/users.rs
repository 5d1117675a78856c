//! Users with rights of their own, and an attacker who owns one account: everything that is tried is written down, and
//! nothing of other tenants, or of people, is in it. The same is tried as root, who sees all of it.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::TryStreamExt as _;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::program::{Place, sample};
use crate::server::{LAKE, Server, text};

/// Old Mill Printworks of the sample roster.
const OWN: &str = "23220695-6f56-4566-aba9-b1fad220a1c8";

const PASSWORD: &str = "correct horse battery";

/// Another tenant's log: a whole record, and one that is cut off.
const TORN: &str = r#"{"time":"2026-10-20T10:00:00Z","category":"SignInLogs","operationName":"Sign-in activity","tenantId":"11dd7c61-8b82-4198-a138-2195ef1d85cd","properties":{"id":"0b9e7c1a-3333-4222-8111-0123456789ab","createdDateTime":"2026-10-20T10:00:00Z","userPrincipalName":"spy@harbourlane.example.net","userId":"5d0e7c1a-3333-4222-8111-0123456789ab","appDisplayName":"Office 365 Exchange Online","clientAppUsed":"IMAP4","ipAddress":"198.51.100.77","status":{"errorCode":0}}}
{"time":"2026-10-20T11:00:00Z","category":"SignInLogs","tenantId":"11dd7c61-8b82-4198-a138-2195ef1d85cd","properties":{"userPrincipalName":"torn@harbourlane.example.net","#;

fn hashed(password: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lightsout"))
        .args(["serve", "--hash-password"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let sent = format!("{password}\n");
    child.stdin.take().expect("its stdin").write_all(sent.as_bytes()).expect("sent");
    child.wait_with_output().expect("it ends")
}

/// A file of users, which only its owner can read.
fn write_users(place: &Place, users: &[(&str, &str, &str)]) -> String {
    let verifier = text(&hashed(PASSWORD).stdout);
    let tables = users.iter().map(|(name, tenants, names)| {
        format!(
            "[[users]]\nname = \"{name}\"\npassword = \"{}\"\ntenants = {tenants}\nnames = \"{names}\"\n",
            verifier.trim()
        )
    });
    place.write("users.toml", tables.collect::<String>().as_bytes());
    let path = place.path("users.toml");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("allowed");
    }
    path.display().to_string()
}

/// The sample logs with a decision, a campaign, and files that name another tenant and can't be read.
fn lake() -> Place {
    let place = Place::new();
    place.write("in/harbourlane-signins/torn.json", TORN.as_bytes());
    place.write("in/harbourlane-signins/refused.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 harbourlane");
    let torn = place.path("in").display().to_string();
    place.run(LAKE, &["ingest", &sample("logs")]);
    place.tries(LAKE, &["ingest", &torn]);
    let campaign = place.operated("basic-auth-all-protocols");
    let roster = sample("roster.csv");
    place.run(
        LAKE,
        &["assess", "--roster", &roster, "--as-of", "2026-11-02", "--out", "out", "--campaign", campaign],
    );
    place.run(LAKE, &["campaign", "announce", "--now", "2026-11-02", "--campaign", campaign]);
    place
}

fn serve() -> Server {
    let place = lake();
    let own = "[\"oldmill.example.com\"]";
    let users = [
        ("root", "[\"*\"]", "shown"),
        ("mill", own, "shown"),
        ("auditor", "[\"*\"]", "pseudonyms"),
        ("guest", own, "pseudonyms"),
    ];
    let users = write_users(&place, &users);
    place.write("queries/of_harbourlane.sql", include_str!("../../queries/top_users.sql").as_bytes());
    place.write("table.csv", b"owner;seats\nHarbour Lane Clinic;7\n");
    let (queries, table) = (place.path("queries").display().to_string(), place.path("table.csv"));
    let table = format!("harbourlane_seats={}", table.display());
    let flags = ["--users", &users, "--as-of", "2026-11-02", "--queries", &queries, "--with", &table];
    Server::over(place, &flags, &[])
}

async fn client(server: &Server, user: &str, password: &str) -> Result<Client, tokio_postgres::Error> {
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(server.pg_port).user(user).password(password).dbname("lightsout");
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A value, with the text of bytes.
fn read(value: &str) -> String {
    let Some(hex) = value.strip_prefix("\\x") else { return value.to_owned() };
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text(&hex.as_bytes().chunks(2).filter_map(byte).collect::<Vec<u8>>())
}

/// What a statement shows, or what it says why not.
async fn tried(client: &Client, sql: &str) -> Vec<Vec<String>> {
    match client.simple_query(sql).await {
        Ok(messages) => messages
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => {
                    let values = (0..row.len()).map(|at| read(row.get(at).unwrap_or_default()));
                    Some(values.collect())
                }
                _ => None,
            })
            .collect(),
        Err(error) => vec![vec![format!("{error:?}")]],
    }
}

fn authorization(user: &str, password: &str) -> String {
    format!("Host: localhost\r\nAuthorization: Basic {}\r\n", STANDARD.encode(format!("{user}:{password}")))
}

/// Statements that ask in other ways than `SELECT *`. None has a name in it that is searched for: an error repeats what it
/// was asked.
const ATTACKS: [&str; 20] = [
    "EXPLAIN SELECT * FROM sign_ins",
    "EXPLAIN VERBOSE SELECT * FROM tenants",
    "EXPLAIN ANALYZE SELECT * FROM sign_in_records",
    "EXPLAIN ANALYZE VERBOSE SELECT * FROM sources",
    "SELECT * FROM speaking_records",
    "SELECT * FROM contested_sign_ins",
    "SELECT * FROM lightsout.public.sign_in_records",
    "SELECT * FROM datafusion.public.sign_in_records",
    "SELECT min(tenant_id), max(tenant_id), min(user_principal_name), max(ip_address) FROM sign_in_records",
    "SELECT array_agg(DISTINCT tenant_id) FROM rosters",
    "SELECT string_agg(DISTINCT user_principal_name, ';') FROM sign_ins",
    "SELECT unnest(coverage) FROM sources",
    "SELECT convert_from(raw, 'UTF8') FROM rejects",
    "SELECT arrow_cast(raw, 'Utf8') FROM rejects",
    "SET ROLE root; SELECT * FROM tenants",
    "SET SESSION AUTHORIZATION root; SELECT * FROM tenants",
    "BEGIN; DECLARE c CURSOR FOR SELECT * FROM sign_in_records; FETCH ALL FROM c; COMMIT",
    "PREPARE p AS SELECT * FROM verdicts; EXECUTE p",
    "SHOW ALL",
    "SELECT * FROM pg_stat_activity",
];

/// Tries everything as one user; what was seen, and how many statements and pages it took.
async fn attacked(server: &Server, user: &str) -> (String, usize) {
    let client = client(server, user, PASSWORD).await.expect("let in");
    let mut seen = String::new();
    let mut count = 0;
    let relations =
        tried(&client, "SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1, 2").await;
    assert!(relations.len() > 50, "{relations:?}");
    let mut statements: Vec<String> = ATTACKS.map(str::to_owned).into();
    for relation in &relations {
        let name = format!("\"{}\".\"{}\"", relation[0], relation[1]);
        statements.push(format!("SELECT * FROM {name}"));
    }
    let counts = ["sign_in_records", "sources", "rejects", "rosters", "decision_tenants", "campaign_events"];
    statements.extend(counts.map(|table| format!("SELECT count(*), '{table}' FROM {table}")));
    // A cast that fails quotes the value.
    let texts = tried(
        &client,
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' \
         AND table_name IN ('sign_in_records', 'sources', 'rejects', 'rosters', 'decisions', 'decision_tenants') \
         AND data_type = 'text' ORDER BY 1, 2",
    )
    .await;
    assert!(texts.len() > 50, "{texts:?}");
    for column in &texts {
        let (table, column) = (&column[0], &column[1]);
        statements.push(format!("SELECT count(*) FROM {table} WHERE CAST(\"{column}\" AS bigint) > 0"));
    }
    for sql in &statements {
        for row in tried(&client, sql).await {
            seen.push_str(&row.join("\t"));
            seen.push('\n');
        }
        count += 1;
    }
    for table in ["sign_ins", "sources", "latest_roster", "who"] {
        let copied =
            client.copy_out(&format!("COPY (SELECT * FROM {table}) TO STDOUT")).await.expect("a copy");
        let parts: Vec<_> = copied.try_collect().await.expect("rows");
        for part in &parts {
            seen.push_str(&text(part));
        }
        count += 1;
    }
    for path in [
        "/",
        "/?days=90",
        "/tenants",
        &format!("/tenants/{OWN}"),
        &format!("/tenants/{OWN}/who.csv"),
        &format!("/tenants/{OWN}/who.json"),
        "/download/assessment.csv",
        "/download/assessment.json",
        "/download/protocol_usage.csv",
        "/download/protocol_usage.json",
        "/download/coverage_gaps.csv",
        "/download/coverage_gaps.json",
        "/healthz",
        "/metrics",
        "/nothing",
    ] {
        let answer = server.get(path, &authorization(user, PASSWORD));
        assert!(!answer.starts_with("HTTP/1.1 5"), "{user}, {path}: {answer}");
        seen.push_str(&answer);
        count += 1;
    }
    (seen, count)
}

/// The texts of a query's first column, as root.
async fn texts(root: &Client, sql: &str) -> BTreeSet<String> {
    tried(root, sql)
        .await
        .into_iter()
        .filter_map(|row| row.into_iter().next())
        .filter(|text| text.len() > 6)
        .collect()
}

/// What names other tenants, or anybody of theirs, and stands in no record of the attacker's own.
async fn names_of_others(root: &Client) -> BTreeSet<String> {
    let mut others = BTreeSet::new();
    for column in ["tenant_id", "display_name", "domains"] {
        let sql = format!("SELECT DISTINCT {column} FROM latest_roster WHERE tenant_id <> '{OWN}'");
        others.extend(texts(root, &sql).await);
    }
    for column in ["tenant_id", "user_principal_name", "user_id", "ip_address"] {
        let sql = format!("SELECT DISTINCT {column} FROM sign_in_records WHERE tenant_id <> '{OWN}'");
        others.extend(texts(root, &sql).await);
    }
    others.extend(
        [
            "harbourlane-signins",
            "spy@harbourlane.example.net",
            "torn@harbourlane.example.net",
            "of_harbourlane",
            "harbourlane_seats",
        ]
        .map(str::to_owned),
    );
    let own: Vec<Vec<String>> =
        tried(root, &format!("SELECT * FROM sign_in_records WHERE tenant_id = '{OWN}'")).await;
    let own: String = own.into_iter().flatten().collect::<Vec<_>>().join("\n");
    others.retain(|name| !own.contains(name.as_str()));
    others
}

#[tokio::test(flavor = "multi_thread")]
async fn who_owns_one_account_sees_nothing_of_others() {
    let server = serve();
    let root = client(&server, "root", PASSWORD).await.expect("let in");
    let others = names_of_others(&root).await;
    assert!(others.len() >= 50, "{}: {others:?}", others.len());
    let people: BTreeSet<String> = {
        let mut people = BTreeSet::new();
        for column in ["user_principal_name", "user_id", "ip_address"] {
            people.extend(texts(&root, &format!("SELECT DISTINCT {column} FROM sign_in_records")).await);
        }
        people
    };
    assert!(people.len() >= 50, "{}", people.len());

    let (all, count) = attacked(&server, "root").await;
    assert!(count > 150, "{count}");
    for name in others.iter().chain(&people) {
        assert!(all.contains(name.as_str()), "root does not see {name}, so that nobody could be found out");
    }
    let absent = |names: &BTreeSet<String>, seen: &str, user: &str| {
        let seen = seen.to_lowercase();
        let found: Vec<&String> = names.iter().filter(|name| seen.contains(&name.to_lowercase())).collect();
        let around = found.first().map(|name| {
            let at = seen.find(&name.to_lowercase()).unwrap_or(0);
            let from = (0..=at.saturating_sub(300)).rev().find(|at| seen.is_char_boundary(*at)).unwrap_or(0);
            seen[from..].chars().take(600).collect::<String>()
        });
        assert!(found.is_empty(), "{user} sees {} of {}: {found:?}\n{around:?}", found.len(), names.len());
    };
    let (mill, _) = attacked(&server, "mill").await;
    assert!(mill.contains(OWN) && mill.contains("Old Mill Printworks"), "mill sees its own tenant");
    absent(&others, &mill, "mill");
    let (guest, _) = attacked(&server, "guest").await;
    assert!(guest.contains(OWN) && guest.contains("user-"), "guest sees its own tenant");
    absent(&others, &guest, "guest");
    absent(&people, &guest, "guest");
    let (auditor, _) = attacked(&server, "auditor").await;
    assert!(auditor.contains("Harbour Lane Clinic") && auditor.contains("user-"), "auditor sees all tenants");
    absent(&people, &auditor, "auditor");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_user_has_a_sight_of_its_own_and_the_same_verdicts() {
    let server = serve();
    let count = "SELECT count(*) FROM sign_ins";
    let number = |rows: Vec<Vec<String>>| rows[0][0].parse::<u64>().expect("a number");
    let (root, mill) = (
        client(&server, "root", PASSWORD).await.expect("let in"),
        client(&server, "mill", PASSWORD).await.expect("let in"),
    );
    let (all, own) = (number(tried(&root, count).await), number(tried(&mill, count).await));
    let of_tenant = format!("{count} WHERE tenant_id = '{OWN}'");
    assert!(0 < own && own < all, "{own} of {all}");
    assert_eq!(own, number(tried(&root, &of_tenant).await));
    for sql in
        ["SELECT verdict, reasons FROM latest_decision", "SELECT state, next_step FROM campaign_status"]
    {
        let of_tenant = format!("{sql} WHERE tenant_id = '{OWN}' ORDER BY 1, 2");
        let expected = tried(&root, &of_tenant).await;
        assert!(!expected.is_empty(), "{sql}");
        assert_eq!(tried(&mill, &format!("{sql} ORDER BY 1, 2")).await, expected, "{sql}");
    }
    // What is judged live is judged alike.
    let rows = |user: &str| -> Vec<String> {
        let answer = server.get("/download/assessment.csv?as_of=2026-11-02", &authorization(user, PASSWORD));
        let own = answer.lines().filter(|line| line.contains(OWN));
        // The last column is the id of the decision, which names all that it was made of.
        own.filter_map(|line| Some(line.rsplit_once(',')?.0.to_owned())).collect()
    };
    assert_eq!(rows("root").len(), 1);
    assert_eq!(rows("mill"), rows("root"));
    assert_eq!(rows("guest"), rows("root"));

    // Another tenant's page is not there, as that of a tenant that does not exist.
    let other = "11dd7c61-8b82-4198-a138-2195ef1d85cd";
    let page = |user: &str, id: &str| server.get(&format!("/tenants/{id}"), &authorization(user, PASSWORD));
    assert!(page("root", other).starts_with("HTTP/1.1 200"));
    let (hidden, none) = (page("mill", other), page("mill", "11dd7c61-8b82-4198-a138-2195ef1d85ce"));
    assert!(hidden.starts_with("HTTP/1.1 404"), "{hidden}");
    assert_eq!(hidden.replace("85cd", "85ce"), none);
    for (user, status) in [("root", "200"), ("auditor", "404"), ("mill", "404")] {
        let answer = server.get("/metrics", &authorization(user, PASSWORD));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{user}: {answer}");
    }
    assert!(server.get("/healthz", "Host: localhost\r\n").starts_with("HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_without_a_password_of_its_own() {
    let server = serve();
    for (user, password) in [("mill", "correct horse batterx"), ("nobody", PASSWORD), ("", PASSWORD)] {
        let Err(error) = client(&server, user, password).await else { panic!("{user} is let in") };
        let told = format!("{error:?}");
        assert!(told.contains("password authentication failed"), "{user}: {told}");
        let answer = server.get("/", &authorization(user, password));
        assert!(
            answer.starts_with("HTTP/1.1 401") && answer.contains("name and password of a user"),
            "{answer}"
        );
    }
    assert!(server.get("/", "Host: localhost\r\n").starts_with("HTTP/1.1 401"));
    // After wrong ones the right one is taken, on both ways and more than once.
    for _ in 0..2 {
        assert!(client(&server, "mill", PASSWORD).await.is_ok());
        assert!(server.get("/", &authorization("mill", PASSWORD)).starts_with("HTTP/1.1 200"));
    }
}

#[test]
fn a_file_of_users_that_can_not_be_used_stops_the_start() {
    let place = lake();
    let refused = |users: &str, flags: &[&str]| {
        let output = place.tries(
            LAKE,
            &[&["serve", "--pg", "127.0.0.1:0", "--http", "off", "--users", users], flags].concat(),
        );
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let users = write_users(&place, &[("mill", "[\"oldmil.example.com\"]", "shown")]);
    let told = refused(&users, &[]);
    assert!(told.contains("--users") && told.contains("did you mean") && told.contains("Old Mill"), "{told}");
    assert!(told.contains("for mill in line 4"), "{told}");
    let users = write_users(&place, &[]);
    assert!(refused(&users, &[]).contains("has no users"));
    let users = write_users(&place, &[("root", "[\"*\"]", "shown")]);
    place.write("password", b"correct horse\n");
    let password = place.path("password").display().to_string();
    assert!(refused(&users, &["--password-file", &password]).contains("--password-file"));
}

#[test]
fn a_password_is_hashed_and_too_short_a_one_refused() {
    let [one, other] = [(); 2].map(|()| text(&hashed(PASSWORD).stdout));
    assert!(one.starts_with("SCRAM-SHA-256$4096:") && one.ends_with('\n'), "{one}");
    assert_ne!(one, other, "each has a salt of its own");
    let short = hashed("short");
    assert_eq!(short.status.code(), Some(2));
    assert!(text(&short.stderr).contains("at least 8 characters"), "{}", text(&short.stderr));
}
