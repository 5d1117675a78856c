//! What the shapes have in common: the items that a sign-in has (`items`), and a draft that gathers them, whatever order
//! a record has them in.

mod items;
mod values;

use std::borrow::Cow;

use super::{Parsed, nested};
use crate::classify::names_password_grant;
use crate::json::{Cursor, JsonError, Kind, Strings};
use crate::reject::RejectReason;
pub(super) use items::Item;
use lightsout_model::sign_in::{Category, Outcome, RawSignIn};
use lightsout_model::tenant::{is_guid, tenant_id};
use lightsout_model::time::{self, DateOrder};
pub(super) use values::{code, graver, last_code, once, outcome_word};
use values::{graver_client, graver_code, is_plain_tenant, tenant_in_path, truth};

/// What a record says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Says {
    pub tenant: bool,
    /// What it has in place of a tenant id.
    pub tenant_name: Option<String>,
    pub category: bool,
}

/// A record of another log than those of sign-ins.
struct OtherLog;

/// What can be told of a rejected record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glimpse {
    pub sign_in: RawSignIn<'static>,
    /// It may be one; else it is a record of another log.
    pub is_sign_in: bool,
}

/// A record while its members are read.
#[derive(Debug, Default)]
pub(super) struct Draft<'a> {
    pub(super) sign_in: RawSignIn<'a>,
    pub(super) created: Option<Cow<'a, str>>,
    pub(super) emitted: Option<Cow<'a, str>>,
    pub(super) result_type: Option<Cow<'a, str>>,
    pub(super) description: Option<Cow<'a, str>>,
    pub(super) tenant_path: Option<Cow<'a, str>>,
    tenant_name: Option<Cow<'a, str>>,
    country: Option<Cow<'a, str>>,
    category: Option<Cow<'a, str>>,
    table: Option<Cow<'a, str>>,
    event_type: Option<Category>,
    service_principal: bool,
    /// A member beside the status has a code.
    has_flat_code: bool,
    has_details: bool,
    /// What is there twice and says two things, of which neither is the graver.
    pub(super) twice: Option<&'static str>,
}

/// Whether a category is named as Azure Monitor names logs and tables: `AuditLogs`, `RiskyUsers`, `UserRiskEvents`.
fn names_log(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["logs", "log", "events", "users", "principals", "detections"].iter().any(|end| lower.ends_with(end))
}

/// Whether a category is not one of users' sign-ins.
fn is_of_no_user(name: &str) -> bool {
    !Category::from_table(name.trim()).is_some_and(Category::is_user)
}

/// Whether a result type is success.
pub(super) fn says_success(result: &str) -> bool {
    code(result) == Some(0) || outcome_word(result) == Some(Outcome::Success)
}

/// Whether a log's name has "sign in" in it, however it is written.
pub(super) fn speaks_of_sign_ins(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    plain.to_ascii_lowercase().contains("signin")
}

impl<'a> Draft<'a> {
    /// Reads one flat JSON record, whose names mean what `item_of` says.
    pub(super) fn read(
        mut cursor: Cursor<'a, impl Strings>,
        item_of: impl Fn(&str) -> Option<Item>,
    ) -> Result<Self, JsonError> {
        let mut draft = Self::default();
        cursor.object::<JsonError>(|cursor, key| match item_of(key) {
            Some(item) => draft.member(item, cursor),
            None => cursor.skip(),
        })?;
        cursor.end()?;
        Ok(draft)
    }

