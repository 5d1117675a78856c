//! A small campaign for the tests of this module: one tenant of each verdict.

mod changes;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::NoticeContext;
use super::notice::NoticeKind;
use lightsout_model::campaign::{Campaign, Operator, OperatorTranslation};
use lightsout_model::change::Change;
use lightsout_model::evidence::WhoRow;
use lightsout_model::evidence::{DayRange, Filter, FilteredExport, Month, Window};
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::{Roster, RosterTenant};
use lightsout_model::verdict::{
    Assessment, ProtocolAssessment, ProtocolVerdict, Reason, TenantAssessment, TenantVerdict,
};

pub(super) struct Sample {
    pub(super) campaign: Campaign,
    pub(super) assessment: Assessment,
    pub(super) roster: Roster,
    pub(super) who: BTreeMap<String, Vec<WhoRow>>,
    pub(super) changes: BTreeMap<String, Change>,
    pub(super) protocols_told: Option<Vec<Protocol>>,
    pub(super) notice_date: NaiveDate,
    pub(super) draft: bool,
}

pub(super) fn day(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, month, day).expect("a day of 2026")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// An embedded campaign that somebody runs.
pub(super) fn campaign(name: &str) -> Campaign {
    let mut campaign = lightsout_config::campaign_file::load(name).expect("embedded");
    campaign.operator = Some(Operator {
        name: "Example Cloud Services".to_owned(),
        contact: "the service desk, +1 555 0100".to_owned(),
        reply_to: "basic-auth@example.com".to_owned(),
        signature: Some("Ada Keller\nExample Cloud Services".to_owned()),
        translations: BTreeMap::from([(
            "de".to_owned(),
            OperatorTranslation { contact: Some("der Servicedesk, +1 555 0100".to_owned()), signature: None },
        )]),
    });
    campaign
}

fn id(n: u32) -> String {
    format!("{}-0000-4000-8000-00000000000{n}", n.to_string().repeat(8))
}

fn protocol(protocol: Protocol, in_scope: bool, verdict: ProtocolVerdict) -> ProtocolAssessment {
    ProtocolAssessment {
        protocol,
        in_scope,
        verdict,
        users: 0,
        sign_ins: 0,
        interrupted: 0,
        blocked: 0,
        failures: 0,
        unknown: 0,
        last_seen: None,
    }
}

fn used(mut row: ProtocolAssessment, users: u64, sign_ins: u64, last_seen: &str) -> ProtocolAssessment {
    (row.users, row.sign_ins, row.last_seen) = (users, sign_ins, Some(at(last_seen)));
    row
}

fn tenant(n: u32, name: &str, verdict: TenantVerdict, reasons: Vec<Reason>) -> TenantAssessment {
    TenantAssessment {
        tenant_id: id(n),
        display_name: Some(name.to_owned()),
        verdict,
        reasons,
        evidence_reasons: Vec::new(),
        objections: Vec::new(),
        dismissals: Vec::new(),
        protocols: Vec::new(),
        protocols_in_use: Vec::new(),
        protocols_clear: Vec::new(),
        users: 0,
        first_day: Some(day(10, 25)),
        last_day: Some(day(11, 23)),
        days_seen: BTreeMap::from([(Category::Interactive, 26), (Category::NonInteractive, 30)]),
        lookback_days_seen: BTreeMap::from([(Category::Interactive, 51), (Category::NonInteractive, 60)]),
        gaps: Vec::new(),
    }
}

fn no_impact(scope: &[Protocol]) -> TenantAssessment {
    let reason = Reason::Attempted { protocol: Protocol::Imap4, sign_ins: 1_243 };
    let mut alpine = tenant(1, "Alpine Ski Club", TenantVerdict::NoImpact, vec![reason]);
    alpine.protocols = scope.iter().map(|name| protocol(*name, true, ProtocolVerdict::Unused)).collect();
    for row in &mut alpine.protocols {
        if row.protocol == Protocol::Imap4 {
            row.verdict = ProtocolVerdict::Attempted;
            (row.failures, row.blocked, row.interrupted) = (1_230, 12, 1);
        }
    }
    let autodiscover = protocol(Protocol::Autodiscover, false, ProtocolVerdict::InUse);
    alpine.protocols.push(used(autodiscover, 1, 40, "2026-11-20T08:00:00Z"));
    alpine.protocols_clear = scope.to_vec();
    alpine
}

