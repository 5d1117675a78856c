//! What can't be answered, and what means no good.

use serde_json::json;

use crate::client::rows;
use crate::program::Place;
use crate::server::{LAKE, Server};

#[test]
fn what_can_not_be_asked_is_told_with_what_was_expected_and_a_way_out() {
    let server = Server::start(&[]);
    for (path, status, parts) in [
        ("/?days=0", 400, ["expected a number of days from 1 to 366", "Found: 0"]),
        ("/?as_of=yesterday", 400, ["expected a day", "Found: yesterday"]),
        ("/?as-of=2026-11-02", 400, ["none but as_of, days, tenant", "Found: as-of"]),
        ("/tenants/nobody", 404, ["the id of a tenant of the lake or of the roster", "Found: nobody"]),
        ("/tenants/nobody/who.csv", 404, ["the id of a tenant", "Found: nobody"]),
        ("/tenants/nobody/who.exe", 404, ["There is no such page", "/who.exe"]),
        ("/tenants/%FF", 404, ["There is no such tenant", "not text"]),
        ("/download/decisions.csv", 404, ["There is no such page", "/download/decisions.csv"]),
        ("/download/assessment.csv?days=x", 400, ["from 1 to 366", "Found: x"]),
        ("/..%2f..%2fetc/passwd", 404, ["There is no such page", "Expected /"]),
        ("/%3Cscript%3Ealert(1)%3C/script%3E", 404, ["There is no such page", "Found: "]),
    ] {
        let answer = server.ask("GET", path);
        assert_eq!(answer.status, status, "{path}");
        let text = answer.text();
        assert!(parts.iter().all(|part| text.contains(part)), "{path}: {text}");
        assert!(text.contains("<a href=\"/\">The report of all tenants</a>"), "{path}: {text}");
        assert!(!answer.body.contains("<script>alert"), "{path}");
    }
    assert_eq!(server.ask("POST", "/").status, 405);
    let search = server.ask("GET", "/tenants/nobody").link("Search for it in ids, names and domains");
    assert!(server.page(search.split('#').next().expect("a path")).body.contains("0 tenants have"));
}

#[test]
fn every_answer_keeps_itself_to_itself_and_a_head_has_no_body() {
    let server = Server::start(&[]);
    let id = "23220695-6f56-4566-aba9-b1fad220a1c8";
    let paths = ["/", "/healthz", "/nothing", "/download/assessment.csv", &format!("/tenants/{id}")];
    for path in paths {
        let whole = server.ask("GET", path);
        let policy = whole.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{path}: {policy}");
        assert!(policy.ends_with("form-action 'self'; frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(whole.header("cache-control"), "no-store", "{path}");
        assert_eq!(whole.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(whole.header("referrer-policy"), "no-referrer", "{path}");
        let head = server.ask("HEAD", path);
        assert_eq!((head.status, head.body.as_str()), (whole.status, ""), "{path}");
        assert_eq!(head.header("content-length"), whole.header("content-length"), "{path}");
    }
}

/// A log of thirty days in which one user of a hostile name signs in by IMAP4.
fn hostile_log(tenant_id: &str, user: &str, agent: &str) -> String {
    let record = |day: u32| {
        let at = format!("2026-10-{day:02}T09:00:00Z");
        let sign_in = json!({
            "id": format!("00000000-0000-4000-8000-{day:012}"),
            "createdDateTime": at,
            "userId": "00000000-0000-4000-9000-000000000001",
            "userPrincipalName": user,
            "appDisplayName": "<b>app</b>",
            "resourceDisplayName": "Office 365 Exchange Online",
            "resourceId": "00000002-0000-0ff1-ce00-000000000000",
            "clientAppUsed": "IMAP4",
            "userAgent": agent,
            "ipAddress": "203.0.113.7",
            "isInteractive": false,
            "status": { "errorCode": 0 },
        });
        let record = json!({
            "time": at,
            "resourceId": format!("/tenants/{tenant_id}/providers/Microsoft.aadiam"),
            "operationName": "Sign-in activity",
            "category": "NonInteractiveUserSignInLogs",
            "tenantId": tenant_id,
            "resultType": "0",
            "properties": sign_in,
        });
        record.to_string() + "\n"
    };
    (1..=30).map(record).collect()
}

#[test]
fn what_logs_and_rosters_say_is_text_on_pages_and_no_formula_in_files() {
    const USER: &str = "\"><img src=x onerror=alert(1)>@example.com";
    const AGENT: &str = "=HYPERLINK(\"http://evil.example\")</script><script>alert(2)</script>";
    let id = "00000000-0000-4000-8000-00000000000a";
    let place = Place::new();
    place.write("logs/log.ndjson", hostile_log(id, USER, AGENT).as_bytes());
    let roster = format!("tenant_id,display_name\n{id},</title><svg onload=alert(3)>\n");
    place.write("roster.csv", roster.as_bytes());
    place.run(LAKE, &["ingest", &place.path("logs").display().to_string()]);
    let roster = place.path("roster.csv").display().to_string();
    let server = Server::over(place, &["--roster", &roster], &[]);
    let paths = ["/".to_owned(), "/?tenant=svg".to_owned(), format!("/tenants/{id}")];
    for path in paths {
        let page = server.page(&path);
        for markup in ["<img", "<svg onload", "<b>app", "<script>alert"] {
            assert!(!page.body.contains(markup), "{path}: {markup}");
        }
        assert_eq!(page.body.matches("<script").count(), 1, "{path}");
        assert!(
            page.text().contains(USER) && page.text().contains("</title><svg onload=alert(3)>"),
            "{path}"
        );
    }
    let page = server.page(&format!("/tenants/{id}?as_of=2026-10-31"));
    let who = rows(&page.body, "who");
    assert_eq!((who.len(), who[0][6].as_str()), (1, "30"), "{who:?}");
    let file = server.page(&format!("/tenants/{id}/who.csv")).body;
    assert!(file.contains("'=HYPERLINK") && !file.contains(",=HYPERLINK") && !file.contains("\"=HYPERLINK"));
}
