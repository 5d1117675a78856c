//! A campaign: the rules file that says which protocols, which window, which evidence, which dates
//! and which facts the notices state. Dates move, so they are data: two campaigns are embedded, and
//! any other is a TOML file of the same shape.

mod schema;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;
use crate::sign_in::Category;

pub use schema::schema;

/// The campaigns that come with the program, by name, the default first.
pub const EMBEDDED: [(&str, &str); 2] = [
    ("basic-auth-all-protocols", include_str!("campaigns/basic-auth-all-protocols.toml")),
    ("smtp-auth-2026", include_str!("campaigns/smtp-auth-2026.toml")),
];

/// The longest times that a campaign may name.
const DAYS_MAX: u32 = 366;
const SETTLE_HOURS_MAX: u32 = 24 * DAYS_MAX;

/// One campaign file. See `src/campaigns/*.toml` for what each key means to its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "lightsout campaign", description = "The rules of one campaign.")]
pub struct Campaign {
    /// The name that decisions and the ledger know it by.
    pub name: String,
    /// The headline of its notices.
    pub title: String,
    /// The Message Center id that notices carry, where there is one.
    pub message_id: Option<String>,
    /// Protocols in scope, as written. Their groups come with them.
    #[schemars(schema_with = "schema::protocols")]
    pub protocols: Vec<Protocol>,
    /// Whole UTC days before `as_of` that are searched for usage.
    #[schemars(range(min = 1, max = DAYS_MAX))]
    pub window_days: u32,
    /// Days before the window in which usage makes a protocol unproven.
    #[serde(default = "default_lookback_days")]
    #[schemars(range(max = DAYS_MAX))]
    pub lookback_days: u32,
    /// How long after its latest record a log may still grow.
    #[serde(default = "default_settle_hours")]
    #[schemars(range(max = SETTLE_HOURS_MAX))]
    pub settle_hours: u32,
    /// Days from the notice to the change.
    #[schemars(range(max = DAYS_MAX))]
    pub notice_days: u32,
    /// An older decision is not announced.
    #[serde(default = "default_max_decision_age_days")]
    #[schemars(range(max = DAYS_MAX))]
    pub max_decision_age_days: u32,
    /// Where set, the change comes on this day instead of `notice_days` after the notice.
    #[serde(default)]
    #[schemars(schema_with = "schema::day")]
    pub effective_date: Option<NaiveDate>,
    /// Per required category the longest run of uncovered days that is permitted.
    #[serde(default = "default_permitted_gap_days")]
    #[schemars(schema_with = "schema::days_per_category")]
    pub permitted_gap_days: BTreeMap<Category, u32>,
    /// Posts that said something of this before, oldest first.
    #[serde(default)]
    pub earlier_posts: Vec<EarlierPost>,
    pub texts: Texts,
    // Left out where it says nothing, so that kept decisions of such campaigns have one text.
    #[serde(default, skip_serializing_if = "Waves::is_empty")]
    pub waves: Waves,
}

/// How a campaign is announced in waves. Without it everybody eligible is announced at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Waves {
    /// Tenants of a wave where the command gives no number. Absent: everybody eligible.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub size: Option<u32>,
    /// The most tenants that are between notice and change at any time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub pending_max: Option<u32>,
    /// Tenants of these clouds are not announced. Letter case says nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude_clouds: Vec<String>,
    /// The tenants with these ids are not announced.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")))]
    pub exclude_tenants: Vec<String>,
}

impl Waves {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A post that said something of this before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlierPost {
    /// Its Message Center id.
    pub id: String,
    /// As it reads in a sentence: "September 2019".
    pub date: String,
}

/// Facts that the notice templates put into sentences of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// Why the change is made, one paragraph.
    pub background: String,
    /// What follows it, one paragraph.
    #[serde(default)]
    pub outlook: String,
    /// Where the latest information is: an address that begins with https:// or http://.
    #[schemars(regex(pattern = "^https?://"))]
    pub latest_information: String,
    /// How an administrator opts out, one paragraph.
    pub opt_out: String,
    /// What happens to SMTP AUTH, one paragraph. Absent: the notices say that it is turned off completely.
    #[serde(default)]
    pub smtp_auth: Option<String>,
    /// Whether modern authentication for Outlook for Windows is enabled with it where it is off.
    #[serde(default)]
    pub enables_outlook_modern_auth: bool,
}

const fn default_lookback_days() -> u32 {
    60
}

const fn default_settle_hours() -> u32 {
    24
}

const fn default_max_decision_age_days() -> u32 {
    3
}

fn default_permitted_gap_days() -> BTreeMap<Category, u32> {
    BTreeMap::from([(Category::NonInteractive, 4), (Category::Interactive, 10)])
}

/// A campaign that can't be used, and where in its file the trouble is.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    #[error("campaign '{name}' is neither built in ({}) nor a file that can be read: {source}", EMBEDDED.map(|(name, _)| name).join(", "))]
    NotFound { name: String, source: std::io::Error },
    /// `source` shows the line with its number and lists the valid choices.
    #[error("campaign file {file}: {}", .source.to_string().trim_end())]
    Invalid { file: String, source: toml::de::Error },
    #[error("campaign file {file}: {key} is {found}; expected {expected}")]
    Value { file: String, key: &'static str, found: String, expected: &'static str },
}

