use std::collections::BTreeMap;

use lightsout_model::change::{Change, ProtocolChange};
use lightsout_model::verdict::{ProtocolAssessment, ProtocolVerdict, TenantAssessment, TenantVerdict};

use super::*;

const TENANT: &str = "11111111-0000-4000-8000-000000000001";

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn due(protocols: &[Protocol]) -> Due {
    Due {
        tenant_id: TENANT.to_owned(),
        protocols: protocols.to_vec(),
        off_before: Vec::new(),
        effective_date: day("2026-12-24"),
        disables_smtp_client_authentication: protocols.contains(&Protocol::SmtpAuth),
        enables_outlook_modern_auth: protocols.contains(&Protocol::MapiOverHttp),
    }
}

fn campaign() -> Campaign {
    lightsout_config::campaign_file::load("basic-auth-all-protocols").expect("built in")
}

fn of(protocols: &[Protocol], name: Option<&str>, domains: &[&str]) -> Runbook {
    let due = due(protocols);
    let domains: Vec<String> = domains.iter().map(|&domain| domain.to_owned()).collect();
    let still_allowed = vec![Protocol::Imap4];
    let tenant = RunbookTenant { due: &due, name, domains: &domains, still_allowed, announcement_id: "a2" };
    runbook(&campaign(), &tenant, day("2026-12-25")).expect("Exchange has a switch for it")
}

/// What a script's head sets a variable to.
fn set<'a>(script: &'a str, variable: &str) -> &'a str {
    let start = format!("${variable} = ");
    script
        .lines()
        .find_map(|line| line.strip_prefix(&start))
        .unwrap_or_else(|| panic!("{variable}: {script}"))
}

#[test]
fn only_what_is_due_goes_off_and_only_what_is_in_use_stays_allowed() {
    let script = of(&[Protocol::Pop3, Protocol::SmtpAuth], Some("Adatum"), &["adatum.example.com"]).turn_off;
    assert_eq!(set(&script, "off"), "@('AllowBasicAuthPop', 'AllowBasicAuthSmtp')");
    assert_eq!(set(&script, "allow"), "@('AllowBasicAuthImap')");
    assert_eq!(set(&script, "protocols"), "'pop3;smtp_auth'");
    assert_eq!((set(&script, "smtpAuthAsWhole"), set(&script, "outlookModernAuth")), ("$true", "$false"));
    let outlook = of(&[Protocol::MapiOverHttp], None, &[]).turn_off;
    assert_eq!((set(&outlook, "smtpAuthAsWhole"), set(&outlook, "outlookModernAuth")), ("$false", "$true"));
}

#[test]
fn both_scripts_name_the_tenant_its_domains_and_their_last_day() {
    let Runbook { turn_off, undo, valid_until } =
        of(&[Protocol::Pop3], Some("Adatum"), &["Adatum.Example.com ", ""]);
    for script in [&turn_off, &undo] {
        assert_eq!(set(script, "tenantId"), format!("'{TENANT}'"));
        assert_eq!(set(script, "domains"), "@('adatum.example.com')");
        assert_eq!(set(script, "validFrom"), "'2026-12-24'");
        assert!(script.starts_with("\u{feff}#Requires "), "Windows PowerShell 5.1 reads it as UTF-8");
    }
    assert_eq!(valid_until, day("2026-12-28"), "three days, as long as a decision may be announced");
    assert_eq!(set(&turn_off, "validUntil"), "'2026-12-28'");
    assert_eq!(set(&undo, "validUntil"), "'2027-03-25'");
}

#[test]
fn the_body_is_the_same_in_every_tenant() {
    let body = |script: &str| script.split_once("# ---- From here on").expect("a body").1.to_owned();
    let one = of(&[Protocol::Pop3, Protocol::SmtpAuth], Some("Adatum"), &["adatum.example.com"]);
    let other = of(&[Protocol::MapiOverHttp], None, &[]);
    assert_eq!(body(&one.turn_off), body(&other.turn_off));
    assert_eq!(body(&one.undo), body(&other.undo));
}

