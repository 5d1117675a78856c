use arrow::array::{AsArray as _, RecordBatch, StringArray, new_null_array};
use arrow::util::pretty::pretty_format_batches;

use super::*;

const OWN: &str = "11111111-1111-4111-8111-111111111111";
const OTHER: &str = "22222222-2222-4222-8222-222222222222";

/// Rows of a table: the values of some columns, the others null.
fn rows(table: Table, columns: &[(&str, &[Option<&str>])]) -> (Table, RecordBatch) {
    let schema = table.table_schema();
    let count = columns[0].1.len();
    let arrays =
        schema.fields().iter().map(|field| match columns.iter().find(|(name, _)| name == field.name()) {
            Some((_, values)) => {
                let texts: arrow::array::ArrayRef = Arc::new(values.iter().copied().collect::<StringArray>());
                arrow::compute::cast(&texts, field.data_type()).expect("a value of the column")
            }
            None => new_null_array(field.data_type(), count),
        });
    (table, RecordBatch::try_new(Arc::clone(&schema), arrays.collect()).expect("rows"))
}

/// Two sign-ins of the session's tenant and one of another; a file of each, of both and of nobody known.
async fn whole() -> Queries {
    let sign_ins = rows(
        Table::SignInRecords,
        &[
            ("tenant_id", &[Some(OWN), Some(OTHER), Some(OWN)]),
            ("sign_in_id", &[Some("1"), Some("2"), Some("3")]),
            (
                "user_principal_name",
                &[Some("Ada@own.example"), Some("eve@other.example"), Some("ada@OWN.example")],
            ),
            ("user_id", &[Some("u-ada"), Some("u-eve"), Some("u-ada")]),
            ("ip_address", &[Some("192.0.2.1"), Some("192.0.2.99"), Some("192.0.2.1")]),
            ("user_agent", &[Some("BAV2ROPC"), Some("EveMail"), Some("Mail of Ada")]),
        ],
    );
    let sources = rows(
        Table::Sources,
        &[
            ("source_id", &[Some("own"), Some("other"), Some("nobody"), Some("nobody-else")]),
            ("batch_id", &[Some("1"), Some("2"), Some("1"), Some("2")]),
            ("path", &[Some("a/own.json"), Some("a/other.json"), Some("a/x.json"), Some("a/y.json")]),
            ("assigned_tenant_id", &[Some(OWN), Some(OTHER), None, None]),
            ("records", &[Some("1"), Some("2"), Some("3"), Some("4")]),
            ("rejected", &[Some("0"), Some("0"), Some("0"), Some("0")]),
        ],
    );
    let rejects = rows(
        Table::Rejects,
        &[
            ("source_id", &[Some("own"), Some("other"), Some("nobody"), Some("nobody-else")]),
            ("path", &[Some("a/own.json"), Some("a/other.json"), Some("a/x.json"), Some("a/y.json")]),
            ("tenant_id", &[Some(OWN), Some(OTHER), None, None]),
            ("detail", &[Some("ada@own.example"), Some("eve@other.example"), None, None]),
        ],
    );
    Queries::over_rows(vec![sign_ins, sources, rejects], 64 << 20).await.expect("a session")
}

fn some(names: NameRights) -> Rights {
    Rights { tenants: TenantRights::Only(std::iter::once(OWN.to_owned()).collect()), names }
}

async fn restricted(rights: &Rights) -> Queries {
    whole().await.restricted(rights, &Pseudonyms::new([7; 32])).expect("a restricted session")
}

