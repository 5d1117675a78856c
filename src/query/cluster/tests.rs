//! Plans as they are sent to a cluster, without one: what they are made of, and that they can be read back. The files of
//! their tables need not be there, since planning opens none.

use std::sync::Arc;

use arrow::array::RecordBatch;
use ballista_core::extension::SessionConfigExt as _;
use chrono::NaiveDate;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::datasource::MemTable;
use datafusion::physical_plan::joins::NestedLoopJoinExec;
use datafusion::physical_plan::union::InterleaveExec;
use datafusion::physical_plan::{ExecutionPlanProperties as _, displayable};
use datafusion_proto::physical_plan::AsExecutionPlan as _;
use datafusion_proto::protobuf::PhysicalPlanNode;

use super::session::{ClusterExec, gives_left_rows};
use super::{Cluster, job};
use crate::catalog::REPORTS;
use crate::lake_table::LakeTable;
use crate::views::{VIEWS, ViewKind};
use crate::{Parameter, Queries, with_parameters};
use lightsout_lake::LakeFile;
use lightsout_lake::schema::Table;
use lightsout_model::evidence::Window;

const FILES: usize = 4;

/// Views that are found once by jobs of their own and sent as rows, each after those that it reads.
const SENT_AS_ROWS: [&str; 4] = ["contested_ids", "rival_records", "contested_sign_ins", "stated_elsewhere"];

/// Tables of several files each, half of the records provably modern.
async fn queries() -> Queries {
    let file = |table: Table, number: usize| LakeFile {
        path: format!("{number}.parquet"),
        bytes: 1 << 20,
        provably_modern: (table == Table::SignInRecords).then_some(number % 2 == 0),
        statistics: None,
    };
    let tables = Table::ALL.into_iter().map(|table| {
        let files = (0..FILES).map(|number| file(table, number)).collect();
        (table, LakeTable::new(table, format!("/lake/{}", table.as_str()), files, 0))
    });
    let cluster = Cluster::parse("df://192.0.2.1:50050").expect("an address");
    let queries = Queries::over_files(tables.collect(), 1 << 30, cluster).expect("a session");
    for name in SENT_AS_ROWS {
        let view = VIEWS.iter().find(|view| view.name == name).expect("a view");
        let plan = queries.context.state().create_logical_plan(view.text).await.expect("a plan");
        let schema = Arc::clone(plan.schema().inner());
        let rows = MemTable::try_new(Arc::clone(&schema), vec![vec![RecordBatch::new_empty(schema)]]);
        assert!(queries.schema.replace(name, Arc::new(rows.expect("a table"))));
    }
    queries
}

