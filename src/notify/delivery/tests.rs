//! The list of recipients and the mailbox file, read back.

use mail_parser::MessageParser;
use mail_parser::mailbox::mbox::MessageIterator;

use super::*;
use crate::files::{self, Existing};
use crate::notice::NoticeKind;
use crate::sample::Sample;
use crate::templates::Templates;

fn write_notices(folder: &Path, sample: &Sample) {
    let templates = Templates::load(None).expect("the embedded templates are valid");
    for (tenant, kind) in [(0, NoticeKind::NoImpact), (1, NoticeKind::Warning)] {
        let tenant = &sample.assessment.tenants[tenant];
        let context = sample.context();
        files::write(folder, kind, &context, tenant, &templates, Existing::Replace).expect("a notice");
    }
}

#[test]
fn recipients_are_listed_and_only_mails_that_can_be_sent_are_in_the_mailbox() {
    let mut sample = Sample::all_protocols();
    sample.assessment.tenants[0].display_name = Some("=Alpine()".to_owned());
    sample.campaign.title = "=1+1 will be turned off".to_owned();
    let folder = tempfile::tempdir().expect("a folder");
    write_notices(folder.path(), &sample);
    let written = write(folder.path()).expect("both files");
    assert_eq!(written.len(), 2);

    let mut reader = csv::Reader::from_path(folder.path().join(RECIPIENTS)).expect("the list");
    let header = reader.headers().expect("a header").clone();
    assert_eq!(header.iter().collect::<Vec<_>>(), ["tenant_id", "to", "subject", "file", "language", "kind"]);
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let ids = [0, 1].map(|n: usize| sample.assessment.tenants[n].tenant_id.clone());
    assert_eq!(rows[0].get(0), Some(ids[0].as_str()));
    assert_eq!(rows[0].get(1), Some("it@alpine.example"));
    assert!(rows[0].get(2).is_some_and(|subject| subject.starts_with("'=1+1")), "no formula: {:?}", rows[0]);
    assert_eq!(rows[0].get(3), Some(format!("{}/notice.eml", ids[0]).as_str()));
    assert_eq!((rows[0].get(4), rows[0].get(5)), (Some("en"), Some("no_impact")));
    assert_eq!((rows[1].get(1), rows[1].get(5)), (Some(""), Some("warning")), "the roster has no contact");

    let mailbox = fs::read(folder.path().join(MAILBOX)).expect("the mailbox");
    let mails: Vec<Vec<u8>> = MessageIterator::new(mailbox.as_slice())
        .map(|mail| mail.expect("a mail").unwrap_contents())
        .collect();
    assert_eq!(mails.len(), 1, "a mail without a recipient can't be sent");
    assert!(mailbox.starts_with(b"From basic-auth@example.com Tue Nov 24 00:00:00 2026\n"));
    let sent = MessageParser::new().parse(&mails[0]).expect("a mail");
    let original = fs::read(folder.path().join(&ids[0]).join("notice.eml")).expect("the mail");
    let original = MessageParser::new().parse(&original).expect("a mail");
    assert_eq!(sent.subject(), original.subject());
    assert_eq!(sent.message_id(), original.message_id());
    assert_eq!(
        sent.body_text(0).map(|text| text.trim().len()),
        original.body_text(0).map(|text| text.replace("\r\n", "\n").trim().len())
    );
    assert!(sent.header_raw("X-Unsent").is_none() && original.header_raw("X-Unsent").is_some());
}

#[test]
fn the_same_folder_gives_the_same_bytes_and_a_later_notice_joins_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sample = Sample::all_protocols();
    write_notices(folder.path(), &sample);
    write(folder.path()).expect("both files");
    let read = || [RECIPIENTS, MAILBOX].map(|file| fs::read(folder.path().join(file)).expect("a file"));
    let before = read();
    write(folder.path()).expect("both files");
    assert_eq!(read(), before);
    sample.assessment.tenants[0].tenant_id = "99999999-0000-4000-8000-000000000009".to_owned();
    write_notices(folder.path(), &sample);
    assert_eq!(write(folder.path()).expect("both files").len(), 3);
    assert!(read()[0].len() > before[0].len());
}

#[test]
fn a_line_that_would_begin_another_mail_is_quoted() {
    let mut mailbox = Vec::new();
    let date = "2026-12-04T00:00:00Z".parse().expect("a time");
    let mail = b"Subject: a\r\nX-Unsent: 1\r\n\r\nFrom here on\r\n>From there\r\nX-Unsent: 1\r\nFromage\r\n";
    append(&mut mailbox, "a@b.example", date, mail);
    append(&mut mailbox, "a@b.example", date, b"Subject: b\r\n\r\nend");
    let expected = "From a@b.example Fri Dec  4 00:00:00 2026\nSubject: a\n\n>From here on\n>>From there\nX-Unsent: 1\n\
                    Fromage\n\nFrom a@b.example Fri Dec  4 00:00:00 2026\nSubject: b\n\nend\n\n";
    assert_eq!(String::from_utf8(mailbox).expect("text"), expected);
}
