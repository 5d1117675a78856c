//! Text from logs, rosters and requests tries to get out of every kind of notice, in every format.

use std::collections::BTreeMap;

use mail_parser::MessageParser;
use serde_json::Value;

use super::super::*;
use super::rendered;
use crate::sample::Sample;
use lightsout_model::change::ProtocolChange;
use lightsout_model::tenant::RosterTenant;
use lightsout_model::verdict::Reason;

/// Each tries one way out of the text it stands in.
const HOSTILE: [&str; 10] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "x</td></tr></table><h1>owned",
    "[click](javascript:alert(1))",
    "![p](https://evil.example/p.png) <https://evil.example> https://evil.example",
    "a | b | c\r\n\r\n# owned\r\n- [ ] item",
    "\u{202e}gpj.exe\u{1b}[31m\u{0}\u{2028}&lt;script&gt;",
    "../../etc/passwd\\..\\x:y",
    "a@example.com\r\nBcc: b@example.com\r\n\r\n<b>body</b>, c@example.com",
    "`{{ 7*7 }}` {% raw %} *b* **c** ~~d~~ __e__",
];

#[test]
fn text_from_logs_roster_and_requests_is_harmless_in_every_output() {
    for (kind, sample, tenant) in Sample::of_every_kind() {
        let friendly = rendered(&saying(&sample, "text"), kind, tenant);
        for hostile in HOSTILE {
            let notice = rendered(&saying(&sample, hostile), kind, tenant);
            assert_harmless_text(&notice);
            assert_same_structure(&notice, &friendly, kind);
            assert_same_mail(&notice, &friendly, kind);
        }
    }
}

/// The sample with one text wherever others write: in logs, in the roster, and in requests.
fn saying(sample: &Sample, text: &str) -> Sample {
    let some = || Some(text.to_owned());
    let mut saying = Sample {
        campaign: sample.campaign.clone(),
        assessment: sample.assessment.clone(),
        roster: sample.roster.clone(),
        who: BTreeMap::new(),
        changes: BTreeMap::new(),
        protocols_told: sample.protocols_told.clone(),
        ..*sample
    };
    for (n, tenant) in saying.assessment.tenants.iter_mut().enumerate() {
        let before = std::mem::replace(&mut tenant.tenant_id, format!("{text}{n}"));
        tenant.display_name = some();
        for reason in tenant.reasons.iter_mut().chain(&mut tenant.evidence_reasons) {
            if let Reason::ColumnMissing { columns, .. } = reason {
                *columns = vec![text.to_owned()];
            }
        }
        let setting = RosterTenant {
            cloud: some(),
            language: some(),
            domains: vec![text.to_owned()],
            contacts: vec![text.to_owned(), "it@example.com".to_owned()],
            ..RosterTenant::default()
        };
        saying.roster.tenants.insert(tenant.tenant_id.clone(), setting);
        let mut rows = sample.who.get(&before).cloned().unwrap_or_default();
        for row in &mut rows {
            row.user = text.to_owned();
            (row.app, row.client_app, row.user_agent) = (some(), some(), some());
        }
        saying.who.insert(tenant.tenant_id.clone(), rows);
        let Some(mut change) = sample.changes.get(&before).cloned() else { continue };
        change.decision_id = text.to_owned();
        change.why = change.why.and_then(|_| some());
        for state in change.protocols.values_mut() {
            if let ProtocolChange::OptedOut { by, .. } = state {
                *by = some();
            }
        }
        saying.changes.insert(tenant.tenant_id.clone(), change);
    }
    saying
}

fn assert_harmless_text(notice: &RenderedNotice) {
    let json: Value = serde_json::from_str(&notice.json).expect("JSON");
    let body = json["body"]["content"].as_str().expect("text");
    let details = json["details"].as_array().expect("details");
    let details = details.iter().map(|detail| detail["value"].as_str().expect("text"));
    let text = plain_text::of(&notice.markdown);
    for text in [&notice.markdown, &notice.html, body, &notice.title, &text].into_iter().chain(details) {
        let bad = |c: &char| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c);
        assert_eq!(text.chars().find(bad), None, "{text}");
    }
    for tag in ["<script", "<img", "<em>", "<del", "<b>", "href=\"javascript", "href=\"https://evil"] {
        assert!(!notice.html.contains(tag), "{tag} in {}", notice.html);
    }
}

/// A Markdown reader finds the structure that the friendly notice has, and no more.
fn assert_same_structure(notice: &RenderedNotice, friendly: &RenderedNotice, kind: NoticeKind) {
    for tag in [
        "<h1", "<h2", "<p>", "<ul", "<ol", "<li>", "<table", "<tr", "<td", "<a ", "<code>", "<strong>", "<br",
    ] {
        let count = |notice: &RenderedNotice| notice.html.matches(tag).count();
        assert_eq!(count(notice), count(friendly), "{kind:?}: {tag} in {}", notice.html);
    }
    let headings = |notice: &RenderedNotice| {
        let text = plain_text::of(&notice.markdown);
        text.lines().filter(|line| line.starts_with("--") || line.starts_with("==")).count()
    };
    assert_eq!(headings(notice), headings(friendly), "{kind:?}");
}

/// A mail reader finds the headers, recipients and parts of the friendly mail, and no more.
fn assert_same_mail(notice: &RenderedNotice, friendly: &RenderedNotice, kind: NoticeKind) {
    let read = |notice: &RenderedNotice| {
        let mail = MessageParser::new().parse(&notice.eml).expect("a mail").into_owned();
        let headers: Vec<String> = mail.headers().iter().map(|header| header.name().to_owned()).collect();
        let to: Vec<String> = mail
            .to()
            .iter()
            .flat_map(|to| to.iter())
            .filter_map(|to| to.address())
            .map(str::to_owned)
            .collect();
        (headers, to, mail.parts.len())
    };
    let found = read(notice);
    assert_eq!(found, read(friendly), "{kind:?}");
    assert_eq!(found.1, ["it@example.com"]);
    assert!(notice.eml.is_ascii());
}
