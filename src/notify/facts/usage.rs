//! What was used, tried or left unclear, row by row, and who did it.

use std::cmp::Reverse;

use serde::Serialize;

use super::TEXT_CHARACTERS_MAX;
use super::clients::{ClientFacts, client_of, clients, kind_in_table};
use crate::NoticeContext;
use lightsout_model::evidence::WhoRow;
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{ProtocolAssessment, ProtocolVerdict, Reason, TenantAssessment};
use lightsout_output::text::{count, date, enumerate, plain_short};

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

pub(super) fn in_use(protocol: Protocol, tenant: &TenantAssessment) -> InUse {
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
        name: protocol.display_name(),
        users: counted.0,
        sign_ins: counted.1,
        last_seen: last_seen.map_or_else(|| "not known".to_owned(), |seen| date(seen.date_naive())),
    }
}

impl Kept {
    pub(super) fn new(protocol: Protocol, text: String) -> Self {
        Self { name: protocol.display_name(), text }
    }
}

/// In scope and on, neither in use nor clear, each with its reason.
pub(super) fn kept(
    scope: &[Protocol],
    already_off: &[Protocol],
    context: &NoticeContext,
    tenant: &TenantAssessment,
) -> Vec<Kept> {
    let told = |protocol: &&Protocol| {
        !tenant.protocols_in_use.contains(protocol)
            && !tenant.protocols_clear.contains(protocol)
            && !already_off.contains(protocol)
    };
    let row = |protocol: &Protocol| Kept::new(*protocol, why_kept(*protocol, context, tenant));
    scope.iter().filter(told).map(row).collect()
}

/// Why a protocol is not cleared though no usage of it is counted.
pub(super) fn why_kept(protocol: Protocol, context: &NoticeContext, tenant: &TenantAssessment) -> String {
    let group = context.campaign.group_of(protocol);
    let together = |other: Protocol| {
        let outlook = protocol.group().contains(&other);
        if outlook { "Outlook uses it together with" } else { "it is only turned off together with" }
    };
    if let Some(other) = group.iter().find(|other| tenant.protocols_in_use.contains(other)) {
        return format!("{} {}, which is in use", together(*other), other.display_name());
    }
    let row = tenant.protocols.iter().find(|row| row.protocol == protocol);
    if !tenant.evidence_reasons.is_empty() {
        "the logs are not complete for this time".to_owned()
    } else if let Some(row) = row.filter(|row| row.unknown > 0) {
        format!("{} of it without a status", count(row.unknown, "sign-in", "sign-ins"))
    } else if let Some(doubt) = tenant.objections.iter().find_map(|doubt| may_be(doubt, protocol)) {
        doubt
    } else if let Some(other) = group.iter().find(|other| **other != protocol && is_unproven(**other, tenant))
    {
        format!("{} {}, which is not cleared", together(*other), other.display_name())
    } else {
        "some sign-ins cannot be attributed to a protocol, and may be of this one".to_owned()
    }
}

/// What keeps a protocol from being cleared, if this doubt does.
fn may_be(doubt: &Reason, protocol: Protocol) -> Option<String> {
    let sign_ins = |n: u64, one: &str, more: &str| {
        format!("{} {}, and may be of it", count(n, "sign-in", "sign-ins"), if n == 1 { one } else { more })
    };
    Some(match doubt {
        Reason::UsedBeforeWindow { protocol: of, .. } if *of == protocol => {
            "it was used shortly before the time searched".to_owned()
        }
        Reason::SmtpReport { .. } if protocol == Protocol::SmtpAuth => {
            "the report \"SMTP AUTH clients\" names senders that may use it".to_owned()
        }
        Reason::UnrecognisedClient { sign_ins: n } => {
            sign_ins(*n, "comes from an unrecognised client app", "come from unrecognised client apps")
        }
        Reason::ClientNotStated { sign_ins: n } => {
            sign_ins(*n, "does not state its client app", "do not state their client app")
        }
        Reason::LegacyAgentElsewhere { sign_ins: n } => sign_ins(
            *n,
            "comes from a user agent that Exchange puts in for Basic Authentication",
            "come from a user agent that Exchange puts in for Basic Authentication",
        ),
        Reason::TenantMismatch { sign_ins: n } => {
            sign_ins(*n, "seems to be of another tenant", "seem to be of another tenant")
        }
        Reason::RejectedRecords { records, .. } => {
            format!("{} could not be read, and may be of it", count(*records, "record", "records"))
        }
        Reason::RefusedFiles { files, .. } => {
            format!("{} could not be read, and may hold sign-ins of it", count(*files, "file", "files"))
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
pub(super) fn also_used(tenant: &TenantAssessment) -> Vec<InUse> {
    // SMTP AUTH is told on its own.
    let outside = |row: &&ProtocolAssessment| {
        row.sign_ins > 0
            && !row.in_scope
            && row.protocol != Protocol::SmtpAuth
            && !tenant.protocols_in_use.contains(&row.protocol)
    };
    tenant.protocols.iter().filter(outside).map(|row| in_use(row.protocol, tenant)).collect()
}

/// Sign-ins with the right password that were not let in.
pub(super) fn attempted(protocols: &[Protocol], tenant: &TenantAssessment) -> Vec<Attempted> {
    tried(protocols, tenant, |row| vec![(row.interrupted, "interrupted"), (row.blocked, "blocked")])
}

/// Sign-ins with a wrong password, or by nobody that there is.
pub(super) fn failed(protocols: &[Protocol], tenant: &TenantAssessment) -> Vec<Attempted> {
    tried(protocols, tenant, |row| vec![(row.failures, "failed")])
}

fn tried(
    protocols: &[Protocol],
    tenant: &TenantAssessment,
    outcomes: impl Fn(&ProtocolAssessment) -> Vec<(u64, &'static str)>,
) -> Vec<Attempted> {
    let rows = tenant.protocols.iter().filter(|row| protocols.contains(&row.protocol));
    let told = rows.map(|row| {
        let outcomes = outcomes(row);
        let parts: Vec<String> =
            outcomes.iter().filter(|(n, _)| *n > 0).map(|(n, outcome)| count(*n, outcome, outcome)).collect();
        Attempted {
            name: row.protocol.display_name(),
            total: outcomes.iter().map(|(n, _)| n).sum(),
            text: enumerate(&parts),
        }
    });
    told.filter(|row| row.total > 0).collect()
}

/// The users of some protocols, those with the most sign-ins first.
pub(super) fn who(rows: Option<&Vec<WhoRow>>, protocols: &[Protocol]) -> Who {
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
        clients: clients(&rows),
        rows: rows.iter().take(WHO_ROWS_MAX).map(|row| WhoFacts::of(row)).collect(),
    }
}

impl WhoFacts {
    fn of(row: &WhoRow) -> Self {
        let short = |text: &str| Some(plain_short(text, TEXT_CHARACTERS_MAX)).filter(|text| !text.is_empty());
        let client: Vec<String> =
            [&row.client_app, &row.user_agent].into_iter().flatten().filter_map(|text| short(text)).collect();
        Self {
            user: short(&row.user).unwrap_or_else(|| "no user named".to_owned()),
            protocol: row.protocol.display_name(),
            app: row.app.as_deref().and_then(short).unwrap_or_else(|| "not named".to_owned()),
            client: if client.is_empty() { "not named".to_owned() } else { client.join("; ") },
            kind: kind_in_table(&client_of(row)),
            ip_addresses: row.ip_addresses,
            sign_ins: row.sign_ins,
            last_seen: date(row.last_seen.date_naive()),
        }
    }
}
