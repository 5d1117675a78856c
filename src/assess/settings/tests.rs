//! The rules of settings as a table: a line of prose, what is changed, and what follows. A case begins as a
//! tenant without logs whose settings are whole, two days older than the end of the window, and have
//! everything on.

mod reports;

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};

use crate::assess;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{
    DayRange, PastUsage, ProtocolEvidence, TenantEvidence, UserCount, Window, midnight,
};
use lightsout_model::protocol::Protocol;
use lightsout_model::settings::{
    AuthenticationPolicy, CollectedSettings, ReportEvidence, SettingsEvidence, SwitchCount,
};
use lightsout_model::tenant::{Roster, RosterTenant};
use lightsout_model::verdict::{Reason, TenantAssessment};

const TENANT: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
const WHOLE: &str = "basic-auth-all-protocols";
const BASIC_ONLY: &str = "smtp-auth-2026";

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day of a case")
}

/// Five days before 2026-10-31 are October: the window is the 30 days before it.
fn window() -> Window {
    Window::before(day("2026-10-31"), 30)
}

struct Case {
    campaign: Campaign,
    roster: Option<Vec<Protocol>>,
    settings: CollectedSettings,
    reports: Vec<ReportEvidence>,
    evidence: TenantEvidence,
}

impl Case {
    fn new(campaign: &str) -> Self {
        let all_on = SwitchCount { on: 5, ..SwitchCount::default() };
        let switched = [
            Protocol::Pop3,
            Protocol::Imap4,
            Protocol::ExchangeActivesync,
            Protocol::ExchangeWebServices,
            Protocol::MapiOverHttp,
        ];
        Self {
            campaign: lightsout_config::campaign_file::load(campaign).expect("it is embedded"),
            roster: None,
            settings: CollectedSettings {
                collected_at: midnight(day("2026-10-29")) + TimeDelta::hours(9),
                smtp_auth_disabled: Some(false),
                smtp_auth_disabled_mailboxes: SwitchCount { unset: 5, ..SwitchCount::default() },
                mailboxes: 5,
                mailbox_switches: switched.map(|protocol| (protocol, all_on)).into(),
                plan_switches: vec![switched.map(|protocol| (protocol, true)).into()],
                ..CollectedSettings::default()
            },
            reports: Vec::new(),
            evidence: TenantEvidence { tenant_id: TENANT.to_owned(), ..TenantEvidence::default() },
        }
    }

    fn used(&mut self, protocol: Protocol, last_seen: &str) {
        let found = self.evidence.protocols.entry(protocol).or_default();
        found.usage = UserCount { users: 1, sign_ins: 3 };
        found.exchange_or_unnamed.usage = found.usage;
        found.last_seen = Some(midnight(day(last_seen)));
    }

    fn used_after(&mut self, protocol: Protocol, last: &str) {
        let found = self.evidence.protocols.entry(protocol).or_default();
        found.usage_after_window = UserCount { users: 1, sign_ins: 1 };
        found.exchange_or_unnamed.usage_after_window = found.usage_after_window;
        found.last_after_window = Some(midnight(day(last)));
    }

    fn used_before(&mut self, protocol: Protocol, last_day: &str) {
        let past = PastUsage {
            last_day: day(last_day),
            silence_needed_days: None,
            users: 1,
            sign_ins: 1,
            exchange_users: 1,
            exchange_sign_ins: 1,
        };
        let usage_before_window = UserCount { users: 1, sign_ins: 1 };
        let found =
            ProtocolEvidence { usage_before_window, past_usage: vec![past], ..ProtocolEvidence::default() };
        self.evidence.protocols.insert(protocol, found);
    }