#[test]
fn a_protocol_that_exchange_has_no_switch_for_makes_no_script() {
    let due = due(&[Protocol::PasswordGrant]);
    let tenant = RunbookTenant {
        due: &due,
        name: None,
        domains: &[],
        still_allowed: Vec::new(),
        announcement_id: "a2",
    };
    assert_eq!(runbook(&campaign(), &tenant, day("2026-12-25")), None);
    let script = of(&[Protocol::Pop3, Protocol::PasswordGrant], None, &[]).turn_off;
    assert_eq!(set(&script, "protocols"), "'pop3'", "only that is confirmed by it");
}

#[test]
fn every_protocol_that_a_campaign_may_name_has_its_switch() {
    for protocol in Protocol::NAMED {
        // Exchange has none for passwords that applications send to Entra.
        let switches = usize::from(protocol != Protocol::PasswordGrant);
        assert_eq!(SWITCHES.iter().filter(|(of, _)| *of == protocol).count(), switches, "{protocol}");
    }
}

#[test]
fn a_name_never_leaves_its_comment_and_a_text_never_its_quotes() {
    let hostile = "x\r\nRemove-Mailbox *\u{2028}#>'; rm\u{202e}";
    let Runbook { turn_off, undo, .. } = of(&[Protocol::Pop3], Some(hostile), &[hostile]);
    for script in [turn_off, undo] {
        let lines: Vec<&str> =
            script.lines().filter(|line| line.to_lowercase().contains("remove-mailbox")).collect();
        let [comment, domains] = lines.as_slice() else { panic!("{lines:?}") };
        assert!(comment.starts_with("# Tenant "), "{comment}");
        assert_eq!(*domains, "$domains = @('x  remove-mailbox * #>''; rm')");
        assert!(!script.contains(['\u{2028}', '\u{202e}', '\r']));
    }
    assert_eq!(quoted("a'b\u{2019}c\n$(x)"), "'a''b\u{2019}\u{2019}c $(x)'");
}

#[test]
fn the_policy_of_the_longest_campaign_name_fits_into_exchange() {
    use lightsout_model::campaign::{NAME_CHARACTERS_MAX, POLICY_NAME_CHARACTERS_MAX};
    assert_eq!(policy_name(&"x".repeat(NAME_CHARACTERS_MAX)).len(), POLICY_NAME_CHARACTERS_MAX);
}

#[test]
fn the_runner_connects_by_the_initial_domain_or_by_the_id() {
    let domains = ["adatum.example.com".to_owned(), " Adatum.onMicrosoft.com".to_owned()];
    assert_eq!(organization(TENANT, &domains), "adatum.onmicrosoft.com");
    assert_eq!(organization(TENANT, &domains[..1]), TENANT);
    let of_hybrid = ["adatum.mail.onmicrosoft.com".to_owned(), "adatum.onmicrosoft.us".to_owned()];
    assert_eq!(organization(TENANT, &of_hybrid), "adatum.onmicrosoft.us");
    let tenant = RunnerTenant {
        tenant_id: TENANT.to_owned(),
        folder: TENANT.to_owned(),
        organization: "adatum.onmicrosoft.com".to_owned(),
        announcement_id: "a2".to_owned(),
        is_due: false,
    };
    let text = runner(&campaign(), &[tenant], day("2026-12-25"));
    let row = text.lines().find(|line| line.contains("[pscustomobject]@{ TenantId")).expect("a row");
    assert!(
        row.ends_with("Organization = 'adatum.onmicrosoft.com'; Announcement = 'a2'; Due = $false }"),
        "{row}"
    );
}