    /// Takes a member's value from JSON; the last of several with one name counts.
    pub(super) fn member(
        &mut self,
        item: Item,
        cursor: &mut Cursor<'a, impl Strings>,
    ) -> Result<(), JsonError> {
        match (item, cursor.kind()?) {
            (Item::Status, Kind::Object) => {
                let status = nested::status(cursor)?;
                self.sign_in.has_result |= status.states_code;
                let known = self.sign_in.error_code;
                self.sign_in.error_code = if self.has_flat_code {
                    graver_code(status.error_code, known)
                } else {
                    last_code(known, status.error_code)
                };
                self.sign_in.failure_reason = status.failure_reason;
            }
            (Item::Location, Kind::Object) => self.sign_in.country = nested::country(cursor)?,
            (Item::AuthenticationDetails, Kind::Array) => {
                let succeeded = nested::certificate_succeeded(cursor)?;
                self.certificate(succeeded);
            }
            (Item::EventTypes, Kind::Array) => self.event_type = nested::event_type(cursor)?,
            // What proves a client modern, or Basic, is not passed because a tool has put it in a list.
            (Item::AuthenticationProtocol | Item::ClientApp, Kind::Array) => {
                self.set(item, nested::list(cursor)?);
            }
            (Item::UserAgent, Kind::Array | Kind::Object) => self.set(item, nested::agent(cursor)?),
            _ => self.set(item, cursor.text()?),
        }
        Ok(())
    }

    /// Takes text: a cell, or a JSON scalar. `None` is a member that is there and says nothing.
    pub(super) fn set(&mut self, item: Item, text: Option<Cow<'a, str>>) {
        let sign_in = &mut self.sign_in;
        match item {
            Item::SignInId => sign_in.sign_in_id = text,
            Item::SignedInAt => once(&mut self.created, text, "createdDateTime", &mut self.twice),
            Item::EmittedAt => once(&mut self.emitted, text, "time", &mut self.twice),
            Item::Tenant => once(&mut sign_in.tenant_id, text, "tenantId", &mut self.twice),
            Item::TenantPath => self.tenant_path = text,
            Item::TenantName => self.tenant_name = text.or(self.tenant_name.take()),
            Item::Category => self.category = graver(self.category.take(), text, is_of_no_user),
            Item::TableName => self.table = graver(self.table.take(), text, is_of_no_user),
            Item::EventTypes => self.event_type = text.as_deref().and_then(nested::event_type_in_text),
            Item::UserId => sign_in.user_id = text,
            Item::UserPrincipalName => sign_in.user_principal_name = text,
            Item::UserType => sign_in.user_type = text,
            Item::ServicePrincipalId => self.service_principal = text.is_some(),
            Item::AppId => sign_in.app_id = text,
            Item::AppName => sign_in.app_name = text,
            Item::ResourceId => sign_in.resource_id = text,
            Item::ResourceName => sign_in.resource_name = text,
            Item::ClientApp => {
                sign_in.has_client_app = true;
                let (client_app, is_one) = graver_client(sign_in.client_app.take(), text);
                sign_in.client_app = client_app;
                if !is_one {
                    self.twice = Some("clientAppUsed");
                }
            }
            Item::AuthenticationProtocol => {
                let known = sign_in.authentication_protocol.take();
                sign_in.authentication_protocol = graver(known, text, |name| !names_password_grant(name));
            }
            Item::AuthenticationDetails => {
                let succeeded = text.as_deref().is_some_and(nested::certificate_in_text);
                self.certificate(succeeded);
            }
            Item::Status => self.status_text(text),
            Item::ErrorCode => {
                sign_in.has_result = true;
                self.has_flat_code = true;
                sign_in.error_code = graver_code(text.as_deref().and_then(code), sign_in.error_code);
            }
            Item::ResultType => {
                sign_in.has_result = true;
                self.result_type = graver(self.result_type.take(), text, |word| !says_success(word));
            }
            Item::FailureReason => sign_in.failure_reason = text,
            Item::ResultDescription => self.description = text,
            Item::ConditionalAccess => sign_in.conditional_access = text,
            Item::UserAgent => {
                sign_in.user_agent = nested::graver_agent(sign_in.user_agent.take(), text);
            }
            Item::IpAddress => sign_in.ip_address = text,
            Item::Location => sign_in.country = text.and_then(nested::country_in_text),
            Item::Country => self.country = text.and_then(nested::country_in_text),
            Item::IsInteractive => sign_in.is_interactive = text.as_deref().and_then(truth),
            Item::HomeTenant => once(&mut sign_in.home_tenant_id, text, "homeTenantId", &mut self.twice),
            Item::ResourceTenant => {
                once(&mut sign_in.resource_tenant_id, text, "resourceTenantId", &mut self.twice);
            }
            Item::CorrelationId => sign_in.correlation_id = text,
        }
    }

