//! What the two kinds of files say, and which files are refused.

use serde_json::{Value, json};

use super::COLLECTOR;
use super::collected::{self, Collected};
use super::smtp_report::{self, Read};
use lightsout_model::protocol::Protocol;
use lightsout_model::settings::{CollectedSettings, StoredSettings};

const SMTP_OFF: &str = include_str!("../../../tests/settings/smtp-off.json");

fn collected(change: impl FnOnce(&mut Value)) -> Result<Collected, String> {
    let mut file: Value = serde_json::from_str(SMTP_OFF).expect("the fixture is JSON");
    change(&mut file);
    collected::parse(&file.to_string())
}

fn facts(change: impl FnOnce(&mut Value)) -> CollectedSettings {
    match collected(change).expect("the collector's file").stored {
        StoredSettings::ExchangeSettings { facts, .. } => facts,
        StoredSettings::SmtpAuthReport { .. } => unreachable!("it is no report"),
    }
}

#[test]
fn the_collectors_file_is_read_with_its_tenant_and_three_states() {
    let file = collected(|_| {}).expect("the collector's file");
    assert_eq!(file.tenant_id.as_deref(), Some("00000061-0000-4000-8000-000000000000"));
    assert!(file.complete);
    let facts = facts(|_| {});
    assert_eq!(facts.smtp_auth_disabled, Some(true));
    assert_eq!((facts.smtp_auth_disabled_mailboxes.on, facts.smtp_auth_disabled_mailboxes.unset), (1, 6));
    assert_eq!(facts.ews_enabled, None);
    assert_eq!(facts.mailboxes, 7);
    assert!(facts.policies[0].allows_basic[&Protocol::RemotePowershell]);
    assert!(facts.policies[0].is_called("block basic"));
    assert_eq!(facts.plan_switches[0].get(&Protocol::ExchangeWebServices), None, "null is not false");
}

#[test]
fn a_cmdlet_that_was_denied_failed_or_cut_short_is_a_problem() {
    let cmdlet = |at: usize, member: &'static str, value: Value| {
        facts(move |file| file["cmdlets"][at][member] = value).problems.join("; ")
    };
    assert_eq!(cmdlet(1, "status", json!("denied")), "Get-TransportConfig was denied");
    assert_eq!(cmdlet(4, "status", json!("failed")), "Get-User failed");
    assert_eq!(cmdlet(5, "truncated", json!(true)), "Get-CASMailbox may have listed only a part");
    assert_eq!(cmdlet(7, "objects", json!(0)), "Get-AcceptedDomain found nothing");
    assert_eq!(cmdlet(0, "name", json!("Get-Date")), "Get-ConnectionInformation was not run exactly once");
    assert!(
        cmdlet(5, "objects", json!(8)).contains("listed 8 objects"),
        "{}",
        cmdlet(5, "objects", json!(8))
    );
    let unnamed = facts(|file| {
        file["mailbox_switches"]["SmtpClientAuthenticationDisabled"] = json!({"false": 1, "null": 6});
    });
    assert_eq!(unnamed.problems, ["1 mailboxes enable SMTP AUTH, and the file names 0"]);
}

#[test]
fn a_file_that_the_collector_did_not_write_so_is_refused() {
    for (change, told) in [
        (json!({"version": 2}), "of version 2"),
        (json!({"tenant_id": "weaver.example.com"}), "which is not a GUID"),
        (json!({"collected_at": "yesterday"}), "input contains invalid characters"),
        (json!({"transport": {"SmtpClientAuthenticationDisabled": "True"}}), "invalid type"),
        (json!({"cmdlets": null}), "invalid type"),
        (json!({"mailbox_plans": [{"PopEnabled": "no"}]}), "PopEnabled is \"no\""),
    ] {
        let (member, value) = change.as_object().and_then(|members| members.iter().next()).expect("a change");
        let refused = collected(|file| file[member] = value.clone()).expect_err("refused");
        assert!(refused.contains(told), "{change}: {refused}");
    }
    let half = &SMTP_OFF[..SMTP_OFF.len() / 2];
    assert!(collected::is_collected(half), "it is recognised by its start");
    assert!(collected::parse(half).expect_err("refused").contains("EOF"));
    assert!(collected::is_collected("{\"version\": 1, \"kind\" : \"lightsout-settings\"}"));
    assert!(!collected::is_collected("{\"kind\": \"other\"}"));
    assert!(!collected::is_collected("{\"userAgent\": \"\\\"kind\\\": \\\"lightsout-settings\\\"\"}"));
}

#[test]
fn a_partners_delegated_connection_does_not_say_whose_settings_they_are() {
    let file = collected(|file| file["delegated_organizations"] = json!(["weaver.onmicrosoft.com"]));
    let file = file.expect("the collector's file");
    assert_eq!((file.tenant_id, file.delegated), (None, vec!["weaver.onmicrosoft.com".to_owned()]));
}

#[test]
fn the_collector_runs_no_cmdlet_that_writes_to_exchange() {
    let reads: Vec<&str> = COLLECTOR
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| {
            word.split_once('-').is_some_and(|(verb, noun)| {
                verb.chars().next().is_some_and(|c| c.is_ascii_uppercase()) && noun.len() > 2
            })
        })
        .filter(|word| {
            ![
                "Read-Setting",
                "Read-State",
                "Copy-State",
                "Write-Warning",
                "Write-Host",
                "ForEach-Object",
                "ConvertTo-Json",
            ]
            .contains(word)
        })
        .collect();
    let comments = ["View-Only", "Connect-ExchangeOnline", "Disconnect-ExchangeOnline"];
    for word in reads {
        assert!(word.starts_with("Get-") || comments.contains(&word), "{word}");
    }
    assert!(COLLECTOR.is_ascii(), "Windows PowerShell 5.1 reads a file without a mark in the code page");
    assert!(COLLECTOR.lines().count() <= 200, "small enough to be reviewed");
}

