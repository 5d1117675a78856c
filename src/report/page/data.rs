//! What a page is made of, and how much of it fits.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::campaign::Standing;
use lightsout_model::campaign::Campaign;
use lightsout_model::verdict::{Assessment, TenantAssessment};
use lightsout_query::page_usage::PageUsage;

/// Rows of a table of tenants: more than ten thousand, and still a page that a browser opens at once.
pub(super) const TENANT_ROWS_MAX: usize = 20_000;
/// Rows of the table of users.
const USER_ROWS_MAX: usize = 2_000;
/// Rows of one tenant in it.
const USER_ROWS_EACH_MAX: usize = 10;
/// Characters of a name: a log may hold megabytes.
pub(super) const NAME_CHARACTERS_MAX: usize = 80;

/// One decision over one window, with what the lake says of its days and users.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot<'a> {
    pub campaign: &'a Campaign,
    pub assessment: &'a Assessment,
    /// Of each tenant as many users as [`rows_of_users`] gives it.
    pub usage: &'a PageUsage,
    /// Where its campaign stands.
    pub standing: Standing<'a>,
}

/// Files that a page may name.
pub(super) const FILES: [&str; 11] = [
    "assessment.csv",
    "assessment.json",
    "protocol_usage.csv",
    "protocol_usage.json",
    "coverage_gaps.csv",
    "coverage_gaps.json",
    "lists/warning.csv",
    "lists/selected_protocols.csv",
    "lists/insufficient_evidence.csv",
    "lists/no_impact.csv",
    "lists/excluded.csv",
];

/// Where the page's links lead.
#[derive(Clone, Copy)]
pub struct Links<'a> {
    /// The address of a file by its name, where there is such a file.
    pub file: &'a dyn Fn(&str) -> Option<String>,
    /// The address of one tenant's own page, by its id, where there are such pages.
    pub tenant: Option<&'a dyn Fn(&str) -> String>,
    /// Of a page that somebody asked a server for.
    pub asked: Option<Asked<'a>>,
}

/// What was asked of a server, beside the window.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The address of the same page without a search.
    pub home: &'a str,
    /// As it was typed; empty if nothing was.
    pub search: &'a str,
    /// The ids of the tenants that it found; `None` without a search.
    pub found: Option<&'a BTreeSet<String>>,
}

impl Links<'static> {
    /// Of a page among the files of its run.
    pub const BESIDE: Self = Self { file: &|name| Some(name.to_owned()), tenant: None, asked: None };
}

impl Links<'_> {
    /// Whether a tenant is one of those that were searched for.
    pub(super) fn shows(&self, tenant: &TenantAssessment) -> bool {
        let found = self.asked.and_then(|asked| asked.found);
        found.is_none_or(|found| found.contains(&tenant.tenant_id))
    }

    /// The addresses of the files that there are, by name.
    pub(super) fn files(&self) -> BTreeMap<&'static str, String> {
        FILES.into_iter().filter_map(|name| Some((name, (self.file)(name)?))).collect()
    }
}

/// Tenants with usage, those with the most users first.
pub(super) fn in_use(assessment: &Assessment) -> Vec<&TenantAssessment> {
    let mut tenants: Vec<&TenantAssessment> =
        assessment.tenants.iter().filter(|tenant| tenant.users > 0).collect();
    tenants.sort_unstable_by_key(|tenant| (Reverse(tenant.users), tenant.tenant_id.as_str()));
    tenants
}

/// How many users of each tenant the page has room for, by tenant id; a tenant that is not here has no row.
#[must_use]
pub fn rows_of_users(assessment: &Assessment) -> BTreeMap<&str, usize> {
    let tenants = in_use(assessment);
    let each = rows_each(tenants.len());
    tenants.iter().take(USER_ROWS_MAX / each).map(|tenant| (tenant.tenant_id.as_str(), each)).collect()
}

/// Rows of each of so many tenants.
pub(super) fn rows_each(tenants: usize) -> usize {
    (USER_ROWS_MAX / tenants.max(1)).clamp(1, USER_ROWS_EACH_MAX)
}