    /// Takes whether a certificate was used; of two members that say so, neither proves it alone.
    fn certificate(&mut self, succeeded: bool) {
        let known = self.sign_in.client_certificate;
        self.sign_in.client_certificate = succeeded && (known || !self.has_details);
        self.has_details = true;
    }

    fn status_text(&mut self, text: Option<Cow<'a, str>>) {
        let sign_in = &mut self.sign_in;
        let Some(text) = text else {
            sign_in.has_result = true;
            return;
        };
        let status = nested::status_in_text(&text);
        if status.states_code {
            self.status(status);
        } else if let Some(outcome) = outcome_word(&text) {
            sign_in.has_result = true;
            if sign_in.stated_outcome != Some(Outcome::Success) {
                sign_in.stated_outcome = Some(outcome);
            }
        } else if text.trim() == "[object Object]" {
            // A script has lost the status; who reads the row sees it.
            sign_in.failure_reason = sign_in.failure_reason.take().or(Some(text));
        }
    }

    /// Takes a status as it was read from text.
    pub(super) fn status(&mut self, status: nested::Status<'a>) {
        if status.states_code {
            let sign_in = &mut self.sign_in;
            sign_in.has_result = true;
            sign_in.error_code = graver_code(status.error_code, sign_in.error_code);
            sign_in.failure_reason = status.failure_reason.or(sign_in.failure_reason.take());
        }
    }

