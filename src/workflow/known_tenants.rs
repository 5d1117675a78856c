//! Finds the tenant that a person names, and says what an empty answer would hide: that the tenant, or the whole window,
//! has no logs. Which names there are comes from the roster that the caller has, and from the lake itself.

use serde::Deserialize;

use crate::error::{Error, Result};
use lightsout_lake::rows::from_batch;
use lightsout_model::evidence::Window;
use lightsout_model::tenant::{Named, Roster, RosterTenant, tenant_id};
use lightsout_output::text::{count, plain};
use lightsout_query::Queries;

/// How alike two names must be, of 1, for one to be suggested for the other.
const LIKENESS_MIN: f64 = 0.82;
const SUGGESTIONS_MAX: usize = 3;

/// The tenant that an id, a domain or a name of the roster stands for. `known` are ids that stand for
/// themselves.
///
/// # Errors
/// Fails if it stands for none, or for several; the error suggests those of a similar name.
pub fn find_tenant(named: &str, roster: &Roster, known: &[&str]) -> Result<String> {
    let wanted = tenant_id(named).unwrap_or_else(|| named.trim().to_lowercase());
    if roster.tenants.contains_key(&wanted) || known.contains(&wanted.as_str()) {
        return Ok(wanted);
    }
    let unknown = |expected| Error::UnknownTenant { named: named.to_owned(), expected };
    match roster.find(named) {
        Named::One(id) => Ok(id.to_owned()),
        Named::Nobody => {
            let tenants = count(known.len() as u64, "known tenant", "known tenants");
            let near = near(&wanted, roster, known);
            let some = if near.is_empty() {
                let some = known.iter().take(SUGGESTIONS_MAX).copied().collect::<Vec<_>>().join(", ");
                if some.is_empty() { some } else { format!(" (such as {some})") }
            } else {
                format!(" (did you mean {}?)", near.join(" or "))
            };
            Err(unknown(format!(
                "the id of one of {tenants}{some}, or a domain or name of the roster (--roster FILE)"
            )))
        }
        Named::Several(several) => {
            Err(unknown(format!("one tenant; of that name the roster has {}", several.join(", "))))
        }
    }
}

/// Tenants of a similar id, domain or name, the most similar first.
fn near(wanted: &str, roster: &Roster, known: &[&str]) -> Vec<String> {
    let likeness = |name: &str| {
        let name = name.trim().to_lowercase();
        let holds = wanted.chars().count() >= 3 && name.contains(wanted);
        // Any two ids look alike: only a slip of a few characters counts.
        match tenant_id(&name) {
            Some(id) if strsim::osa_distance(&id, wanted) <= 3 => 1.0,
            Some(_) => 0.0,
            None => strsim::jaro_winkler(&name, wanted).max(if holds { 0.95 } else { 0.0 }),
        }
    };
    let of_roster = roster.tenants.values().map(|tenant| {
        let names = tenant.domains.iter().chain(&tenant.display_name).chain([&tenant.tenant_id]);
        let likeness = names.map(|name| likeness(name)).fold(0.0, f64::max);
        let name = tenant.display_name.as_ref().or_else(|| tenant.domains.first());
        let shown = name.map_or_else(
            || tenant.tenant_id.clone(),
            |name| format!("'{}', {}", plain(name), tenant.tenant_id),
        );
        (likeness, shown)
    });
    let alone = known.iter().filter(|id| !roster.tenants.contains_key(**id));
    let mut all: Vec<(f64, String)> =
        of_roster.chain(alone.map(|id| (likeness(id), (*id).to_owned()))).collect();
    all.retain(|(likeness, _)| *likeness >= LIKENESS_MIN);
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    all.truncate(SUGGESTIONS_MAX);
    all.into_iter().map(|(_, shown)| shown).collect()
}

#[derive(Deserialize)]
struct NameRow {
    tenant_id: String,
    display_name: Option<String>,
    domains: Option<String>,
}

