use chrono::NaiveDate;

use super::*;
use lightsout_model::evidence::DayRange;

fn day(d: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 10, d).expect("a day")
}

fn gap(first: u32, last: u32) -> Reason {
    let days = DayRange { first: day(first), last: day(last) };
    Reason::Gap { category: Category::NonInteractive, days, permitted_days: 4 }
}

fn october(evidence_reasons: Vec<Reason>) -> (TenantAssessment, Window) {
    let tenant = TenantAssessment {
        tenant_id: "t".to_owned(),
        display_name: None,
        verdict: lightsout_model::verdict::TenantVerdict::InsufficientEvidence,
        reasons: evidence_reasons.clone(),
        evidence_reasons,
        objections: Vec::new(),
        dismissals: Vec::new(),
        protocols: Vec::new(),
        protocols_in_use: Vec::new(),
        protocols_clear: Vec::new(),
        users: 0,
        first_day: None,
        last_day: None,
        days_seen: std::collections::BTreeMap::new(),
        lookback_days_seen: std::collections::BTreeMap::new(),
        gaps: Vec::new(),
    };
    (tenant, Window { first: day(1), end: day(31) })
}

#[test]
fn a_gap_says_how_to_close_it() {
    let told = reason_text(&gap(3, 9));
    assert!(
        told.contains("7 days, but at most 4 in a row are permitted")
            && told.contains("--covers 2026-10-03..2026-10-09"),
        "{told}"
    );
}

#[test]
fn gaps_that_repeat_are_one_sentence_that_says_how_often_to_collect_and_one_range_to_declare() {
    let (tenant, window) = october(vec![gap(1, 5), gap(8, 12), gap(15, 19)]);
    let told = reasons_text(&tenant, window);
    assert_eq!(told.len(), 1, "{told:?}");
    for part in
        ["3 runs", "2026-10-08 to 2026-10-12 (5)", "at least every 7 days", "--covers 2026-10-01..2026-10-19"]
    {
        assert!(told[0].contains(part), "{part} is not in {told:?}");
    }
}

#[test]
fn a_short_history_names_the_first_possible_day_of_all_its_categories() {
    let begins = |category, first, possible_from| Reason::WindowLongerThanHistory {
        category,
        first_covered_day: day(first),
        possible_from: NaiveDate::from_ymd_opt(2026, 11, possible_from).expect("a day"),
    };
    let (tenant, window) =
        october(vec![begins(Category::Interactive, 25, 14), begins(Category::NonInteractive, 24, 19)]);
    let told = reasons_text(&tenant, window);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("--as-of 2026-11-19;") && told[0].contains("--window-days 11"), "{told:?}");
}

#[test]
fn a_gap_is_cured_by_what_cures_its_reason_and_a_permitted_one_needs_no_cure() {
    let missing = Reason::CategoryMissing { category: Category::Interactive };
    let (tenant, window) = october(vec![missing, gap(3, 9)]);
    let cure = |category, first, last, permitted_days| {
        let days = DayRange { first: day(first), last: day(last) };
        gap_cure(&CoverageGap { category, days, permitted_days }, &tenant, window)
    };
    let own = cure(Category::NonInteractive, 3, 9, 4).expect("a cure");
    assert!(own.contains("--covers 2026-10-03..2026-10-09"), "{own}");
    let whole = cure(Category::Interactive, 1, 30, 10).expect("a cure");
    assert!(whole.contains("--category interactive --covers 2026-10-01..2026-10-30"), "{whole}");
    assert_eq!(cure(Category::NonInteractive, 11, 13, 4), None);
}
