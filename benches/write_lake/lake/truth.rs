//! What `assess` must find: counted while sign-ins are drawn, by no query.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufWriter, Write};
use std::path::Path;

use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::{AuthMethod, Outcome};

use super::draw::{Draft, Named, World};
use super::{DAY_MICROS, END_DAY, WINDOW_DAYS};

/// Counts of one tenant and protocol in the window.
#[derive(Debug, Default)]
struct Counts {
    users: HashSet<(u32, Named)>,
    sign_ins: u64,
    interrupted: u64,
    blocked: u64,
    failures: u64,
    unknown: u64,
}

/// By tenant and protocol.
#[derive(Debug, Default)]
pub(super) struct Truth {
    counts: BTreeMap<(u32, Protocol), Counts>,
}

impl Truth {
    /// Counts the record that speaks for a sign-in.
    pub(super) fn count(&mut self, draft: &Draft) {
        let classified = draft.classified();
        let end = (END_DAY - 1) * DAY_MICROS;
        let in_window = (end - WINDOW_DAYS * DAY_MICROS..end).contains(&draft.signed_in_at);
        let Some(protocol) = classified.protocol else { return };
        if !in_window || classified.auth_method == AuthMethod::Modern {
            return;
        }
        let counts = self.counts.entry((draft.tenant, protocol)).or_default();
        match classified.outcome {
            Outcome::Success if draft.abroad => {}
            Outcome::Success => {
                counts.sign_ins += 1;
                let user = if draft.named == Named::NotAtAll { 0 } else { draft.user };
                counts.users.insert((user, draft.named));
            }
            Outcome::Interrupted => counts.interrupted += 1,
            Outcome::Blocked => counts.blocked += 1,
            Outcome::Failure => counts.failures += 1,
            Outcome::Unknown => counts.unknown += 1,
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        for (key, counts) in other.counts {
            let mine = self.counts.entry(key).or_default();
            mine.users.extend(counts.users);
            mine.sign_ins += counts.sign_ins;
            mine.interrupted += counts.interrupted;
            mine.blocked += counts.blocked;
            mine.failures += counts.failures;
            mine.unknown += counts.unknown;
        }
    }

    /// Sorted by tenant and protocol.
    pub(super) fn write(&self, world: &World, path: &Path) -> std::io::Result<()> {
        let mut out = BufWriter::new(std::fs::File::create(path)?);
        writeln!(out, "tenant_id,protocol,users,sign_ins,interrupted,blocked,failures,unknown")?;
        for ((tenant, protocol), counts) in &self.counts {
            writeln!(
                out,
                "{},{protocol},{},{},{},{},{},{}",
                world.tenant_ids[*tenant as usize],
                counts.users.len(),
                counts.sign_ins,
                counts.interrupted,
                counts.blocked,
                counts.failures,
                counts.unknown,
            )?;
        }
        out.flush()
    }
}