/// The names and domains that the lake itself has: of the roster that was kept last, else of the newest decision's.
///
/// # Errors
/// Fails if the lake can't be read.
pub async fn names_in_lake(queries: &Queries) -> Result<Roster> {
    const SQL: &str = "SELECT tenant_id, display_name, domains FROM latest_roster";
    let mut roster = Roster::default();
    for batch in queries.run("names_in_lake", SQL, &[]).await? {
        for row in from_batch::<NameRow>(&batch)? {
            let domains = row.domains.unwrap_or_default();
            let domains = domains.split(';').filter(|domain| !domain.is_empty());
            let tenant = RosterTenant {
                tenant_id: row.tenant_id.clone(),
                display_name: row.display_name,
                domains: domains.map(str::to_owned).collect(),
                ..RosterTenant::default()
            };
            roster.tenants.insert(row.tenant_id, tenant);
        }
    }
    Ok(roster)
}

/// What somebody must hear who asks about a tenant (or all, `*`) and a window, or any time, of which the lake has no
/// sign-in; `None` if it has some.
///
/// # Errors
/// Fails if the lake can't be read.
pub async fn missing_logs_note(
    queries: &Queries,
    window: Option<Window>,
    tenant_id: &str,
    roster: &Roster,
) -> Result<Option<String>> {
    let extent = queries.log_extent(window, tenant_id).await?;
    if extent.entries_in_window > 0 {
        return Ok(None);
    }
    let name = roster.tenants.get(tenant_id).and_then(|tenant| tenant.display_name.as_ref());
    let tenant = name.map_or_else(|| tenant_id.to_owned(), |name| format!("{} ({tenant_id})", plain(name)));
    Ok(Some(match (extent.first_day.zip(extent.last_day), tenant_id) {
        (None, "*") => {
            "the lake holds no sign-in logs; an empty result does not mean that nobody signed in".to_owned()
        }
        (None, _) => {
            format!(
                "the lake holds no sign-in logs of {tenant}; an empty result does not mean that nobody signed in"
            )
        }
        (Some((first, last)), _) => {
            let Some(window) = window else { return Ok(None) };
            let whose = if tenant_id == "*" { String::new() } else { format!(" of {tenant}") };
            let last_of_window = window.end.pred_opt().unwrap_or(window.end);
            format!(
                "no sign-ins{whose} are recorded between {} and {last_of_window}; the logs begin on {first} and end \
                 on {last}",
                window.first
            )
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILL: &str = "11111111-1111-4111-8111-111111111111";
    const TIDE: &str = "22222222-2222-4222-8222-222222222222";

    fn roster() -> Roster {
        let tenant = |id: &str, name: &str, domain: &str| {
            let tenant = RosterTenant {
                tenant_id: id.to_owned(),
                display_name: Some(name.to_owned()),
                domains: vec![domain.to_owned()],
                ..RosterTenant::default()
            };
            (id.to_owned(), tenant)
        };
        let tenants = [
            tenant(MILL, "Old Mill\u{1b}[31m Printworks", "oldmill.example.com"),
            tenant(TIDE, "Tidewater Legal", "tidewater.example.com"),
        ];
        Roster { tenants: tenants.into() }
    }

    fn told(named: &str) -> String {
        match find_tenant(named, &roster(), &[]) {
            Err(Error::UnknownTenant { expected, .. }) => expected,
            other => panic!("{named}: {other:?}"),
        }
    }

    #[test]
    fn a_misspelt_name_or_domain_suggests_its_tenant_alone() {
        for named in ["Tidewater Leagl", "tidewatr.example.com", "tidewater", &TIDE.replacen("22", "23", 1)] {
            let told = told(named);
            assert!(told.contains(&format!("did you mean 'Tidewater Legal', {TIDE}")), "{named}: {told}");
        }
        assert!(!told("tidewater").contains(MILL));
        assert!(!told("zzz").contains("did you mean"), "{}", told("zzz"));
    }

    #[test]
    fn a_suggested_name_holds_no_control_character() {
        let told = told("old mill");
        assert!(told.contains(MILL) && !told.contains('\u{1b}'), "{told:?}");
    }
}
