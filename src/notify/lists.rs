//! The eligibility lists: who may be told what. Five lists, each as CSV, JSON and Parquet, with its
//! columns even when it is empty, sorted by tenant id; every tenant is in exactly one, and warning
//! tenants with clear groups that are still on are in `selected_protocols` as well.

mod row;

use std::path::Path;

use super::files::decision_of;
use super::notice_content::still_on;
use super::{NoticeContext, NotifyError};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{Reason, TenantAssessment, TenantVerdict};
use lightsout_output::manifest::Manifest;

pub use row::{ListRow, MoreColumn, write_rows};

/// Tenants per list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListCounts {
    pub no_impact: usize,
    pub selected_protocols: usize,
    pub warning: usize,
    pub insufficient_evidence: usize,
    pub excluded: usize,
}

/// Writes the five lists under `out/lists/`, and their manifest when all are there.
///
/// # Errors
/// Fails if a file can't be written.
pub fn write(out: &Path, context: &NoticeContext) -> Result<ListCounts, NotifyError> {
    let folder = out.join("lists");
    let mut manifest = Manifest::begin(&folder)?;
    let mut list = |name: &str, list: List| -> Result<usize, NotifyError> {
        let rows = list.rows(context);
        let more: &[MoreColumn<'_>] = match list {
            List::Excluded => &[("exclude_reason", &|row| exclude_reason(context, row))],
            List::NoImpact | List::SelectedProtocols | List::Warning | List::InsufficientEvidence => &[],
        };
        manifest.add(write_rows(&folder, name, &rows, more)?);
        Ok(rows.len())
    };
    let counts = ListCounts {
        no_impact: list("no_impact", List::NoImpact)?,
        selected_protocols: list("selected_protocols", List::SelectedProtocols)?,
        warning: list("warning", List::Warning)?,
        insufficient_evidence: list("insufficient_evidence", List::InsufficientEvidence)?,
        excluded: list("excluded", List::Excluded)?,
    };
    manifest.finish(decision_of(context.assessment))?;
    Ok(counts)
}

/// What the roster says of its exclusion; nothing of a tenant whose whole scope is off already.
fn exclude_reason(context: &NoticeContext, row: &ListRow) -> Option<String> {
    let tenants = &context.assessment.tenants;
    let tenant = tenants.iter().find(|tenant| tenant.tenant_id == row.tenant_id)?;
    tenant.reasons.iter().find_map(|reason| match reason {
        Reason::Excluded { note } => Some(note.clone()),
        _ => None,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    NoImpact,
    SelectedProtocols,
    Warning,
    InsufficientEvidence,
    Excluded,
}

impl List {
    fn rows(self, context: &NoticeContext) -> Vec<ListRow> {
        let row = |tenant: &TenantAssessment| {
            let protocols = self.protocols(tenant, context);
            let listed = self.holds(tenant) && (self != Self::SelectedProtocols || !protocols.is_empty());
            let date = self.is_dated(context, &protocols).then(|| context.effective_date());
            listed.then(|| ListRow::of(context, tenant, protocols, date))
        };
        context.assessment.tenants.iter().filter_map(row).collect()
    }

    fn holds(self, tenant: &TenantAssessment) -> bool {
        let verdict = match self {
            Self::NoImpact => TenantVerdict::NoImpact,
            Self::Warning | Self::SelectedProtocols => TenantVerdict::Warning,
            Self::InsufficientEvidence => TenantVerdict::InsufficientEvidence,
            Self::Excluded => TenantVerdict::Excluded,
        };
        tenant.verdict == verdict
    }

    /// What is or would be announced, or for a warning what is in use. A protocol that is off already is not
    /// announced: with none left a `no_impact` tenant keeps its place, and its cell is empty.
    fn protocols(self, tenant: &TenantAssessment, context: &NoticeContext) -> Vec<Protocol> {
        let still_on = |protocols: &[Protocol]| still_on(context, tenant, protocols);
        match self {
            Self::NoImpact => still_on(&context.campaign.scope()),
            Self::SelectedProtocols => still_on(&tenant.protocols_clear),
            Self::Warning => tenant.protocols_in_use.clone(),
            Self::InsufficientEvidence | Self::Excluded => Vec::new(),
        }
    }

    /// A date of the campaign's own comes to everybody, one that follows a notice only to those whose
    /// notice announces a change.
    fn is_dated(self, context: &NoticeContext, protocols: &[Protocol]) -> bool {
        match self {
            Self::NoImpact | Self::SelectedProtocols => !protocols.is_empty(),
            Self::Warning | Self::InsufficientEvidence => context.campaign.effective_date.is_some(),
            Self::Excluded => false,
        }
    }
}

#[cfg(test)]
mod tests;
