//! What a reader asks for in an address: a time range, and tenants by a part of their name. What can't be
//! understood is told, not passed over, as the answer would be to another question.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use chrono::NaiveDate;

use super::error_page::PageError;
use lightsout_model::evidence::Window;
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::TenantAssessment;

/// Of a window.
const DAYS_MAX: u32 = 366;

/// Characters of a search.
const SEARCH_MAX: usize = 200;

/// The pairs of an address, as axum reads them.
pub(super) type Pairs = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// See the file's first lines. What was not asked is none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PageRequest {
    pub(super) as_of: Option<NaiveDate>,
    pub(super) days: Option<u32>,
    pub(super) search: String,
}

/// A window, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) as_of: NaiveDate,
    pub(super) days: u32,
}

impl Range {
    pub(super) fn window(self) -> Window {
        Window::before(self.as_of, self.days)
    }

    /// As part of an address.
    pub(super) fn query(self) -> String {
        format!("as_of={}&days={}", self.as_of, self.days)
    }
}

impl PageRequest {
    /// Reads those of the parameters that a page knows; an empty one says nothing.
    pub(super) fn read(pairs: Pairs, known: &'static [&'static str]) -> Result<Self, PageError> {
        let wrong = |name: &str, expected: &str, found: &str| PageError::BadRequest {
            name: name.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        };
        let Query(pairs) =
            pairs.map_err(|_| wrong("the address", "names and values as in ?days=30", "something else"))?;
        let mut request = Self::default();
        for (name, value) in &pairs {
            let value = value.trim();
            if !known.contains(&name.as_str()) {
                return Err(wrong("the address", &format!("none but {}", known.join(", ")), name));
            }
            if value.is_empty() {
                continue;
            }
            match name.as_str() {
                "as_of" => {
                    let day: Option<NaiveDate> = value.parse().ok().filter(|day| is_possible(*day));
                    let expected = "a day from 2010-01-02 to 9999-12-31, as in 2026-11-02";
                    request.as_of = Some(day.ok_or_else(|| wrong(name, expected, value))?);
                }
                "days" => {
                    let days = value.parse().ok().filter(|days| (1..=DAYS_MAX).contains(days));
                    let expected = format!("a number of days from 1 to {DAYS_MAX}");
                    request.days = Some(days.ok_or_else(|| wrong(name, &expected, value))?);
                }
                _ if value.chars().count() > SEARCH_MAX => {
                    let expected = format!("at most {SEARCH_MAX} characters");
                    return Err(wrong(name, &expected, &format!("{} of them", value.chars().count())));
                }
                _ => value.clone_into(&mut request.search),
            }
        }
        Ok(request)
    }

    /// The ids of those that have the search in their id, name or domain, whatever the case; `None` if nothing
    /// is searched for.
    pub(super) fn found(&self, tenants: &[TenantAssessment], roster: &Roster) -> Option<BTreeSet<String>> {
        if self.search.is_empty() {
            return None;
        }
        let wanted = self.search.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        let fits = |tenant: &&TenantAssessment| {
            let domains = roster.tenants.get(&tenant.tenant_id).map(|settings| settings.domains.as_slice());
            has(&tenant.tenant_id)
                || tenant.display_name.as_deref().is_some_and(has)
                || domains.unwrap_or_default().iter().any(|domain| has(domain))
        };
        Some(tenants.iter().filter(fits).map(|tenant| tenant.tenant_id.clone()).collect())
    }
}

/// Years that logs are of; beyond, days can't be reckoned with.
fn is_possible(day: NaiveDate) -> bool {
    let first = NaiveDate::from_ymd_opt(2010, 1, 2).unwrap_or(NaiveDate::MIN);
    let last = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or(NaiveDate::MAX);
    (first..=last).contains(&day)
}

/// A text as one part of an address's path, or as a value in it.
pub(super) fn encoded(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            made.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(made, "%{byte:02X}");
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use axum::http::Uri;

    use super::*;

    fn request(query: &str) -> Result<PageRequest, PageError> {
        let uri: Uri = format!("/?{query}").parse().expect("an address");
        PageRequest::read(Query::try_from_uri(&uri), &["as_of", "days", "tenant"])
    }

    #[test]
    fn an_address_is_read_or_told_what_is_wrong_with_it() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 2).expect("a day");
        let read = request("as_of=2026-11-02&days=7&tenant=+Old%20Mill%26").expect("it is right");
        assert_eq!(read, PageRequest { as_of: Some(day), days: Some(7), search: "Old Mill&".to_owned() });
        assert_eq!(request("as_of=&days=&tenant=").expect("nothing is said"), PageRequest::default());
        for (query, part) in [
            ("days=0", "from 1 to 366"),
            ("days=367", "from 1 to 366"),
            ("days=-1", "from 1 to 366"),
            ("as_of=2026-02-30", "2010-01-02"),
            ("as_of=1999-01-01", "2010-01-02"),
            ("as_of=+99999-01-01", "2010-01-02"),
            ("as-of=2026-11-02", "none but as_of, days, tenant"),
        ] {
            let Err(PageError::BadRequest { expected, .. }) = request(query) else {
                panic!("{query} is taken")
            };
            assert!(expected.contains(part), "{query}: {expected}");
        }
        assert!(request(&format!("tenant={}", "a".repeat(201))).is_err());
    }

    #[test]
    fn any_text_is_one_part_of_a_path() {
        assert_eq!(encoded("a-b.c/../é?#\"<"), "a-b.c%2F..%2F%C3%A9%3F%23%22%3C");
    }
}
