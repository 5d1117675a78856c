//! Every kind of notice as its recipient reads it, and what no notice may do.

mod facts;
mod hostile;
mod languages;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

use super::*;
use crate::sample::{Sample, day, insufficient_reasons};
use lightsout_model::change::{HoldCause, ProtocolChange};
use lightsout_model::evidence::{Dismissal, WhoRow};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{Reason, TenantVerdict};
use lightsout_output::text::date;

static TEMPLATES: LazyLock<Templates> =
    LazyLock::new(|| Templates::load(None).expect("the embedded templates are valid"));

fn rendered(sample: &Sample, kind: NoticeKind, tenant: usize) -> RenderedNotice {
    render(kind, &sample.context(), &sample.assessment.tenants[tenant], &TEMPLATES).expect("renders")
}

#[test]
fn every_notice_states_its_window_coverage_and_scope() {
    // What is taken back or moved needs no evidence.
    let without =
        [NoticeKind::Withdrawn, NoticeKind::Rescheduled, NoticeKind::Corrected, NoticeKind::OptedIn];
    for (kind, sample, tenant) in Sample::of_every_kind() {
        if without.contains(&kind) {
            continue;
        }
        let notice = rendered(&sample, kind, tenant).markdown;
        let window = sample.assessment.window;
        let days =
            format!("from {} to {} (UTC", date(window.first), date(window.end.pred_opt().expect("a day")));
        for said in [
            &days,
            " days covered; ",
            "In the scope of this message: ",
            "Outside the scope of this message: ",
        ] {
            assert!(notice.contains(said), "{kind:?} lacks '{said}':\n{notice}");
        }
        let names_users = !matches!(
            kind,
            NoticeKind::NoImpact
                | NoticeKind::SelectedProtocols
                | NoticeKind::InsufficientEvidence
                | NoticeKind::FollowUp
                | NoticeKind::Released
        ) && tenant == 1;
        assert_eq!(notice.contains("| User | Protocol |"), names_users, "{kind:?}");
    }
}

#[test]
fn smtp_auth_has_its_own_block_before_every_other_in_every_notice() {
    for (kind, sample, tenant) in Sample::of_every_kind() {
        // A message that takes something back or moves it says nothing of what it leaves alone.
        let is_left_alone = [NoticeKind::Rescheduled, NoticeKind::OptedIn].contains(&kind);
        if !sample.campaign.scope().contains(&Protocol::SmtpAuth) || is_left_alone {
            assert!(!rendered(&sample, kind, tenant).markdown.contains("## SMTP AUTH"), "{kind:?}");
            continue;
        }
        let notice = rendered(&sample, kind, tenant).markdown;
        let first = notice.lines().find(|line| line.starts_with("## "));
        assert_eq!(first, Some("## SMTP AUTH"), "{kind:?}");
    }
}

#[test]
fn smtp_auth_outside_the_scope_is_told_if_it_is_used_and_else_not() {
    let mut sample = Sample::all_protocols();
    sample.campaign.protocols = vec![Protocol::Imap4];
    assert!(!rendered(&sample, NoticeKind::Warning, 1).markdown.contains("## SMTP AUTH"));
    sample.assessment.tenants[1].protocols[2].sign_ins = 3;
    sample.assessment.tenants[1].protocols[2].in_scope = false;
    let notice = rendered(&sample, NoticeKind::Warning, 1).markdown;
    assert!(notice.contains("SMTP AUTH is outside the scope of this message. It is in use: "), "{notice}");
}

