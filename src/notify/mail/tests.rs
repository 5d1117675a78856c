//! A mail, as a mail library reads it.

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

use crate::notice::{NoticeKind, RenderedNotice, render};
use crate::plain_text;
use crate::sample::Sample;
use crate::templates::Templates;

fn rendered(kind: NoticeKind, sample: &Sample, tenant: usize) -> RenderedNotice {
    let templates = Templates::load(None).expect("the embedded templates are valid");
    render(kind, &sample.context(), &sample.assessment.tenants[tenant], &templates).expect("renders")
}

fn read(eml: &[u8]) -> Message<'_> {
    MessageParser::new().parse(eml).expect("a mail")
}

fn with_contacts(contacts: &[&str]) -> Sample {
    let mut sample = Sample::all_protocols();
    let id = sample.assessment.tenants[0].tenant_id.clone();
    let roster = sample.roster.tenants.get_mut(&id).expect("in the roster");
    roster.contacts = contacts.iter().map(|&contact| contact.to_owned()).collect();
    sample
}

fn addresses(mail: &Message) -> Vec<String> {
    let addresses = mail.to().into_iter().flat_map(|to| to.iter());
    addresses.filter_map(|to| to.address()).map(str::to_owned).collect()
}

#[test]
fn a_mail_of_every_kind_reads_back_with_both_parts_and_its_headers() {
    for (kind, sample, tenant) in Sample::of_every_kind() {
        let notice = rendered(kind, &sample, tenant);
        let mail = read(&notice.eml);
        assert_eq!(mail.subject(), Some(notice.title.as_str()));
        let date = mail.date().expect("a date").to_rfc3339();
        // An announced notice has the date of its announcement.
        let day = if kind == NoticeKind::NoImpact {
            "2026-11-24".to_owned()
        } else {
            sample.notice_date.to_string()
        };
        assert_eq!(date, format!("{day}T00:00:00Z"), "{kind:?}");
        let sender = mail.from().and_then(|from| from.first()).expect("a sender");
        assert_eq!(sender.name(), Some("Example Cloud Services"));
        assert_eq!(sender.address(), Some("basic-auth@example.com"));
        assert_eq!(mail.reply_to().and_then(|to| to.first()?.address()), Some("basic-auth@example.com"));
        assert_eq!(mail.header_raw("X-Unsent").map(str::trim), Some("1"));
        assert_eq!(mail.header_raw("MIME-Version").map(str::trim), Some("1.0"));
        let whole = mail.content_type().expect("a content type");
        assert_eq!((whole.ctype(), whole.subtype()), ("multipart", Some("alternative")));
        assert_eq!(mail.parts.len(), 3, "the whole and two alternatives");
        let lines = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
        assert_eq!(
            mail.body_text(0).map(|text| lines(&text)),
            Some(lines(&plain_text::of(&notice.markdown)))
        );
        let PartType::Html(html) = &mail.parts[2].body else { panic!("the last part is the page") };
        assert_eq!(lines(html), lines(&notice.html));
    }
}

#[test]
fn a_draft_of_a_campaign_without_operator_names_no_sender() {
    let mut sample = Sample::all_protocols();
    (sample.draft, sample.campaign.operator) = (true, None);
    let notice = rendered(NoticeKind::NoImpact, &sample, 0);
    assert!(read(&notice.eml).from().is_none() && read(&notice.eml).reply_to().is_none());
}

#[test]
fn the_same_notice_is_the_same_bytes_and_another_has_another_id() {
    let mail = |sample: &Sample, tenant| rendered(NoticeKind::NoImpact, sample, tenant).eml;
    let sample = Sample::all_protocols();
    assert_eq!(mail(&sample, 0), mail(&sample, 0));
    let mut next_day = Sample::all_protocols();
    next_day.notice_date = crate::sample::day(11, 25);
    let mut next_decision = Sample::all_protocols();
    next_decision.assessment.decision_id = "d-another".to_owned();
    let mails = [mail(&sample, 0), mail(&sample, 3), mail(&next_day, 0), mail(&next_decision, 0)];
    let mut ids: Vec<String> =
        mails.iter().map(|mail| read(mail).message_id().expect("an id").to_owned()).collect();
    assert!(ids.iter().all(|id| id.ends_with("@lightsout.invalid")), "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn lines_are_short_ascii_and_end_as_mail_lines_do() {
    let mut sample = Sample::all_protocols();
    sample.campaign.title =
        "Grundlegende Authentifizierung wird für alle Protokolle abgeschaltet: 東京 ".repeat(4);
    let notice = rendered(NoticeKind::NoImpact, &sample, 0);
    let text = String::from_utf8(notice.eml.clone()).expect("ASCII");
    assert!(text.is_ascii());
    for line in text.split("\r\n") {
        assert!(line.len() <= 78 && !line.contains(['\r', '\n']), "{line:?}");
    }
    assert_eq!(read(&notice.eml).subject(), Some(notice.title.as_str()));
}

#[test]
fn contacts_are_the_recipients_each_once_and_what_is_no_address_is_left_out() {
    let long = format!("{}@example.com", "a".repeat(65));
    let contacts = [
        "it@example.com",
        " o'neil+exchange@mail.example.org ",
        "IT@EXAMPLE.COM",
        "it@example.com\r\nBcc: x@example.com",
        "a@example.com, b@example.com",
        "Ada <ada@example.com>",
        "\"a b\"@example.com",
        "ada@example",
        "ada@-example.com",
        "ada..b@example.com",
        "ada@example.com\u{202e}",
        "ädä@example.com",
        "@example.com",
        "ada",
        "",
        &long,
    ];
    let notice = rendered(NoticeKind::NoImpact, &with_contacts(&contacts), 0);
    let expected = ["it@example.com", "o'neil+exchange@mail.example.org"];
    let mail = read(&notice.eml);
    assert_eq!(addresses(&mail), expected);
    assert!(mail.bcc().is_none() && mail.cc().is_none());
    assert_eq!(
        (notice.contacts.as_slice(), notice.contacts_left_out),
        (&expected.map(str::to_owned)[..], 13)
    );
    assert!(notice.json.contains("\"ContactsLeftOut\",\n      \"value\": \"13\""), "{}", notice.json);
}

#[test]
fn a_tenant_without_contacts_has_a_mail_without_recipients_that_says_so_beside_it() {
    for contacts in [&[][..], &["nobody"]] {
        let notice = rendered(NoticeKind::NoImpact, &with_contacts(contacts), 0);
        let mail = read(&notice.eml);
        assert!(mail.to().is_none(), "no To header at all");
        assert!(notice.contacts.is_empty());
        assert!(notice.json.contains("\"Contacts\",\n      \"value\": \"0\""), "{}", notice.json);
    }
}
