//! What a sign-in log can never show. Whoever reads a verdict reads these sentences beside it: those that apply
//! to the campaign, the window and the tenant, and no others.

use chrono::{Datelike as _, NaiveDate};

use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::Window;
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{Reason, TenantAssessment, TenantVerdict};

const RARE_JOBS: &str =
    "A job that runs once a quarter or once a year may not have run in the days that were searched.";
const SHORT_HISTORY: &str = "Entra ID keeps sign-ins for 7 days in a tenant without a P1 or P2 licence, for 30 days \
                             with one: what happened before the first day of the logs is not known.";
const COVERAGE: &str = "A day counts as covered when it has sign-ins: half a day that was not collected, or one weekday \
                        that never is, does not stand out.";
const HYBRID: &str =
    "Sign-ins to an on-premises Exchange server, as in a hybrid deployment, are not in the logs of Entra ID.";
const FEDERATED: &str =
    "Sign-ins that another identity provider handled, as for a federated domain, may be missing.";
const RELAY: &str = "Mail that is relayed by a connector or sent by Direct Send needs no sign-in: no sign-in log shows \
                     it, and turning off SMTP AUTH does not stop it.";
const YEAR_END: &str = "Offices that are closed in late December hardly sign in then: a device that is idle over the \
                        holidays shows no use, just when SMTP AUTH is turned off.";

/// A shorter window can't hold a monthly job.
const MONTH_DAYS: i64 = 30;

/// What the logs of one tenant can't show, one sentence each.
#[must_use]
pub fn limits(campaign: &Campaign, tenant: &TenantAssessment, window: Window) -> Vec<&'static str> {
    if tenant.verdict == TenantVerdict::Excluded {
        return Vec::new();
    }
    sentences(campaign, window, is_short(tenant, window))
}

/// The same of several tenants together.
#[must_use]
pub fn limits_of_all<'a>(
    campaign: &Campaign,
    tenants: impl IntoIterator<Item = &'a TenantAssessment>,
    window: Window,
) -> Vec<&'static str> {
    let mut judged =
        tenants.into_iter().filter(|tenant| tenant.verdict != TenantVerdict::Excluded).peekable();
    if judged.peek().is_none() {
        return Vec::new();
    }
    sentences(campaign, window, judged.any(|tenant| is_short(tenant, window)))
}

fn sentences(campaign: &Campaign, window: Window, history_is_short: bool) -> Vec<&'static str> {
    let smtp_auth = campaign.scope().contains(&Protocol::SmtpAuth);
    [
        (true, RARE_JOBS),
        (history_is_short, SHORT_HISTORY),
        (true, COVERAGE),
        (true, HYBRID),
        (true, FEDERATED),
        (smtp_auth, RELAY),
        (smtp_auth && touches_year_end(campaign, window), YEAR_END),
    ]
    .into_iter()
    .filter_map(|(applies, sentence)| applies.then_some(sentence))
    .collect()
}

fn is_short(tenant: &TenantAssessment, window: Window) -> bool {
    let begins_within = |reason: &Reason| matches!(reason, Reason::WindowLongerThanHistory { .. });
    window.days() < MONTH_DAYS || tenant.evidence_reasons.iter().any(begins_within)
}

/// Whether the window, or the time from its end to the change, holds a day between 20 December and 6 January.
fn touches_year_end(campaign: &Campaign, window: Window) -> bool {
    let change = campaign.effective_date.or_else(|| {
        let days = chrono::Days::new(campaign.notice_days.into());
        window.end.checked_add_days(days)
    });
    let is_holiday = |day: &NaiveDate| matches!((day.month(), day.day()), (12, 20..) | (1, ..=6));
    let last = change.unwrap_or(window.end).max(window.end);
    // Every year has such days.
    window.first.iter_days().take(366).take_while(|day| *day <= last).any(|day| is_holiday(&day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(first: &str, end: &str) -> Window {
        Window { first: first.parse().expect("a day"), end: end.parse().expect("a day") }
    }

    fn said(campaign: &Campaign, window: Window) -> Vec<&'static str> {
        sentences(campaign, window, false)
    }

    #[test]
    fn relay_and_year_end_are_told_only_where_smtp_auth_is_in_scope() {
        let mut campaign = lightsout_config::campaign_file::load("smtp-auth-2026").expect("built in");
        let december = window("2026-11-20", "2026-12-20");
        assert!([RELAY, YEAR_END].iter().all(|sentence| said(&campaign, december).contains(sentence)));
        campaign.protocols = vec![Protocol::Imap4];
        assert!(![RELAY, YEAR_END].iter().any(|sentence| said(&campaign, december).contains(sentence)));
    }

    #[test]
    fn the_year_end_is_told_from_the_window_to_the_change() {
        let campaign = lightsout_config::campaign_file::load("basic-auth-all-protocols").expect("built in");
        for (first, end, expected) in [
            ("2026-06-01", "2026-07-01", false),
            ("2026-10-20", "2026-11-19", false),
            ("2026-10-21", "2026-11-20", true),
            ("2027-01-06", "2027-02-05", true),
            ("2027-01-07", "2027-02-06", false),
        ] {
            assert_eq!(said(&campaign, window(first, end)).contains(&YEAR_END), expected, "{first} to {end}");
        }
    }
}
