//! What a mailing job takes: beside the notices of one day and event a list of recipients, and one mailbox file of all
//! mails that can be sent. Both are made of the folder as it is, so that they say what lies there, however many
//! commands wrote into it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::NotifyError;
use lightsout_output::atomic_file::write_content;
use lightsout_output::table;

/// A row for each notice.
pub const RECIPIENTS: &str = "recipients.csv";
/// The mails of all that have a recipient, as mboxrd.
pub const MAILBOX: &str = "notices.mbox";

/// Whom a mailbox file says that a mail is from, where the notice names nobody.
const NO_SENDER: &str = "MAILER-DAEMON";

/// A notice that lies in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub tenant_id: String,
    pub kind: String,
    pub language: String,
    /// Addresses; empty: the roster has none for the tenant.
    pub to: Vec<String>,
    pub subject: String,
    /// The mail, by its path in the folder with `/` between names.
    pub file: String,
    sender: Option<String>,
    date: DateTime<Utc>,
}

/// As much of a notice's JSON as says whom it is for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    title: String,
    start_date_time: DateTime<Utc>,
    details: Vec<Detail>,
}

#[derive(Debug, Deserialize)]
struct Detail {
    name: String,
    value: String,
}

impl Message {
    fn detail(&self, name: &str) -> Option<&str> {
        self.details.iter().find(|detail| detail.name == name).map(|detail| detail.value.as_str())
    }
}

/// Writes list and mailbox of a folder of notices; what lies in it, by file.
///
/// # Errors
/// Fails if a notice can't be read or a file can't be written.
pub fn write(folder: &Path) -> Result<Vec<Delivery>, NotifyError> {
    let deliveries = read(folder)?;
    let column = |value: &dyn Fn(&Delivery) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(deliveries.iter().map(value)))
    };
    let to = table::lists(deliveries.iter().map(|delivery| delivery.to.clone()));
    let columns = vec![
        ("tenant_id", column(&|delivery| &delivery.tenant_id)),
        ("to", to),
        ("subject", column(&|delivery| &delivery.subject)),
        ("file", column(&|delivery| &delivery.file)),
        ("language", column(&|delivery| &delivery.language)),
        ("kind", column(&|delivery| &delivery.kind)),
    ];
    let path = folder.join(RECIPIENTS);
    let rows = table::batch(columns).map_err(lightsout_output::Error::rows(&path))?;
    let mut list = Vec::new();
    table::write_csv(&mut list, &[rows]).map_err(lightsout_output::Error::rows(&path))?;
    write_content(&path, &list)?;
    let mut mailbox = Vec::new();
    for delivery in deliveries.iter().filter(|delivery| !delivery.to.is_empty()) {
        let mail = read_file(&folder.join(&delivery.file))?;
        append(&mut mailbox, delivery.sender.as_deref().unwrap_or(NO_SENDER), delivery.date, &mail);
    }
    write_content(&folder.join(MAILBOX), &mailbox)?;
    Ok(deliveries)
}

fn read(folder: &Path) -> Result<Vec<Delivery>, NotifyError> {
    let mut deliveries = Vec::new();
    for tenant in names(folder)?.into_iter().filter(|name| folder.join(name).is_dir()) {
        for file in names(&folder.join(&tenant))? {
            let Some(stem) = file.strip_suffix(".json") else { continue };
            let path = folder.join(&tenant).join(&file);
            let message: Message = serde_json::from_slice(&read_file(&path)?)
                .map_err(|source| NotifyError::ReadNotice { path, source: source.into() })?;
            let text = |name: &str| message.detail(name).unwrap_or_default().to_owned();
            let to = text("To");
            deliveries.push(Delivery {
                tenant_id: text("TenantId"),
                kind: text("Kind"),
                language: text("Language"),
                to: to.split(';').filter(|address| !address.is_empty()).map(str::to_owned).collect(),
                sender: message.detail("ReplyTo").map(str::to_owned),
                date: message.start_date_time,
                file: format!("{tenant}/{stem}.eml"),
                subject: message.title,
            });
        }
    }
    Ok(deliveries)
}

/// In order, those that are text.
fn names(folder: &Path) -> Result<Vec<String>, NotifyError> {
    let failed = |source| NotifyError::ReadNotice { path: folder.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        names.extend(entry.map_err(failed)?.file_name().into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}

fn read_file(path: &Path) -> Result<Vec<u8>, NotifyError> {
    fs::read(path).map_err(|source| NotifyError::ReadNotice { path: path.to_owned(), source })
}

/// One mail of a mailbox file: a line that names its sender and day, then its lines. One that would be read as the
/// start of another mail is quoted. The mail is to be sent as it is, so it is no draft of Outlook's any more.
fn append(mailbox: &mut Vec<u8>, sender: &str, date: DateTime<Utc>, mail: &[u8]) {
    mailbox.extend(format!("From {sender} {}\n", date.format("%a %b %e %H:%M:%S %Y")).into_bytes());
    let mut in_headers = true;
    for line in mail.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        in_headers &= !line.is_empty();
        if in_headers && line.to_ascii_lowercase().starts_with(b"x-unsent:") {
            continue;
        }
        let unquoted = &line[line.iter().take_while(|byte| **byte == b'>').count()..];
        if unquoted.starts_with(b"From ") {
            mailbox.push(b'>');
        }
        mailbox.extend(line);
        mailbox.push(b'\n');
    }
    // What follows the last line end is an empty line here, as it has to be between mails.
    if !mailbox.ends_with(b"\n\n") {
        mailbox.push(b'\n');
    }
}

#[cfg(test)]
mod tests;
