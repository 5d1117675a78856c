//! What stops an announcement before anybody is picked: a decision that is too old, of other rules or of days to
//! come, and dates that leave no time.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::announce::effective_date;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{Window, midnight};

/// Why nothing is announced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    #[error("the notice date {date} has passed; it is {today}")]
    PastNoticeDate { date: NaiveDate, today: NaiveDate },
    /// A sentence, with the way out.
    #[error("{0}")]
    Decision(String),
}

/// The decision that is to be announced.
#[derive(Debug, Clone, Copy)]
pub struct DecisionAge<'a> {
    pub decision_id: &'a str,
    pub decided_at: DateTime<Utc>,
    pub window: Window,
}

/// The day of the notices and the day from which protocols go off.
///
/// # Errors
/// Fails if the decision is too old or of days that are not over, or a day has passed.
pub fn days(
    campaign: &Campaign,
    decision: DecisionAge<'_>,
    notice_date: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<(NaiveDate, NaiveDate), Stop> {
    young_enough(campaign, decision, now)?;
    let today = now.date_naive();
    if today < decision.window.end {
        return Err(Stop::Decision(format!(
            "decision {} is of the days before {}, and it is {today}",
            decision.decision_id, decision.window.end
        )));
    }
    let notice_date = notice_date.unwrap_or(today);
    if notice_date < today {
        return Err(Stop::PastNoticeDate { date: notice_date, today });
    }
    let effective = effective_date(campaign, notice_date);
    if effective <= notice_date && campaign.effective_date.is_some() {
        return Err(Stop::Decision(format!(
            "the campaign's effective_date {effective} has come; expected one after {notice_date}: set it in the \
             campaign file and assess again"
        )));
    }
    Ok((notice_date, effective))
}

/// The rules to announce by: those of the decision; who is told in which wave is as the campaign file says now.
///
/// # Errors
/// Fails if the file has other rules than the decision.
pub fn same_rules(file: &Campaign, mut decided: Campaign, decision_id: &str) -> Result<Campaign, Stop> {
    decided.waves.clone_from(&file.waves);
    // `assess --window-days` stands in the decision alone.
    if (Campaign { window_days: decided.window_days, ..file.clone() }) == decided {
        return Ok(decided);
    }
    Err(Stop::Decision(format!(
        "the rules of campaign {} are others than those of decision {decision_id}; decide by them first: \
         lightsout assess --campaign {}",
        file.name, file.name
    )))
}

/// A decision's age counts from when it was made. One made after the time that it is said to be, as
/// in a rehearsal of past days, counts from the end of its window.
fn young_enough(campaign: &Campaign, decision: DecisionAge<'_>, now: DateTime<Utc>) -> Result<(), Stop> {
    let made_at =
        if decision.decided_at <= now { decision.decided_at } else { midnight(decision.window.end) };
    let age = now - made_at;
    let days_max = campaign.max_decision_age_days;
    if age <= TimeDelta::days(days_max.into()) {
        return Ok(());
    }
    Err(Stop::Decision(format!(
        "decision {} is {} days old, made at {}, where max_decision_age_days permits {days_max}; ingest what is \
         new, then: lightsout assess --campaign {}",
        decision.decision_id,
        age.num_days(),
        made_at.format("%Y-%m-%d %H:%M"),
        campaign.name,
    )))
}
