//! What a page is made of, and how much of it fits.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::campaign::Campaign;
use crate::query::page::PageUsage;
use crate::verdict::{Assessment, TenantAssessment};

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
}

/// Where the page's links lead.
#[derive(Clone, Copy)]
pub struct Links<'a> {
    /// What stands before the names of the files that are written beside the page.
    pub files: &'a str,
    /// The address of one tenant's own page, by its id, where there are such pages.
    pub tenant: Option<&'a dyn Fn(&str) -> String>,
}

impl Links<'static> {
    /// Of a page among the files of its run.
    pub const BESIDE: Self = Self { files: "", tenant: None };
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