#[test]
fn what_is_off_already_is_not_announced_and_said_in_one_line() {
    let mut sample = Sample::all_protocols();
    let id = sample.assessment.tenants[0].tenant_id.clone();
    let roster = sample.roster.tenants.get_mut(&id).expect("in the roster");
    roster.protocols_enabled = Some(vec![Protocol::Imap4, Protocol::ExchangeActivesync]);
    let notice = rendered(&sample, NoticeKind::NoImpact, 0).markdown;
    assert!(notice.contains("for the 2 protocols named below"), "{notice}");
    assert!(notice.contains("SMTP AUTH is off already in your tenant."), "{notice}");
    let off: Vec<&str> =
        notice.lines().filter(|line| line.starts_with("Off already in your tenant")).collect();
    assert_eq!(off.len(), 1);
    assert!(off[0].contains("POP3, SMTP AUTH, ") && !off[0].contains("IMAP4"), "{off:?}");
    assert!(!notice.contains("- POP3"), "{notice}");
}

#[test]
fn a_tenant_with_everything_off_is_told_that_nothing_changes() {
    let mut sample = Sample::all_protocols();
    let id = sample.assessment.tenants[0].tenant_id.clone();
    sample.roster.tenants.get_mut(&id).expect("in the roster").protocols_enabled = Some(Vec::new());
    let notice = rendered(&sample, NoticeKind::NoImpact, 0);
    assert_eq!(notice.title, "Basic Authentication is already off in your tenant");
    assert!(!notice.markdown.contains("24 December 2026"), "no date: {}", notice.markdown);
}

#[test]
fn an_announced_notice_keeps_the_dates_and_protocols_that_it_was_announced_with() {
    let mut sample = Sample::follow_up();
    sample.notice_date = day(12, 1);
    for (kind, said) in [
        (NoticeKind::SelectedProtocols, "4 protocols that showed no usage on the days that the logs cover"),
        (NoticeKind::NoImpact, "the 4 protocols"),
    ] {
        let notice = rendered(&sample, kind, 1);
        assert!(notice.markdown.contains(said), "{}", notice.markdown);
        assert!(
            notice.markdown.contains("30 days after this notice of 24 November 2026"),
            "{}",
            notice.markdown
        );
        let json: Value = serde_json::from_str(&notice.json).expect("JSON");
        assert_eq!(json["startDateTime"], "2026-11-24T00:00:00Z");
        assert_eq!(json["endDateTime"], "2026-12-24T00:00:00Z");
    }
}

#[test]
fn a_hold_names_the_users_of_what_is_on_hold_and_nobody_else() {
    let mut sample = Sample::hold_for_usage();
    let harbour = &mut sample.assessment.tenants[1];
    harbour.protocols_in_use.push(Protocol::ExchangeWebServices);
    let notice = rendered(&sample, NoticeKind::Hold, 1).markdown;
    assert!(notice.contains("| scan_desk@harbour.example | SMTP AUTH |"), "{notice}");
    assert!(!notice.contains("| Exchange Web Services (EWS) |"), "{notice}");
}

#[test]
fn a_hold_for_one_protocol_of_outlook_tells_of_the_others_usage() {
    let mut sample = Sample::hold_for_usage();
    let (id, harbour) = (sample.assessment.tenants[1].tenant_id.clone(), &mut sample.assessment.tenants[1]);
    harbour.protocols_in_use = vec![Protocol::ExchangeWebServices];
    let hold = ProtocolChange::OnHold { since: day(12, 15), cause: HoldCause::Coverage };
    let change = sample.changes.get_mut(&id).expect("a change");
    change.protocols = [(Protocol::MapiOverHttp, hold)].into();
    let notice = rendered(&sample, NoticeKind::Hold, 1).markdown;
    assert!(notice.contains("| anna.berg@harbour.example | Exchange Web Services (EWS) |"), "{notice}");
    assert!(
        notice.contains("- MAPI over HTTP: Outlook uses it together with Exchange Web Services (EWS)"),
        "{notice}"
    );
}