fn warning() -> TenantAssessment {
    use Protocol::{ExchangeWebServices, Imap4, OtherLegacy, Pop3, SmtpAuth};
    let reasons = vec![
        Reason::InUse { protocol: Imap4, users: 2, sign_ins: 1_204 },
        Reason::InUse { protocol: ExchangeWebServices, users: 1, sign_ins: 1 },
        Reason::UnattributedLegacyUse { users: 1, sign_ins: 7 },
    ];
    let mut harbour = tenant(2, "Harbour & Sons", TenantVerdict::Warning, reasons);
    let row = |name, verdict| protocol(name, name != OtherLegacy, verdict);
    harbour.protocols = vec![
        row(Pop3, ProtocolVerdict::Unused),
        used(row(Imap4, ProtocolVerdict::InUse), 2, 1_204, "2026-11-23T22:10:00Z"),
        row(SmtpAuth, ProtocolVerdict::Unused),
        row(Protocol::ExchangeActivesync, ProtocolVerdict::Unproven),
        used(row(ExchangeWebServices, ProtocolVerdict::InUse), 1, 1, "2026-11-02T06:30:00Z"),
        used(row(OtherLegacy, ProtocolVerdict::InUse), 3, 90, "2026-11-19T12:00:00Z"),
    ];
    harbour.objections =
        vec![Reason::UsedBeforeWindow { protocol: Protocol::ExchangeActivesync, users: 1, sign_ins: 3 }];
    harbour.protocols[2].failures = 1;
    harbour.protocols_in_use = vec![Imap4, ExchangeWebServices, OtherLegacy];
    harbour.protocols_clear = vec![Pop3, SmtpAuth];
    harbour.users = 4;
    harbour
}

/// Every reason that keeps a verdict from being reached.
pub(super) fn insufficient_reasons() -> Vec<Reason> {
    let gap = DayRange { first: day(11, 3), last: day(11, 9) };
    vec![
        Reason::NoRecords,
        Reason::CategoryMissing { category: Category::NonInteractive },
        Reason::Gap { category: Category::NonInteractive, days: gap, permitted_days: 4 },
        Reason::DaysMissing {
            category: Category::NonInteractive,
            weekdays: "Monday to Friday".to_owned(),
            expected: 22,
            seen: 17,
            needed: 21,
            missing: DayRange { first: day(11, 3), last: day(11, 11) },
        },
        Reason::NearIdle { category: Category::Interactive, days_seen: 4, window_days: 30 },
        Reason::NotSettled { category: Category::NonInteractive, last_provable_day: Some(day(11, 21)) },
        Reason::NotSettled { category: Category::Interactive, last_provable_day: None },
        Reason::WindowLongerThanHistory {
            category: Category::Interactive,
            first_covered_day: day(11, 17),
            possible_from: day(12, 7),
        },
        Reason::ColumnMissing { category: Category::Interactive, columns: vec!["clientAppUsed".to_owned()] },
        Reason::UnknownOutcome { protocol: Protocol::Pop3, sign_ins: 1 },
        Reason::UsedBeforeWindow { protocol: Protocol::SmtpAuth, users: 1, sign_ins: 3 },
        Reason::UsedAfterWindow {
            protocol: Protocol::Imap4,
            users: 1,
            sign_ins: 2,
            last_day: Some(day(11, 25)),
        },
        Reason::UnrecognisedClient { sign_ins: 5 },
        Reason::ClientNotStated { sign_ins: 1 },
        Reason::LegacyAgentElsewhere { sign_ins: 2 },
        Reason::TenantMismatch { sign_ins: 12 },
        Reason::RejectedRecords { records: 3, paths: vec!["logs/2026-11-03.json".to_owned()] },
        Reason::RefusedFiles { files: 1, paths: vec!["logs/smtp.csv".to_owned()] },
        Reason::FilteredExport {
            category: Category::Interactive,
            export: FilteredExport {
                shape: "portal_csv".to_owned(),
                filter: Filter::ClientApp("Browser".to_owned()),
                sources: 1,
                records: 812,
                first_day: day(10, 26),
                last_day: day(11, 23),
            },
        },
        Reason::SmtpReport { senders: 2, unplaced: 0 },
    ]
}

