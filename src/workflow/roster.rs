//! The roster of a command: the file that it names, which the lake keeps, or else the version that the lake has. A
//! roster that excludes fewer tenants than the lake's serves its command alone: somebody may have taken an old file.
//! Only [`set`] lets an exclusion end.

use chrono::{DateTime, NaiveDate, Utc};

use crate::Tell;
use crate::error::Result;
use lightsout_decisions::rosters::{self, RosterVersion};
use lightsout_lake::Lake;
use lightsout_model::roster_changes::{RosterChange, no_longer_excluded, roster_changes};
use lightsout_model::tenant::{Roster, RosterTenant};
use lightsout_output::text::{count, plain_short};

/// Tenants that a message names.
const NAMED_MAX: usize = 5;

/// The roster of a lake, and which version it is.
#[derive(Debug, Clone)]
pub struct KeptRoster {
    pub version: RosterVersion,
    pub roster: Roster,
}

impl KeptRoster {
    /// The version in words, to tell it from others.
    #[must_use]
    pub fn told(&self) -> String {
        format!(
            "the roster stored on {} ({}, {})",
            self.version.kept_at.date_naive(),
            self.version.short_hash(),
            count(self.roster.tenants.len() as u64, "tenant", "tenants")
        )
    }
}

/// The lake's roster; `None` if nobody has kept one.
///
/// # Errors
/// Fails if the lake can't be read, or has lost a part of the roster.
pub fn kept(lake: &Lake) -> Result<Option<KeptRoster>> {
    Ok(rosters::latest(lake)?.map(|(version, roster)| KeptRoster { version, roster }))
}

/// The lake's roster as a command uses it: what it states of days that are not over is cut off. Says which version
/// it is.
///
/// # Errors
/// As [`kept`].
pub fn kept_for_use(lake: &Lake, today: NaiveDate, tell: Tell) -> Result<Option<Roster>> {
    let Some(mut kept) = kept(lake)? else { return Ok(None) };
    tell(&format!("using {} (no --roster was given)", kept.told()));
    kept.roster.end_with(today.pred_opt().unwrap_or(today));
    Ok(Some(kept.roster))
}

/// What a new roster changes in a lake.
#[derive(Debug)]
pub struct RosterUpdate {
    pub changes: Vec<RosterChange>,
    /// Tenants that the version before excludes and this one does not.
    pub no_longer_excluded: Vec<RosterTenant>,
    pub before: Option<KeptRoster>,
    /// The new version; `None`: nothing was written, because it is the same roster or it was only compared.
    pub version: Option<RosterVersion>,
}

/// Compares a roster with the lake's; writes nothing.
///
/// # Errors
/// As [`kept`].
pub fn compare(lake: &Lake, roster: &Roster) -> Result<RosterUpdate> {
    let before = kept(lake)?;
    let nothing = Roster::default();
    let earlier = before.as_ref().map_or(&nothing, |kept| &kept.roster);
    Ok(RosterUpdate {
        changes: roster_changes(earlier, roster),
        no_longer_excluded: no_longer_excluded(earlier, roster).into_iter().cloned().collect(),
        before,
        version: None,
    })
}

/// Makes a roster the lake's, whatever it changes.
///
/// # Errors
/// Fails if the lake can't be read or written.
pub async fn set(lake: &mut Lake, roster: &Roster, now: DateTime<Utc>) -> Result<RosterUpdate> {
    let mut update = compare(lake, roster)?;
    update.version = rosters::keep(lake, roster, now).await?;
    Ok(update)
}

/// Keeps the roster that a command was given, and says so. One that ends an exclusion is not kept.
///
/// # Errors
/// Fails if the lake can't be read or written.
pub async fn keep_given(lake: &mut Lake, roster: &Roster, now: DateTime<Utc>, tell: Tell) -> Result<()> {
    let update = compare(lake, roster)?;
    if let Some(told) = told_of_ended_exclusions(&update) {
        tell(&told);
        return Ok(());
    }
    if update.changes.is_empty() {
        return Ok(());
    }
    if let Some(version) = rosters::keep(lake, roster, now).await? {
        let kept = KeptRoster { version, roster: roster.clone() };
        let changed = count(update.changes.len() as u64, "tenant", "tenants");
        let changed = update.before.map(|_| format!(", with changes to {changed}")).unwrap_or_default();
        tell(&format!("{} is now the lake's{changed}; see: lightsout roster show", kept.told()));
    }
    Ok(())
}

/// Why the roster that a command was given is not kept; `None`: it may be.
fn told_of_ended_exclusions(update: &RosterUpdate) -> Option<String> {
    let before = update.before.as_ref().filter(|_| !update.no_longer_excluded.is_empty())?;
    Some(format!(
        "the roster given does not exclude {}, which {} excludes: it is used for this command only. If the exclusion has \
         ended: lightsout roster set FILE",
        names(update.no_longer_excluded.iter()),
        before.told()
    ))
}

/// Some tenants by name and id.
pub fn names<'a>(tenants: impl ExactSizeIterator<Item = &'a RosterTenant>) -> String {
    const NAME_CHARACTERS_MAX: usize = 60;
    let more = tenants.len().saturating_sub(NAMED_MAX);
    let name = |tenant: &RosterTenant| match &tenant.display_name {
        Some(name) => format!("{} ({})", plain_short(name, NAME_CHARACTERS_MAX), tenant.tenant_id),
        None => tenant.tenant_id.clone(),
    };
    let mut named: Vec<String> = tenants.take(NAMED_MAX).map(name).collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    named.join(", ")
}
