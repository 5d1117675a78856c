//! The page of one tenant, which a server makes: the same explanation as `lightsout explain`, to look at.

mod coverage;
mod tables;

use chrono::{DateTime, Utc};
use minijinja::{Value, context};
use serde::Deserialize;

use super::campaign::Standing;
use super::data::NAME_CHARACTERS_MAX;
use super::{SCRIPT, STYLE, filled, next, policy};
use crate::error::Result;
use crate::explain::Explanation;
use lightsout_model::campaign::Campaign;
use lightsout_notify::dismissal_text;
use lightsout_output::text;

/// One tenant over one window.
#[derive(Debug, Clone, Copy)]
pub struct TenantPage<'a> {
    pub campaign: &'a Campaign,
    pub decision_id: &'a str,
    pub explanation: &'a Explanation,
    /// The busiest first.
    pub addresses: &'a [Address],
    /// Where its campaign stands.
    pub standing: Standing<'a>,
}

/// A row of `queries/top_ip_addresses.sql`.
#[derive(Debug, Clone, Deserialize)]
pub struct Address {
    pub ip_address: Option<String>,
    pub countries: Option<Vec<String>>,
    pub users: u64,
    pub sign_ins: u64,
    pub protocols: Vec<String>,
    pub first_seen: DateTime<Utc>,
    pub last_seen: DateTime<Utc>,
}

/// Where its links lead.
#[derive(Debug, Clone, Copy)]
pub struct TenantLinks<'a> {
    /// The report of all tenants, of the same window.
    pub home: &'a str,
    /// This page, without a window.
    pub own: &'a str,
    pub who_csv: &'a str,
    pub who_json: &'a str,
}

/// The page as HTML.
///
/// # Errors
/// Never, in practice: the template is part of the program.
pub fn render_tenant(page: &TenantPage<'_>, links: &TenantLinks<'_>) -> Result<String> {
    filled("tenant.html", values(page, links))
}

fn values(page: &TenantPage<'_>, links: &TenantLinks<'_>) -> Value {
    let TenantPage { campaign, decision_id, explanation, addresses, standing } = *page;
    let Explanation { tenant, window, .. } = explanation;
    let (class, verdict) = super::tables::in_words(tenant.verdict);
    let id = text::plain_short(&tenant.tenant_id, NAME_CHARACTERS_MAX);
    let name = tenant.display_name.as_deref().map(|name| text::plain_short(name, NAME_CHARACTERS_MAX));
    let who = tables::who(explanation);
    let clear = tenant.protocols_clear.iter().map(|of| of.display_name()).collect::<Vec<_>>();
    context! {
        policy => policy(true),
        style => Value::from_safe_string(STYLE.to_owned()),
        script => Value::from_safe_string(SCRIPT.to_owned()),
        name => name.unwrap_or_else(|| id.clone()),
        id,
        class,
        verdict,
        because => explanation.because,
        dismissed => tenant.dismissals_in_force().map(dismissal_text).collect::<Vec<_>>(),
        limits => explanation.limits,
        campaign_title => text::plain_short(&campaign.title, NAME_CHARACTERS_MAX),
        campaign => campaign.name,
        standing => super::campaign::of_tenant(&standing, &tenant.tenant_id),
        decision_id,
        program_version => env!("CARGO_PKG_VERSION"),
        first_day => text::date(window.first),
        last_day => text::date(window.end.pred_opt().unwrap_or(window.first)),
        as_of => window.end.to_string(),
        window_days => window.days(),
        command => next::argument(&tenant.tenant_id),
        flags => next::flags(campaign, *window),
        home => links.home,
        own => links.own,
        who_csv => links.who_csv,
        who_json => links.who_json,
        users => tenant.users,
        clear => text::enumerate(&clear),
        protocols_table => tables::protocols(tenant).into_value(),
        who_rows => explanation.who.len() as u64,
        who_table => who.markup.into_value(),
        who_left_out => who.left_out as u64,
        addresses => addresses.len() as u64,
        addresses_table => tables::addresses(addresses).into_value(),
        tried => !explanation.attempts.codes.is_empty(),
        codes_table => tables::codes(&explanation.attempts).into_value(),
        sources_table => tables::sources(&explanation.attempts).into_value(),
        days => coverage::days(explanation).into_value(),
        gaps => explanation.gaps.len() as u64,
        gaps_table => coverage::gaps(explanation).into_value(),
        queries => explanation.queries,
    }
}
