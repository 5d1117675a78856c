//! What has changed in a campaign since a moment: its decisions of then and now, and its ledger at both.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::state::CampaignState;
use crate::error::Result;
use crate::{MEMORY_LIMIT_BYTES, session};
use lightsout_campaign::diff::{DiffRow, Moment, diff};
use lightsout_campaign::status::{StatusRow, status};
use lightsout_campaign::{Event, Ledger};
use lightsout_decisions::compare::compare;
use lightsout_decisions::decision::DecisionHead;
use lightsout_decisions::{reproduce, store};
use lightsout_lake::rows::{from_batch, to_batch};
use lightsout_lake::schema::Table;
use lightsout_model::verdict::{Assessment, TenantAssessment};

/// What has changed, and which decisions were compared.
#[derive(Debug)]
pub struct Difference {
    /// The latest decision before the moment; `None`: there was none, and no verdict is compared.
    pub decision_before: Option<String>,
    pub decision_after: Option<String>,
    pub rows: Vec<DiffRow>,
}

impl Difference {
    /// Tenants of which something got worse.
    #[must_use]
    pub fn worse(&self) -> usize {
        self.rows.iter().filter(|row| row.is_worse).count()
    }
}

/// Compares the campaign as it is with what it was before `since`.
///
/// # Errors
/// Fails if the lake can't be read, or has lost a part of one of the decisions.
pub async fn since(state: &CampaignState, since: DateTime<Utc>) -> Result<Difference> {
    let is_before = |head: &DecisionHead| head.campaign == state.campaign.name && head.decided_at < since;
    let before = store::heads(&state.lake)?.into_iter().rfind(is_before);
    let decisions = [before.map(|head| head.decision_id), state.latest().map(|row| row.decision_id.clone())];
    let ledger_before = ledger_before(state, since).await?;
    compared(state, decisions, &ledger_before, since)
}

/// Compares a decision with the campaign's latest other one; the ledger is the same.
///
/// # Errors
/// As [`since`].
pub fn since_other_decision(state: &CampaignState, decision_id: &str) -> Result<Difference> {
    let is_other =
        |head: &DecisionHead| head.campaign == state.campaign.name && head.decision_id != decision_id;
    let before = store::heads(&state.lake)?.into_iter().rfind(is_other).map(|head| head.decision_id);
    compared(state, [before, Some(decision_id.to_owned())], &state.ledger, state.now)
}

fn compared(
    state: &CampaignState,
    [decision_before, decision_after]: [Option<String>; 2],
    ledger_before: &Ledger,
    then: DateTime<Utc>,
) -> Result<Difference> {
    let read = |id: Option<&str>| -> Result<Option<Assessment>> {
        let Some(id) = id else { return Ok(None) };
        Ok(Some(reproduce::verdicts(&state.lake, &store::find(&state.lake, id)?, |_| {})?))
    };
    let assessed = [read(decision_before.as_deref())?, read(decision_after.as_deref())?];
    let roster = state.current_roster()?;
    let rows = [(ledger_before, then), (&state.ledger, state.now)];
    let mut rows = rows.iter().zip(&assessed).map(|((ledger, at), assessment)| {
        status(&state.campaign, &roster, assessment.as_ref(), ledger, at.date_naive())
    });
    let (rows_before, rows_after) = (rows.next().unwrap_or_default(), rows.next().unwrap_or_default());
    let mut why: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if let [Some(before), Some(after)] = &assessed {
        let changes = compare(&before.tenants, &after.tenants);
        why.extend(changes.into_iter().map(|change| (change.tenant_id, change.why)));
    }
    // Without a decision of before, what was decided since is no change of a tenant's state either.
    let rows_before = if assessed[0].is_some() { rows_before } else { announced_only(rows_before) };
    let rows_after = if assessed[0].is_some() { rows_after } else { announced_only(rows_after) };
    let rows = diff(
        Moment { tenants: tenants_of(assessed[0].as_ref()), rows: &rows_before },
        Moment { tenants: tenants_of(assessed[1].as_ref()), rows: &rows_after },
        &why,
    );
    Ok(Difference { decision_before, decision_after, rows })
}

fn tenants_of(assessment: Option<&Assessment>) -> &[TenantAssessment] {
    assessment.map_or(&[], |assessment| &assessment.tenants)
}

fn announced_only(mut rows: Vec<StatusRow>) -> Vec<StatusRow> {
    rows.retain(|row| row.announced_on.is_some());
    rows
}

/// The ledger of what had happened before a moment.
async fn ledger_before(state: &CampaignState, moment: DateTime<Utc>) -> Result<Ledger> {
    let mut rows = Vec::new();
    for batch in state.lake.read(Table::CampaignEvents, None)? {
        let mut events: Vec<Event> = from_batch(&batch?)?;
        events.retain(|event| event.happened_at < moment && event.campaign == state.campaign.name);
        if !events.is_empty() {
            rows.push((Table::CampaignEvents, to_batch(Table::CampaignEvents, &events)?));
        }
    }
    let queries = session::over_rows(rows, MEMORY_LIMIT_BYTES).await?;
    Ok(lightsout_ledger::read(&queries, &state.campaign.name).await?)
}
