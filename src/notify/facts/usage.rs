//! What was used, tried or left unclear, row by row, and who did it.

use std::cmp::Reverse;

use serde::Serialize;

use super::TEXT_CHARACTERS_MAX;
use super::clients::{ClientFacts, client_of, clients, kind_in_table};
use crate::NoticeContext;
use crate::locale::Locale;
use crate::phrases;
use lightsout_model::evidence::WhoRow;
use lightsout_model::language::LocalText;
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{ProtocolAssessment, ProtocolVerdict, Reason, TenantAssessment};
use lightsout_output::text::plain_short;

/// Rows of the table of users in one notice.
const WHO_ROWS_MAX: usize = 100;

#[derive(Debug, Serialize)]
pub(super) struct InUse {
    pub(super) name: &'static str,
    pub(super) users: u64,
    pub(super) sign_ins: u64,
    pub(super) last_seen: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Kept {
    name: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Attempted {
    name: &'static str,
    total: u64,
    text: String,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Who {
    rows: Vec<WhoFacts>,
    /// What to do about each client, of all rows.
    clients: Vec<ClientFacts>,
    more: usize,
    more_sign_ins: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct WhoFacts {
    user: String,
    protocol: &'static str,
    app: String,
    client: String,
    /// What the client is, as far as user agent and application tell.
    kind: String,
    ip_addresses: u64,
    sign_ins: u64,
    last_seen: String,
}

pub(super) fn in_use(protocol: Protocol, tenant: &TenantAssessment, locale: Locale) -> InUse {
    let row = tenant.protocols.iter().find(|row| row.protocol == protocol);
    let mut counted = row.map_or((0, 0), |row| (row.users, row.sign_ins));
    // Only the part at Exchange Online, or at no named resource, is what the warning is about.
    if protocol == Protocol::OtherLegacy {
        for reason in &tenant.reasons {
            if let Reason::UnattributedLegacyUse { users, sign_ins } = reason {
                counted = (*users, *sign_ins);
            }
        }
    }
    let last_seen = row.and_then(|row| row.last_seen);
    InUse {
        name: locale.protocol(protocol),
        users: counted.0,
        sign_ins: counted.1,
        last_seen: last_seen.map_or_else(
            || locale.text(phrases::NOT_KNOWN).to_owned(),
            |seen| locale.date(seen.date_naive()),
        ),
    }
}

impl Kept {
    pub(super) fn new(protocol: Protocol, text: String, locale: Locale) -> Self {
        Self { name: locale.protocol(protocol), text }
    }
}

/// In scope and on, neither in use nor clear, each with its reason.
pub(super) fn kept(
    scope: &[Protocol],
    already_off: &[Protocol],
    context: &NoticeContext,
    tenant: &TenantAssessment,
    locale: Locale,
) -> Vec<Kept> {
    let told = |protocol: &&Protocol| {
        !tenant.protocols_in_use.contains(protocol)
            && !tenant.protocols_clear.contains(protocol)
            && !already_off.contains(protocol)
    };
    let row =
        |protocol: &Protocol| Kept::new(*protocol, why_kept(*protocol, context, tenant, locale), locale);
    scope.iter().filter(told).map(row).collect()
}

/// Why a protocol is not cleared though no usage of it is counted.
pub(super) fn why_kept(
    protocol: Protocol,
    context: &NoticeContext,
    tenant: &TenantAssessment,
    locale: Locale,
) -> String {
    let group = context.campaign.group_of(protocol);
    let together = |other: Protocol, of_outlook: LocalText, of_campaign: LocalText| {
        let text = if protocol.group().contains(&other) { of_outlook } else { of_campaign };
        locale.fill(text, &[("other", locale.protocol(other))])
    };
    if let Some(other) = group.iter().find(|other| tenant.protocols_in_use.contains(other)) {
        return together(*other, phrases::OUTLOOK_IN_USE, phrases::GROUP_IN_USE);
    }
    let row = tenant.protocols.iter().find(|row| row.protocol == protocol);
    if !tenant.evidence_reasons.is_empty() {
        locale.text(phrases::LOGS_INCOMPLETE).to_owned()
    } else if let Some(row) = row.filter(|row| row.unknown > 0) {
        let sign_ins = locale.count(row.unknown, phrases::SIGN_INS);
        let one = row.unknown == 1;
        let text = if one { phrases::WITHOUT_STATUS_ONE } else { phrases::WITHOUT_STATUS_MANY };
        locale.fill(text, &[("sign_ins", &sign_ins)])
    } else if let Some(doubt) = tenant.objections.iter().find_map(|doubt| may_be(doubt, protocol, locale)) {
        doubt
    } else if let Some(other) = group.iter().find(|other| **other != protocol && is_unproven(**other, tenant))
    {
        together(*other, phrases::OUTLOOK_NOT_CLEARED, phrases::GROUP_NOT_CLEARED)
    } else {
        locale.text(phrases::NOT_ATTRIBUTED).to_owned()
    }
}

/// What keeps a protocol from being cleared, if this doubt does.
fn may_be(doubt: &Reason, protocol: Protocol, locale: Locale) -> Option<String> {
    let sign_ins = |n: u64, one: LocalText, many: LocalText| {
        let counted = locale.count(n, phrases::SIGN_INS);
        locale.fill(if n == 1 { one } else { many }, &[("sign_ins", &counted)])
    };
    Some(match doubt {
        Reason::UsedBeforeWindow { protocol: of, .. } if *of == protocol => {
            locale.text(phrases::USED_BEFORE).to_owned()
        }
        Reason::UsedAfterWindow { protocol: of, .. } if *of == protocol => {
            locale.text(phrases::USED_AFTER).to_owned()
        }
        Reason::SmtpReport { .. } if protocol == Protocol::SmtpAuth => {
            locale.text(phrases::REPORT_NAMES_SENDERS).to_owned()
        }
        Reason::UnrecognisedClient { sign_ins: n } => {
            sign_ins(*n, phrases::UNRECOGNISED_CLIENT_ONE, phrases::UNRECOGNISED_CLIENT_MANY)
        }
        Reason::ClientNotStated { sign_ins: n } => {
            sign_ins(*n, phrases::CLIENT_NOT_STATED_ONE, phrases::CLIENT_NOT_STATED_MANY)
        }
        Reason::LegacyAgentElsewhere { sign_ins: n } => {
            sign_ins(*n, phrases::LEGACY_AGENT_ONE, phrases::LEGACY_AGENT_MANY)
        }
        Reason::TenantMismatch { sign_ins: n } => {
            sign_ins(*n, phrases::OTHER_TENANT_ONE, phrases::OTHER_TENANT_MANY)
        }
        Reason::RejectedRecords { records, .. } => {
            let one = *records == 1;
            let text = if one { phrases::UNREADABLE_RECORDS_ONE } else { phrases::UNREADABLE_RECORDS_MANY };
            locale.fill(text, &[("records", &locale.count(*records, phrases::RECORDS))])
        }
        Reason::RefusedFiles { files, .. } => {
            let one = *files == 1;
            let text = if one { phrases::UNREADABLE_FILES_ONE } else { phrases::UNREADABLE_FILES_MANY };
            locale.fill(text, &[("files", &locale.count(*files, phrases::FILES))])
        }
        _ => return None,
    })
}

fn is_unproven(protocol: Protocol, tenant: &TenantAssessment) -> bool {
    let of_it =
        |row: &ProtocolAssessment| row.protocol == protocol && row.verdict == ProtocolVerdict::Unproven;
    tenant.protocols.iter().any(of_it)
}

/// Usage that does not decide: outside the scope.
pub(super) fn also_used(tenant: &TenantAssessment, locale: Locale) -> Vec<InUse> {
    // SMTP AUTH is told on its own.
    let outside = |row: &&ProtocolAssessment| {
        row.sign_ins > 0
            && !row.in_scope
            && row.protocol != Protocol::SmtpAuth
            && !tenant.protocols_in_use.contains(&row.protocol)
    };
    tenant.protocols.iter().filter(outside).map(|row| in_use(row.protocol, tenant, locale)).collect()
}

/// Sign-ins with the right password that were not let in.
pub(super) fn attempted(protocols: &[Protocol], tenant: &TenantAssessment, locale: Locale) -> Vec<Attempted> {
    tried(protocols, tenant, locale, |row| {
        vec![(row.interrupted, phrases::INTERRUPTED), (row.blocked, phrases::BLOCKED)]
    })
}

/// Sign-ins with a wrong password, or by nobody that there is.
pub(super) fn failed(protocols: &[Protocol], tenant: &TenantAssessment, locale: Locale) -> Vec<Attempted> {
    tried(protocols, tenant, locale, |row| vec![(row.failures, phrases::FAILED)])
}

fn tried(
    protocols: &[Protocol],
    tenant: &TenantAssessment,
    locale: Locale,
    outcomes: impl Fn(&ProtocolAssessment) -> Vec<(u64, LocalText)>,
) -> Vec<Attempted> {
    let rows = tenant.protocols.iter().filter(|row| protocols.contains(&row.protocol));
    let told = rows.map(|row| {
        let outcomes = outcomes(row);
        let some = outcomes.iter().filter(|(n, _)| *n > 0);
        let parts: Vec<String> =
            some.map(|(n, outcome)| format!("{} {}", locale.number(*n), locale.text(*outcome))).collect();
        Attempted {
            name: locale.protocol(row.protocol),
            total: outcomes.iter().map(|(n, _)| n).sum(),
            text: locale.enumerate(&parts),
        }
    });
    told.filter(|row| row.total > 0).collect()
}

/// The users of some protocols, those with the most sign-ins first.
pub(super) fn who(rows: Option<&Vec<WhoRow>>, protocols: &[Protocol], locale: Locale) -> Who {
    let Some(rows) = rows else { return Who::default() };
    let mut rows: Vec<&WhoRow> = rows.iter().filter(|row| protocols.contains(&row.protocol)).collect();
    rows.sort_by_cached_key(|row| {
        (
            Reverse(row.sign_ins),
            row.user.clone(),
            row.protocol,
            row.app.clone(),
            row.client_app.clone(),
            row.user_agent.clone(),
            row.last_seen,
        )
    });
    let left_out = rows.get(WHO_ROWS_MAX..).unwrap_or_default();
    Who {
        more: left_out.len(),
        more_sign_ins: left_out.iter().map(|row| row.sign_ins).sum(),
        clients: clients(&rows, locale),
        rows: rows.iter().take(WHO_ROWS_MAX).map(|row| WhoFacts::of(row, locale)).collect(),
    }
}

impl WhoFacts {
    fn of(row: &WhoRow, locale: Locale) -> Self {
        let short = |text: &str| Some(plain_short(text, TEXT_CHARACTERS_MAX)).filter(|text| !text.is_empty());
        let not_named = || locale.text(phrases::NOT_NAMED).to_owned();
        let client: Vec<String> =
            [&row.client_app, &row.user_agent].into_iter().flatten().filter_map(|text| short(text)).collect();
        Self {
            user: short(&row.user).unwrap_or_else(|| locale.text(phrases::NO_USER).to_owned()),
            protocol: locale.protocol(row.protocol),
            app: row.app.as_deref().and_then(short).unwrap_or_else(not_named),
            client: if client.is_empty() { not_named() } else { client.join("; ") },
            kind: kind_in_table(&client_of(row, locale), locale),
            ip_addresses: row.ip_addresses,
            sign_ins: row.sign_ins,
            last_seen: locale.date(row.last_seen.date_naive()),
        }
    }
}