    /// The same, of text that goes away.
    pub(super) fn into_owned(self) -> Draft<'static> {
        let own = |text: Option<Cow<'a, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        Draft {
            sign_in: self.sign_in.into_owned(),
            created: own(self.created),
            emitted: own(self.emitted),
            result_type: own(self.result_type),
            description: own(self.description),
            tenant_path: own(self.tenant_path),
            tenant_name: own(self.tenant_name),
            country: own(self.country),
            category: own(self.category),
            table: own(self.table),
            event_type: self.event_type,
            service_principal: self.service_principal,
            has_flat_code: self.has_flat_code,
            has_details: self.has_details,
            twice: self.twice,
        }
    }

    /// Texts of its times, for whoever settles the order of day and month.
    pub(super) fn times(&self) -> impl Iterator<Item = &str> {
        [self.created.as_deref(), self.emitted.as_deref()].into_iter().flatten()
    }

    /// What the record itself says.
    pub(super) fn says(mut self) -> Says {
        self.settle_tenant();
        Says {
            tenant: self.sign_in.tenant_id.is_some(),
            tenant_name: self.sign_in.tenant_name.map(Cow::into_owned),
            category: self.category.is_some() || self.table.is_some() || self.event_type.is_some(),
        }
    }

    /// Tells tenant ids from what else stands in their place.
    fn settle_tenant(&mut self) {
        let sign_in = &mut self.sign_in;
        let stated = sign_in.tenant_id.take();
        if stated.as_deref().is_some_and(is_plain_tenant) {
            sign_in.tenant_id = stated;
            return;
        }
        let by_path = || self.tenant_path.as_deref().and_then(tenant_in_path);
        let id = stated.as_deref().and_then(tenant_id).or_else(by_path);
        let id = id.or_else(|| self.tenant_name.as_deref().and_then(tenant_id));
        sign_in.tenant_id = id.map(Cow::Owned);
        if sign_in.tenant_id.is_none() {
            let names = |text: &Cow<'_, str>| !text.trim().is_empty() && !is_guid(text);
            sign_in.tenant_name = stated.filter(names).or(self.tenant_name.take().filter(names));
        }
    }

    /// What can be told of a record that is rejected. The time is `None` where nothing reads it.
    pub(super) fn glimpse(mut self, dates: DateOrder) -> Glimpse {
        self.settle_tenant();
        let category = self.category();
        let read =
            |text: &Option<Cow<'a, str>>| text.as_deref().and_then(|text| time::parse(text, dates).ok());
        let twice = self.twice;
        let mut sign_in = self.sign_in;
        let is_sign_in = category.is_ok();
        sign_in.category = category.unwrap_or(None);
        sign_in.signed_in_at = if self.created.is_some() { read(&self.created) } else { read(&self.emitted) };
        let Some(twice) = twice else { return Glimpse { sign_in: sign_in.into_owned(), is_sign_in } };
        // What it says of itself once more, it may say of another client, day and category.
        (sign_in.client_app, sign_in.category, sign_in.signed_in_at) = (None, None, None);
        if matches!(twice, "tenantId" | "resourceId") {
            sign_in.tenant_id = None;
        }
        Glimpse { sign_in: sign_in.into_owned(), is_sign_in: true }
    }

    /// Whether it states the client app of a sign-in.
    fn names_client(&self) -> bool {
        self.sign_in.client_app.as_deref().is_some_and(|app| !app.trim().is_empty())
    }

    /// The category, as far as the record states it.
    fn category(&self) -> Result<Option<Category>, OtherLog> {
        let stated = self.category.as_deref().map(str::trim);
        let table = self.table.as_deref();
        let category = stated.and_then(Category::from_table).or_else(|| table.and_then(Category::from_table));
        // A log of sign-ins by a name that is not known is one of unknown category.
        if category.is_none()
            && (stated.is_some() || table.is_some())
            && !stated.into_iter().chain(table).any(speaks_of_sign_ins)
        {
            let is_other = !self.names_client() || stated.into_iter().chain(table).any(names_log);
            return if is_other { Err(OtherLog) } else { Ok(None) };
        }
        Ok(category.or(self.event_type))
    }

    /// The sign-in, all members being read.
    ///
    /// The time is that of the sign-in; where it is missing, that of its emission.
    pub(super) fn finish(self, dates: DateOrder) -> Result<Parsed<'a>, RejectReason> {
        self.finish_with(dates, dates)
    }

    /// The same where the time of emission has an order of its own.
    pub(super) fn finish_with(
        mut self,
        dates: DateOrder,
        emitted_dates: DateOrder,
    ) -> Result<Parsed<'a>, RejectReason> {
        if let Some(member) = self.twice {
            return Err(RejectReason::MemberTwice { member });
        }
        self.settle_tenant();
        let category = self.category();
        let mut sign_in = self.sign_in;
        sign_in.category = match category {
            Ok(category) => category,
            Err(OtherLog) => return Ok(Parsed::NotSignIn),
        };
        sign_in.service_principal =
            self.service_principal && sign_in.user_id.is_none() && sign_in.user_principal_name.is_none();
        sign_in.emitted_at = self.emitted.as_deref().and_then(|text| time::parse(text, emitted_dates).ok());
        sign_in.signed_in_at = match (&self.created, &self.emitted) {
            (Some(created), _) => Some(read_time("createdDateTime", created, dates)?),
            (None, Some(emitted)) => Some(read_time("the time of emission", emitted, emitted_dates)?),
            (None, None) => return Err(RejectReason::NoTime),
        };
        if let Some(result) = self.result_type.as_deref() {
            sign_in.error_code = graver_code(sign_in.error_code, code(result));
            let stated = outcome_word(result);
            sign_in.stated_outcome =
                stated.filter(|word| *word == Outcome::Success).or(sign_in.stated_outcome).or(stated);
        }
        // Members that contradict each other: what may be usage is not taken for a failure.
        if sign_in.error_code == Some(0) {
            sign_in.stated_outcome = None;
        }
        sign_in.failure_reason = sign_in.failure_reason.or(self.description);
        sign_in.country = sign_in.country.or(self.country);
        Ok(Parsed::SignIn(Box::new(sign_in)))
    }
}

fn read_time(member: &'static str, text: &str, dates: DateOrder) -> Result<i64, RejectReason> {
    time::parse(text, dates).map_err(|error| RejectReason::of_time(member, text, error))
}

#[cfg(test)]
mod tests;
