//! Every kind of notice as its recipient reads it, and what no notice may do.

use super::*;
use crate::notify::WhoRow;
use crate::notify::sample::{Sample, insufficient_reasons};
use crate::sign_in::Category;
use crate::tenant::RosterTenant;
use crate::verdict::Reason;
use serde_json::Value;

fn rendered(sample: &Sample, kind: NoticeKind, tenant: usize) -> RenderedNotice {
    let templates = Templates::load(None).expect("the embedded templates are valid");
    render(kind, &sample.context(), &sample.assessment.tenants[tenant], &templates).expect("renders")
}

/// `UPDATE_EXPECTED=1` rewrites the file; read the difference.
fn assert_reads_as(name: &str, markdown: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/notify/snapshots").join(name);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, markdown).expect("the snapshot can be written");
    }
    let expected = fs::read_to_string(&path).expect("a snapshot; UPDATE_EXPECTED=1 writes it");
    assert_eq!(markdown, expected, "{name}");
}

#[test]
fn the_no_impact_notice_reads_as_reviewed() {
    let notice = rendered(&Sample::all_protocols(), NoticeKind::NoImpact, 0);
    assert_reads_as("no_impact.md", &notice.markdown);
}

#[test]
fn the_no_impact_notice_of_the_smtp_auth_campaign_reads_as_reviewed() {
    let notice = rendered(&Sample::smtp_auth(), NoticeKind::NoImpact, 0);
    assert_reads_as("no_impact_smtp_auth.md", &notice.markdown);
}

#[test]
fn the_warning_reads_as_reviewed() {
    let notice = rendered(&Sample::all_protocols(), NoticeKind::Warning, 1);
    assert_reads_as("warning.md", &notice.markdown);
}

#[test]
fn the_warning_of_the_smtp_auth_campaign_reads_as_reviewed() {
    let notice = rendered(&Sample::smtp_auth(), NoticeKind::Warning, 1);
    assert_reads_as("warning_smtp_auth.md", &notice.markdown);
}

#[test]
fn the_selected_protocols_notice_reads_as_reviewed() {
    let notice = rendered(&Sample::all_protocols(), NoticeKind::SelectedProtocols, 1);
    assert_reads_as("selected_protocols.md", &notice.markdown);
}

#[test]
fn the_draft_of_an_insufficient_evidence_notice_reads_as_reviewed() {
    let mut sample = Sample::all_protocols();
    sample.draft = true;
    let notice = rendered(&sample, NoticeKind::InsufficientEvidence, 2);
    assert_reads_as("insufficient_evidence_draft.md", &notice.markdown);
}

#[test]
fn a_draft_says_so_on_top_of_everything_and_an_announced_notice_nowhere() {
    let mut sample = Sample::all_protocols();
    for draft in [true, false] {
        sample.draft = draft;
        for (kind, tenant) in NoticeKind::ALL.into_iter().zip([0, 1, 1, 2]) {
            let notice = rendered(&sample, kind, tenant);
            assert_eq!(notice.markdown.starts_with("> **DRAFT.**"), draft);
            assert_eq!(notice.title.starts_with("DRAFT: "), draft);
            for text in [&notice.markdown, &notice.html, &notice.json] {
                assert_eq!(text.contains("DRAFT"), draft, "{kind:?}");
            }
        }
    }
}

#[test]
fn outlook_modern_authentication_is_told_by_the_roster_and_only_where_the_campaign_enables_it() {
    let mut sample = Sample::all_protocols();
    let id = sample.assessment.tenants[0].tenant_id.clone();
    let cases = [
        (Some(false), "It will be enabled with this change"),
        (Some(true), "is already on in your tenant"),
        (None, "If modern authentication for Outlook for Windows is off"),
    ];
    for (setting, said) in cases {
        sample.roster.tenants.get_mut(&id).expect("in the roster").outlook_modern_auth = setting;
        let notice = rendered(&sample, NoticeKind::NoImpact, 0);
        assert!(notice.markdown.contains(said), "{setting:?}");
    }
    sample.campaign.texts.enables_outlook_modern_auth = false;
    assert!(!rendered(&sample, NoticeKind::NoImpact, 0).markdown.contains("Outlook for Windows"));
}

#[test]
fn insufficient_evidence_never_says_that_there_is_no_usage() {
    let mut sample = Sample::all_protocols();
    for reason in insufficient_reasons() {
        let code = reason.code();
        sample.assessment.tenants[2].reasons = vec![reason];
        sample.assessment.tenants[2].evidence_reasons.clear();
        let notice = rendered(&sample, NoticeKind::InsufficientEvidence, 2).markdown;
        assert_eq!(notice.matches("Cure: ").count(), 1, "{code}");
        assert!(!notice.contains("not known"), "{code}: {notice}");
        for claim in ["no impact", "No action", "no usage of", "not in use", "unused", "no user who"] {
            assert!(!notice.contains(claim), "{code}: {claim}");
        }
    }
}

