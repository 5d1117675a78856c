//! Notify: verdicts to eligibility lists and notices. It decides nothing and counts nothing, reads no
//! clock and no lake: what it is given here is all that it tells. `lists` writes the lists and `files`
//! the notices, `delivery` what mails them; everything between is how one template becomes Markdown,
//! a page, a mail and JSON.

pub mod delivery;
pub mod files;
pub mod lists;
pub mod notice;
pub mod templates;

mod dismissed;
mod error;
mod facts;
mod html;
mod limits;
mod locale;
mod mail;
mod message;
mod notice_content;
mod phrases;
mod plain_text;
mod reason_text;
#[cfg(test)]
mod sample;

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use lightsout_model::campaign::Campaign;
use lightsout_model::change::Change;
use lightsout_model::evidence::WhoRow;
use lightsout_model::language::Language;
use lightsout_model::protocol::Protocol;
use lightsout_model::tenant::{Roster, RosterTenant};
use lightsout_model::verdict::{Assessment, Reason, TenantAssessment};

pub use dismissed::dismissal_text;
pub use error::NotifyError;
pub use limits::{limits, limits_of_all};
pub use reason_text::{gap_cure, reason_text, reasons_text};

/// Everything that lists and notices are made of.
#[derive(Debug, Clone, Copy)]
pub struct NoticeContext<'a> {
    pub campaign: &'a Campaign,
    pub assessment: &'a Assessment,
    pub roster: &'a Roster,
    /// By tenant id, usage only. A tenant that is not here gets a notice without names.
    pub who: &'a BTreeMap<String, Vec<WhoRow>>,
    /// By tenant id: what was announced, and where it stands. Empty for drafts.
    pub changes: &'a BTreeMap<String, Change>,
    /// The protocols that a message about a change is about, where that is only a part of it: those that are no
    /// longer on hold, for example. `None`: all that are in such a state.
    pub protocols_told: Option<&'a [Protocol]>,
    /// The day that the notice is, or would be, given.
    pub notice_date: NaiveDate,
    /// Not announced yet: every notice says so on top.
    pub draft: bool,
    /// Of a rehearsal, which nobody is told: every notice says so on top.
    pub rehearsal: bool,
}

impl<'a> NoticeContext<'a> {
    /// The day of the change: the campaign's own, else `notice_days` after the notice.
    #[must_use]
    pub fn effective_date(&self) -> NaiveDate {
        let after_notice = || self.notice_date.checked_add_days(Days::new(self.campaign.notice_days.into()));
        self.campaign.effective_date.or_else(after_notice).unwrap_or(NaiveDate::MAX)
    }

    /// The name that the decision holds, else the roster's.
    fn display_name<'t>(&self, tenant: &'t TenantAssessment) -> Option<&'t str>
    where
        'a: 't,
    {
        let roster = || self.roster_tenant(&tenant.tenant_id)?.display_name.as_deref();
        tenant.display_name.as_deref().or_else(roster)
    }

    fn roster_tenant(&self, tenant_id: &str) -> Option<&'a RosterTenant> {
        self.roster.tenants.get(tenant_id)
    }

    /// The language that a tenant's notice is written in: the roster's, where there are templates and texts of the
    /// campaign in it; else that of the campaign.
    #[must_use]
    pub fn language(&self, tenant_id: &str) -> Language {
        let stated = self.roster_tenant(tenant_id).and_then(|tenant| tenant.language.as_deref());
        let language = stated.and_then(Language::of_tag);
        let can_be_had = |language: &Language| self.campaign.in_language(*language).is_some();
        language.filter(can_be_had).unwrap_or_else(|| self.campaign.base_language())
    }

    /// Whether the roster states a language that the tenant's notice is not written in.
    #[must_use]
    pub fn falls_back(&self, tenant_id: &str) -> bool {
        let stated = self.roster_tenant(tenant_id).and_then(|tenant| tenant.language.as_deref());
        stated.is_some_and(|tag| {
            !tag.trim().is_empty() && Language::of_tag(tag) != Some(self.language(tenant_id))
        })
    }
}

/// The codes of a tenant's reasons, joined with `;`.
fn reason_codes(tenant: &TenantAssessment) -> String {
    Reason::codes(&tenant.reasons).join(";")
}
