//! An explanation as text for people. What it cuts short, JSON has in full.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, Datelike, Utc, Weekday};

use super::sheet::sheet;
use super::{Activity, AttemptCode, Day, Explanation, Gap, WhoShown};
use crate::wrapped::wrapped;
use lightsout_model::client::Client;
use lightsout_model::sign_in::Category;
use lightsout_model::verdict::ProtocolAssessment;
use lightsout_output::text::plain_short;

const WHO_MAX: usize = 20;
/// Addresses of one protocol.
const SOURCES_MAX: usize = 5;
const TEXT_CHARACTERS_MAX: usize = 60;
const PATH_CHARACTERS_MAX: usize = 200;
const WHY_CHARACTERS_MAX: usize = 400;

/// How an explanation is laid out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout {
    /// Columns of the terminal, where there is one.
    pub width: Option<usize>,
    /// With the SQL behind each number.
    pub sql: bool,
}

impl Explanation {
    /// The explanation as text: the verdict and its reasons, who is concerned and what to do, then the numbers.
    #[must_use]
    pub fn text(&self, layout: Layout) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write_text(&mut text, layout);
        text
    }

    fn write_text(&self, out: &mut String, layout: Layout) -> std::fmt::Result {
        self.write_answer(out, layout)?;
        self.write_who(out, layout)?;
        self.write_protocols(out, layout)?;
        self.write_calendar(out)?;
        if !self.limits.is_empty() {
            writeln!(out, "\nwhat sign-in logs can't show")?;
        }
        for sentence in &self.limits {
            out.push_str(&wrapped("  - ", sentence, layout.width()));
        }
        self.write_activity(out, layout)?;
        self.write_settings(out)?;
        self.write_attempts(out, layout)?;
        if !layout.sql {
            return writeln!(out, "\n--sql adds the SQL behind each number");
        }
        for query in &self.queries {
            writeln!(out, "\n-- {}: {}", query.name, query.shows)?;
            writeln!(out, "{}", query.sql)?;
        }
        Ok(())
    }

    /// The verdict, the reasons, and what was dismissed or is clear.
    fn write_answer(&self, out: &mut String, layout: Layout) -> std::fmt::Result {
        let short = |text: &str| plain_short(text, TEXT_CHARACTERS_MAX);
        let name = self.tenant.display_name.as_deref().map_or_else(String::new, |name| short(name) + ", ");
        writeln!(out, "{name}{}", self.tenant.tenant_id)?;
        let last = self.window.end.pred_opt().unwrap_or(self.window.end);
        writeln!(
            out,
            "{} in campaign {}, window {} to {last}",
            self.tenant.verdict, self.campaign, self.window.first
        )?;
        for sentence in &self.because {
            out.push_str(&wrapped("  - ", sentence, layout.width()));
        }
        let in_force: Vec<_> = self.tenant.dismissals_in_force().collect();
        for dismissal in &self.tenant.dismissals {
            let back = if in_force.contains(&dismissal) { "" } else { " (the doubt has come back)" };
            writeln!(
                out,
                "dismissed: {}{}, by {} on {}: {}{back}",
                dismissal.doubt,
                match dismissal.paths.as_slice() {
                    [] => String::new(),
                    [path] => format!(" of {}", plain_short(path, PATH_CHARACTERS_MAX)),
                    paths => format!(" of {} files", paths.len()),
                },
                short(&dismissal.by_whom),
                dismissal.dismissed_at.date_naive(),
                plain_short(&dismissal.why, WHY_CHARACTERS_MAX),
            )?;
        }
        if !self.tenant.protocols_clear.is_empty() {
            let clear: Vec<&str> =
                self.tenant.protocols_clear.iter().map(|protocol| protocol.as_str()).collect();
            out.push_str(&wrapped("clear: ", &clear.join(", "), layout.width()));
        }
        Ok(())
    }

    fn write_protocols(&self, out: &mut String, layout: Layout) -> std::fmt::Result {
        writeln!(out, "\nprotocols in scope or seen")?;
        let row = |protocol: &ProtocolAssessment| {
            let counts = [
                protocol.users,
                protocol.sign_ins,
                protocol.interrupted,
                protocol.blocked,
                protocol.failures,
                protocol.unknown,
            ];
            let mut row = vec![protocol.protocol.to_string(), protocol.verdict.as_str().to_owned()];
            row.extend(counts.map(|count| count.to_string()));
            row.push(protocol.last_seen.map_or_else(|| "-".to_owned(), minute));
            row
        };
        let rows: Vec<_> = self.tenant.protocols.iter().map(row).collect();
        let header = [
            "protocol",
            "verdict",
            "users",
            "sign-ins",
            "interrupted",
            "blocked",
            "failures",
            "unknown",
            "last seen",
        ];
        let spare = ["interrupted", "blocked", "failures", "unknown"];
        writeln!(out, "{}", sheet(&header, &rows, &spare, layout.width))
    }

    fn write_calendar(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "\ncoverage: # covered, ~ only by files that lack a column, . not covered; one line per week"
        )?;
        for category in &self.calendar {
            let covered = category.days.iter().filter(|day| **day == Day::Covered).count();
            let permitted = self
                .gaps
                .iter()
                .find(|gap| gap.category == category.category)
                .map_or_else(String::new, |gap| {
                    format!("; up to {} in a row may be missing", gap.permitted_days)
                });
            writeln!(out, "  {}: {covered} of {} days{permitted}", category.category, category.days.len())?;
            let mut line = String::new();
            for (day, seen) in self.window.first.iter_days().zip(&category.days) {
                if line.is_empty() {
                    let before = day.weekday().num_days_from_monday() as usize;
                    line = format!("    {day}  {}", " ".repeat(before));
                }
                line.push(match seen {
                    Day::Covered => '#',
                    Day::Incomplete => '~',
                    Day::Uncovered => '.',
                });
                if day.weekday() == Weekday::Sun {
                    writeln!(out, "{line}")?;
                    line.clear();
                }
            }
            if !line.is_empty() {
                writeln!(out, "{line}")?;
            }
            self.write_gaps(out, category.category)?;
        }
        Ok(())
    }

    /// Every gap; what cures those that are too long is told with the reasons.
    fn write_gaps(&self, out: &mut String, category: Category) -> std::fmt::Result {
        for (too_long, title) in [(true, "gaps, too long"), (false, "gaps, permitted")] {
            let of = |gap: &&Gap| gap.category == category && gap.too_long == too_long;
            let told = |gap: &Gap| match gap.days {
                1 => gap.first.to_string(),
                days => format!("{} to {} ({days} days)", gap.first, gap.last),
            };
            let gaps: Vec<String> = self.gaps.iter().filter(of).map(told).collect();
            if !gaps.is_empty() {
                writeln!(out, "    {title}: {}", gaps.join(", "))?;
            }
        }
        Ok(())
    }

    fn write_activity(&self, out: &mut String, layout: Layout) -> std::fmt::Result {
        if self.activity.is_empty() {
            return writeln!(out, "\nno legacy sign-in in the window");
        }
        writeln!(out, "\nlegacy sign-ins by outcome and auth method")?;
        let row = |row: &Activity| {
            let counts =
                [row.sign_ins, row.users, row.apps, row.user_agents, row.ip_addresses, row.countries];
            let by = row.auth_evidence.clone().unwrap_or_else(|| "-".to_owned());
            let mut cells = vec![row.protocol.clone(), row.outcome.clone(), row.auth_method.clone(), by];
            cells.extend(counts.map(|count| count.to_string()));
            cells.extend([minute(row.first_seen), minute(row.last_seen)]);
            cells
        };
        let rows: Vec<_> = self.activity.iter().map(row).collect();
        let header = [
            "protocol",
            "outcome",
            "auth method",
            "by",
            "sign-ins",
            "users",
            "apps",
            "agents",
            "IPs",
            "countries",
            "first seen",
            "last seen",
        ];
        let spare = ["first seen", "countries", "agents", "apps", "by", "IPs"];
        writeln!(out, "{}", sheet(&header, &rows, &spare, layout.width))
    }

    fn write_who(&self, out: &mut String, layout: Layout) -> std::fmt::Result {
        if self.who.is_empty() {
            return Ok(());
        }
        writeln!(out, "\nwho: users with usage")?;
        let short = |text: Option<&String>| {
            text.map_or_else(|| "-".to_owned(), |text| plain_short(text, TEXT_CHARACTERS_MAX))
        };
        let row = |WhoShown { row, client }: &WhoShown| {
            vec![
                row.protocol.to_string(),
                short(Some(&row.user)),
                short(row.app.as_ref()),
                short(row.client_app.as_ref()),
                short(row.user_agent.as_ref()),
                client.kind_and_name(),
                row.ip_addresses.to_string(),
                row.sign_ins.to_string(),
                minute(row.last_seen),
            ]
        };
        let rows: Vec<_> = self.who.iter().take(WHO_MAX).map(row).collect();
        let header =
            ["protocol", "user", "app", "client app", "user agent", "client", "IPs", "sign-ins", "last seen"];
        let spare = ["client app", "IPs", "app", "user agent", "client", "sign-ins"];
        writeln!(out, "{}", sheet(&header, &rows, &spare, layout.width))?;
        match self.who.len().saturating_sub(WHO_MAX) {
            0 => {}
            more => writeln!(out, "and {more} more; --format json has them all")?,
        }
        self.write_clients(out, layout)
    }

    /// What to do about each client, once.
    fn write_clients(&self, out: &mut String, layout: Layout) -> std::fmt::Result {
        let mut clients: Vec<&Client> = Vec::new();
        for WhoShown { client, .. } in &self.who {
            if !clients.contains(&client) {
                clients.push(client);
            }
        }
        writeln!(out, "\nwhat can replace each client")?;
        for client in clients {
            writeln!(out, "  - {}", client.kind_and_name())?;
            out.push_str(&wrapped("    ", client.advice, layout.width()));
            writeln!(out, "    {} (checked on {})", client.source, client.checked)?;
        }
        Ok(())
    }

    /// Sprays and blocked clients: no usage, so apart from it.
    fn write_attempts(&self, out: &mut String, layout: Layout) -> std::fmt::Result {
        if self.attempts.codes.is_empty() {
            return Ok(());
        }
        writeln!(out, "\nattempted: refused or interrupted, not counted as usage; by result code")?;
        let short = |text: Option<&String>| {
            text.map_or_else(|| "-".to_owned(), |text| plain_short(text, TEXT_CHARACTERS_MAX))
        };
        let row = |row: &AttemptCode| {
            let code = row.error_code.map_or_else(|| "-".to_owned(), |code| code.to_string());
            let mut cells =
                vec![row.protocol.clone(), row.outcome.clone(), code, short(row.failure_reason.as_ref())];
            cells.extend([row.sign_ins, row.users, row.ip_addresses, row.countries].map(|n| n.to_string()));
            cells.push(minute(row.last_seen));
            cells
        };
        let rows: Vec<_> = self.attempts.codes.iter().map(row).collect();
        let header =
            ["protocol", "outcome", "code", "reason", "sign-ins", "users", "IPs", "countries", "last seen"];
        let spare = ["countries", "IPs", "users", "last seen", "reason"];
        writeln!(out, "{}", sheet(&header, &rows, &spare, layout.width))?;
        writeln!(out, "\nattempted: sources, at most {SOURCES_MAX} addresses per protocol")?;
        let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut rows, mut more) = (Vec::new(), 0);
        for row in &self.attempts.sources {
            let of_protocol = shown.entry(&row.protocol).or_default();
            if *of_protocol == SOURCES_MAX {
                more += 1;
                continue;
            }
            *of_protocol += 1;
            let mut cells =
                vec![row.protocol.clone(), short(row.ip_address.as_ref()), short(row.country.as_ref())];
            let counts = [row.sign_ins, row.interrupted, row.blocked, row.failures, row.users];
            cells.extend(counts.map(|n| n.to_string()));
            cells.extend([minute(row.first_seen), minute(row.last_seen)]);
            rows.push(cells);
        }
        let header = [
            "protocol",
            "IP",
            "country",
            "sign-ins",
            "interrupted",
            "blocked",
            "failures",
            "users",
            "first seen",
            "last seen",
        ];
        let spare = ["first seen", "interrupted", "blocked", "failures", "users"];
        writeln!(out, "{}", sheet(&header, &rows, &spare, layout.width))?;
        match more {
            0 => Ok(()),
            more => writeln!(out, "and {more} more; --format json has them all"),
        }
    }
}

impl Layout {
    /// Columns of a line of text.
    fn width(self) -> usize {
        self.width.unwrap_or(usize::MAX)
    }
}

pub(super) fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M").to_string()
}
