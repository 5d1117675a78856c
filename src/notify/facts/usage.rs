//! What was used, tried or left unclear, row by row, and who did it.

use std::cmp::Reverse;

use serde::Serialize;

use super::TEXT_CHARACTERS_MAX;
use crate::campaign::Campaign;
use crate::notify::WhoRow;
use crate::notify::text::{count, date, enumerate, plain_short};
use crate::protocol::Protocol;
use crate::verdict::{ProtocolAssessment, ProtocolVerdict, Reason, TenantAssessment};

/// Rows of the table of users in one notice.
const WHO_ROWS_MAX: usize = 100;

#[derive(Debug, Serialize)]
pub(super) struct InUse {
    pub(super) name: &'static str,
    users: u64,
    sign_ins: u64,
    last_seen: String,
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
    more: usize,
    more_sign_ins: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct WhoFacts {
    user: String,
    protocol: &'static str,
    app: String,
    client: String,
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

/// In scope, neither in use nor clear, each with its reason.
pub(super) fn kept(campaign: &Campaign, scope: &[Protocol], tenant: &TenantAssessment) -> Vec<Kept> {
    let told = |protocol: &&Protocol| {
        !tenant.protocols_in_use.contains(protocol) && !tenant.protocols_clear.contains(protocol)
    };
    let why = |protocol: Protocol| {
        let row = tenant.protocols.iter().find(|row| row.protocol == protocol);
        if row.is_some_and(|row| row.verdict == ProtocolVerdict::Unproven) {
            return "the evidence cannot tell whether it is used".to_owned();
        }
        let used_with =
            campaign.group_of(protocol).iter().find(|other| tenant.protocols_in_use.contains(other));
        match used_with {
            Some(other) => {
                let outlook = protocol.group().contains(other);
                let how = if outlook { "Outlook uses it" } else { "it is only turned off" };
                format!("{how} together with {}, which is in use", other.display_name())
            }
            None => "some sign-ins cannot be attributed to a protocol, and may be of this one".to_owned(),
        }
    };
    let row = |protocol: &Protocol| Kept { name: protocol.display_name(), text: why(*protocol) };
    scope.iter().filter(told).map(row).collect()
}

/// Usage that does not decide: outside the scope.
pub(super) fn also_used(tenant: &TenantAssessment) -> Vec<InUse> {
    let outside = |row: &&ProtocolAssessment| {
        row.sign_ins > 0 && !row.in_scope && !tenant.protocols_in_use.contains(&row.protocol)
    };
    tenant.protocols.iter().filter(outside).map(|row| in_use(row.protocol, tenant)).collect()
}

pub(super) fn attempted(protocols: &[Protocol], tenant: &TenantAssessment) -> Vec<Attempted> {
    let rows = tenant.protocols.iter().filter(|row| protocols.contains(&row.protocol));
    let told = rows.map(|row| {
        let parts = [(row.failures, "failed"), (row.blocked, "blocked"), (row.interrupted, "broken off")];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, outcome)| count(n, outcome, outcome))
            .collect();
        Attempted {
            name: row.protocol.display_name(),
            total: row.failures + row.blocked + row.interrupted,
            text: enumerate(&parts),
        }
    });
    told.filter(|row| row.total > 0).collect()
}

pub(super) fn who(rows: Option<&Vec<WhoRow>>, tenant: &TenantAssessment) -> Who {
    let Some(rows) = rows else { return Who::default() };
    let mut rows: Vec<&WhoRow> =
        rows.iter().filter(|row| tenant.protocols_in_use.contains(&row.protocol)).collect();
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
            ip_addresses: row.ip_addresses,
            sign_ins: row.sign_ins,
            last_seen: date(row.last_seen.date_naive()),
        }
    }
}
