//! A campaign: the rules file that says which protocols, which window, which evidence, which dates
//! and which facts the notices state. Dates move, so they are data: a few campaigns are embedded, and
//! any other is a TOML file of the same shape.

mod schema;
mod translation;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;
use crate::sign_in::{AuthMethod, Category};

pub use schema::schema;
pub use translation::{OperatorTranslation, Translation};

/// The longest times that a campaign may name.
pub const DAYS_MAX: u32 = 366;
pub const SETTLE_HOURS_MAX: u32 = 24 * DAYS_MAX;

/// Exchange's limit for the name of an authentication policy.
pub const POLICY_NAME_CHARACTERS_MAX: usize = 64;

/// A runbook makes a policy that is called after its campaign.
const POLICY_NAME_PREFIX: &str = "lightsout ";

pub const NAME_CHARACTERS_MAX: usize = POLICY_NAME_CHARACTERS_MAX - POLICY_NAME_PREFIX.len();

/// The authentication policy that the runbooks of a campaign make.
#[must_use]
pub fn policy_name(campaign: &str) -> String {
    format!("{POLICY_NAME_PREFIX}{campaign}")
}

const ENGLISH: &str = "en";
const BASIC_AUTHENTICATION: &str = "Basic Authentication";

// A decision keeps its campaign as JSON, and its id is a hash over that: what has its default is left out
// of it, so that a new key changes nothing for the campaigns that do not use it.
/// One campaign file. See `src/config/campaigns/*.toml` for what each key means to its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "lightsout campaign", description = "The rules of one campaign.")]
pub struct Campaign {
    /// The name that decisions and the ledger know it by.
    #[schemars(regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$"), length(max = NAME_CHARACTERS_MAX))]
    pub name: String,
    /// The headline of its notices.
    #[schemars(length(min = 1))]
    pub title: String,
    /// The Message Center id that notices carry, where there is one.
    pub message_id: Option<String>,
    /// Protocols in scope, as written. Their groups come with them.
    #[schemars(schema_with = "schema::protocols")]
    pub protocols: Vec<Protocol>,
    /// Protocols that are cleared, or kept, together, by a name for each group. A protocol is in one at
    /// most. The four of Outlook (`exchange_web_services`, `offline_address_book`, `mapi_over_http` and
    /// `outlook_anywhere_rpc`) are always together, and any other that is in no group is by itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::groups")]
    pub groups: BTreeMap<String, Vec<Protocol>>,
    /// Of `password_grant`, the applications whose sign-ins count, by their ids. Absent: those of every one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")))]
    pub app_ids: Vec<String>,
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
    /// The numbers of the rules that judge whether logs suffice.
    #[serde(default, skip_serializing_if = "EvidenceRules::is_default")]
    pub evidence: EvidenceRules,
    /// Posts that said something of this before, oldest first.
    #[serde(default)]
    pub earlier_posts: Vec<EarlierPost>,
    pub texts: Texts,
    /// Who runs the campaign. It must be set before anything is announced or turned off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Operator>,
    /// The language of the texts, as a BCP 47 tag.
    #[serde(default = "default_language", skip_serializing_if = "is_default_language")]
    #[schemars(regex(pattern = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"))]
    pub language: String,
    /// The texts in other languages, by the tag of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub translations: BTreeMap<String, Translation>,
    #[serde(default, skip_serializing_if = "Waves::is_empty")]
    pub waves: Waves,
}