#[test]
fn a_warning_shows_a_hundred_rows_and_says_how_many_more_there_are() {
    let mut sample = Sample::all_protocols();
    let rows = sample.who.values_mut().next().expect("a tenant");
    let row = rows[1].clone();
    *rows = (1..=103)
        .map(|n| WhoRow { user: format!("user{n}@x.example"), sign_ins: n, ..row.clone() })
        .collect();
    let notice = rendered(&sample, NoticeKind::Warning, 1).markdown;
    assert_eq!(notice.matches("@x.example").count(), 100);
    assert!(notice.contains("3 more rows are not shown here, with 6 sign-ins."), "{notice}");
    assert!(notice.contains("user103@") && !notice.contains("user3@"));
}

#[test]
fn the_json_has_the_fields_and_values_of_a_service_update_message() {
    let sample = Sample::all_protocols();
    let notice = rendered(&sample, NoticeKind::NoImpact, 0);
    let json: Value = serde_json::from_str(&notice.json).expect("JSON");
    let mut fields: Vec<&str> = json.as_object().expect("an object").keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "actionRequiredByDateTime",
            "body",
            "category",
            "details",
            "endDateTime",
            "hasAttachments",
            "id",
            "isMajorChange",
            "lastModifiedDateTime",
            "services",
            "severity",
            "startDateTime",
            "tags",
            "title",
            "viewPoint"
        ]
    );
    assert_eq!(json["id"], "MC290828");
    assert_eq!(json["title"], notice.title.as_str());
    assert_eq!(json["category"], "planForChange");
    assert_eq!(json["severity"], "normal");
    assert_eq!(json["startDateTime"], "2026-11-24T00:00:00Z");
    assert_eq!(json["endDateTime"], "2026-12-24T00:00:00Z");
    assert_eq!(json["actionRequiredByDateTime"], Value::Null);
    assert_eq!(json["services"], serde_json::json!(["Exchange Online"]));
    assert_eq!(json["viewPoint"], Value::Null);
    assert_eq!(json["body"]["contentType"], "html");
    let body = json["body"]["content"].as_str().expect("text");
    assert!(body.contains("MC191153") && !body.contains("<h1>"));
    let detail = |name: &str| {
        let details = json["details"].as_array().expect("details");
        details.iter().find(|d| d["name"] == name).map(|d| d["value"].as_str().expect("text").to_owned())
    };
    assert_eq!(detail("DecisionId").as_deref(), Some("d-0123abcd"));
    assert_eq!(detail("WindowFirstDay").as_deref(), Some("2026-10-25"));
    assert_eq!(detail("WindowLastDay").as_deref(), Some("2026-11-23"));
    assert_eq!(detail("Kind").as_deref(), Some("no_impact"));
    assert_eq!(detail("ProtocolsInUse"), None);
}

#[test]
fn a_warning_is_urgent_and_its_action_is_due_when_the_campaign_has_a_date() {
    for (sample, due) in
        [(Sample::all_protocols(), Value::Null), (Sample::smtp_auth(), Value::from("2026-12-31T00:00:00Z"))]
    {
        let json: Value =
            serde_json::from_str(&rendered(&sample, NoticeKind::Warning, 1).json).expect("JSON");
        assert_eq!((&json["category"], &json["severity"]), (&"preventOrFixIssue".into(), &"high".into()));
        assert_eq!(json["actionRequiredByDateTime"], due);
    }
    let json = rendered(&Sample::all_protocols(), NoticeKind::InsufficientEvidence, 2).json;
    assert!(
        json.contains(r#""category": "stayInformed""#) && json.contains("MC290828-insufficient-evidence")
    );
}

/// Each tries one way out of the text it stands in.
const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "x</td></tr></table><h1>owned",
    "[click](javascript:alert(1))",
    "![p](https://evil.example/p.png) <https://evil.example> https://evil.example",
    "a | b | c\r\n\r\n# owned\r\n- [ ] item",
    "\u{202e}gpj.exe\u{1b}[31m\u{0}\u{2028}&lt;script&gt;",
    "`{{ 7*7 }}` {% raw %} *b* **c** ~~d~~ __e__",
];

