//! Every kind of notice in every language, as its recipient reads it.

use std::collections::BTreeSet;

use super::*;
use crate::html::is_expected;
use lightsout_model::sign_in::Category;

/// Each notice that is reviewed, by the name of its snapshot.
fn reviewed() -> Vec<(&'static str, NoticeKind, Sample, usize)> {
    let mut draft = Sample::all_protocols();
    draft.draft = true;
    draft.campaign.operator = None;
    vec![
        ("no_impact", NoticeKind::NoImpact, Sample::all_protocols(), 0),
        ("no_impact_smtp_auth", NoticeKind::NoImpact, Sample::smtp_auth(), 0),
        ("no_impact_powershell", NoticeKind::NoImpact, Sample::powershell(), 0),
        ("warning", NoticeKind::Warning, Sample::all_protocols(), 1),
        ("warning_smtp_auth", NoticeKind::Warning, Sample::smtp_auth(), 1),
        ("warning_powershell", NoticeKind::Warning, Sample::powershell(), 1),
        ("selected_protocols", NoticeKind::SelectedProtocols, Sample::all_protocols(), 1),
        ("insufficient_evidence_draft", NoticeKind::InsufficientEvidence, draft, 2),
        ("hold_for_usage", NoticeKind::Hold, Sample::hold_for_usage(), 1),
        ("hold_for_coverage", NoticeKind::Hold, Sample::hold_for_coverage(), 2),
        ("follow_up", NoticeKind::FollowUp, Sample::follow_up(), 1),
        ("released", NoticeKind::Released, Sample::released(), 1),
        ("withdrawn", NoticeKind::Withdrawn, Sample::withdrawn(), 1),
        ("rescheduled", NoticeKind::Rescheduled, Sample::rescheduled(), 1),
        ("used_after_change", NoticeKind::UsedAfterChange, Sample::used_after_change(), 1),
        ("corrected", NoticeKind::Corrected, Sample::corrected(), 1),
        ("opted_in", NoticeKind::OptedIn, Sample::opted_in(), 1),
        ("usage_report", NoticeKind::UsageReport, Sample::usage_report(), 1),
    ]
}

/// `UPDATE_EXPECTED=1` rewrites the file; read the difference.
fn assert_reads_as(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(name);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, text).expect("the snapshot can be written");
    }
    let expected = fs::read_to_string(&path).expect("a snapshot; UPDATE_EXPECTED=1 writes it");
    assert_eq!(text, expected, "{name}");
}

#[test]
fn every_notice_reads_as_reviewed_in_english_and_german() {
    let kinds: BTreeSet<NoticeKind> = reviewed().iter().map(|(_, kind, ..)| *kind).collect();
    assert_eq!(kinds.len(), NoticeKind::ALL.len(), "every kind is reviewed");
    for (name, kind, sample, tenant) in reviewed() {
        let english = rendered(&sample, kind, tenant);
        assert_reads_as(&format!("en/{name}.md"), &english.markdown);
        let german = rendered(&sample.in_german(), kind, tenant);
        assert_reads_as(&format!("de/{name}.md"), &german.markdown);
        assert_eq!((english.language, german.language), (Language::English, Language::German));
        assert!(german.html.contains("<html lang=\"de\">") && english.html.contains("<html lang=\"en\">"));
        if name == "hold_for_usage" {
            assert_reads_as("en/hold_for_usage.txt", &plain_text::of(&english.markdown));
            assert_reads_as("de/hold_for_usage.txt", &plain_text::of(&german.markdown));
        }
    }
}

/// Words of English that no German sentence has.
const ENGLISH: [&str; 71] = [
    "the",
    "of",
    "and",
    "is",
    "are",
    "were",
    "be",
    "been",
    "to",
    "for",
    "with",
    "by",
    "not",
    "this",
    "that",
    "these",
    "it",
    "they",
    "them",
    "your",
    "our",
    "from",
    "has",
    "have",
    "can",
    "no",
    "any",
    "may",
    "or",
    "at",
    "as",
    "than",
    "there",
    "which",
    "who",
    "whom",
    "nobody",
    "somebody",
    "user",
    "users",
    "day",
    "days",
    "sign-in",
    "sign-ins",
    "protocol",
    "protocols",
    "usage",
    "used",
    "unused",
    "turned",
    "off",
    "on",
    "hold",
    "logs",
    "log",
    "seen",
    "known",
    "named",
    "tenant",
    "message",
    "notice",
    "questions",
    "see",
    "fix",
    "more",
    "other",
    "only",
    "all",
    "last",
    "again",
    "interactive",
];

