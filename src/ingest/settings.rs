//! Files that tell of settings instead of sign-ins: read as a whole, and one row of `tenant_settings` each.
//! What they say is read in [`lightsout_formats::settings`]; here they get a tenant, a date and a name.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::find::Input;
use crate::{Error, Result};
use lightsout_formats::framing::Framing;
use lightsout_formats::settings::{collected, smtp_report};
use lightsout_model::evidence::midnight;
use lightsout_model::settings::{SettingsKind, SettingsRow, StoredSettings};
use lightsout_model::tenant::is_guid;
use lightsout_model::time::{EARLIEST, MICROS_PER_DAY};

/// A file that was read.
#[derive(Debug)]
pub(super) struct ReadSettings {
    pub(super) kind: SettingsKind,
    pub(super) tenant_id: String,
    /// What the content does not say and the source is named by: tenant, days.
    pub(super) named_by: Option<String>,
    /// Rows of a report; the collector's file is one.
    pub(super) records: u64,
    pub(super) content_bytes: u64,
    collected_at: DateTime<Utc>,
    complete: bool,
    stored: StoredSettings,
}

/// Reads a file. The error says why it is refused.
pub(super) fn read(
    kind: SettingsKind,
    text: &[u8],
    input: &Input,
    now: i64,
) -> std::result::Result<ReadSettings, String> {
    let text = std::str::from_utf8(text).map_err(|error| {
        format!("expected text in UTF-8 or UTF-16; found another byte at {}", error.valid_up_to())
    })?;
    match kind {
        SettingsKind::ExchangeSettings => read_collected(text, input, now),
        SettingsKind::SmtpAuthReport => read_report(text, input, now),
    }
}

fn read_collected(text: &str, input: &Input, now: i64) -> std::result::Result<ReadSettings, String> {
    let file = collected::parse(text)?;
    let at = file.collected_at.timestamp_micros();
    if !(EARLIEST..=now + MICROS_PER_DAY).contains(&at) {
        return Err(format!(
            "its settings were collected at {}; expected a time between 2010 and a day after the ingest",
            file.collected_at
        ));
    }
    let named = [input.says.tenant_id.as_deref(), input.assigned.tenant_id.as_deref()];
    let tenant_id = match (&file.tenant_id, named.into_iter().flatten().next()) {
        (Some(own), _) => {
            if let Some(other) = named.into_iter().flatten().find(|other| !other.eq_ignore_ascii_case(own)) {
                return Err(format!(
                    "its settings are of tenant {own}, but its path or --tenant names {other}; ingest it without \
                     naming a tenant, or collect the settings of {other}"
                ));
            }
            own.clone()
        }
        (None, Some(named)) => guid(named)?,
        (None, None) => {
            return Err(format!(
                "its connection was delegated to {}, so it does not say whose settings they are; say so with \
                 --tenant ID, or for many files with --tenants-from FILE",
                file.delegated.join(", ")
            ));
        }
    };
    Ok(ReadSettings {
        kind: SettingsKind::ExchangeSettings,
        named_by: file.tenant_id.is_none().then(|| tenant_id.clone()),
        tenant_id,
        records: 1,
        content_bytes: text.len() as u64,
        collected_at: file.collected_at,
        complete: file.complete,
        stored: file.stored,
    })
}

fn read_report(text: &str, input: &Input, now: i64) -> std::result::Result<ReadSettings, String> {
    let Some(tenant_id) = input.tenant_id() else {
        return Err(
            "an \"SMTP AUTH clients\" report names no tenant, and neither does its path (tenantId=…); say \
                    whose it is with --tenant ID, or for many files with --tenants-from FILE"
                .to_owned(),
        );
    };
    let tenant_id = guid(tenant_id)?;
    let mut read = smtp_report::parse(text, &input.name)?;
    let ingested_at = DateTime::from_timestamp_micros(now).unwrap_or_default();
    // A report cannot tell of days to come: then the name holds something else.
    let has_begun =
        |day: NaiveDate| day <= ingested_at.date_naive().checked_add_days(Days::new(1)).unwrap_or(day);
    let report = &mut read.report;
    report.days = report.days.filter(|days| has_begun(days.last));
    report.last_day = report.last_day.filter(|day| has_begun(*day));
    let end = report.last_day.and_then(|day| day.succ_opt()).map(midnight);
    let days = report.days.map_or_else(|| format!("{:?}", report.last_day), |days| format!("{days:?}"));
    Ok(ReadSettings {
        kind: SettingsKind::SmtpAuthReport,
        named_by: Some(format!("{tenant_id} {days}")),
        tenant_id,
        records: report.rows,
        content_bytes: text.len() as u64,
        collected_at: end.unwrap_or(ingested_at),
        complete: report.unreadable_rows == 0,
        stored: StoredSettings::SmtpAuthReport {
            content: blake3::hash(text.as_bytes()).to_hex()[..32].to_owned(),
            report: read.report,
            basic_senders: read.basic_senders,
            unclear_senders: read.unclear_senders,
        },
    })
}

fn guid(named: &str) -> std::result::Result<String, String> {
    let id = named.to_ascii_lowercase();
    if is_guid(&id) {
        Ok(id)
    } else {
        Err(format!("expected the id of a tenant, a GUID, for it; found {named}"))
    }
}

impl ReadSettings {
    pub(super) const fn framing(&self) -> Framing {
        match self.kind {
            SettingsKind::ExchangeSettings => Framing::Document,
            SettingsKind::SmtpAuthReport => Framing::Csv,
        }
    }

    /// The row of `tenant_settings`.
    pub(super) fn row(&self, source_id: &str, path: &str, batch_id: &str, now: i64) -> Result<SettingsRow> {
        let json = serde_json::to_string(&self.stored);
        Ok(SettingsRow {
            tenant_id: self.tenant_id.clone(),
            source_id: source_id.to_owned(),
            path: path.to_owned(),
            kind: self.kind,
            collected_at: self.collected_at,
            complete: self.complete,
            settings: json.map_err(|source| Error::Json { what: "settings", source })?,
            ingested_at: DateTime::from_timestamp_micros(now).unwrap_or_default(),
            batch_id: batch_id.to_owned(),
        })
    }
}