/// What is wrong with a query's plan, if anything.
async fn check(queries: &Queries, sql: &str, parameters: &[Parameter]) -> Result<(), String> {
    let told = |error: datafusion::error::DataFusionError| error.to_string();
    let frame = queries.context.sql(sql).await.map_err(told)?;
    let frame = with_parameters(frame, parameters).map_err(told)?;
    let plan = frame.create_physical_plan().await.map_err(told)?;
    let Some(sent) = plan.downcast_ref::<ClusterExec>() else { return Err("it is computed here".to_owned()) };
    let text = displayable(sent.plan.as_ref()).indent(false).to_string();
    let mut wrong = Vec::new();
    let looked = sent.plan.apply(|node| {
        if node.is::<InterleaveExec>() || node.is::<ClusterExec>() {
            wrong.push(node.name().to_owned());
        }
        if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>()
            && gives_left_rows(*join.join_type())
            && join.right().output_partitioning().partition_count() > 1
        {
            wrong.push("a nested loop that gives rows of its left side once a task".to_owned());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    looked.map_err(told)?;
    let bytes = job::encoded(&sent.plan, &sent.config).map_err(told)?;
    let codec = sent.config.ballista_physical_extension_codec();
    let node = PhysicalPlanNode::try_decode(&bytes).map_err(told)?;
    let read = node.try_into_physical_plan(&queries.context.task_ctx(), codec.as_ref()).map_err(told)?;
    // A union that is read gives its branches the same types once more, by projections that change no value.
    let plain = |text: &str| {
        let lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with("ProjectionExec"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let again = displayable(read.as_ref()).indent(false).to_string();
    if plain(&again) != plain(&text) {
        wrong.push(format!("read back it is another plan:\n{again}\nof\n{text}"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

#[tokio::test]
async fn the_plan_of_every_report_and_view_is_read_back_as_it_was_sent() {
    let queries = queries().await;
    let campaign =
        lightsout_config::campaign_file::load("basic-auth-all-protocols").expect("a shipped campaign");
    let day = NaiveDate::from_ymd_opt(2026, 11, 2).expect("a day");
    let window = Window::before(day, campaign.window_days);
    let mut wrong = Vec::new();
    let mut registered = Vec::new();
    for report in REPORTS {
        let parameters = report.bind(&campaign, window, "*");
        match check(&queries, report.sql, &parameters).await {
            Ok(()) => {}
            // Other crates compute what these read.
            Err(why) if why.contains("not found") => registered.push(report.name),
            Err(why) => wrong.push(format!("{}: {why}", report.name)),
        }
    }
    for view in VIEWS.iter().filter(|view| view.kind != ViewKind::Registered) {
        // It reads what other crates compute.
        if view.name == "tenants" {
            continue;
        }
        // What is sent as rows is first found by its text.
        let is_sent = SENT_AS_ROWS.contains(&view.name);
        let sql = if is_sent { view.text.to_owned() } else { format!("SELECT * FROM {}", view.name) };
        if let Err(why) = check(&queries, &sql, &[]).await {
            wrong.push(format!("{}: {why}", view.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(registered, ["verdicts_over_time", "campaign_state"]);
}

#[tokio::test]
async fn a_pattern_that_executors_would_read_otherwise_is_refused_or_translated() {
    let queries = queries().await;
    let sql = "SELECT to_char(signed_in_at, 'YYYY-MM') AS month, count(*) FROM sign_in_records GROUP BY 1";
    check(&queries, sql, &[]).await.expect("a constant pattern");
    let plan = queries.context.sql(sql).await.expect("planned").create_physical_plan().await.expect("a plan");
    let sent = plan.downcast_ref::<ClusterExec>().expect("for the cluster");
    assert!(displayable(sent.plan.as_ref()).indent(false).to_string().contains("%Y-%m"));
    let sql = "SELECT to_char(signed_in_at, protocol) FROM sign_in_records";
    let told = check(&queries, sql, &[]).await.expect_err("refused");
    assert!(told.contains("a pattern that is a constant"), "{told}");
}

#[tokio::test]
async fn joins_by_a_condition_alone_give_no_row_twice() {
    let queries = queries().await;
    for join in ["LEFT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN", "JOIN", "RIGHT JOIN"] {
        let sql = format!(
            "SELECT count(*) FROM (SELECT source_id, records FROM sources) a {join} \
             (SELECT tenant_id, count(*) AS n FROM sign_in_records GROUP BY 1) b ON a.records > b.n"
        );
        check(&queries, &sql, &[]).await.unwrap_or_else(|why| panic!("{join}: {why}"));
    }
    // What the other side is dealt out by stays what it was.
    let sql = "SELECT a.tenant_id FROM (SELECT max(records) AS most FROM sources) b \
               JOIN (SELECT tenant_id, count(*) AS n FROM sign_in_records GROUP BY 1) a ON a.n > b.most \
               JOIN (SELECT tenant_id, count(*) AS m FROM rejects GROUP BY 1) t ON t.tenant_id = a.tenant_id";
    check(&queries, sql, &[]).await.expect("a plan");
}

#[tokio::test]
async fn what_reads_no_file_is_computed_here() {
    let queries = queries().await;
    for sql in ["SELECT 1", "SHOW TABLES", "EXPLAIN SELECT count(*) FROM sources"] {
        assert_eq!(check(&queries, sql, &[]).await, Err("it is computed here".to_owned()), "{sql}");
    }
}

#[test]
fn addresses_are_taken_or_refused() {
    for url in ["df://localhost:50050", "df://10.0.0.1:1", "df://[::1]:50050", "df://a.example.com:50050/"] {
        Cluster::parse(url).expect(url);
    }
    for url in [
        "localhost:50050",
        "df://localhost",
        "df://:50050",
        "df://a b:1",
        "df://h:0",
        "df://h:x",
        "http://h:1",
    ] {
        let told = Cluster::parse(url).expect_err(url);
        assert!(told.contains("expected the address of a Ballista scheduler"), "{told}");
    }
}