impl Campaign {
    /// The embedded campaign of that name, else the file at that path.
    ///
    /// # Errors
    /// Fails if it is neither, or if the file is no valid campaign.
    pub fn load(name_or_file: &str) -> Result<Self, CampaignError> {
        Self::parse(&Self::read(name_or_file)?, name_or_file)
    }

    /// The text of that campaign as its author wrote it, not checked.
    ///
    /// # Errors
    /// Fails if it is neither embedded nor a file that can be read.
    pub fn read(name_or_file: &str) -> Result<Cow<'static, str>, CampaignError> {
        if let Some((_, text)) = EMBEDDED.iter().find(|(name, _)| *name == name_or_file) {
            return Ok(Cow::Borrowed(text));
        }
        let text = std::fs::read_to_string(Path::new(name_or_file));
        text.map(Cow::Owned)
            .map_err(|source| CampaignError::NotFound { name: name_or_file.to_owned(), source })
    }

    /// Parses a campaign file; `file` is only named in errors.
    ///
    /// # Errors
    /// Fails if a key is unknown or missing, or a value is out of range.
    pub fn parse(text: &str, file: &str) -> Result<Self, CampaignError> {
        let campaign: Self = toml::from_str(text)
            .map_err(|source| CampaignError::Invalid { file: file.to_owned(), source })?;
        campaign.check(file)?;
        Ok(campaign)
    }

    fn check(&self, file: &str) -> Result<(), CampaignError> {
        let wrong = |key, found: String, expected| {
            Err(CampaignError::Value { file: file.to_owned(), key, found, expected })
        };
        if self.protocols.is_empty() {
            return wrong("protocols", "empty".to_owned(), "at least one protocol");
        }
        if let Some(bucket) = self.protocols.iter().find(|p| !Protocol::NAMED.contains(p)) {
            return wrong(
                "protocols",
                format!("'{bucket}'"),
                "protocols that can be switched off, no buckets",
            );
        }
        if self.window_days == 0 || self.window_days > 366 {
            return wrong("window_days", self.window_days.to_string(), "1 to 366");
        }
        if self.notice_days > 366 {
            return wrong("notice_days", self.notice_days.to_string(), "0 to 366");
        }
        if self.permitted_gap_days.is_empty() {
            return wrong("permitted_gap_days", "empty".to_owned(), "at least one required category");
        }
        if let Some(category) = self.permitted_gap_days.keys().find(|category| !category.is_user()) {
            return wrong("permitted_gap_days", format!("'{category}'"), "interactive or non_interactive");
        }
        Ok(())
    }

    /// The protocols in scope, whole groups, in report order.
    #[must_use]
    pub fn scope(&self) -> Vec<Protocol> {
        let mut scope: Vec<Protocol> =
            self.protocols.iter().flat_map(|protocol| protocol.group()).copied().collect();
        scope.sort_unstable();
        scope.dedup();
        scope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_campaigns_parse_and_carry_the_name_they_are_found_by() {
        for (name, _) in EMBEDDED {
            let campaign = Campaign::load(name).expect("an embedded campaign is valid");
            assert_eq!(campaign.name, name);
        }
    }

    #[test]
    fn the_default_campaign_has_the_nine_protocols_of_the_notice_in_scope() {
        let campaign = Campaign::load(EMBEDDED[0].0).expect("embedded");
        assert_eq!(campaign.scope(), Protocol::ALL[..9]);
    }

    #[test]
    fn a_scope_that_names_one_outlook_protocol_has_the_whole_group_in_scope() {
        let text = EMBEDDED[1].1.replace(r#"["smtp_auth"]"#, r#"["mapi_over_http"]"#);
        let campaign = Campaign::parse(&text, "test.toml").expect("valid");
        assert_eq!(campaign.scope().len(), 4);
    }

    #[test]
    fn a_wrong_key_is_told_with_its_line_and_the_valid_choices() {
        let text = EMBEDDED[1].1.replace("window_days", "windw_days");
        let told = Campaign::parse(&text, "mine.toml").expect_err("the key is wrong").to_string();
        assert!(
            told.contains("mine.toml") && told.contains("line ") && told.contains("`window_days`"),
            "{told}"
        );
    }

    #[test]
    fn an_unknown_protocol_is_told_with_the_valid_ones() {
        let text = EMBEDDED[1].1.replace(r#""smtp_auth""#, r#""smtp""#);
        let told = Campaign::parse(&text, "mine.toml").expect_err("no such protocol").to_string();
        assert!(told.contains("'smtp'") && told.contains("smtp_auth"), "{told}");
    }

    #[test]
    fn a_window_of_no_days_is_refused() {
        let text = EMBEDDED[1].1.replace("window_days = 30", "window_days = 0");
        let told = Campaign::parse(&text, "mine.toml").expect_err("out of range").to_string();
        assert!(told.contains("window_days is 0") && told.contains("1 to 366"), "{told}");
    }
}
