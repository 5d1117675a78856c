//! Why a tenant has its verdict: the rules that fired with their numbers, its coverage day by day, what
//! its legacy sign-ins show, who made them, and the SQL behind each number. Text for people, JSON for
//! machines; both of the same facts.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};
use serde::{Deserialize, Serialize};

use crate::evidence::{DayRange, TenantEvidence, Window};
use crate::notify::text::plain_short;
use crate::notify::{WhoRow, reason_text};
use crate::sign_in::Category;
use crate::verdict::TenantAssessment;

/// Rows of who and characters of a name that text shows; JSON has all.
const WHO_MAX: usize = 20;
const TEXT_CHARACTERS_MAX: usize = 60;

/// Everything that is told of one tenant.
#[derive(Debug, Serialize)]
pub struct Explanation {
    pub campaign: String,
    pub window: Window,
    pub tenant: TenantAssessment,
    /// The reasons of the verdict, then what else the evidence lacks, in sentences with the cure.
    pub because: Vec<String>,
    pub calendar: Vec<CategoryDays>,
    pub activity: Vec<Activity>,
    pub who: Vec<WhoRow>,
    pub queries: Vec<ShownQuery>,
}

/// A row of `queries/tenant_activity.sql`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Activity {
    pub protocol: String,
    pub outcome: String,
    pub auth_method: String,
    pub auth_evidence: Option<String>,
    pub sign_ins: u64,
    pub users: u64,
    pub apps: u64,
    pub client_apps: u64,
    pub user_agents: u64,
    pub ip_addresses: u64,
    pub countries: u64,
    pub first_seen: DateTime<Utc>,
    pub last_seen: DateTime<Utc>,
}

/// The days of the window for one category.
#[derive(Debug, Serialize)]
pub struct CategoryDays {
    pub category: Category,
    /// In the order of the window.
    pub days: Vec<Day>,
}

/// What is known of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    Covered,
    /// Files speak for it that lack a column.
    Incomplete,
    Uncovered,
}

/// A query with its values filled in.
#[derive(Debug, Serialize)]
pub struct ShownQuery {
    pub name: &'static str,
    pub shows: String,
    pub sql: String,
}

/// The window's days of every category that is required or that the lake holds.
#[must_use]
pub fn calendar(
    evidence: &TenantEvidence,
    declared: Option<DayRange>,
    required: impl Iterator<Item = Category>,
    window: Window,
) -> Vec<CategoryDays> {
    let categories: std::collections::BTreeSet<Category> =
        required.chain(evidence.coverage.keys().copied()).collect();
    let within = |ranges: &[DayRange], day: NaiveDate| {
        ranges.iter().any(|range| (range.first..=range.last).contains(&day))
    };
    let of = |category: Category| {
        let coverage = evidence.coverage.get(&category);
        let days = window.first.iter_days().take_while(|day| *day < window.end).map(|day| {
            let Some(coverage) = coverage else { return Day::Uncovered };
            if within(&coverage.covered, day) {
                Day::Covered
            } else if within(&coverage.incomplete, day) {
                Day::Incomplete
            } else if declared.is_some_and(|range| within(&[range], day)) {
                Day::Covered
            } else {
                Day::Uncovered
            }
        });
        CategoryDays { category, days: days.collect() }
    };
    categories.into_iter().map(of).collect()
}

impl Explanation {
    /// The sentences of `because`.
    #[must_use]
    pub fn reasons(tenant: &TenantAssessment) -> Vec<String> {
        let mut told: Vec<String> = Vec::new();
        for reason in tenant.reasons.iter().chain(&tenant.evidence_reasons) {
            let sentence = reason_text(reason);
            if !told.contains(&sentence) {
                told.push(sentence);
            }
        }
        told
    }

    /// The explanation as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write_text(&mut text);
        text
    }

    fn write_text(&self, out: &mut String) -> std::fmt::Result {
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
            writeln!(out, "  - {sentence}")?;
        }
        if !self.tenant.protocols_clear.is_empty() {
            let clear: Vec<&str> =
                self.tenant.protocols_clear.iter().map(|protocol| protocol.as_str()).collect();
            writeln!(out, "clear: {}", clear.join(", "))?;
        }
        self.write_calendar(out)?;
        writeln!(out, "\nprotocols in scope or seen")?;
        let mut table = table(&[
            "protocol",
            "verdict",
            "users",
            "sign-ins",
            "interrupted",
            "blocked",
            "failures",
            "unknown",
            "last seen",
        ]);
        for protocol in &self.tenant.protocols {
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
            table.add_row(row);
        }
        writeln!(out, "{table}")?;
        self.write_activity(out)?;
        self.write_who(out)?;
        for query in &self.queries {
            writeln!(out, "\n-- {}: {}", query.name, query.shows)?;
            writeln!(out, "{}", query.sql)?;
        }
        Ok(())
    }

    fn write_calendar(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "\ncoverage: # covered, ~ only by files that lack a column, . not covered; a line a week"
        )?;
        for category in &self.calendar {
            let covered = category.days.iter().filter(|day| **day == Day::Covered).count();
            writeln!(out, "  {}: {covered} of {} days", category.category, category.days.len())?;
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
        }
        Ok(())
    }

    fn write_activity(&self, out: &mut String) -> std::fmt::Result {
        if self.activity.is_empty() {
            return writeln!(out, "\nno legacy sign-in in the window");
        }
        writeln!(out, "\nlegacy sign-ins by outcome and auth method")?;
        let mut table = table(&[
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
        ]);
        for row in &self.activity {
            let counts =
                [row.sign_ins, row.users, row.apps, row.user_agents, row.ip_addresses, row.countries];
            let by = row.auth_evidence.clone().unwrap_or_else(|| "-".to_owned());
            let mut cells = vec![row.protocol.clone(), row.outcome.clone(), row.auth_method.clone(), by];
            cells.extend(counts.map(|count| count.to_string()));
            cells.extend([minute(row.first_seen), minute(row.last_seen)]);
            table.add_row(cells);
        }
        writeln!(out, "{table}")
    }

    fn write_who(&self, out: &mut String) -> std::fmt::Result {
        if self.who.is_empty() {
            return Ok(());
        }
        writeln!(out, "\nwho: users with usage")?;
        let mut table =
            table(&["protocol", "user", "app", "client app", "user agent", "IPs", "sign-ins", "last seen"]);
        for row in self.who.iter().take(WHO_MAX) {
            let short = |text: Option<&String>| {
                text.map_or_else(|| "-".to_owned(), |text| plain_short(text, TEXT_CHARACTERS_MAX))
            };
            table.add_row([
                row.protocol.to_string(),
                short(Some(&row.user)),
                short(row.app.as_ref()),
                short(row.client_app.as_ref()),
                short(row.user_agent.as_ref()),
                row.ip_addresses.to_string(),
                row.sign_ins.to_string(),
                minute(row.last_seen),
            ]);
        }
        writeln!(out, "{table}")?;
        match self.who.len().saturating_sub(WHO_MAX) {
            0 => Ok(()),
            more => writeln!(out, "and {more} more; --format json has them all"),
        }
    }
}

fn table(header: &[&str]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::UTF8_BORDERS_ONLY).set_header(header);
    table
}

fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M").to_string()
}