#[test]
fn a_notice_that_has_nothing_to_tell_is_an_error_that_says_what_is_expected() {
    let templates = Templates::load(None).expect("the embedded templates are valid");
    let mut sample = Sample::follow_up();
    let told = |sample: &Sample, kind| {
        let tenant = &sample.assessment.tenants[1];
        render(kind, &sample.context(), tenant, &templates).expect_err("nothing to tell").to_string()
    };
    assert!(told(&sample, NoticeKind::UsageReport).contains("expected a window that is one calendar month"));
    sample.changes.clear();
    assert!(
        told(&sample, NoticeKind::FollowUp).contains("expected a change with a protocol that was turned off")
    );
    let hold = told(&sample, NoticeKind::Hold);
    assert!(
        hold.contains("22222222") && hold.contains("expected a change with a protocol on hold"),
        "{hold}"
    );
}

#[test]
fn a_usage_report_shows_protocols_without_users_and_no_decision() {
    let notice = rendered(&Sample::usage_report(), NoticeKind::UsageReport, 1);
    assert!(notice.markdown.contains("| POP3 | 0 | 0 | no usage seen |"), "{}", notice.markdown);
    assert!(!notice.markdown.contains("Decision"));
    assert!(notice.json.contains(r#""id": "MC290828-usage-report-2026-11""#), "{}", notice.json);
}

#[test]
fn a_draft_says_so_on_top_of_everything_and_an_announced_notice_nowhere() {
    for draft in [true, false] {
        for (kind, mut sample, tenant) in Sample::of_every_kind() {
            sample.draft = draft;
            let notice = rendered(&sample, kind, tenant);
            assert_eq!(notice.markdown.starts_with("> **DRAFT.**"), draft);
            assert_eq!(notice.title.starts_with("DRAFT: "), draft);
            let mail = String::from_utf8_lossy(&notice.eml);
            for text in [&notice.markdown, &notice.html, &notice.json, mail.as_ref()] {
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
        assert_eq!(notice.matches("Fix: ").count(), 1, "{code}");
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
    assert_eq!(notice.matches("@x.example | IMAP4").count(), 100);
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

#[test]
fn dismissed_doubts_are_told_as_evidence_and_one_that_came_back_is_not() {
    let mut sample = Sample::all_protocols();
    let tenant = &mut sample.assessment.tenants[0];
    let dismissal = |doubt: &str| Dismissal {
        doubt: doubt.to_owned(),
        paths: vec!["logs/a.json".to_owned()],
        by_whom: "Ada <b>".to_owned(),
        why: "test lines of the collector".to_owned(),
        dismissed_at: "2026-11-20T10:00:00Z".parse().expect("a time"),
    };
    tenant.dismissals = vec![dismissal("rejected_records"), dismissal("refused_files")];
    tenant.objections.push(Reason::RefusedFiles { files: 1, paths: Vec::new() });
    let notice = rendered(&sample, NoticeKind::NoImpact, 0);
    let told = "records that could not be read, in 1 file: dismissed by Ada";
    assert!(notice.markdown.contains(told), "{}", notice.markdown);
    assert!(notice.markdown.contains("on 20 November 2026"), "{}", notice.markdown);
    assert!(!notice.markdown.contains("files that could not be read"), "{}", notice.markdown);
    assert!(!notice.html.contains("Ada <b>"), "it is escaped");
}

// The plan of the day asks the same method, and its runbook follows it (`src/campaign/plan.rs`).
#[test]
fn a_protocol_that_a_campaign_groups_with_outlook_is_told_as_outlook() {
    let mut sample = Sample::all_protocols();
    sample.assessment.tenants.truncate(1);
    let tenant = &mut sample.assessment.tenants[0];
    tenant.verdict = TenantVerdict::Warning;
    tenant.protocols_in_use = vec![Protocol::SmtpAuth];
    tenant.protocols_clear = vec![Protocol::Imap4];
    let said = |sample: &Sample| {
        rendered(sample, NoticeKind::SelectedProtocols, 0).markdown.contains("Outlook for Windows")
    };
    assert!(!said(&sample));
    let outlook = Protocol::MapiOverHttp.group().iter().copied().chain([Protocol::Imap4]).collect();
    sample.campaign.groups.insert("outlook".to_owned(), outlook);
    assert!(said(&sample));
}
