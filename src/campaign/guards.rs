//! What stops an announcement before anybody is picked: a decision that is too old, of other rules or of days to
//! come, and dates that leave no time.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::dates::{days_between, effective_date};
use lightsout_model::campaign::{Campaign, Operator};
use lightsout_model::evidence::{Window, midnight};
use lightsout_output::text::count;

/// Why nothing is announced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    #[error("the notice date {date} has passed; today is {today}")]
    PastNoticeDate { date: NaiveDate, today: NaiveDate },
    #[error("{}", no_operator(.campaign))]
    NoOperator { campaign: String },
    #[error(
        "the effective date {effective} leaves {} after the notice of {notice_date}, but the campaign gives \
         {notice_days}",
        count(u64::from(*days), "day", "days")
    )]
    ShortNotice { effective: NaiveDate, notice_date: NaiveDate, days: u32, notice_days: u32 },
    /// A sentence, with the way out.
    #[error("{0}")]
    Decision(String),
}

/// The decision that is to be announced.
#[derive(Debug, Clone, Copy)]
pub struct DecisionAge<'a> {
    pub decision_id: &'a str,
    pub window: Window,
}

/// Who runs the campaign: nobody is told anything, and nothing is turned off, before they can be reached.
///
/// # Errors
/// Fails if the campaign does not say it; the error shows the lines to add.
pub fn operator(campaign: &Campaign) -> Result<&Operator, Stop> {
    let none = || Stop::NoOperator { campaign: campaign.name.clone() };
    campaign.operator.as_ref().ok_or_else(none)
}

fn no_operator(campaign: &str) -> String {
    format!(
        "campaign {campaign} does not say who runs it, and tenants must know whom to write to; expected these lines in \
         its file, before [texts]:\n\n\
         [operator]\n\
         name = \"Example Cloud Services\"\n\
         contact = \"the service desk, +1 555 0100\"\n\
         reply_to = \"basic-auth@example.com\"\n\n\
         A built-in campaign becomes a file with: lightsout campaign show {campaign} > mine.toml\n\
         Then name the file with: --campaign mine.toml"
    )
}

/// The day of the notices and the day from which protocols go off.
///
/// # Errors
/// Fails if the decision is too old or of days that are not over, if a day has passed, or if there are fewer days
/// between notice and change than the campaign gives and nobody has chosen a short notice.
pub fn days(
    campaign: &Campaign,
    decision: DecisionAge<'_>,
    notice_date: Option<NaiveDate>,
    short_notice: bool,
    now: DateTime<Utc>,
) -> Result<(NaiveDate, NaiveDate), Stop> {
    young_enough(campaign, decision, now)?;
    let today = now.date_naive();
    if today < decision.window.end {
        return Err(Stop::Decision(format!(
            "decision {} covers the days before {}, but today is {today}",
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
            "the campaign's effective_date {effective} is not in the future; expected a day after {notice_date}: set it in the \
             campaign file and assess again"
        )));
    }
    let days = days_between(notice_date, effective);
    if days < campaign.notice_days && !short_notice {
        return Err(Stop::ShortNotice { effective, notice_date, days, notice_days: campaign.notice_days });
    }
    Ok((notice_date, effective))
}

/// The rules to announce by: those of the decision; who is told in which wave, and whom
/// tenants write to, is as the campaign file says now.
///
/// # Errors
/// Fails if the file has other rules than the decision.
pub fn same_rules(file: &Campaign, mut decided: Campaign, decision_id: &str) -> Result<Campaign, Stop> {
    decided.waves.clone_from(&file.waves);
    decided.take_contacts_of(file);
    // `assess --window-days` stands in the decision alone.
    if (Campaign { window_days: decided.window_days, ..file.clone() }) == decided {
        return Ok(decided);
    }
    Err(Stop::Decision(format!(
        "the rules of campaign {} differ from those of decision {decision_id}; assess with them first: \
         lightsout assess --campaign {}",
        file.name, file.name
    )))
}

/// A decision's age counts from the end of its window: what happened since is not in it, whenever it was made.
fn young_enough(campaign: &Campaign, decision: DecisionAge<'_>, now: DateTime<Utc>) -> Result<(), Stop> {
    let end = decision.window.end;
    let age = now - midnight(end);
    let days_max = campaign.max_decision_age_days;
    if age <= TimeDelta::days(days_max.into()) {
        return Ok(());
    }
    let days = count(u64::try_from(age.num_days()).unwrap_or(0), "day", "days");
    Err(Stop::Decision(format!(
        "the window of decision {} ended {days} ago, on {end}, but max_decision_age_days allows {days_max}; ingest \
         what is new, then assess again with the same --campaign. Where nobody has signed in since, say so: lightsout \
         ingest --covers FROM..TO",
        decision.decision_id,
    )))
}
