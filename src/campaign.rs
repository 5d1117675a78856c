//! A campaign: the rules file that says which protocols, which window, which evidence, which dates
//! and which facts the notices state. Dates move, so they are data: two campaigns are embedded, and
//! any other is a TOML file of the same shape.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;
use crate::sign_in::Category;

/// The campaigns that come with the program, by name, the default first.
pub const EMBEDDED: [(&str, &str); 2] = [
    ("basic-auth-all-protocols", include_str!("campaigns/basic-auth-all-protocols.toml")),
    ("smtp-auth-2026", include_str!("campaigns/smtp-auth-2026.toml")),
];

/// One campaign file. See `src/campaigns/*.toml` for what each key means to its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    pub name: String,
    /// The headline of its notices.
    pub title: String,
    /// The Message Center id that notices carry, where there is one.
    pub message_id: Option<String>,
    /// Protocols in scope, as written; [`Campaign::scope`] has their groups filled in.
    pub protocols: Vec<Protocol>,
    pub window_days: u32,
    #[serde(default = "default_lookback_days")]
    pub lookback_days: u32,
    #[serde(default = "default_settle_hours")]
    pub settle_hours: u32,
    pub notice_days: u32,
    #[serde(default = "default_max_decision_age_days")]
    pub max_decision_age_days: u32,
    /// Where set, the change comes on this day instead of `notice_days` after the notice.
    pub effective_date: Option<NaiveDate>,
    /// Per required category the longest run of uncovered days that is permitted.
    #[serde(default = "default_permitted_gap_days")]
    pub permitted_gap_days: BTreeMap<Category, u32>,
    #[serde(default)]
    pub earlier_posts: Vec<EarlierPost>,
    pub texts: Texts,
    /// How many tenants are announced at a time, and which are not.
    // Left out where it says nothing, so that kept decisions of such campaigns have one text.
    #[serde(default, skip_serializing_if = "Waves::is_empty")]
    pub waves: Waves,
}

/// How a campaign is announced in waves. Without it everybody eligible is announced at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Waves {
    /// Tenants of a wave where the command gives no number; `None`: everybody eligible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
    /// The most tenants that are between notice and change at any time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_max: Option<u32>,
    /// Tenants of these clouds are not announced. Letter case says nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude_clouds: Vec<String>,
    /// These tenants are not announced; lower-case ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude_tenants: Vec<String>,
}

impl Waves {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A post that said something of this before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierPost {
    pub id: String,
    /// As it reads in a sentence: "September 2019".
    pub date: String,
}

/// Facts that the notice templates put into sentences of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// Why the change is made, one paragraph.
    pub background: String,
    /// What follows it, one paragraph.
    #[serde(default)]
    pub outlook: String,
    /// Where the latest information is.
    pub latest_information: String,
    /// How an administrator opts out, one paragraph.
    pub opt_out: String,
    /// What happens to SMTP AUTH, one paragraph; where absent, the notices say that it is turned off
    /// completely.
    #[serde(default)]
    pub smtp_auth: Option<String>,
    /// Whether modern authentication for Outlook for Windows is enabled with it where it is off.
    #[serde(default)]
    pub enables_outlook_modern_auth: bool,
    /// Whether SMTP AUTH goes off as a whole, and not only Basic Authentication of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disables_smtp_client_authentication: bool,
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
        if let Some((_, text)) = EMBEDDED.iter().find(|(name, _)| *name == name_or_file) {
            return Self::parse(text, name_or_file);
        }
        let text = std::fs::read_to_string(Path::new(name_or_file))
            .map_err(|source| CampaignError::NotFound { name: name_or_file.to_owned(), source })?;
        Self::parse(&text, name_or_file)
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
