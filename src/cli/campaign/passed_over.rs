//! What `lightsout campaign announce` says of its draw: how many tenants were told, and why others were not.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use lightsout_campaign::announce::{PassedOver, Picked};
use lightsout_model::verdict::Reason;
use lightsout_notify::reason_text;
use lightsout_output::text::count;

/// Tenants of one reason that are named; status and explain tell of the others.
const NAMED_MAX: usize = 3;

pub(super) fn tell(picked: &Picked, effective: NaiveDate) {
    let mut grouped: BTreeMap<String, Vec<(&str, &[Reason])>> = BTreeMap::new();
    for (tenant_id, why) in &picked.passed_over {
        grouped.entry(label(why)).or_default().push((tenant_id, reasons(why)));
    }
    lightsout_output::stderr!(
        "{} announced{} (announcement {}, seed {})",
        count(picked.events.len() as u64, "tenant", "tenants"),
        if picked.events.is_empty() { String::new() } else { format!(" for {effective}") },
        picked.announcement_id,
        picked.seed
    );
    if picked.events.is_empty() && grouped.is_empty() {
        lightsout_output::stderr!("  the decision has no eligible tenant; see: lightsout campaign status");
    }
    for (label, tenants) in grouped {
        let cure =
            if label.ends_with(NOT_COLLECTED) { " (collect the logs, then run this again)" } else { "" };
        lightsout_output::stderr!("  skipped, {label}: {}{cure}", tenants.len());
        let explained = tenants.iter().filter(|(_, reasons)| !reasons.is_empty());
        for (tenant_id, reasons) in explained.take(NAMED_MAX) {
            let told: Vec<String> = reasons.iter().map(reason_text).collect();
            lightsout_output::stderr!("    {tenant_id}: {}", told.join("; "));
        }
        if tenants.len() > NAMED_MAX && tenants.iter().any(|(_, reasons)| !reasons.is_empty()) {
            lightsout_output::stderr!(
                "    and {} more; see: lightsout explain TENANT",
                tenants.len() - NAMED_MAX
            );
        }
    }
    if let Some(before) = picked.drawn_before {
        lightsout_output::stderr!(
            "this wave was already drawn at {}; use another --seed to draw another",
            before.format("%Y-%m-%d %H:%M")
        );
    }
}

const NOT_COLLECTED: &str = "logs not collected up to today";

/// What tenants are counted by.
fn label(why: &PassedOver) -> String {
    match why {
        PassedOver::AlreadyAnnounced { .. } => "announced before".to_owned(),
        PassedOver::ExcludedByRoster { .. } => "excluded by the roster".to_owned(),
        PassedOver::ExcludedByCampaign { .. } => "excluded by the campaign's waves".to_owned(),
        PassedOver::AlreadyOff { campaign: None } => "already off".to_owned(),
        PassedOver::AlreadyOff { campaign: Some(campaign) } => format!("turned off by campaign {campaign}"),
        PassedOver::KeptByTenant => "opted out before the announcement was withdrawn".to_owned(),
        PassedOver::Overtaken { .. } => "used since the decision".to_owned(),
        PassedOver::NotCovered { reasons } => {
            let codes = Reason::codes(reasons);
            if codes.contains(&"not_settled") {
                NOT_COLLECTED.to_owned()
            } else {
                format!("insufficient evidence up to today, {}", codes.join(" and "))
            }
        }
        PassedOver::NotDrawn => "not drawn for this wave".to_owned(),
        PassedOver::NoRoom => "the campaign's waves.pending_max is reached".to_owned(),
    }
}

fn reasons(why: &PassedOver) -> &[Reason] {
    match why {
        PassedOver::Overtaken { reasons } | PassedOver::NotCovered { reasons } => reasons,
        PassedOver::AlreadyAnnounced { .. }
        | PassedOver::ExcludedByRoster { .. }
        | PassedOver::ExcludedByCampaign { .. }
        | PassedOver::AlreadyOff { .. }
        | PassedOver::KeptByTenant
        | PassedOver::NotDrawn
        | PassedOver::NoRoom => &[],
    }
}
