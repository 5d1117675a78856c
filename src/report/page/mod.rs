//! `report.html`: one self-contained page of what was decided, how usage went, who is left, of whom the logs
//! cannot tell and what to do next. `data` is what it is made of, `model` adds it up, `charts`, `tables` and `next` say it,
//! and `page.html` puts it in order. No clock, no lake: the same snapshot gives the same bytes, and a server
//! renders the same page of another one.
//!
//! It loads nothing. Its one script sorts, filters and pages the tables that are there without it; a
//! Content-Security-Policy permits that script, its one style sheet and nothing else.
//!
//! A server's page has a form beside it, and leads to a page of each tenant (`tenant`); what it can't answer it
//! says on a page of a few words (`told`).

mod campaign;
mod charts;
mod data;
mod gaps;
mod markup;
mod model;
mod next;
#[cfg(test)]
mod sample;
mod tables;
pub mod tenant;
#[cfg(test)]
mod tests;
mod told;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use lightsout_model::verdict::{TenantAssessment, TenantVerdict};
use lightsout_notify::limits_of_all;
use lightsout_output::text;

pub use campaign::Standing;
pub use data::{Asked, Links, Snapshot, rows_of_users};
use model::Model;
pub use told::{Told, render_told};

/// Each page by its name; as they end with .html, whatever they print is escaped.
const TEMPLATES: [(&str, &str); 3] = [
    ("page.html", include_str!("page.html")),
    ("tenant.html", include_str!("tenant.html")),
    ("told.html", include_str!("told.html")),
];
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page as HTML. Beside the snapshot it holds itself once, a few megabytes at most.
///
/// # Errors
/// Never, in practice: the template is part of the program.
pub fn render(snapshot: &Snapshot<'_>, links: &Links<'_>) -> Result<String> {
    filled("page.html", values(snapshot, links))
}

fn filled(name: &str, values: Value) -> Result<String> {
    let failed = |source| Error::Page { source: Box::new(source) };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    environment.add_filter("count", |n: u64, one: &str, many: &str| text::count(n, one, many));
    environment.add_filter("number", text::number);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text).map_err(failed)?;
    }
    let page = environment.get_template(name).map_err(failed)?;
    page.render(values).map_err(failed)
}

fn values(snapshot: &Snapshot<'_>, links: &Links<'_>) -> Value {
    let model = Model::of(snapshot);
    let (campaign, assessment) = (snapshot.campaign, snapshot.assessment);
    let window = assessment.window;
    let tenants = tables::tenants(&model, links);
    let who = tables::who(snapshot, links);
    let gaps = gaps::table(&model, links);
    let count = |verdict: TenantVerdict| model.tenants_with(verdict);
    let found = links.asked.and_then(|asked| asked.found);
    let shown = || model.tenants.iter().filter(|tenant| links.shows(tenant));
    context! {
        policy => policy(links.asked.is_some()),
        style => Value::from_safe_string(STYLE.to_owned()),
        script => Value::from_safe_string(SCRIPT.to_owned()),
        title => text::plain_short(&campaign.title, data::NAME_CHARACTERS_MAX),
        campaign => campaign.name,
        message_id => campaign.message_id,
        decision_id => assessment.decision_id,
        program_version => env!("CARGO_PKG_VERSION"),
        first_day => text::date(window.first),
        last_day => text::date(window.end.pred_opt().unwrap_or(window.first)),
        as_of => window.end.to_string(),
        window_days => window.days(),
        lookback_days => campaign.lookback_days,
        scope => text::enumerate(&campaign.scope().iter().map(|of| of.display_name()).collect::<Vec<_>>()),
        files => links.files(),
        home => links.asked.map(|asked| asked.home),
        search => links.asked.map_or("", |asked| asked.search),
        found => found.map(|_| shown().count() as u64),
        found_first => found.map(|_| found_first(shown().copied(), links)),
        total => model.tenants.len() as u64,
        no_impact => count(TenantVerdict::NoImpact),
        warning => count(TenantVerdict::Warning),
        insufficient => count(TenantVerdict::InsufficientEvidence),
        excluded => count(TenantVerdict::Excluded),
        verdicts => charts::verdicts(&model).into_value(),
        steps => next::steps(&model, snapshot, links.asked.is_none()),
        trends => charts::trends(&model).into_value(),
        days_table => tables::days(&model).into_value(),
        protocols_table => tables::protocols(&model).into_value(),
        abbreviations => tables::abbreviations(&model).into_value(),
        tenants_table => tenants.markup.into_value(),
        tenants_left_out => tenants.left_out,
        who_table => who.markup.into_value(),
        who_rows => who.rows,
        who_tenants => who.tenants,
        who_tenants_left_out => who.tenants_left_out,
        who_rows_each => who.rows_each,
        users_total => shown().map(|tenant| tenant.users).sum::<u64>(),
        limits => limits_of_all(campaign, shown().copied(), window),
        standing => campaign::section(&snapshot.standing, links),
        reasons_table => gaps::reasons(&model).into_value(),
        gaps_table => gaps.markup.into_value(),
        gaps_left_out => gaps.left_out,
    }
}

/// The first of those that were searched for, each with the address of its page.
fn found_first<'a>(shown: impl Iterator<Item = &'a TenantAssessment>, links: &Links<'_>) -> Vec<Value> {
    const FIRST: usize = 10;
    let named = |tenant: &TenantAssessment| {
        let name = tenant.display_name.as_deref().unwrap_or(&tenant.tenant_id);
        let address = links.tenant.map(|address| address(&tenant.tenant_id)).unwrap_or_default();
        context! { name => text::plain_short(name, data::NAME_CHARACTERS_MAX), address }
    };
    shown.take(FIRST).map(named).collect()
}

/// What a browser may do with a page: obey this style sheet and run this script; with those of a server, ask it
/// again.
#[must_use]
pub fn policy(is_served: bool) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action '{}'",
        hash(STYLE),
        hash(SCRIPT),
        if is_served { "self" } else { "none" }
    )
}
