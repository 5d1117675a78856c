//! What a sign-in log can never show. Whoever reads a verdict reads these sentences beside it: those that apply
//! to the campaign, the window and the tenant, and no others.

use chrono::{Datelike as _, NaiveDate};

use super::phrases::{
    LIMIT_COVERAGE, LIMIT_FEDERATED, LIMIT_HYBRID, LIMIT_RARE_JOBS, LIMIT_RELAY, LIMIT_SHORT_HISTORY,
    LIMIT_YEAR_END,
};
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::Window;
use lightsout_model::language::LocalText;
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{Reason, TenantAssessment, TenantVerdict};

/// A shorter window can't hold a monthly job.
const MONTH_DAYS: i64 = 30;

/// What the logs of one tenant can't show, one sentence each, for those who run the campaign.
#[must_use]
pub fn limits(campaign: &Campaign, tenant: &TenantAssessment, window: Window) -> Vec<&'static str> {
    limit_texts(campaign, tenant, window).into_iter().map(|text| text.en).collect()
}

/// The same in every language.
pub(super) fn limit_texts(campaign: &Campaign, tenant: &TenantAssessment, window: Window) -> Vec<LocalText> {
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
    let texts = sentences(campaign, window, judged.any(|tenant| is_short(tenant, window)));
    texts.into_iter().map(|text| text.en).collect()
}

fn sentences(campaign: &Campaign, window: Window, history_is_short: bool) -> Vec<LocalText> {
    let smtp_auth = campaign.scope().contains(&Protocol::SmtpAuth);
    [
        (true, LIMIT_RARE_JOBS),
        (history_is_short, LIMIT_SHORT_HISTORY),
        (true, LIMIT_COVERAGE),
        (true, LIMIT_HYBRID),
        (true, LIMIT_FEDERATED),
        (smtp_auth, LIMIT_RELAY),
        (smtp_auth && touches_year_end(campaign, window), LIMIT_YEAR_END),
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

    fn said(campaign: &Campaign, window: Window) -> Vec<LocalText> {
        sentences(campaign, window, false)
    }

    #[test]
    fn relay_and_year_end_are_told_only_where_smtp_auth_is_in_scope() {
        let mut campaign = lightsout_config::campaign_file::load("smtp-auth-2026").expect("built in");
        let december = window("2026-11-20", "2026-12-20");
        assert!(
            [LIMIT_RELAY, LIMIT_YEAR_END].iter().all(|sentence| said(&campaign, december).contains(sentence))
        );
        campaign.protocols = vec![Protocol::Imap4];
        assert!(
            ![LIMIT_RELAY, LIMIT_YEAR_END]
                .iter()
                .any(|sentence| said(&campaign, december).contains(sentence))
        );
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
            assert_eq!(
                said(&campaign, window(first, end)).contains(&LIMIT_YEAR_END),
                expected,
                "{first} to {end}"
            );
        }
    }
}