#[test]
fn text_from_logs_and_roster_is_harmless_in_every_output() {
    for hostile in HOSTILE {
        let mut sample = Sample::all_protocols();
        let text = hostile.to_owned();
        let mut who = std::mem::take(&mut sample.who).into_values().next().expect("a tenant");
        for row in &mut who {
            row.user.clone_from(&text);
            (row.app, row.client_app, row.user_agent) =
                (Some(text.clone()), Some(text.clone()), Some(text.clone()));
        }
        for (n, tenant) in sample.assessment.tenants.iter_mut().enumerate() {
            tenant.display_name = Some(text.clone());
            tenant.tenant_id = format!("{hostile}{n}");
            let setting = RosterTenant { cloud: Some(text.clone()), ..RosterTenant::default() };
            sample.roster.tenants.insert(tenant.tenant_id.clone(), setting);
            sample.who.insert(tenant.tenant_id.clone(), who.clone());
        }
        let column = Reason::ColumnMissing { category: Category::Interactive, columns: vec![text] };
        sample.assessment.tenants[2].reasons.push(column);
        for (kind, tenant) in NoticeKind::ALL.into_iter().zip([0, 1, 1, 2]) {
            assert_harmless(&rendered(&sample, kind, tenant), kind, tenant);
        }
    }
}

fn assert_harmless(notice: &RenderedNotice, kind: NoticeKind, tenant: usize) {
    let friendly = rendered(&Sample::all_protocols(), kind, tenant);
    let json: Value = serde_json::from_str(&notice.json).expect("JSON");
    let body = json["body"]["content"].as_str().expect("text");
    let details = json["details"].as_array().expect("details");
    let details = details.iter().map(|detail| detail["value"].as_str().expect("text"));
    for text in [notice.markdown.as_str(), &notice.html, body, &notice.title].into_iter().chain(details) {
        let bad = |c: &char| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c);
        assert_eq!(text.chars().find(bad), None, "{text}");
    }
    // A Markdown reader finds the structure that the friendly notice has, and no more.
    for (tag, few) in
        [("<h1", 1), ("<script", 0), ("<img", 0), ("<em", 0), ("<del", 0), ("href=\"javascript", 0)]
    {
        assert_eq!(notice.html.matches(tag).count(), few, "{tag} in {}", notice.html);
    }
    let count = |html: &str, tag: &str| html.matches(tag).count();
    let extra_items = usize::from(kind == NoticeKind::InsufficientEvidence);
    let extra_cloud = usize::from(kind == NoticeKind::NoImpact);
    assert_eq!(count(&notice.html, "<li>"), count(&friendly.html, "<li>") + extra_items);
    assert_eq!(count(&notice.html, "<p>"), count(&friendly.html, "<p>") + extra_cloud);
    for tag in ["<td", "<tr", "<table", "<h2", "<a ", "<code>"] {
        assert_eq!(count(&notice.html, tag), count(&friendly.html, tag), "{tag} in {}", notice.html);
    }
}

#[test]
fn one_notice_a_tenant_is_written_into_a_folder_that_hostile_ids_cannot_choose() {
    let mut sample = Sample::all_protocols();
    sample.assessment.tenants[1].tenant_id = "../../etc".to_owned();
    let out = tempfile::tempdir().expect("a folder");
    let counts = write_all(out.path(), &sample.context(), None).expect("notices");
    let expected = NoticeCounts { no_impact: 1, warning: 1, insufficient_evidence: 1, without_notice: 1 };
    assert_eq!(counts, expected);
    let folders: Vec<_> = fs::read_dir(out.path().join("notices")).expect("notices").collect();
    assert_eq!(folders.len(), 3, "the excluded tenant has none");
    for folder in folders {
        let folder = folder.expect("a folder").path();
        for file in FILES {
            assert!(folder.join(file).is_file(), "{}", folder.join(file).display());
        }
    }
}

#[test]
fn a_tenant_that_gets_no_notice_any_more_keeps_none_of_an_earlier_run() {
    let mut sample = Sample::all_protocols();
    let out = tempfile::tempdir().expect("a folder");
    write_all(out.path(), &sample.context(), None).expect("notices");
    sample.assessment.tenants[0].verdict = TenantVerdict::Excluded;
    write_all(out.path(), &sample.context(), None).expect("notices");
    let folder = out.path().join("notices").join(&sample.assessment.tenants[0].tenant_id);
    assert_eq!(fs::read_dir(folder).expect("the folder").count(), 0);
}

#[test]
fn own_templates_are_used_for_what_is_written() {
    let own = tempfile::tempdir().expect("a folder");
    fs::write(own.path().join("no_impact.md"), "{# lang: de #}\n# Hallo {{ tenant.name }}\n")
        .expect("a template");
    let out = tempfile::tempdir().expect("a folder");
    let sample = Sample::all_protocols();
    write_all(out.path(), &sample.context(), Some(own.path())).expect("notices");
    let folder = out.path().join("notices").join(&sample.assessment.tenants[0].tenant_id);
    assert_eq!(fs::read_to_string(folder.join("notice.md")).expect("a notice"), "# Hallo Alpine Ski Club\n");
    let page = fs::read_to_string(folder.join("notice.html")).expect("a page");
    assert!(page.contains("<html lang=\"de\">") && page.contains("<title>Hallo Alpine Ski Club</title>"));
}
