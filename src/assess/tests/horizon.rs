//! Horizons, and the date that windows end at where nobody names one.

use super::case::{TENANT, at, day, seen_every_day};
use crate::{default_as_of, horizon};
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{TenantEvidence, Window};
use lightsout_model::tenant::{Roster, RosterTenant};

fn campaign() -> Campaign {
    lightsout_config::campaign_file::load("basic-auth-all-protocols").expect("it is embedded")
}

fn tenant(number: usize, latest: Option<&str>) -> TenantEvidence {
    let mut tenant = seen_every_day(Window::before(day("2026-10-31"), 30));
    tenant.tenant_id = format!("11111111-aaaa-4bbb-8ccc-{number:012}");
    for coverage in tenant.coverage.values_mut() {
        coverage.latest_at = latest.map(at);
        coverage.sibling_latest_at = None;
    }
    tenant
}

fn as_of(latest: &[Option<&str>]) -> Option<String> {
    let tenants: Vec<TenantEvidence> =
        latest.iter().enumerate().map(|(number, latest)| tenant(number, *latest)).collect();
    default_as_of(&campaign(), &Roster::default(), &tenants).map(|day| day.to_string())
}

#[test]
fn the_horizon_is_the_latest_time_less_the_hours_to_settle() {
    let tenant = tenant(1, Some("2026-10-31T06:00:00.000001Z"));
    assert_eq!(horizon(&campaign(), None, &tenant), Some(at("2026-10-30T06:00:00.000001Z")));
}

#[test]
fn the_horizon_is_the_end_of_a_stated_range_where_that_is_later() {
    let mut tenant = tenant(1, Some("2026-10-31T06:00:00Z"));
    for coverage in tenant.coverage.values_mut() {
        coverage.stated = super::case::ranges("2026-10-01..2026-10-30");
    }
    assert_eq!(horizon(&campaign(), None, &tenant), Some(at("2026-10-31")));
    let settings = RosterTenant {
        tenant_id: TENANT.to_owned(),
        logs_from: Some(day("2026-10-01")),
        logs_to: Some(day("2026-11-04")),
        ..RosterTenant::default()
    };
    assert_eq!(horizon(&campaign(), Some(&settings), &tenant), Some(at("2026-11-05")));
}

#[test]
fn a_lake_of_one_tenant_is_judged_to_the_day_that_its_horizon_reaches() {
    assert_eq!(as_of(&[Some("2026-10-31T23:59:59Z")]).as_deref(), Some("2026-10-30"));
    assert_eq!(as_of(&[Some("2026-11-01T00:00:00Z")]).as_deref(), Some("2026-10-31"));
}

#[test]
fn half_of_the_tenants_decide_the_date_and_an_odd_one_counts_up() {
    let [early, middle, late] =
        [Some("2026-10-10T12:00:00Z"), Some("2026-10-20T12:00:00Z"), Some("2026-10-30T12:00:00Z")];
    assert_eq!(as_of(&[early, late]).as_deref(), Some("2026-10-29"));
    assert_eq!(as_of(&[late, early, middle]).as_deref(), Some("2026-10-19"));
    assert_eq!(as_of(&[early, middle, late, late]).as_deref(), Some("2026-10-29"));
}

#[test]
fn tenants_whose_horizon_is_not_known_reach_no_date() {
    assert_eq!(as_of(&[]), None);
    assert_eq!(as_of(&[None, None, Some("2026-10-30T12:00:00Z")]), None);
    assert_eq!(as_of(&[None, Some("2026-10-30T12:00:00Z")]).as_deref(), Some("2026-10-29"));
}