/// What a German notice says that is no German: names, and an answer of Exchange's.
const NAMES: [&str; 6] = [
    "Mobile Apps and Desktop clients",
    "Basic authentication is not supported for Client Submission",
    "Harbour & Sons",
    "Example Cloud Services",
    "SMTP AUTH clients",
    "MAPI over HTTP",
];

fn english_words(text: &str) -> Vec<String> {
    // The lines of a mail are broken anywhere.
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for name in NAMES {
        text = text.replace(name, "");
    }
    // Addresses are no text.
    let words = text.split_whitespace().filter(|word| {
        let inside = word.trim_start_matches(['<', '(']);
        !is_expected(inside) && !inside.contains('@')
    });
    let words = words.flat_map(|word| word.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')));
    words.filter(|word| ENGLISH.contains(&word.to_lowercase().as_str())).map(str::to_owned).collect()
}

#[test]
fn no_english_word_is_left_in_a_german_notice() {
    for (name, ..) in lightsout_config::campaign_file::EMBEDDED {
        for (kind, mut sample, _) in Sample::of_every_kind() {
            let operator = sample.campaign.operator.clone();
            if sample.campaign.name != name {
                sample.campaign = crate::sample::campaign(name);
            }
            for draft in [false, true] {
                for operator in [operator.clone(), None] {
                    let mut sample = Sample { draft, ..copy(&sample) }.in_german();
                    sample.campaign.operator = operator;
                    for tenant in 0..sample.assessment.tenants.len() {
                        let Some(notice) = rendered_if_told(&sample, kind, tenant) else { continue };
                        for text in [&notice.title, &notice.markdown, &plain_text::of(&notice.markdown)] {
                            assert_eq!(english_words(text), [""; 0], "{kind:?} of {name}:\n{text}");
                        }
                    }
                }
            }
        }
    }
}

fn copy(sample: &Sample) -> Sample {
    Sample {
        campaign: sample.campaign.clone(),
        assessment: sample.assessment.clone(),
        roster: sample.roster.clone(),
        who: sample.who.clone(),
        changes: sample.changes.clone(),
        protocols_told: sample.protocols_told.clone(),
        ..*sample
    }
}

/// `None` where this kind has nothing to tell that tenant.
fn rendered_if_told(sample: &Sample, kind: NoticeKind, tenant: usize) -> Option<RenderedNotice> {
    match render(kind, &sample.context(), &sample.assessment.tenants[tenant], &TEMPLATES) {
        Err(NotifyError::NothingToTell { .. }) => None,
        rendered => Some(rendered.expect("renders")),
    }
}

#[test]
fn every_reason_and_doubt_is_told_in_german() {
    let mut sample = Sample::all_protocols().in_german();
    for reason in insufficient_reasons() {
        let code = reason.code();
        sample.assessment.tenants[2].reasons = vec![reason.clone()];
        sample.assessment.tenants[2].evidence_reasons.clear();
        let notice = rendered(&sample, NoticeKind::InsufficientEvidence, 2).markdown;
        assert_eq!(notice.matches("Abhilfe: ").count(), 1, "{code}: {notice}");
        assert_eq!(english_words(&notice), [""; 0], "{code}: {notice}");
        // Why a protocol of a warning is kept.
        sample.assessment.tenants[1].objections = vec![reason];
        let notice = rendered(&sample, NoticeKind::Warning, 1).markdown;
        assert_eq!(english_words(&notice), [""; 0], "{code}: {notice}");
    }
}

#[test]
fn english_words_are_found_where_they_are() {
    assert_eq!(english_words("Die Anmeldung is used, siehe <https://a.example/of/the>."), ["is", "used"]);
    assert_eq!(english_words("Harbour & Sons: MAPI over HTTP und IMAP4, it@a.example."), [""; 0]);
}

/// What the operator does in the program is nothing for a customer.
#[test]
fn no_notice_names_a_flag_or_a_command_of_this_program() {
    for (kind, sample, tenant) in Sample::of_every_kind() {
        for language in Language::ALL {
            for draft in [false, true] {
                let mut sample = Sample { draft, ..copy(&sample) };
                if language == Language::German {
                    sample = sample.in_german();
                }
                let notice = rendered(&sample, kind, tenant);
                let flag = |word: &str| {
                    let word = word.trim_start_matches(['(', '“', '„', '"']);
                    word.strip_prefix("--").is_some_and(|rest| rest.starts_with(char::is_alphabetic))
                };
                let text = plain_text::of(&notice.markdown);
                assert_eq!(text.split_whitespace().find(|word| flag(word)), None, "{kind:?}:\n{text}");
                for said in ["lightsout", "roster", "ledger", "ingest"] {
                    assert!(!text.to_lowercase().contains(said), "{kind:?} names {said}:\n{text}");
                }
                assert!(!notice.markdown.contains('`'), "{kind:?}: code in\n{}", notice.markdown);
            }
        }
    }
}

#[test]
fn a_language_without_notices_or_translation_falls_back_to_the_campaigns() {
    let mut sample = Sample::all_protocols();
    let id = sample.assessment.tenants[0].tenant_id.clone();
    let set = |sample: &mut Sample, tag: Option<&str>| {
        sample.roster.tenants.get_mut(&id).expect("in the roster").language = tag.map(str::to_owned);
    };
    for (tag, language, falls_back) in [
        (None, Language::English, false),
        (Some(""), Language::English, false),
        (Some("en-GB"), Language::English, false),
        (Some("DE"), Language::German, false),
        (Some("fr"), Language::English, true),
    ] {
        set(&mut sample, tag);
        assert_eq!(rendered(&sample, NoticeKind::NoImpact, 0).language, language, "{tag:?}");
        assert_eq!(sample.context().falls_back(&id), falls_back, "{tag:?}");
    }
    // Nobody translated this campaign: no German notice with an English background.
    set(&mut sample, Some("de"));
    sample.campaign.translations.clear();
    let notice = rendered(&sample, NoticeKind::NoImpact, 0);
    assert!(notice.markdown.contains("**No action is needed.**"), "{}", notice.markdown);
    assert!(sample.context().falls_back(&id));
    // A campaign in German is German for whoever states no language.
    sample.campaign.language = "de".to_owned();
    set(&mut sample, None);
    let notice = rendered(&sample, NoticeKind::NoImpact, 0);
    assert!(notice.markdown.contains("mit Standardauthentifizierung"), "{}", notice.markdown);
}

#[test]
fn a_rehearsal_says_so_on_top_of_everything() {
    for (sample, said) in
        [(Sample::all_protocols(), "REHEARSAL"), (Sample::all_protocols().in_german(), "PROBELAUF")]
    {
        let context = crate::NoticeContext { rehearsal: true, ..sample.context() };
        let tenant = &sample.assessment.tenants[0];
        let notice = render(NoticeKind::NoImpact, &context, tenant, &TEMPLATES).expect("renders");
        assert!(notice.markdown.starts_with(&format!("> **{said}.** ")), "{}", notice.markdown);
        assert!(notice.title.starts_with(&format!("{said}: ")), "{}", notice.title);
        let mail = String::from_utf8(notice.eml).expect("ASCII");
        assert!(mail.contains(said) && notice.html.contains(said) && notice.json.contains("\"Rehearsal\""));
    }
}

#[test]
fn what_the_ledger_says_itself_is_told_in_words() {
    let mut sample = Sample::rescheduled();
    for change in sample.changes.values_mut() {
        change.why = Some("hold_ended".to_owned());
    }
    let english = rendered(&sample, NoticeKind::Rescheduled, 1).markdown;
    assert!(english.contains("Reason: the hold ended after the day that was announced."), "{english}");
}

#[test]
fn a_notice_ends_with_the_operators_signature_and_names_whom_to_ask() {
    for (kind, sample, tenant) in Sample::of_every_kind() {
        let english = rendered(&copy(&sample), kind, tenant).markdown;
        assert!(english.contains("Kind regards\\\nAda Keller\\\nExample Cloud Services\n"), "{english}");
        assert!(english.contains("contact Example Cloud Services: basic-auth@example.com"), "{english}");
        let german = rendered(&sample.in_german(), kind, tenant).markdown;
        assert!(german.contains("Mit freundlichen Grüßen\\\nAda Keller\\\n"), "{german}");
        assert!(german.contains("oder der Servicedesk, +1 555 0100"), "{german}");
    }
}

// "Protokoll der Dienstprinzipal-n Anmeldungen": endings were put after words that take none.
#[test]
fn every_category_of_sign_ins_is_named_as_a_whole_in_both_languages() {
    let mut sample = Sample::all_protocols();
    sample.campaign.permitted_gap_days = Category::ALL.into_iter().map(|category| (category, 0)).collect();
    let missing = Category::ALL.into_iter().map(|category| Reason::CategoryMissing { category });
    sample.assessment.tenants[2].reasons = missing.collect();
    let english = rendered(&sample, NoticeKind::InsufficientEvidence, 2).markdown;
    assert!(english.contains("The log of sign-ins of service principals is missing"), "{english}");
    assert!(english.contains("no gap is accepted") && !english.contains(" 0 days in a row"), "{english}");
    let german = rendered(&sample.in_german(), NoticeKind::InsufficientEvidence, 2).markdown;
    assert!(german.contains("Das Protokoll der Anmeldungen von Dienstprinzipalen fehlt"), "{german}");
    assert!(german.contains("Das Protokoll der AD FS-Anmeldungen fehlt"), "{german}");
    for wrong in ["l- Anmeldungen", "-n ", "sign-ins sign-ins", "Anmeldungen Anmeldungen"] {
        assert!(!german.contains(wrong) && !english.contains(wrong), "{wrong}:\n{german}");
    }
}

// "1 Benutzer hat sich angemeldet oder könnten es getan haben".
#[test]
fn a_single_user_or_sender_is_told_of_in_the_singular() {
    let mut sample = Sample::smtp_auth().in_german();
    let one = rendered(&sample, NoticeKind::Warning, 1).markdown;
    assert!(
        one.contains("angemeldet oder könnte es getan haben") && one.contains("in seinem Namen"),
        "{one}"
    );
    sample.assessment.tenants[1].users = 2;
    let two = rendered(&sample, NoticeKind::Warning, 1).markdown;
    assert!(
        two.contains("angemeldet oder könnten es getan haben") && two.contains("in ihrem Namen"),
        "{two}"
    );
    let mut month = Sample::usage_report().in_german();
    month.assessment.tenants[1].users = 1;
    let report = rendered(&month, NoticeKind::UsageReport, 1).markdown;
    assert!(report.contains("hat sich im November 2026") && report.contains("oder könnte es"), "{report}");
    sample.assessment.tenants[2].reasons = vec![Reason::SmtpReport { senders: 1, unplaced: 0 }];
    let doubt = rendered(&sample, NoticeKind::InsufficientEvidence, 2).markdown;
    assert!(doubt.contains("1 Absender, der SMTP AUTH mit einem Kennwort verwenden könnte:"), "{doubt}");
}

#[test]
fn without_an_operator_whoever_sent_it_is_asked_and_no_campaign_file_is_named() {
    let mut sample = Sample::usage_report();
    sample.campaign.operator = None;
    let english = rendered(&sample, NoticeKind::UsageReport, 1).markdown;
    assert!(english.contains("contact whoever sent you this message"), "{english}");
    let german = rendered(&sample.in_german(), NoticeKind::UsageReport, 1).markdown;
    assert!(german.contains("an den Absender dieser Nachricht"), "{german}");
    assert!(!english.contains("campaign file") && !german.contains("Kampagnendatei"), "{english}{german}");
}

// A confirmation is mostly corrected after the day of the change.
#[test]
fn a_correction_after_the_day_of_the_change_promises_no_day_that_is_past() {
    let mut sample = Sample::corrected();
    sample.notice_date = day(12, 30);
    let english = rendered(&sample, NoticeKind::Corrected, 1).markdown;
    assert!(english.contains("24 December 2026, has passed"), "{english}");
    assert!(!english.contains("will be turned off") && !english.contains("How to opt out"), "{english}");
    let german = rendered(&sample.in_german(), NoticeKind::Corrected, 1).markdown;
    assert!(german.contains("24. Dezember 2026, ist vorbei"), "{german}");
    assert!(!german.contains("So widersprechen Sie"), "{german}");
}

// Notices said that modern authentication goes on working where SMTP AUTH goes off with OAuth too.
#[test]
fn smtp_auth_that_goes_off_as_a_whole_is_told_to_stop_oauth_too() {
    let mut sample = Sample::all_protocols();
    let whole = rendered(&sample, NoticeKind::NoImpact, 0).markdown;
    assert!(
        whole.contains("nor over SMTP AUTH with OAuth") && whole.contains("except over SMTP AUTH"),
        "{whole}"
    );
    let hold = rendered(&Sample::hold_for_usage(), NoticeKind::Hold, 1).markdown;
    assert!(hold.contains("Moving them to OAuth is not enough"), "{hold}");
    sample.campaign.texts.disables_smtp_client_authentication = false;
    let basic = rendered(&sample, NoticeKind::NoImpact, 0).markdown;
    assert!(!basic.contains("with OAuth") && !basic.contains("except over SMTP AUTH"), "{basic}");
}

#[test]
fn every_heading_stands_after_an_empty_line() {
    for (kind, sample, tenant) in Sample::of_every_kind() {
        for sample in [copy(&sample), sample.in_german()] {
            let notice = rendered(&sample, kind, tenant).markdown;
            for (at, _) in notice.match_indices("\n## ") {
                assert!(notice[..at].ends_with('\n'), "{kind:?}: {}", &notice[at..]);
            }
        }
    }
}
