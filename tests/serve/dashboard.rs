//! The queries of `sample-data/dashboards` against the server, with what Grafana puts in for its variables.

use serde_json::Value;
use tokio_postgres::SimpleQueryMessage;

use crate::driver::client;
use crate::server::Server;

/// The days of the sample logs.
const TIME: &str = "BETWEEN '2026-10-03T00:00:00Z' AND '2026-11-01T23:59:59.999Z'";

/// A statement as Grafana sends it.
fn expanded(sql: &str, tenants: &str) -> String {
    let mut sql = sql.replace("${tenant:sqlstring}", tenants);
    while let Some(start) = sql.find("$__timeFilter(") {
        let inner = start + "$__timeFilter(".len();
        let mut depth = 1;
        let end = sql[inner..].find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        let end = inner + end.expect("a closing bracket");
        let column = sql[inner..end].to_owned();
        sql.replace_range(start..=end, &format!("{column} {TIME}"));
    }
    assert!(!sql.contains('$'), "not expanded: {sql}");
    sql
}

/// The rows of a query, as Grafana gets them.
async fn rows(client: &tokio_postgres::Client, sql: &str) -> Vec<Vec<String>> {
    let messages = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.map(|row| (0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_panels_of_the_grafana_dashboard_show_what_the_reports_count() {
    let dashboard: Value =
        serde_json::from_str(include_str!("../../sample-data/dashboards/grafana.json")).expect("JSON");
    let server = Server::start(&[]);
    let client = client(server.pg_port, "").await.expect("connected");
    let variable = &dashboard["templating"]["list"][0];
    let tenants = rows(&client, variable["query"].as_str().expect("a query")).await;
    assert!(tenants.len() > 5, "{tenants:?}");
    let tenants: Vec<String> = tenants.iter().map(|row| format!("'{}'", row[1])).collect();
    let panels = dashboard["panels"].as_array().expect("panels");
    assert_eq!(panels.len(), 10);
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        let sql = panel["targets"][0]["rawSql"].as_str().expect("a query");
        let shown = rows(&client, &expanded(sql, &tenants.join(","))).await;
        let first = || shown.first().map(|row| row[0].clone()).unwrap_or_default();
        let sum = |at: usize| shown.iter().map(|row| row[at].parse::<f64>().expect("a number")).sum::<f64>();
        let of_report = |sql: &'static str| {
            let client = &client;
            async move { rows(client, sql).await[0][0].clone() }
        };
        match title {
            "Tenants with legacy sign-ins" => {
                let expected = "SELECT count(DISTINCT tenant_id) FROM who_is_left WHERE in_window";
                assert_eq!(first(), of_report(expected).await, "{title}");
            }
            "Users with legacy sign-ins" => {
                let expected =
                    "SELECT count(DISTINCT tenant_id || user_name) FROM who_is_left WHERE in_window";
                assert_eq!(first(), of_report(expected).await, "{title}");
            }
            "Users of SMTP AUTH" => {
                let expected = "SELECT count(DISTINCT tenant_id || user_name) FROM who_is_left \
                                WHERE in_window AND protocol = 'smtp_auth'";
                assert_eq!(first(), of_report(expected).await, "{title}");
                assert_ne!(first(), "0", "the samples have users of SMTP AUTH");
            }
            "Newest log" => {
                assert_eq!(first(), of_report("SELECT max(event_date) FROM sign_in_records").await);
            }
            "Failed and blocked attempts by day" => assert!(sum(2) > 50.0, "{title}: {shown:?}"),
            "Clients to replace" => {
                let expected = "SELECT sum(sign_ins) FROM usage_by_day";
                assert_eq!(sum(4).to_string(), of_report(expected).await, "{title}");
            }
            "Campaigns" => assert!(shown.is_empty(), "nothing was announced: {shown:?}"),
            _ => assert!(!shown.is_empty(), "{title}"),
        }
        // Of no tenant there is nothing: no row, or one that says so.
        let none = rows(&client, &expanded(sql, "'none'")).await;
        assert!(none.iter().flatten().all(|value| value.is_empty() || value == "0"), "{title}: {none:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queries_for_power_bi_give_rows() {
    let readme = include_str!("../../sample-data/dashboards/README.md");
    let queries: Vec<&str> =
        readme.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(queries.len(), 2);
    let server = Server::start(&[]);
    let client = client(server.pg_port, "").await.expect("connected");
    for query in queries {
        assert!(!rows(&client, query).await.is_empty(), "{query}");
    }
}
