//! Stops the announcement of a decision that was made without the exclusions that hold: one made without a roster while
//! there is one, or one that excludes fewer tenants. Whoever wants it all the same names the decision and says so; even
//! then a tenant that the roster of now excludes is not announced.

use super::guards::Stop;
use lightsout_model::roster_changes::no_longer_excluded;
use lightsout_model::tenant::{Roster, RosterTenant};

/// Tenants that a message names.
const NAMED_MAX: usize = 5;

/// The decision that is to be announced, and the roster whose exclusions hold.
#[derive(Debug, Clone, Copy)]
pub struct RosterGuard<'a> {
    pub campaign: &'a str,
    pub decision_id: &'a str,
    /// The roster that the decision was made with.
    pub decided_with: &'a Roster,
    /// The roster of now.
    pub roster: &'a Roster,
    /// It in words: "the roster kept on ...".
    pub roster_name: &'a str,
    /// The decision was named, and that its roster is an earlier one was accepted.
    pub is_accepted: bool,
}

/// # Errors
/// Fails if the decision lacks exclusions and nobody has accepted that.
pub fn same_exclusions(guard: RosterGuard<'_>) -> Result<(), Stop> {
    let RosterGuard { campaign, decision_id, decided_with, roster, roster_name, is_accepted } = guard;
    let missing = no_longer_excluded(roster, decided_with);
    let without_roster = decided_with.tenants.is_empty() && !roster.tenants.is_empty();
    if is_accepted || (missing.is_empty() && !without_roster) {
        return Ok(());
    }
    let what = match (without_roster, missing.as_slice()) {
        (true, []) => format!("was made without a roster, but there is {roster_name}"),
        (true, missing) => {
            format!("was made without a roster, but {roster_name} excludes {}", names(missing))
        }
        (false, missing) => format!("does not exclude {}, which {roster_name} excludes", names(missing)),
    };
    Err(Stop::Decision(format!(
        "decision {decision_id} {what}. Decide with that roster: lightsout assess --campaign {campaign}. To announce \
         this decision all the same, to the tenants that the roster does not exclude, add: --decision {decision_id} \
         --despite-roster"
    )))
}

fn names(tenants: &[&RosterTenant]) -> String {
    let name = |tenant: &&RosterTenant| {
        let id = &tenant.tenant_id;
        tenant.display_name.as_ref().map_or_else(|| id.clone(), |name| format!("{name} ({id})"))
    };
    let mut named: Vec<String> = tenants.iter().take(NAMED_MAX).map(name).collect();
    if tenants.len() > NAMED_MAX {
        named.push(format!("{} more", tenants.len() - NAMED_MAX));
    }
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(tenants: &[(&str, bool)]) -> Roster {
        let tenant = |(id, is_excluded): &(&str, bool)| {
            let exclude = is_excluded.then(|| "asked by phone".to_owned());
            let row = RosterTenant { tenant_id: (*id).to_owned(), exclude, ..RosterTenant::default() };
            (row.tenant_id.clone(), row)
        };
        Roster { tenants: tenants.iter().map(tenant).collect() }
    }

    fn guard(decided_with: &Roster, roster: &Roster, is_accepted: bool) -> Result<(), String> {
        let roster_name = "the roster kept on 2026-11-20 (1a2b3c4d, 2 tenants)";
        let (campaign, decision_id) = ("smtp-auth-2026", "d1");
        let guard = RosterGuard { campaign, decision_id, decided_with, roster, roster_name, is_accepted };
        same_exclusions(guard).map_err(|stop| stop.to_string())
    }

    #[test]
    fn a_decision_without_the_exclusions_of_now_is_not_announced_unless_accepted() {
        let now = roster(&[("a", true), ("b", false)]);
        let stopped = guard(&roster(&[("a", false), ("b", false)]), &now, false).expect_err("an old roster");
        assert_eq!(
            stopped,
            "decision d1 does not exclude a, which the roster kept on 2026-11-20 (1a2b3c4d, 2 tenants) excludes. \
             Decide with that roster: lightsout assess --campaign smtp-auth-2026. To announce this decision all the \
             same, to the tenants that the roster does not exclude, add: --decision d1 --despite-roster"
        );
        let stopped = guard(&Roster::default(), &now, false).expect_err("no roster");
        assert!(stopped.contains("made without a roster, but the roster kept on 2026-11-20"), "{stopped}");
        let nobody_excluded = roster(&[("a", false)]);
        assert!(guard(&Roster::default(), &nobody_excluded, false).is_err(), "contacts are missing too");
        assert_eq!(guard(&Roster::default(), &now, true), Ok(()));
    }

    #[test]
    fn a_decision_that_excludes_as_many_or_more_is_announced() {
        let now = roster(&[("a", true), ("b", false)]);
        assert_eq!(guard(&now, &now, false), Ok(()));
        assert_eq!(guard(&roster(&[("a", true), ("b", true)]), &now, false), Ok(()));
        assert_eq!(guard(&Roster::default(), &Roster::default(), false), Ok(()), "nobody has a roster");
    }
}
