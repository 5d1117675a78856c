//! Doubts that come from what is not in the lake's records: rejected records and refused files, and what
//! people have dismissed. Which tenants they are of, and what cures them, is found here; what they mean for a
//! verdict is for `assess` to say.
//!
//! `rejected` and `refused` look for them, `owners` tells whose they are, `dismissals` gathers what was
//! dismissed, `sign_ins` applies that to the doubts about sign-ins. All are rare, so nothing is read of a lake that has none.

pub mod dismissals;
mod owners;
mod refused;
mod rejected;
mod sign_ins;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::Queries;
use crate::Result;
use lightsout_model::evidence::TenantEvidence;

pub(super) use sign_ins::{NAME as SIGN_INS_NAME, SQL as SIGN_INS_SQL};

type Tenants = BTreeMap<String, TenantEvidence>;

/// Paths that a reason names.
const PATHS_SHOWN: usize = 5;

/// The time that doubts are of: window and lookback.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: DateTime<Utc>,
    /// Not in it.
    pub(super) end: DateTime<Utc>,
}

impl Queries {
    /// Adds rejected records, refused files and dismissals to the evidence of tenants that the lake knows.
    pub(super) async fn add_doubts(
        &self,
        tenants: &mut Tenants,
        window_start: DateTime<Utc>,
        span: Span,
    ) -> Result<()> {
        let dismissals = self.dismissals().await?;
        self.add_rejected(tenants, span, &dismissals).await?;
        self.add_refused(tenants, &dismissals).await?;
        self.apply_sign_in_dismissals(tenants, window_start, span, &dismissals).await?;
        for (tenant_id, dismissed) in dismissals.by_tenant {
            if let Some(tenant) = tenants.get_mut(&tenant_id) {
                tenant.dismissals = dismissed;
            }
        }
        Ok(())
    }
}

/// Something that was counted, and where.
#[derive(Debug, Default)]
struct Counted {
    count: u64,
    paths: BTreeSet<String>,
}

impl Counted {
    fn add(&mut self, count: u64, path: &str) {
        self.count += count;
        self.paths.insert(path.to_owned());
    }

    fn into_paths(self) -> Vec<String> {
        self.paths.into_iter().take(PATHS_SHOWN).collect()
    }
}