    /// A default policy, and one that users have, as lists of the protocols that they allow Basic for.
    fn policies(&mut self, default: &[Protocol], assigned: Option<&[Protocol]>) {
        let policy = |name: &str, allowed: &[Protocol]| AuthenticationPolicy {
            called: vec![name.to_owned(), format!("CN={name},CN=Auth Policies")],
            allows_basic: Protocol::NAMED.map(|protocol| (protocol, allowed.contains(&protocol))).into(),
        };
        self.settings.default_policy = Some("Block Basic".to_owned());
        self.settings.policies = vec![policy("Block Basic", default)];
        if let Some(allowed) = assigned {
            self.settings.policies.push(policy("Scanners", allowed));
            self.settings.assigned_policies =
                BTreeMap::from([("cn=scanners,CN=Auth Policies".to_owned(), 2)]);
        }
    }

    fn smtp_auth_off(&mut self) {
        self.settings.smtp_auth_disabled = Some(true);
    }

    /// The switch of a protocol on so many of the five mailboxes is false, and in the plan.
    fn mailboxes_off(&mut self, protocol: Protocol, off: u64, plan: Option<bool>) {
        let count = SwitchCount { off, on: 5 - off, ..SwitchCount::default() };
        self.settings.mailbox_switches.insert(protocol, count);
        let plans = &mut self.settings.plan_switches[0];
        plans.remove(&protocol);
        plans.extend(plan.map(|on| (protocol, on)));
    }

    /// A report: days, stated or not, senders, of them by Basic and unclear.
    fn report(&mut self, first: &str, last: &str, stated: bool, counts: (u64, u64, u64)) {
        let (senders, basic_senders, unclear_senders) = counts;
        let days = DayRange { first: day(first), last: day(last) };
        self.reports.push(ReportEvidence { days, stated, senders, basic_senders, unclear_senders });
    }

    fn assess(self) -> TenantAssessment {
        let mut roster = Roster::default();
        if let Some(enabled) = self.roster {
            let row = RosterTenant { protocols_enabled: Some(enabled), ..RosterTenant::default() };
            roster.tenants.insert(TENANT.to_owned(), row);
        }
        let settings = SettingsEvidence { collected: Some(self.settings), reports: self.reports };
        let evidence = TenantEvidence { settings: Some(settings), ..self.evidence };
        assess(&self.campaign, &roster, &[evidence], window()).remove(0)
    }
}

/// The verdicts of some protocols, then the tenant's, then the codes of its reasons.
fn told(assessment: &TenantAssessment, protocols: &[Protocol]) -> String {
    let of = |protocol: &Protocol| {
        let row = assessment.protocols.iter().find(|row| row.protocol == *protocol);
        row.map_or("no row", |row| row.verdict.as_str())
    };
    let protocols: Vec<&str> = protocols.iter().map(of).collect();
    let codes: Vec<&str> = Reason::codes(&assessment.reasons);
    format!("{} | {} | {}", protocols.join(" "), assessment.verdict, codes.join(" "))
}

type Row = (&'static str, &'static str, &'static [Protocol], fn(&mut Case), &'static str);

const SMTP: &[Protocol] = &[Protocol::SmtpAuth];
const POP_IMAP: &[Protocol] = &[Protocol::Pop3, Protocol::Imap4];
const EWS_OAB: &[Protocol] = &[Protocol::ExchangeWebServices, Protocol::OfflineAddressBook];
const NOTHING: &str = "unproven | insufficient_evidence | no_records";
const OFF: &str = "already_off | excluded | already_off";