fn insufficient() -> TenantAssessment {
    let reasons = insufficient_reasons();
    let mut meadow = tenant(3, "Meadow Farm", TenantVerdict::InsufficientEvidence, reasons);
    meadow.evidence_reasons = insufficient_reasons().into_iter().take(3).collect();
    meadow.days_seen = BTreeMap::from([(Category::Interactive, 7), (Category::NonInteractive, 0)]);
    meadow.lookback_days_seen = BTreeMap::from([(Category::Interactive, 0), (Category::NonInteractive, 0)]);
    meadow.first_day = Some(day(11, 17));
    meadow
}

fn who() -> Vec<WhoRow> {
    let row = |protocol, user: &str, sign_ins, last_seen: &str| WhoRow {
        protocol,
        user: user.to_owned(),
        app: Some("Office 365 Exchange Online".to_owned()),
        client_app: Some("IMAP4".to_owned()),
        user_agent: Some("BAV2ROPC".to_owned()),
        ip_addresses: 2,
        sign_ins,
        first_seen: at("2026-10-25T00:10:00Z"),
        last_seen: at(last_seen),
    };
    let mut rows = vec![
        row(Protocol::ExchangeWebServices, "anna.berg@harbour.example", 1, "2026-11-02T06:30:00Z"),
        row(Protocol::Imap4, "scan_desk@harbour.example", 1_190, "2026-11-23T22:10:00Z"),
        row(Protocol::Imap4, "anna.berg@harbour.example", 14, "2026-11-20T09:00:00Z"),
        row(Protocol::OtherLegacy, "", 7, "2026-11-19T12:00:00Z"),
        row(Protocol::Autodiscover, "outside.scope@harbour.example", 99, "2026-11-19T12:00:00Z"),
    ];
    rows[0].client_app = Some("Exchange Web Services".to_owned());
    rows[0].user_agent = Some("macOS/13.4 (22F66) accountsd/113".to_owned());
    rows[2].user_agent = Some("Thunderbird/91.3.0".to_owned());
    rows[3] = WhoRow { app: None, client_app: None, user_agent: None, ..rows[3].clone() };
    rows
}

impl Sample {
    pub(super) fn all_protocols() -> Self {
        let campaign = campaign("basic-auth-all-protocols");
        let reason = Reason::Excluded { note: "moving to another provider".to_owned() };
        let tenants = vec![
            no_impact(&campaign.scope()),
            warning(),
            insufficient(),
            tenant(4, "Old Mill", TenantVerdict::Excluded, vec![reason]),
        ];
        let alpine = RosterTenant {
            tenant_id: id(1),
            domains: vec!["alpine.example".to_owned(), "ski.example".to_owned()],
            contacts: vec!["it@alpine.example".to_owned()],
            cloud: Some("worldwide".to_owned()),
            language: Some("en".to_owned()),
            outlook_modern_auth: Some(false),
            ..RosterTenant::default()
        };
        let harbour =
            RosterTenant { tenant_id: id(2), cloud: Some("gcc".to_owned()), ..RosterTenant::default() };
        Self {
            assessment: Assessment {
                decision_id: "d-0123abcd".to_owned(),
                campaign: campaign.name.clone(),
                window: Window::before(day(11, 24), campaign.window_days),
                tenants,
            },
            campaign,
            roster: Roster { tenants: BTreeMap::from([(id(1), alpine), (id(2), harbour)]) },
            who: BTreeMap::from([(id(2), who())]),
            changes: BTreeMap::new(),
            protocols_told: None,
            notice_date: day(11, 24),
            draft: false,
        }
    }

    pub(super) fn smtp_auth() -> Self {
        let mut sample = Self::all_protocols();
        sample.campaign = campaign("smtp-auth-2026");
        sample.assessment.campaign = sample.campaign.name.clone();
        sample.assessment.tenants[0] = no_impact(&sample.campaign.scope());
        let harbour = &mut sample.assessment.tenants[1];
        let mut row = protocol(Protocol::SmtpAuth, true, ProtocolVerdict::InUse);
        row = used(row, 1, 31, "2026-11-23T01:00:00Z");
        harbour.protocols = vec![row];
        harbour.protocols_in_use = vec![Protocol::SmtpAuth];
        harbour.protocols_clear = Vec::new();
        harbour.reasons = vec![Reason::InUse { protocol: Protocol::SmtpAuth, users: 1, sign_ins: 31 }];
        harbour.users = 1;
        for row in sample.who.values_mut().flatten() {
            row.protocol = Protocol::SmtpAuth;
        }
        sample.who.values_mut().for_each(|rows| rows.truncate(1));
        sample
    }