async fn table(queries: &Queries, sql: &str) -> String {
    let batches = queries.run("sql", sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    pretty_format_batches(&batches).expect("a table").to_string()
}

async fn values(queries: &Queries, sql: &str) -> Vec<String> {
    let batches = queries.run("sql", sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let texts =
        batches.iter().map(|batch| arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8));
    let texts: Vec<_> = texts.map(|texts| texts.expect("texts")).collect();
    texts
        .iter()
        .flat_map(|texts| texts.as_string::<i32>().iter().map(|text| text.unwrap_or("-").to_owned()))
        .collect()
}

#[tokio::test]
async fn rows_of_another_tenant_are_neither_shown_nor_counted() {
    let (whole, own) = (whole().await, restricted(&some(NameRights::Shown)).await);
    let count = "SELECT count(*) FROM sign_in_records";
    assert_eq!(values(&whole, count).await, ["3"]);
    assert_eq!(values(&own, count).await, ["2"]);
    for sql in [
        "SELECT * FROM sign_in_records",
        "SELECT * FROM sign_ins",
        "SELECT * FROM sources",
        "SELECT * FROM rejects",
    ] {
        let (seen, all) = (table(&own, sql).await, table(&whole, sql).await);
        assert!(seen.contains(OWN) && all.contains(OTHER), "{sql}: {seen}\n{all}");
        for hidden in [OTHER, "eve@", "u-eve", "192.0.2.99", "EveMail", "other.json"] {
            assert!(!seen.contains(hidden), "{hidden} in {sql}: {seen}");
        }
    }
    let users = "SELECT DISTINCT user_principal_name FROM sign_in_records ORDER BY 1";
    assert_eq!(values(&own, users).await, ["Ada@own.example", "ada@OWN.example"]);
}

// An error of the engine quotes the value that it could not cast, of whichever row.
#[tokio::test]
async fn an_error_quotes_nothing_of_another_tenant() {
    let (whole, own) = (whole().await, restricted(&some(NameRights::Shown)).await);
    let sql = "SELECT CAST(user_id AS bigint) FROM sign_in_records WHERE user_id LIKE '%eve%'";
    let told = whole.run("sql", sql, &[]).await.expect_err(sql).to_string();
    assert!(told.contains("u-eve"), "{told}");
    // In whichever order the engine computes the conditions.
    for sql in [
        sql,
        "SELECT count(*) FROM sign_in_records WHERE CAST(user_id AS bigint) > 0 AND user_id LIKE '%eve%'",
        "SELECT count(*) FROM sign_in_records WHERE user_id LIKE '%eve%' AND CAST(user_id AS bigint) > 0",
        "SELECT max(CAST(user_id AS bigint)) FROM sign_ins",
    ] {
        let told = own.run("sql", sql, &[]).await.map_or_else(|error| error.to_string(), |_| String::new());
        assert!(!told.contains("u-eve"), "{sql}: {told}");
    }
}

#[tokio::test]
async fn a_plan_tells_neither_files_nor_counts() {
    let own = restricted(&some(NameRights::Shown)).await;
    for sql in ["EXPLAIN VERBOSE SELECT * FROM sign_ins", "EXPLAIN ANALYZE SELECT * FROM sign_in_records"] {
        let told = match own.ask("sql", sql, &[], crate::answer::Limits::default()).await {
            Ok(mut answer) => {
                let mut batches = Vec::new();
                while let Some(batch) = answer.next().await.expect("rows") {
                    batches.push(batch);
                }
                pretty_format_batches(&batches).expect("a table").to_string()
            }
            Err(error) => panic!("{sql}: {error}"),
        };
        assert!(told.contains("RestrictedExec: table=sign_in_records"), "{told}");
        assert!(!told.contains("DataSourceExec") && !told.contains(OTHER), "{told}");
    }
}

#[tokio::test]
async fn pseudonyms_are_the_same_everywhere_and_name_nobody() {
    let rights = Rights { tenants: TenantRights::All, names: NameRights::Pseudonyms };
    let all = restricted(&rights).await;
    let users = "SELECT DISTINCT user_principal_name FROM sign_in_records ORDER BY 1";
    let found = values(&all, users).await;
    assert_eq!(found.len(), 2, "one for each user, in any case: {found:?}");
    assert!(found.iter().all(|name| name.starts_with("user-")), "{found:?}");
    assert_eq!(found, values(&restricted(&rights).await, users).await, "in another session");
    let joined =
        "SELECT count(*) FROM sign_in_records AS a JOIN sign_in_records AS b ON a.user_id = b.user_id";
    assert_eq!(values(&all, joined).await, values(&whole().await, joined).await);
    let agents = "SELECT user_agent FROM sign_in_records ORDER BY sign_in_id";
    let agents = values(&all, agents).await;
    assert_eq!(agents[0], "BAV2ROPC");
    assert!(agents[1].starts_with("text-") && agents[2].starts_with("text-"), "{agents:?}");
    for sql in ["SELECT * FROM sign_in_records", "SELECT * FROM sign_ins", "SELECT * FROM rejects"] {
        let seen = table(&all, sql).await;
        for hidden in ["ada@", "Ada", "u-ada", "eve@", "u-eve", "EveMail", "192.0.2", "own.json"] {
            assert!(!seen.contains(hidden), "{hidden} in {sql}: {seen}");
        }
        assert!(seen.contains(OTHER), "{sql}: {seen}");
    }
}

#[tokio::test]
async fn of_files_of_nobody_known_those_are_seen_that_came_with_own_ones() {
    let own = restricted(&some(NameRights::Shown)).await;
    let seen = "SELECT source_id FROM sources ORDER BY 1";
    assert_eq!(values(&own, seen).await, ["nobody", "own"]);
    assert_eq!(values(&own, &seen.replace("sources", "rejects")).await, ["nobody", "own"]);
    let paths = values(&own, "SELECT path FROM sources").await;
    assert!(
        paths.iter().all(|path| path.starts_with("file-") && path.strip_suffix(".json").is_some()),
        "{paths:?}"
    );
}

#[tokio::test]
async fn every_table_and_view_can_be_read_with_any_rights() {
    let all = TenantRights::All;
    let rights = [
        some(NameRights::Shown),
        some(NameRights::Pseudonyms),
        Rights { tenants: all, names: NameRights::Pseudonyms },
    ];
    for rights in &rights {
        let queries = restricted(rights).await;
        // That one needs views of other crates.
        for name in queries.names().table_names().into_iter().filter(|name| name != "tenants") {
            table(&queries, &format!("SELECT * FROM {name}")).await;
            table(&queries, &format!("SELECT count(*) FROM {name}")).await;
        }
    }
}