fn report(name: &str, text: &str) -> Read {
    smtp_report::parse(text, name).expect("a report")
}

fn told(read: &Read) -> String {
    let report = &read.report;
    let days = report.days.map_or_else(|| "-".to_owned(), |days| format!("{}..{}", days.first, days.last));
    format!(
        "{} senders, {} basic, {} unclear, {} messages, {days}",
        report.senders, report.basic_senders, report.unclear_senders, report.messages
    )
}

#[test]
fn a_report_is_read_whatever_its_delimiter_order_spelling_and_language() {
    for (text, expected) in [
        (
            "Sender address,Domain,TLS 1.0,TLS 1.1,TLS 1.2,Messages sent,Authentication protocol\n\
             Scanner@weaver.example.com,weaver.example.com,0%,0%,100%,\"1,204\",Basic\n\
             crm@weaver.example.com,weaver.example.com,0%,0%,100%,88,OAuth\n",
            "2 senders, 1 basic, 0 unclear, 1292 messages, -",
        ),
        (
            "sep=;\r\nMESSAGES_SENT;TLS1.2;TLS1.1;TLS1.0;domain;sender_address\r\n12;100;0;0;a.example;x@a.example\r\n",
            "1 senders, 0 basic, 1 unclear, 12 messages, -",
        ),
        (
            "\u{feff}Absenderadresse\tDomäne\tTLS 1.0 (Prozent)\tTLS 1.1 (Prozent)\tTLS 1.2 (Prozent)\tGesendete Nachrichten\n\
             x@a.example\ta.example\t0\t0\t100\t1.204\n",
            "1 senders, 0 basic, 1 unclear, 1204 messages, -",
        ),
        (
            "Indirizzo del mittente,Dominio,TLS 1.0,TLS 1.1,TLS 1.2,Messaggi inviati,Protocollo di autenticazione\n\
             x@a.example,a.example,0,0,100,3,XOAUTH2\n",
            "1 senders, 0 basic, 0 unclear, 3 messages, -",
        ),
        (
            "Sender adress,Domain,Messages sent,Auth protocol\nx@a.example,a.example,3,Basic auth\n",
            "1 senders, 1 basic, 0 unclear, 3 messages, -",
        ),
        ("Sender address,Domain,TLS 1.2,Messages sent\n", "0 senders, 0 basic, 0 unclear, 0 messages, -"),
    ] {
        assert_eq!(told(&report("report.csv", text)), expected, "{text}");
    }
}

#[test]
fn the_worst_row_of_a_sender_counts_and_an_unreadable_row_is_unclear() {
    let text = "Sender address,Messages sent,TLS 1.2,Authentication protocol\n\
                x@a.example,3,100,OAuth\nX@A.example,1,100,Basic\ny@a.example,1,100,Kerberos\nz@a.example,1\n\
                ,5,100,OAuth\n";
    let read = report("report.csv", text);
    assert_eq!(told(&read), "4 senders, 1 basic, 3 unclear, 5 messages, -");
    assert_eq!(read.basic_senders, ["x@a.example"]);
    assert_eq!((read.report.rows, read.report.unreadable_rows), (5, 2));
}

#[test]
fn a_file_name_states_the_range_only_if_a_report_can_have_it() {
    let text = "Sender address,Domain,Messages sent\n";
    for (name, days, last) in [
        ("in/SMTP AUTH clients_2026-10-01_2026-10-31.csv", "2026-10-01..2026-10-31", "2026-10-31"),
        ("Bericht 20261031 bis 20261001.csv", "2026-10-01..2026-10-31", "2026-10-31"),
        ("2026-10-01/report.csv", "-", "-"),
        ("report 2026-10-31.csv", "-", "2026-10-31"),
        ("report_2026-01-01_2026-10-31.csv", "-", "-"),
        ("report_12026103141.csv", "-", "-"),
        ("report_2026-13-01_2026-13-31.csv", "-", "-"),
    ] {
        let report = report(name, text).report;
        let shown =
            report.days.map_or_else(|| "-".to_owned(), |days| format!("{}..{}", days.first, days.last));
        let shown_last = report.last_day.map_or_else(|| "-".to_owned(), |day| day.to_string());
        assert_eq!((shown.as_str(), shown_last.as_str()), (days, last), "{name}");
    }
    let in_rows = "Sender address,Domain,Messages sent,Start date,End date\n\
                   x@a.example,a.example,1,2026-10-01,2026-10-30T00:00:00Z\n";
    assert!(told(&report("r.csv", in_rows)).ends_with("2026-10-01..2026-10-30"));
}

#[test]
fn tables_that_only_resemble_the_report_are_not_taken_for_it() {
    for header in [
        "Sender address,Recipient address,Subject,Status,Message ID",
        "Date (UTC),Request ID,User,Username,Client app,Domain",
        "Domain,TLS 1.0,TLS 1.1,TLS 1.2,Messages sent",
        "Sender address",
        "",
    ] {
        assert!(!smtp_report::is_report(header), "{header}");
    }
}
