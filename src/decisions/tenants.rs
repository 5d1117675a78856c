//! What was decided of each tenant, as rows of `decision_tenants`: one way to write them, one to read them. Columns are
//! for SQL; what a notice says beside is JSON.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::decision::DecisionRow;
use crate::error::{Error, Result};
use lightsout_lake::rows::{from_batch, to_batch};
use lightsout_lake::schema::Table;
use lightsout_model::evidence::{Dismissal, TenantEvidence};
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::Category;
use lightsout_model::verdict::{
    Assessment, CoverageGap, ProtocolAssessment, Reason, TenantAssessment, TenantVerdict,
};

/// Tenants that are written, or compared, at a time.
pub(crate) const STEP_TENANTS: usize = 1_000;

/// The columns that verdicts are read from: evidence can be large.
pub(crate) const VERDICT_COLUMNS: [&str; 11] = [
    "tenant_id",
    "display_name",
    "verdict",
    "protocols",
    "protocols_in_use",
    "protocols_clear",
    "users",
    "first_day",
    "last_day",
    "details",
    "reasons",
];

/// A row without its evidence.
#[derive(Serialize, Deserialize)]
struct VerdictRow {
    tenant_id: String,
    display_name: Option<String>,
    verdict: TenantVerdict,
    reasons: String,
    protocols: Vec<ProtocolAssessment>,
    protocols_in_use: String,
    protocols_clear: String,
    users: u64,
    first_day: Option<NaiveDate>,
    last_day: Option<NaiveDate>,
    details: String,
}

/// A row as it is written.
#[derive(Serialize)]
struct NewRow<'a> {
    decision_id: &'a str,
    #[serde(flatten)]
    verdict: VerdictRow,
    evidence: Option<String>,
}

/// The column `details`. Kept for good: a member that comes later needs a default.
#[derive(Serialize, Deserialize)]
struct Details {
    reasons: Vec<Reason>,
    evidence_reasons: Vec<Reason>,
    objections: Vec<Reason>,
    dismissals: Vec<Dismissal>,
    days_seen: BTreeMap<Category, u32>,
    #[serde(default)]
    lookback_days_seen: BTreeMap<Category, u32>,
    gaps: Vec<CoverageGap>,
}

pub(crate) fn joined(protocols: &[Protocol]) -> String {
    protocols.iter().map(|protocol| protocol.as_str()).collect::<Vec<_>>().join(";")
}

impl VerdictRow {
    fn of(tenant: &TenantAssessment) -> serde_json::Result<Self> {
        let TenantAssessment {
            tenant_id,
            display_name,
            verdict,
            reasons,
            evidence_reasons,
            objections,
            dismissals,
            protocols,
            protocols_in_use,
            protocols_clear,
            users,
            first_day,
            last_day,
            days_seen,
            lookback_days_seen,
            gaps,
        } = tenant.clone();
        let codes = Reason::codes(&reasons).join(";");
        let details = Details {
            reasons,
            evidence_reasons,
            objections,
            dismissals,
            days_seen,
            lookback_days_seen,
            gaps,
        };
        Ok(Self {
            tenant_id,
            display_name,
            verdict,
            reasons: codes,
            protocols,
            protocols_in_use: joined(&protocols_in_use),
            protocols_clear: joined(&protocols_clear),
            users,
            first_day,
            last_day,
            details: serde_json::to_string(&details)?,
        })
    }

    fn into_assessment(self) -> Result<TenantAssessment> {
        let unreadable = |source| Error::Unreadable { source };
        let Details {
            reasons,
            evidence_reasons,
            objections,
            dismissals,
            days_seen,
            lookback_days_seen,
            gaps,
        } = serde_json::from_str(&self.details).map_err(unreadable)?;
        Ok(TenantAssessment {
            tenant_id: self.tenant_id,
            display_name: self.display_name,
            verdict: self.verdict,
            reasons,
            evidence_reasons,
            objections,
            dismissals,
            protocols: self.protocols,
            protocols_in_use: protocols(&self.protocols_in_use)?,
            protocols_clear: protocols(&self.protocols_clear)?,
            users: self.users,
            first_day: self.first_day,
            last_day: self.last_day,
            days_seen,
            lookback_days_seen,
            gaps,
        })
    }
}

fn protocols(joined: &str) -> Result<Vec<Protocol>> {
    let names = joined.split(';').filter(|name| !name.is_empty());
    let protocol = |name: &str| {
        name.parse().map_err(|_| Error::Unreadable {
            source: serde::de::Error::custom(format!("expected a protocol, found {name}")),
        })
    };
    names.map(protocol).collect()
}

/// The rows of a decision, in steps: the verdicts of `assessment` with the evidence of each tenant.
pub fn batches<'a>(
    assessment: &'a Assessment,
    evidence: &'a [TenantEvidence],
) -> impl Iterator<Item = Result<RecordBatch>> + 'a {
    let evidence: BTreeMap<&str, &TenantEvidence> =
        evidence.iter().map(|tenant| (tenant.tenant_id.as_str(), tenant)).collect();
    let row = move |tenant: &TenantAssessment| -> serde_json::Result<NewRow<'a>> {
        let found = evidence.get(tenant.tenant_id.as_str());
        Ok(NewRow {
            decision_id: &assessment.decision_id,
            verdict: VerdictRow::of(tenant)?,
            evidence: found.map(serde_json::to_string).transpose()?,
        })
    };
    assessment.tenants.chunks(STEP_TENANTS).map(move |tenants| {
        let rows: serde_json::Result<Vec<NewRow<'_>>> = tenants.iter().map(&row).collect();
        let rows = rows.map_err(|source| Error::Unreadable { source })?;
        Ok(to_batch(Table::DecisionTenants, &rows)?)
    })
}

/// What was decided of the tenants of some rows, which have [`VERDICT_COLUMNS`].
pub(crate) fn verdicts(rows: &RecordBatch) -> Result<Vec<TenantAssessment>> {
    from_batch::<VerdictRow>(rows)?.into_iter().map(VerdictRow::into_assessment).collect()
}

/// The evidence of the tenants of some rows; none of tenants that the lake held nothing of.
pub(crate) fn evidence(rows: &RecordBatch) -> Result<Vec<TenantEvidence>> {
    #[derive(Deserialize)]
    struct EvidenceRow {
        evidence: Option<String>,
    }
    let texts = from_batch::<EvidenceRow>(rows)?.into_iter().filter_map(|row| row.evidence);
    texts.map(|text| serde_json::from_str(&text).map_err(|source| Error::Unreadable { source })).collect()
}

/// Fails unless so many of a decision's tenants were found as it has.
pub(crate) fn check_count(row: &DecisionRow, found: u64) -> Result<()> {
    match row.tenants {
        Some(expected) if expected != found => {
            Err(Error::TenantsLost { id: row.decision_id.clone(), expected, found })
        }
        Some(_) | None => Ok(()),
    }
}
