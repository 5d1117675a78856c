//! The rules of the verdicts as a table of cases, and what must hold whatever the evidence.

mod case;
mod horizon;
mod log_cases;
mod off_cases;
mod properties;
mod shown;
mod usage_cases;

use std::collections::BTreeSet;

use case::Case;

fn cases() -> Vec<Case> {
    [usage_cases::cases(), log_cases::cases(), off_cases::cases()].concat()
}

#[test]
fn every_case_of_the_table_is_decided_as_it_says() {
    let wrong: Vec<String> = cases().iter().filter_map(Case::wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_120_cases_or_more_and_each_tells_another_story() {
    let cases = cases();
    let stories: BTreeSet<&str> = cases.iter().map(|case| case.prose).collect();
    assert!(stories.len() >= 120, "only {} stories", stories.len());
    assert_eq!(stories.len(), cases.len());
}
