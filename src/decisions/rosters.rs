//! Rosters as rows of `rosters`, each version once, named by its hash.

use std::collections::BTreeMap;
use std::io;

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::decision::DecisionRow;
use crate::error::{Error, Result};
use crate::parts_hasher::PartsHasher;
use crate::tenants::STEP_TENANTS;
use lightsout_lake::rows::{from_batch, to_batch};
use lightsout_lake::schema::Table;
use lightsout_model::tenant::{Roster, RosterTenant};

#[derive(Serialize)]
struct NewRow<'a> {
    roster_hash: &'a str,
    tenant_id: &'a str,
    roster_row: String,
}

#[derive(Deserialize)]
struct StoredRow {
    tenant_id: String,
    roster_row: String,
}

/// The rows of a roster, in steps; none of one without tenants.
pub fn batches<'a>(
    roster_hash: &'a str,
    roster: &'a Roster,
) -> impl Iterator<Item = Result<RecordBatch>> + 'a {
    let row = move |(tenant_id, tenant): (&'a String, &RosterTenant)| -> serde_json::Result<NewRow<'a>> {
        Ok(NewRow { roster_hash, tenant_id, roster_row: serde_json::to_string(tenant)? })
    };
    let mut tenants = roster.tenants.iter().peekable();
    std::iter::from_fn(move || {
        tenants.peek()?;
        let rows: serde_json::Result<Vec<NewRow<'_>>> =
            tenants.by_ref().take(STEP_TENANTS).map(row).collect();
        Some(rows)
    })
    .map(|rows| {
        let rows = rows.map_err(|source| Error::Unreadable { source })?;
        Ok(to_batch(Table::Rosters, &rows)?)
    })
}

/// The rows of one roster, as they are read.
#[derive(Default)]
pub(crate) struct StoredRoster(BTreeMap<String, String>);

impl StoredRoster {
    pub(crate) fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        let rows = from_batch::<StoredRow>(rows)?;
        self.0.extend(rows.into_iter().map(|row| (row.tenant_id, row.roster_row)));
        Ok(())
    }

    /// The hash of the roster's JSON, from the texts of its rows: what a later program would write of them may differ.
    fn hash(&self) -> io::Result<String> {
        let mut hasher = PartsHasher::default();
        hasher.written(|to| {
            to.write_all(b"{\"tenants\":{")?;
            for (at, (tenant_id, row)) in self.0.iter().enumerate() {
                if at > 0 {
                    to.write_all(b",")?;
                }
                serde_json::to_writer(&mut *to, tenant_id)?;
                to.write_all(b":")?;
                to.write_all(row.as_bytes())?;
            }
            to.write_all(b"}}")
        })?;
        Ok(hasher.finish())
    }

    /// The roster of a decision.
    pub(crate) fn into_roster_of(self, row: &DecisionRow) -> Result<Roster> {
        // A row that is missing, or was changed since, changes the hash.
        if self.hash().is_ok_and(|hash| hash == row.roster_hash) {
            return self.into_roster();
        }
        Err(Error::RosterLost { id: row.decision_id.clone(), roster_hash: row.roster_hash.clone() })
    }

    fn into_roster(self) -> Result<Roster> {
        let tenant = |(tenant_id, row): (String, String)| {
            let row = serde_json::from_str(&row).map_err(|source| Error::Unreadable { source })?;
            Ok((tenant_id, row))
        };
        Ok(Roster { tenants: self.0.into_iter().map(tenant).collect::<Result<_>>()? })
    }
}
