//! The values of a row by what their columns hold.

use chrono::{NaiveDate, Weekday};
use serde_json::Value;

use super::{Column, RosterColumn, RosterError, Row};
use lightsout_model::protocol::Protocol;
use lightsout_model::roster_changes::NO_PROTOCOL;
use lightsout_model::tenant::RosterTenant;

/// What the decision says of a tenant that is excluded without a word.
pub(super) const NO_REASON_GIVEN: &str = "excluded by the roster";

/// Reads the values of a row by what their columns hold.
pub(super) struct Typed<'a> {
    pub(super) file: &'a str,
    pub(super) header: &'a [RosterColumn],
    pub(super) row: &'a Row,
}

impl Typed<'_> {
    pub(super) fn tenant(&self) -> Result<RosterTenant, RosterError> {
        let tenant = RosterTenant {
            tenant_id: self.tenant_id()?,
            display_name: self.text("display_name")?,
            domains: self.list("domains")?.unwrap_or_default(),
            cloud: self.text("cloud")?,
            language: self.text("language")?,
            contacts: self.contacts("contacts")?,
            outlook_modern_auth: self.boolean("outlook_modern_auth")?,
            protocols_enabled: self.protocols("protocols_enabled")?,
            logs_from: self.date("logs_from")?,
            logs_to: self.date("logs_to")?,
            workdays: self.weekdays("workdays")?,
            exclude: self.exclude()?,
            other_columns: self.row.other_columns.clone(),
        };
        if let (Some(from), Some(to)) = (tenant.logs_from, tenant.logs_to)
            && to < from
        {
            let expected = format!("a day that is not before logs_from, {from}");
            return Err(self.wrong("logs_to", to.to_string(), expected));
        }
        Ok(tenant)
    }

    pub(super) fn wrong(
        &self,
        column: &'static str,
        found: String,
        expected: impl Into<String>,
    ) -> RosterError {
        let number = self.header.iter().position(|found| found.is(column)).map(|at| at + 1);
        RosterError::Value {
            file: self.file.to_owned(),
            place: self.row.place,
            column: Column { name: column, number },
            found,
            expected: expected.into(),
        }
    }

    /// `None` where the row says nothing.
    fn text(&self, column: &'static str) -> Result<Option<String>, RosterError> {
        let text = match self.row.values.get(column) {
            None | Some(Value::Null) => "",
            Some(Value::String(text)) => text.trim(),
            Some(other) => return Err(self.wrong(column, other.to_string(), "text")),
        };
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    fn tenant_id(&self) -> Result<String, RosterError> {
        let found = self.text("tenant_id")?.unwrap_or_default();
        if let Some(id) = lightsout_model::tenant::tenant_id(&found) {
            return Ok(id);
        }
        let expected = "a tenant id like 72f988bf-86f1-41af-91ab-2d7cd011db47";
        Err(self.wrong("tenant_id", found, expected))
    }

    fn list(&self, column: &'static str) -> Result<Option<Vec<String>>, RosterError> {
        let Some(Value::Array(items)) = self.row.values.get(column) else {
            let texts = self.text(column)?;
            return Ok(texts.map(|texts| entries(texts.split(';'))));
        };
        let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
        match texts {
            Some(texts) => Ok(Some(entries(texts.into_iter()))),
            None => Err(self.wrong(column, Value::from(items.clone()).to_string(), "texts")),
        }
    }

    /// Mail addresses, as far as a file of names can be wrong for one; mail itself is stricter.
    fn contacts(&self, column: &'static str) -> Result<Vec<String>, RosterError> {
        let contacts = self.list(column)?.unwrap_or_default();
        let is_address = |contact: &str| {
            contact.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        };
        match contacts.iter().find(|contact| !is_address(contact)) {
            Some(wrong) => Err(self.wrong(column, wrong.clone(), "mail addresses like it@example.com")),
            None => Ok(contacts),
        }
    }

    fn boolean(&self, column: &'static str) -> Result<Option<bool>, RosterError> {
        let found = match self.row.values.get(column) {
            Some(Value::Bool(value)) => return Ok(Some(*value)),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => self.text(column)?,
        };
        let Some(found) = found else { return Ok(None) };
        match found.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(Some(true)),
            "false" | "no" | "0" => Ok(Some(false)),
            _ => Err(self.wrong(column, found, "true or false, yes or no, 1 or 0, or nothing")),
        }
    }

    fn date(&self, column: &'static str) -> Result<Option<NaiveDate>, RosterError> {
        let Some(found) = self.text(column)? else { return Ok(None) };
        let date = NaiveDate::parse_from_str(&found, "%Y-%m-%d");
        date.map(Some).map_err(|_| self.wrong(column, found, "a day like 2026-10-31"))
    }

    fn protocols(&self, column: &'static str) -> Result<Option<Vec<Protocol>>, RosterError> {
        let Some(names) = self.list(column)? else { return Ok(None) };
        if matches!(names.as_slice(), [only] if only.eq_ignore_ascii_case(NO_PROTOCOL)) {
            return Ok(Some(Vec::new()));
        }
        // A separator alone would say that all of them are off.
        let is_empty_list =
            matches!(self.row.values.get(column), Some(Value::Array(items)) if items.is_empty());
        if names.is_empty() && !is_empty_list {
            let found = self.row.values.get(column).map_or_else(String::new, |value| match value {
                Value::String(text) => text.clone(),
                value => value.to_string(),
            });
            return Err(self.wrong(column, found, "names of protocols, none, or nothing"));
        }
        let known = |name: &String| {
            Protocol::NAMED
                .into_iter()
                .find(|protocol| protocol.as_str().eq_ignore_ascii_case(name))
                .ok_or_else(|| {
                    let choices = Protocol::NAMED.map(Protocol::as_str).join(", ");
                    self.wrong(column, name.clone(), format!("some of: {choices}"))
                })
        };
        names.iter().map(known).collect::<Result<_, _>>().map(Some)
    }

    /// Days like `Mon;Tue;Wed`, in full or by their first three letters, or runs like `Sun-Thu`.
    fn weekdays(&self, column: &'static str) -> Result<Option<Vec<Weekday>>, RosterError> {
        let Some(names) = self.list(column)? else { return Ok(None) };
        let mut weekdays = Vec::new();
        for name in &names {
            let expected = "days of the week like Mon;Tue;Wed, or runs like Sun-Thu";
            let run = run_of_weekdays(name).ok_or_else(|| self.wrong(column, name.clone(), expected))?;
            weekdays.extend(run);
        }
        weekdays.sort_unstable_by_key(Weekday::num_days_from_monday);
        weekdays.dedup();
        Ok((!weekdays.is_empty()).then_some(weekdays))
    }

    fn exclude(&self) -> Result<Option<String>, RosterError> {
        let reason = self.text("exclude_reason")?;
        let exclude = self.boolean("exclude")?.unwrap_or(false);
        Ok(exclude.then(|| reason.unwrap_or_else(|| NO_REASON_GIVEN.to_owned())))
    }
}

/// One day, or the days from one to another.
fn run_of_weekdays(text: &str) -> Option<Vec<Weekday>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (Weekday, Weekday) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    let mut days = vec![first];
    while days.last() != Some(&last) {
        days.push(days.last()?.succ());
    }
    Some(days)
}

fn entries<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    texts.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}