const SMTP_CASES: &[Row] = &[
    ("SMTP AUTH that is on in the organisation is not off.", BASIC_ONLY, SMTP, |_| {}, NOTHING),
    (
        "It is off in the organisation and inherited by all mailboxes: off, without any log.",
        BASIC_ONLY,
        SMTP,
        Case::smtp_auth_off,
        OFF,
    ),
    (
        "One mailbox has it enabled against the organisation: the logs decide.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.smtp_auth_off();
            case.settings.smtp_auth_disabled_mailboxes =
                SwitchCount { unset: 4, off: 1, ..SwitchCount::default() };
        },
        NOTHING,
    ),
    (
        "The cmdlet does not show the mailboxes' switch: not known, so not off.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.smtp_auth_off();
            case.settings.smtp_auth_disabled_mailboxes = SwitchCount { absent: 5, ..SwitchCount::default() };
        },
        NOTHING,
    ),
    (
        "The organisation's switch is not set: null is not true.",
        BASIC_ONLY,
        SMTP,
        |case| case.settings.smtp_auth_disabled = None,
        NOTHING,
    ),
    (
        "It is disabled on every mailbox, but not in the organisation: a new mailbox has it.",
        BASIC_ONLY,
        SMTP,
        |case| case.settings.smtp_auth_disabled_mailboxes = SwitchCount { on: 5, ..SwitchCount::default() },
        NOTHING,
    ),
    (
        "Settings of seven days before the end of the window are proof.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.smtp_auth_off();
            case.settings.collected_at = midnight(day("2026-10-24"));
        },
        OFF,
    ),
    (
        "Settings of eight days before it are too old.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.smtp_auth_off();
            case.settings.collected_at = midnight(day("2026-10-23"));
        },
        NOTHING,
    ),
    (
        "Settings of seven days after it are proof.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.smtp_auth_off();
            case.settings.collected_at = midnight(day("2026-11-07")) + TimeDelta::hours(20);
        },
        OFF,
    ),
    (
        "Settings of eight days after it say nothing of the window.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.smtp_auth_off();
            case.settings.collected_at = midnight(day("2026-11-08"));
        },
        NOTHING,
    ),
    (
        "A cmdlet was denied: nothing is proved, whichever it was.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.smtp_auth_off();
            case.settings.problems = vec!["Get-AcceptedDomain was denied".to_owned()];
        },
        NOTHING,
    ),
    (
        "Usage in the window comes before every setting.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.smtp_auth_off();
            case.used(Protocol::SmtpAuth, "2026-10-05");
        },
        "in_use | warning | in_use",
    ),
    (
        "Usage before the window, on an earlier day than the settings, leaves them proof.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.smtp_auth_off();
            case.used_before(Protocol::SmtpAuth, "2026-09-20");
        },
        OFF,
    ),
    (
        "Usage after the window and before the settings were read leaves them proof.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.smtp_auth_off();
            case.settings.collected_at = midnight(day("2026-11-03"));
            case.used_after(Protocol::SmtpAuth, "2026-11-01");
        },
        OFF,
    ),
    (
        "Usage after the window and after the settings were read contradicts them.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.smtp_auth_off();
            case.used_after(Protocol::SmtpAuth, "2026-11-01");
        },
        "unproven | insufficient_evidence | no_records used_after_window",
    ),
    (
        "Legacy clients without a named protocol before the settings were read leave them proof.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.smtp_auth_off();
            case.used(Protocol::OtherLegacy, "2026-10-20");
        },
        OFF,
    ),
    (
        "Legacy clients without a named protocol after the settings were read contradict them.",
        BASIC_ONLY,
        SMTP,
        |case| {
            case.smtp_auth_off();
            case.used(Protocol::OtherLegacy, "2026-10-30");
        },
        "unproven | warning | unattributed_legacy_use",
    ),
    (
        "Basic alone goes off, and no policy allows it for SMTP AUTH: off.",
        BASIC_ONLY,
        SMTP,
        |case| case.policies(&[], None),
        OFF,
    ),
    (
        "SMTP AUTH goes off as a whole: a policy against Basic is not enough.",
        WHOLE,
        SMTP,
        |case| case.policies(&[], None),
        NOTHING,
    ),
];

