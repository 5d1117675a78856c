//! Rehearsing: the campaign from the announcement to the last day, played in a copy of the lake. What it would come to
//! is told as a calendar; no runbook is written, and the real ledger is not touched.

use std::path::Path;

use chrono::{Days, NaiveDate, TimeDelta};

use super::announce::{AnnounceRequest, announce};
use super::apply::apply;
use super::confirm::confirm;
use super::notice_batch::NoticeFiles;
use super::rehearsal::copy;
use super::state::CampaignState;
use crate::error::Result;
use lightsout_campaign::{Event, EventKind};
use lightsout_lake::Lake;
use lightsout_model::change::Request;
use lightsout_model::evidence::midnight;

/// What would happen on one day to one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarRow {
    pub date: NaiveDate,
    /// `turned_off`, or the event.
    pub step: &'static str,
    pub tenant_id: String,
    /// Joined with `;`.
    pub protocols: String,
    pub effective_date: Option<NaiveDate>,
}

/// Plays the campaign in a copy of the lake, which is made anew in `into`, until a day or to its end. Gives the copy as
/// it is then, and the calendar by day and tenant.
///
/// # Errors
/// Fails where the real commands would, or if the copy or a file can't be written.
pub async fn rehearse(
    state: &mut CampaignState,
    into: &Path,
    request: AnnounceRequest<'_>,
    until: Option<NaiveDate>,
    files: &NoticeFiles,
) -> Result<(CampaignState, Vec<CalendarRow>)> {
    copy(&mut state.lake, into).await?;
    let mut rehearsal = state.over(Lake::open(into).await?).await?;
    let today = state.now.date_naive();
    let announced = announce(&mut rehearsal, request, files).await?;
    let mut calendar: Vec<CalendarRow> =
        announced.picked.events.iter().map(|event| CalendarRow::of(event, today)).collect();
    let mut day = today;
    while let Some(next) =
        next_day(&rehearsal, day, today).filter(|next| until.is_none_or(|until| *next <= until))
    {
        // The first day goes on from its announcement.
        rehearsal.set_clock((midnight(next) + TimeDelta::hours(12)).max(state.now + TimeDelta::minutes(1)));
        let planned = apply(&mut rehearsal, files, false).await?;
        calendar.extend(planned.rechecked.events.iter().map(|event| CalendarRow::of(event, next)));
        let turned_off = planned.due.iter().map(|due| CalendarRow {
            date: next,
            step: "turned_off",
            tenant_id: due.tenant_id.clone(),
            protocols: due.protocols.iter().map(|protocol| protocol.as_str()).collect::<Vec<_>>().join(";"),
            effective_date: Some(due.effective_date),
        });
        calendar.extend(turned_off);
        let done = planned.due.into_iter().map(|due| Request {
            tenant_id: due.tenant_id,
            protocols: Some(due.protocols),
            by_whom: Some("rehearsal".to_owned()),
            happened_at: None,
            line: None,
        });
        confirm(&mut rehearsal, &done.collect::<Vec<_>>(), files).await?;
        day = next.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
    }
    Ok((rehearsal, calendar))
}

/// The next day on which something is due, from `day` on; what is overdue is due today.
fn next_day(state: &CampaignState, day: NaiveDate, today: NaiveDate) -> Option<NaiveDate> {
    let pending = state.ledger.tenants.values().filter(|tenant| !tenant.change.pending().is_empty());
    pending.map(|tenant| tenant.due_on().max(today)).filter(|due| *due >= day).min()
}

impl CalendarRow {
    fn of(event: &Event, date: NaiveDate) -> Self {
        let effective_date = matches!(event.event, EventKind::Announced | EventKind::Rescheduled)
            .then_some(event.effective_date)
            .flatten();
        Self {
            date,
            step: event.event.as_str(),
            tenant_id: event.tenant_id.clone(),
            protocols: event.protocols.clone(),
            effective_date,
        }
    }
}
