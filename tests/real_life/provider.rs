//! An MSP: one lake, many tenants, and no day on which all of them were collected.

use crate::logs::{Tenant, at, day, days, every, working_days};
use crate::told::Case;

#[test]
fn ten_tenants_that_are_collected_on_five_weekdays_are_decided_up_to_the_day_that_half_of_them_reach() {
    let mut case = Case::new(
        "msp_staggered",
        "Ten tenants of an MSP, people there every day. Each is exported once a week, two on Monday, two on\n\
         Tuesday, and so on; it is Saturday, 31 October.",
    );
    let weekdays = every(1, "2026-10-26", 5);
    let tenants: Vec<(Tenant, _)> = (0..10)
        .map(|n| (Tenant::new(0x40 + n, "msp.example.com").works(days("2026-09-14", "2026-10-31"), 3), n))
        .collect();
    for (tenant, n) in &tenants {
        let exported = at(weekdays[*n as usize / 2], 20, 0);
        case.place.write(&format!("exports/{n}.json"), &tenant.diagnostic(exported));
    }
    case.ingest(&["exports"]);
    case.assess(&[]);
    case.explain(&tenants[0].0, "insufficient_evidence", &[]);
    case.explain(&tenants[4].0, "no_impact", &[]);
    case.assess(&["--as-of", "2026-10-25"]);
    case.matches_what_was_told();
}

#[test]
fn on_monday_morning_tenants_that_were_idle_over_the_weekend_reach_less_far_than_the_others() {
    let mut case = Case::new(
        "msp_monday_morning",
        "Six tenants, all exported on Monday, 26 October, at six in the morning. In three of them people work at\n\
         weekends too, the other three are offices.",
    );
    let shops =
        (0..3).map(|n| Tenant::new(0x50 + n, "shop.example.com").works(days("2026-09-14", "2026-10-31"), 2));
    let offices = (3..6).map(|n| {
        Tenant::new(0x50 + n, "office.example.com").works(working_days("2026-09-14", "2026-10-31"), 2)
    });
    let tenants: Vec<Tenant> = shops.chain(offices).collect();
    for (n, tenant) in tenants.iter().enumerate() {
        case.place.write(&format!("exports/{n}.json"), &tenant.diagnostic(at(day("2026-10-26"), 6, 0)));
    }
    case.ingest(&["exports"]);
    case.assess(&[]);
    case.explain(&tenants[5], "insufficient_evidence", &[]);
    case.assess(&["--as-of", "2026-10-22"]);
    case.ingest(&["exports", "--covers", "2026-09-14..2026-10-25"]);
    case.assess(&[]);
    case.matches_what_was_told();
}