const PROTOCOL_CASES: &[Row] = &[
    (
        "The default policy forbids all but POP3.",
        WHOLE,
        POP_IMAP,
        |case| case.policies(&[Protocol::Pop3], None),
        "unproven already_off | insufficient_evidence | no_records",
    ),
    (
        "Users have a policy, named by its distinguished name, that allows IMAP4.",
        WHOLE,
        POP_IMAP,
        |case| case.policies(&[], Some(&[Protocol::Imap4])),
        "already_off unproven | insufficient_evidence | no_records",
    ),
    (
        "A policy forbids everything, but none is the default: users without one are not bound.",
        WHOLE,
        POP_IMAP,
        |case| {
            case.policies(&[], None);
            case.settings.default_policy = None;
        },
        "unproven unproven | insufficient_evidence | no_records",
    ),
    (
        "The default policy is none of those that were listed.",
        WHOLE,
        POP_IMAP,
        |case| {
            case.policies(&[], None);
            case.settings.default_policy = Some("Gone".to_owned());
        },
        "unproven unproven | insufficient_evidence | no_records",
    ),
    (
        "Users have a policy that was not listed.",
        WHOLE,
        POP_IMAP,
        |case| {
            case.policies(&[], None);
            case.settings.assigned_policies.insert("Gone".to_owned(), 1);
        },
        "unproven unproven | insufficient_evidence | no_records",
    ),
    (
        "POP3 is off on all mailboxes and in the plan; IMAP4 is on in one mailbox.",
        WHOLE,
        POP_IMAP,
        |case| {
            case.mailboxes_off(Protocol::Pop3, 5, Some(false));
            case.mailboxes_off(Protocol::Imap4, 4, Some(false));
        },
        "already_off unproven | insufficient_evidence | no_records",
    ),
    (
        "Off on all mailboxes, but a plan gives it to new ones, or does not say.",
        WHOLE,
        POP_IMAP,
        |case| {
            case.mailboxes_off(Protocol::Pop3, 5, Some(true));
            case.mailboxes_off(Protocol::Imap4, 5, None);
        },
        "unproven unproven | insufficient_evidence | no_records",
    ),
    (
        "EWS is off in the organisation; its neighbour in the group is not.",
        WHOLE,
        EWS_OAB,
        |case| case.settings.ews_enabled = Some(false),
        "already_off unproven | insufficient_evidence | no_records",
    ),
    (
        "EWS is not set in the organisation: null is not false.",
        WHOLE,
        EWS_OAB,
        |case| case.settings.ews_enabled = None,
        "unproven unproven | insufficient_evidence | no_records",
    ),
    (
        "The roster names what is enabled: the rest is off; what it names is not proved.",
        WHOLE,
        POP_IMAP,
        |case| case.roster = Some(vec![Protocol::Pop3]),
        "unproven already_off | insufficient_evidence | no_records",
    ),
    (
        "The roster says that nothing is enabled, and a sign-in says otherwise of IMAP4.",
        WHOLE,
        POP_IMAP,
        |case| {
            case.roster = Some(Vec::new());
            case.used(Protocol::Imap4, "2026-10-05");
        },
        "already_off in_use | warning | in_use",
    ),
    (
        "The roster says that nothing is enabled: the tenant is left out.",
        WHOLE,
        POP_IMAP,
        |case| case.roster = Some(Vec::new()),
        "already_off already_off | excluded | already_off",
    ),
    (
        "Policies, and SMTP AUTH off as a whole: nothing of the scope is left.",
        WHOLE,
        POP_IMAP,
        |case| {
            case.policies(&[], None);
            case.smtp_auth_off();
        },
        "already_off already_off | excluded | already_off",
    ),
];

#[test]
fn settings_reports_and_roster_decide_as_the_table_says() {
    let mut wrong = Vec::new();
    for (prose, campaign, protocols, change, expected) in
        [SMTP_CASES, PROTOCOL_CASES, reports::CASES].concat()
    {
        let mut case = Case::new(campaign);
        change(&mut case);
        let found = told(&case.assess(), protocols);
        if found != expected {
            wrong.push(format!("{prose}\n  wanted {expected}\n  found  {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