/// Who runs a campaign and how to reach them. Requests to opt out go to `reply_to`, and from there into the ledger by
/// `campaign opt-out`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// The company or team, as the notices name it.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Whom to ask, and how: a person, a desk, a telephone number.
    #[schemars(length(min = 1))]
    pub contact: String,
    /// The mail address that tenants write to.
    #[schemars(regex(pattern = "^[^@ ]+@[^@ ]+$"))]
    pub reply_to: String,
    /// What a notice ends with, of one line or several. Absent: the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub signature: Option<String>,
    /// Contact and signature in other languages, by the tag of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub translations: BTreeMap<String, OperatorTranslation>,
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
    /// Whether a tenant of that cloud is not announced. `cloud` is the roster's; `None`: worldwide.
    #[must_use]
    pub fn excludes(&self, tenant_id: &str, cloud: Option<&str>) -> bool {
        let cloud = cloud.unwrap_or("worldwide").trim();
        self.exclude_tenants.iter().any(|excluded| excluded == tenant_id)
            || self.exclude_clouds.iter().any(|excluded| excluded.trim().eq_ignore_ascii_case(cloud))
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The numbers of the rules that judge whether logs suffice. Those of a log are for each required category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EvidenceRules {
    /// Expected days that may be missing, of twenty, where a log is busy.
    #[schemars(range(max = 20))]
    pub days_missing_max: u32,
    /// The same of the log of interactive sign-ins.
    #[schemars(range(max = 20))]
    pub days_missing_max_interactive: u32,
    /// Percent of the expected days that may be missing, where it is not.
    #[schemars(range(max = 100))]
    pub days_missing_percent: u32,
    /// Records of an expected day, in the median, from which on a log is busy; a weekday outside the working
    /// week is expected from the same number on.
    #[schemars(range(min = 1))]
    pub busy_median: u32,
    /// Weeks before the window, or before a silence, that tell what is usual.
    #[schemars(range(min = 1, max = 26))]
    pub history_weeks: u32,
    /// A day with less than so many percent of the records that its weekday had before is not seen.
    #[schemars(range(max = 100))]
    pub thin_percent: u32,
    /// Where its weekday had fewer records in the median, no day is too thin.
    #[schemars(range(min = 1))]
    pub thin_median_min: u32,
    /// Weeks with records that the median needs.
    #[schemars(range(min = 1, max = 26))]
    pub thin_weeks_min: u32,
    /// A log is near-idle if every weekday has records in fewer than so many percent of its weeks.
    #[schemars(range(max = 100))]
    pub idle_percent: u32,
    /// A silence of the interactive log is believable if chance would bring it about in so many percent or
    /// more.
    #[schemars(range(min = 1, max = 100))]
    pub silence_chance_min_percent: u32,
    /// Usage before the window has ended if its user was seen on so many days, in so many weeks, and has been
    /// silent for so many days and twice the longest pause before.
    #[schemars(range(min = 2, max = 60))]
    pub ended_usage_days_min: u32,
    /// Weeks with usage that this takes.
    #[schemars(range(min = 1, max = 10))]
    pub ended_usage_weeks_min: u32,
    /// Days of silence that this takes at least.
    #[schemars(range(min = 7, max = DAYS_MAX))]
    pub ended_silence_days_min: u32,
    /// Settings prove that something is off if they were collected at most so many days from `as_of`.
    #[schemars(range(max = 30))]
    pub settings_age_days_max: u32,
}

impl Default for EvidenceRules {
    fn default() -> Self {
        Self {
            days_missing_max: 1,
            days_missing_max_interactive: 3,
            days_missing_percent: 10,
            busy_median: 5,
            history_weeks: 8,
            thin_percent: 10,
            thin_median_min: 10,
            thin_weeks_min: 3,
            idle_percent: 40,
            silence_chance_min_percent: 1,
            ended_usage_days_min: 5,
            ended_usage_weeks_min: 3,
            ended_silence_days_min: 14,
            settings_age_days_max: 7,
        }
    }
}

impl EvidenceRules {
    fn is_default(&self) -> bool {
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
    /// What is turned off, as it reads at the start of a sentence and within one.
    #[serde(default = "default_method", skip_serializing_if = "is_default_method")]
    #[schemars(length(min = 1))]
    pub method: String,
    /// Why the change is made, one paragraph.
    pub background: String,
    /// What follows it, one paragraph.
    #[serde(default)]
    pub outlook: String,
    /// What is to be known of the day of the change, one sentence: that it is assumed, for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_note: Option<String>,
    /// Where the latest information is: an address that begins with https:// or http://.
    #[schemars(regex(pattern = "^https?://"))]
    pub latest_information: String,
    /// The day on which the texts were last compared with their sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::day")]
    pub checked: Option<NaiveDate>,
    /// What opting out does and does not do, one paragraph. Whom to write to is said anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_out: Option<String>,
    /// What can be switched on again after the change, one paragraph. Whom to write to is said anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch_on_again: Option<String>,
    /// What happens to SMTP AUTH, one paragraph. Absent: the notices say that it is turned off completely.
    #[serde(default)]
    pub smtp_auth: Option<String>,
    /// Whether modern authentication for Outlook for Windows is enabled with it where it is off.
    #[serde(default)]
    pub enables_outlook_modern_auth: bool,
    /// Whether SMTP AUTH goes off as a whole, and not only Basic Authentication of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disables_smtp_client_authentication: bool,
}

fn default_method() -> String {
    BASIC_AUTHENTICATION.to_owned()
}

fn is_default_method(method: &str) -> bool {
    method == BASIC_AUTHENTICATION
}

fn default_language() -> String {
    ENGLISH.to_owned()
}

fn is_default_language(tag: &str) -> bool {
    tag == ENGLISH
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

impl Campaign {
    /// The protocols in scope, whole groups, in report order.
    #[must_use]
    pub fn scope(&self) -> Vec<Protocol> {
        let mut scope: Vec<Protocol> =
            self.protocols.iter().flat_map(|protocol| self.group_of(*protocol)).copied().collect();
        scope.sort_unstable();
        scope.dedup();
        scope
    }

    /// The auth methods of sign-ins that count, as queries are given them: modern ones that verdicts need are of
    /// SMTP AUTH alone.
    #[must_use]
    pub fn auth_methods(&self) -> String {
        let modern = self.texts.disables_smtp_client_authentication.then_some(AuthMethod::Modern);
        let grant = self.scope().contains(&Protocol::PasswordGrant).then_some(AuthMethod::PasswordGrant);
        let methods = [Some(AuthMethod::Basic), Some(AuthMethod::Unknown), modern, grant];
        methods.into_iter().flatten().map(AuthMethod::as_str).collect::<Vec<_>>().join(",")
    }

    /// Whether Outlook for Windows loses a protocol when these are turned off, so that it needs modern authentication:
    /// one of its four is among them, or one that this campaign turns off together with those.
    #[must_use]
    pub fn turns_off_outlook(&self, off: &[Protocol]) -> bool {
        self.group_of(Protocol::MapiOverHttp).iter().any(|protocol| off.contains(protocol))
    }

    /// The protocols that are cleared, or kept, together with this one, itself included.
    #[must_use]
    pub fn group_of(&self, protocol: Protocol) -> &[Protocol] {
        let own = self.groups.values().find(|group| group.contains(&protocol));
        own.map_or_else(|| protocol.group(), Vec::as_slice)
    }

    /// Takes from the file as it is now whom to write to and where to read on: a notice of today must not send people
    /// to what was right when the decision was made. Translations are no rules, and come with it.
    pub fn take_contacts_of(&mut self, file: &Self) {
        self.operator.clone_from(&file.operator);
        self.translations.clone_from(&file.translations);
        let (own, new) = (&mut self.texts, &file.texts);
        own.latest_information.clone_from(&new.latest_information);
        own.opt_out.clone_from(&new.opt_out);
        own.switch_on_again.clone_from(&new.switch_on_again);
        own.checked = new.checked;
    }
}