fn assessed(verdicts: &[(Protocol, ProtocolVerdict)]) -> TenantAssessment {
    let protocols = verdicts.iter().map(|(protocol, verdict)| ProtocolAssessment {
        protocol: *protocol,
        in_scope: true,
        verdict: *verdict,
        users: 0,
        sign_ins: 0,
        interrupted: 0,
        blocked: 0,
        failures: 0,
        unknown: 0,
        last_seen: None,
    });
    TenantAssessment {
        tenant_id: TENANT.to_owned(),
        display_name: None,
        verdict: TenantVerdict::Warning,
        reasons: Vec::new(),
        evidence_reasons: Vec::new(),
        objections: Vec::new(),
        dismissals: Vec::new(),
        protocols: protocols.collect(),
        protocols_in_use: Vec::new(),
        protocols_clear: Vec::new(),
        users: 0,
        first_day: None,
        last_day: None,
        days_seen: BTreeMap::new(),
        lookback_days_seen: BTreeMap::new(),
        gaps: Vec::new(),
    }
}

fn allowed(protocols: &[(Protocol, ProtocolChange)], judged: Option<&TenantAssessment>) -> Vec<Protocol> {
    let change = Change {
        tenant_id: TENANT.to_owned(),
        decision_id: "d".to_owned(),
        announced_on: day("2026-11-24"),
        effective_date: day("2026-12-24"),
        effective_date_before: None,
        why: None,
        protocols: protocols.iter().cloned().collect::<BTreeMap<_, _>>(),
    };
    let due = Due { off_before: change.off(), ..due(&change.pending()) };
    still_allowed(&due, &change, judged)
}

#[test]
fn a_new_policy_allows_what_is_in_use_or_kept_and_nothing_else() {
    let opted_out = || ProtocolChange::OptedOut { on: day("2026-12-01"), by: None };
    let off = || ProtocolChange::Off { on: day("2026-12-24") };
    let pop = [(Protocol::Pop3, ProtocolChange::Pending)];
    let of_pop = (Protocol::Pop3, ProtocolVerdict::Unused);
    let unused = assessed(&[of_pop, (Protocol::SmtpAuth, ProtocolVerdict::Unused)]);
    assert_eq!(allowed(&pop, Some(&unused)), []);
    assert_eq!(allowed(&pop, Some(&assessed(&[of_pop]))), [Protocol::SmtpAuth], "nobody judged it");
    let judged = assessed(&[
        (Protocol::SmtpAuth, ProtocolVerdict::InUse),
        (Protocol::ReportingWebServices, ProtocolVerdict::Unproven),
        (Protocol::RemotePowershell, ProtocolVerdict::Attempted),
        (Protocol::ExchangeActivesync, ProtocolVerdict::InUse),
    ]);
    let protocols = [
        (Protocol::Pop3, ProtocolChange::Pending),
        (Protocol::Imap4, opted_out()),
        (Protocol::ExchangeActivesync, off()),
    ];
    let expected = [Protocol::Imap4, Protocol::SmtpAuth, Protocol::ReportingWebServices];
    assert_eq!(allowed(&protocols, Some(&judged)), expected);
}

#[test]
fn activesync_and_outlook_keep_autodiscover_and_a_nameless_client_keeps_everything() {
    let pop = [(Protocol::Pop3, ProtocolChange::Pending)];
    let smtp_auth = (Protocol::SmtpAuth, ProtocolVerdict::Unused);
    let phone = assessed(&[(Protocol::ExchangeActivesync, ProtocolVerdict::InUse), smtp_auth]);
    assert_eq!(allowed(&pop, Some(&phone)), [Protocol::ExchangeActivesync, Protocol::Autodiscover]);
    let nameless = assessed(&[(Protocol::OtherLegacy, ProtocolVerdict::InUse)]);
    assert_eq!(allowed(&pop, Some(&nameless)).len(), SWITCHES.len() - 1);
    assert_eq!(allowed(&pop, None).len(), SWITCHES.len() - 1);
}