    /// Two scripts of Harbour & Sons sign in with -Credential.
    pub(super) fn powershell() -> Self {
        let mut sample = Self::smtp_auth();
        sample.campaign = campaign("exchange-powershell-credential");
        sample.assessment.campaign = sample.campaign.name.clone();
        sample.assessment.tenants[0] = no_impact(&sample.campaign.scope());
        let harbour = &mut sample.assessment.tenants[1];
        harbour.protocols[0].protocol = Protocol::PasswordGrant;
        harbour.protocols_in_use = vec![Protocol::PasswordGrant];
        harbour.reasons = vec![Reason::InUse { protocol: Protocol::PasswordGrant, users: 1, sign_ins: 31 }];
        for row in sample.who.values_mut().flatten() {
            row.protocol = Protocol::PasswordGrant;
            row.app = Some("Microsoft Exchange REST API Based Powershell".to_owned());
            row.client_app = Some("Mobile Apps and Desktop clients".to_owned());
            row.user_agent = None;
        }
        sample
    }

    /// Harbour & Sons in November.
    pub(super) fn usage_report() -> Self {
        let mut sample = Self::all_protocols();
        sample.assessment.window = "2026-11".parse().map(Month::window).expect("a month");
        sample.assessment.decision_id = String::new();
        sample.notice_date = day(12, 1);
        let harbour = &mut sample.assessment.tenants[1];
        (harbour.first_day, harbour.last_day) = (Some(day(11, 1)), Some(day(11, 30)));
        sample
    }

    /// A notice of every kind, with the place of its tenant.
    pub(super) fn of_every_kind() -> Vec<(NoticeKind, Self, usize)> {
        vec![
            (NoticeKind::NoImpact, Self::all_protocols(), 0),
            (NoticeKind::NoImpact, Self::smtp_auth(), 0),
            (NoticeKind::NoImpact, Self::powershell(), 0),
            (NoticeKind::Warning, Self::all_protocols(), 1),
            (NoticeKind::Warning, Self::powershell(), 1),
            (NoticeKind::Warning, Self::smtp_auth(), 1),
            (NoticeKind::SelectedProtocols, Self::all_protocols(), 1),
            (NoticeKind::InsufficientEvidence, Self::all_protocols(), 2),
            (NoticeKind::Hold, Self::hold_for_usage(), 1),
            (NoticeKind::Hold, Self::hold_for_coverage(), 2),
            (NoticeKind::FollowUp, Self::follow_up(), 1),
            (NoticeKind::Released, Self::released(), 1),
            (NoticeKind::Withdrawn, Self::withdrawn(), 1),
            (NoticeKind::Rescheduled, Self::rescheduled(), 1),
            (NoticeKind::UsedAfterChange, Self::used_after_change(), 1),
            (NoticeKind::Corrected, Self::corrected(), 1),
            (NoticeKind::OptedIn, Self::opted_in(), 1),
            (NoticeKind::UsageReport, Self::usage_report(), 1),
        ]
    }

    /// The same for tenants whose language is German.
    pub(super) fn in_german(mut self) -> Self {
        for tenant in &self.assessment.tenants {
            let tenant_id = tenant.tenant_id.clone();
            let roster = self.roster.tenants.entry(tenant_id.clone()).or_default();
            (roster.tenant_id, roster.language) = (tenant_id, Some("de-AT".to_owned()));
        }
        for change in self.changes.values_mut().filter(|change| change.why.is_some()) {
            change.why = Some("wie mit dem Kunden am Telefon besprochen".to_owned());
        }
        self
    }

    pub(super) fn context(&self) -> NoticeContext<'_> {
        NoticeContext {
            campaign: &self.campaign,
            assessment: &self.assessment,
            roster: &self.roster,
            who: &self.who,
            changes: &self.changes,
            protocols_told: self.protocols_told.as_deref(),
            notice_date: self.notice_date,
            draft: self.draft,
            rehearsal: false,
        }
    }
}
