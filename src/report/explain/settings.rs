//! The settings of a tenant in an explanation: what was collected, whether it is proof, and whose mailboxes
//! and senders stand against it.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Explanation;
use super::text::minute;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::Window;
use lightsout_model::settings::{CollectedSettings, SettingsKind, SmtpReport, StoredSettings};
use lightsout_output::text::{count, plain_short};
use lightsout_query::settings::KeptSettings;

/// Reports that are shown, the newest.
const REPORTS_MAX: usize = 5;
/// Addresses of one file that the text names.
const ADDRESSES_MAX: usize = 20;
const TEXT_CHARACTERS_MAX: usize = 200;

/// One file of settings.
#[derive(Debug, Serialize)]
pub struct SettingsShown {
    pub kind: SettingsKind,
    pub path: String,
    pub collected_at: DateTime<Utc>,
    /// What it says, in sentences.
    pub says: Vec<String>,
    /// Mailboxes that have SMTP AUTH enabled for themselves, or senders by SMTP AUTH.
    pub addresses: Vec<String>,
}

impl SettingsShown {
    /// The newest settings and the newest reports; `kept` has the newest first.
    pub(super) fn of(kept: Vec<KeptSettings>, campaign: &Campaign, window: Window) -> Vec<Self> {
        let (mut shown, mut reports) = (Vec::new(), 0);
        for KeptSettings { path, collected_at, stored } in kept {
            match stored {
                StoredSettings::ExchangeSettings { facts, smtp_auth_mailboxes, accepted_domains: _ } => {
                    if shown.iter().any(|shown: &Self| shown.kind == SettingsKind::ExchangeSettings) {
                        continue;
                    }
                    shown.push(Self {
                        kind: SettingsKind::ExchangeSettings,
                        path,
                        collected_at,
                        says: of_settings(&facts, campaign, window),
                        addresses: smtp_auth_mailboxes,
                    });
                }
                StoredSettings::SmtpAuthReport { report, mut basic_senders, unclear_senders, .. } => {
                    reports += 1;
                    if reports > REPORTS_MAX {
                        continue;
                    }
                    basic_senders.extend(unclear_senders);
                    let says = vec![of_report(&report)];
                    let kind = SettingsKind::SmtpAuthReport;
                    shown.push(Self { kind, path, collected_at, says, addresses: basic_senders });
                }
            }
        }
        shown
    }
}

fn of_settings(facts: &CollectedSettings, campaign: &Campaign, window: Window) -> Vec<String> {
    let mut says = Vec::new();
    let short = |text: &String| plain_short(text, TEXT_CHARACTERS_MAX);
    if !facts.problems.is_empty() {
        let problems: Vec<String> = facts.problems.iter().map(short).collect();
        says.push(format!("it proves nothing: {}", problems.join("; ")));
    }
    let age_days_max = campaign.evidence.settings_age_days_max;
    let age = (window.end - facts.collected_at.date_naive()).num_days();
    if age.unsigned_abs() > u64::from(age_days_max) {
        let days = count(age_days_max.into(), "day", "days");
        says.push(format!("it proves nothing: it is not from the {days} around {}", window.end));
    }
    let mailboxes = count(facts.mailboxes, "mailbox", "mailboxes");
    let against = facts.smtp_auth_disabled_mailboxes.off;
    says.push(match facts.smtp_auth_disabled {
        Some(true) if against == 0 => {
            format!("SMTP AUTH is off in the organisation, and on in none of {mailboxes}")
        }
        Some(true) => format!(
            "SMTP AUTH is off in the organisation, and enabled against that in {against} of {mailboxes}"
        ),
        Some(false) => "SMTP AUTH is on in the organisation".to_owned(),
        None => "SMTP AUTH is not set in the organisation, or not shown".to_owned(),
    });
    says.push(facts.default_policy.as_ref().map_or_else(
        || "there is no default authentication policy".to_owned(),
        |policy| {
            let others = count(facts.assigned_policies.len() as u64, "policy is", "policies are");
            format!("the default authentication policy is {}; {others} assigned to users", short(policy))
        },
    ));
    says
}

fn of_report(report: &SmtpReport) -> String {
    let days = report
        .days
        .map_or_else(|| "of unstated days".to_owned(), |days| format!("of {} to {}", days.first, days.last));
    let senders = count(report.senders, "sender", "senders");
    let (basic, unclear) = (report.basic_senders, report.unclear_senders);
    let method = if report.says_protocol { "" } else { " (it has no column for it)" };
    format!(
        "SMTP AUTH clients report {days}: {senders}, of them {basic} by Basic Authentication and {unclear} of whom it \
         does not say how they authenticated{method}; messages, not sign-ins"
    )
}

impl Explanation {
    pub(super) fn write_settings(&self, out: &mut String) -> std::fmt::Result {
        if self.settings.is_empty() {
            return Ok(());
        }
        writeln!(out, "\nsettings and reports")?;
        for shown in &self.settings {
            writeln!(
                out,
                "  {}, {}",
                minute(shown.collected_at),
                plain_short(&shown.path, TEXT_CHARACTERS_MAX)
            )?;
            for sentence in &shown.says {
                writeln!(out, "    {sentence}")?;
            }
            for address in shown.addresses.iter().take(ADDRESSES_MAX) {
                writeln!(out, "      {}", plain_short(address, TEXT_CHARACTERS_MAX))?;
            }
            if shown.addresses.len() > ADDRESSES_MAX {
                let more = shown.addresses.len() - ADDRESSES_MAX;
                writeln!(out, "      and {more} more; --format json has them")?;
            }
        }
        Ok(())
    }
}
