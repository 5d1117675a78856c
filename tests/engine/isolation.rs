//! One tenant's rows never change another's verdict, nor appear in its notice.

use std::sync::Arc;

use arrow::array::RecordBatch;
use chrono::NaiveDate;
use lightsout_assess::assess;
use lightsout_lake::schema::Table;
use lightsout_model::evidence::Window;
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::{Assessment, TenantAssessment};
use lightsout_notify::NoticeContext;
use lightsout_notify::notice::{NoticeKind, RenderedNotice, render};
use lightsout_notify::templates::Templates;
use lightsout_query::Queries;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A sign-in as the generator picks it.
#[derive(Debug, Clone)]
struct SignIn {
    tenant: u8,
    /// The same ids and users occur in all tenants: that is what must not mix.
    id: u8,
    user: u8,
    day: u32,
    client_app: (&'static str, &'static str),
    outcome: &'static str,
    modern: bool,
}

fn tenant_id(tenant: u8) -> String {
    format!("0000000{tenant}-0000-4000-8000-000000000000")
}

fn sign_ins() -> impl Strategy<Value = Vec<SignIn>> {
    let apps = prop::sample::select(vec![
        ("IMAP4", "imap4"),
        ("Authenticated SMTP", "smtp_auth"),
        ("Exchange Web Services", "exchange_web_services"),
        ("Other clients", "other_legacy"),
        ("Something new", "unrecognised"),
    ]);
    let outcome = prop::sample::select(vec!["success", "failure", "blocked", "unknown"]);
    let sign_in = (1_u8..4, 0_u8..4, 0_u8..3, 1_u32..31, apps, outcome, any::<bool>());
    let sign_in = sign_in.prop_map(|(tenant, id, user, day, client_app, outcome, modern)| SignIn {
        tenant,
        id,
        user,
        day,
        client_app,
        outcome,
        modern,
    });
    prop::collection::vec(sign_in, 0..14)
}

fn rows(table: Table, rows: &[Value]) -> RecordBatch {
    let schema = table.table_schema();
    let mut decoder =
        arrow::json::ReaderBuilder::new(Arc::clone(&schema)).build_decoder().expect("a decoder");
    decoder.serialize(rows).expect("rows");
    decoder.flush().expect("a batch").unwrap_or_else(|| RecordBatch::new_empty(schema))
}

/// Names that tell whose they are.
fn record(sign_in: &SignIn) -> Value {
    let SignIn { tenant, id, user, day, client_app: (client_app, protocol), outcome, modern } = sign_in;
    json!({
        "tenant_id": tenant_id(*tenant),
        "sign_in_id": format!("sign-in-{id}"),
        "category": "non_interactive",
        "signed_in_at": format!("2026-10-{day:02}T08:00:00Z"),
        "user_id": format!("user-{user}"),
        "user_principal_name": format!("user{user}@of-tenant-{tenant}.example.com"),
        "app_name": format!("app of-tenant-{tenant}"),
        "user_agent": format!("agent of-tenant-{tenant}"),
        "client_app": client_app,
        "protocol": protocol,
        "outcome": outcome,
        "auth_method": if *modern { "modern" } else { "unknown" },
        "provably_modern": modern,
        "source_id": format!("source-{tenant}"),
        "source_offset": day,
    })
}

/// One source a tenant, that covers all of October in both categories.
fn source(tenant: u8) -> Value {
    let covered = ["interactive", "non_interactive"].map(|category| {
        json!({
            "tenant_id": tenant_id(tenant), "category": category, "kind": "declared",
            "first_day": "2026-10-01", "last_day": "2026-10-31", "records": 1,
        })
    });
    json!({ "source_id": format!("source-{tenant}"), "coverage": covered })
}

/// What each tenant is told.
async fn told(sign_ins: &[SignIn], tenants: &[u8]) -> Vec<(TenantAssessment, RenderedNotice)> {
    let records: Vec<Value> = sign_ins.iter().map(record).collect();
    let sources: Vec<Value> = tenants.iter().map(|tenant| source(*tenant)).collect();
    let tables = vec![
        (Table::SignInRecords, rows(Table::SignInRecords, &records)),
        (Table::Sources, rows(Table::Sources, &sources)),
    ];
    let queries = Queries::over_rows(tables, 256 << 20).await.expect("tables");
    let campaign = lightsout_config::campaign_file::load("basic-auth-all-protocols").expect("built in");
    let window = Window::before(NaiveDate::from_ymd_opt(2026, 10, 31).expect("a day"), 30);
    let evidence = queries.evidence(&campaign, window).await.expect("evidence");
    let roster = Roster::default();
    let assessment = Assessment {
        decision_id: "0".repeat(32),
        campaign: campaign.name.clone(),
        window,
        tenants: assess(&campaign, &roster, &evidence, window),
    };
    let who = queries.who(&campaign, window, "*").await.expect("users");
    let changes = std::collections::BTreeMap::new();
    let context = NoticeContext {
        campaign: &campaign,
        assessment: &assessment,
        roster: &roster,
        who: &who,
        protocols_told: None,
        changes: &changes,
        notice_date: window.end,
        draft: true,
        rehearsal: false,
    };
    let templates = Templates::load(None).expect("embedded");
    let each = assessment.tenants.iter().map(|tenant| {
        let kind = NoticeKind::of(tenant.verdict).expect("nobody is excluded");
        (tenant.clone(), render(kind, &context, tenant, &templates).expect("a notice"))
    });
    each.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn a_tenant_is_told_the_same_whoever_else_is_in_the_lake(sign_ins in sign_ins()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let together = runtime.block_on(told(&sign_ins, &[1, 2, 3]));
        prop_assert_eq!(together.len(), 3);
        for (tenant, with_others) in (1..=3).zip(&together) {
            let own: Vec<SignIn> = sign_ins.iter().filter(|sign_in| sign_in.tenant == tenant).cloned().collect();
            let alone = runtime.block_on(told(&own, &[tenant]));
            prop_assert_eq!(&alone[0], with_others);
            let notice = &with_others.1;
            for other in (1..=3).filter(|other| *other != tenant) {
                for marker in [format!("of-tenant-{other}"), tenant_id(other)] {
                    prop_assert!(!notice.markdown.contains(&marker) && !notice.html.contains(&marker));
                    prop_assert!(!notice.json.contains(&marker), "{}", marker);
                }
            }
        }
    }
}

#[test]
fn names_of_the_own_tenant_do_appear() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let sign_in = SignIn {
        tenant: 2,
        id: 1,
        user: 1,
        day: 5,
        client_app: ("IMAP4", "imap4"),
        outcome: "success",
        modern: false,
    };
    let told = runtime.block_on(told(&[sign_in], &[2]));
    let text = &told[0].1.markdown;
    assert!(text.contains("user1@of-tenant-2.example.com") && text.contains("app of-tenant-2"), "{text}");
}
