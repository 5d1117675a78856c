//! What a campaign's author and its operator say in other languages than that of the campaign.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BASIC_AUTHENTICATION, Campaign, Operator};
use crate::language::{Language, LocalText};

/// As Microsoft's documentation names it.
const METHOD: LocalText = LocalText::new(BASIC_AUTHENTICATION, "Standardauthentifizierung");

/// The texts of a campaign in one more language: of each text that the campaign has, the translation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Translation {
    /// The headline of its notices.
    #[schemars(length(min = 1))]
    pub title: String,
    /// What is turned off, as it reads after "sign-in with". Absent: as the program says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Why the change is made, one paragraph.
    pub background: String,
    /// What follows it, one paragraph.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub outlook: String,
    /// What is to be known of the day of the change, one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_note: Option<String>,
    /// What opting out does and does not do, one paragraph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_out: Option<String>,
    /// What can be switched on again after the change, one paragraph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch_on_again: Option<String>,
    /// What happens to SMTP AUTH, one paragraph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_auth: Option<String>,
    /// By the id of each earlier post its date, as it reads in a sentence.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub earlier_post_dates: BTreeMap<String, String>,
}

/// What an operator says in one more language. A signature that is absent is that of the operator; without a contact the
/// notices name `reply_to` alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OperatorTranslation {
    /// Whom to ask, and how.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub contact: Option<String>,
    /// What a notice ends with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub signature: Option<String>,
}

impl Translation {
    /// The texts of the campaign that this does not translate, by their keys.
    #[must_use]
    pub fn missing(&self, campaign: &Campaign) -> Vec<String> {
        let texts = &campaign.texts;
        let base = METHOD.in_language(campaign.base_language());
        let own_method = ![BASIC_AUTHENTICATION, base].contains(&texts.method.as_str());
        let missing = [
            ("title", self.title.trim().is_empty()),
            ("method", own_method && self.method.is_none()),
            ("background", self.background.trim().is_empty()),
            ("outlook", !texts.outlook.is_empty() && self.outlook.is_empty()),
            ("date_note", texts.date_note.is_some() && self.date_note.is_none()),
            ("opt_out", texts.opt_out.is_some() && self.opt_out.is_none()),
            ("switch_on_again", texts.switch_on_again.is_some() && self.switch_on_again.is_none()),
            ("smtp_auth", texts.smtp_auth.is_some() && self.smtp_auth.is_none()),
        ];
        let missing =
            missing.into_iter().filter(|(_, is_missing)| *is_missing).map(|(key, _)| key.to_owned());
        let posts =
            campaign.earlier_posts.iter().filter(|post| !self.earlier_post_dates.contains_key(&post.id));
        missing.chain(posts.map(|post| format!("earlier_post_dates.{}", post.id))).collect()
    }
}

impl Campaign {
    /// The language of its own texts, where it is one of ours; the program's words beside them are in it.
    #[must_use]
    pub fn base_language(&self) -> Language {
        Language::of_tag(&self.language).unwrap_or_default()
    }

    /// The campaign with its texts in that language; `None` where nobody translated them.
    #[must_use]
    pub fn in_language(&self, language: Language) -> Option<Cow<'_, Self>> {
        let method = METHOD.in_language(language);
        let names_default = self.texts.method == BASIC_AUTHENTICATION;
        if self.base_language() == language {
            if !names_default || language == Language::English {
                return Some(Cow::Borrowed(self));
            }
            // The key's default is in English.
            let mut campaign = self.clone();
            method.clone_into(&mut campaign.texts.method);
            return Some(Cow::Owned(campaign));
        }
        let of_language = |(tag, _): &(&String, &Translation)| Language::of_tag(tag) == Some(language);
        let (_, translation) = self.translations.iter().find(of_language)?;
        let mut campaign = self.clone();
        campaign.title.clone_from(&translation.title);
        language.tag().clone_into(&mut campaign.language);
        let texts = &mut campaign.texts;
        translation.method.as_deref().unwrap_or(method).clone_into(&mut texts.method);
        texts.background.clone_from(&translation.background);
        texts.outlook.clone_from(&translation.outlook);
        texts.date_note.clone_from(&translation.date_note);
        texts.opt_out.clone_from(&translation.opt_out);
        texts.switch_on_again.clone_from(&translation.switch_on_again);
        texts.smtp_auth.clone_from(&translation.smtp_auth);
        for post in &mut campaign.earlier_posts {
            if let Some(date) = translation.earlier_post_dates.get(&post.id) {
                post.date.clone_from(date);
            }
        }
        if let Some(operator) = &mut campaign.operator {
            operator.translate(language);
        }
        Some(Cow::Owned(campaign))
    }
}

impl Operator {
    /// A contact that nobody translated is left out: `reply_to` is an address in every language.
    fn translate(&mut self, language: Language) {
        let of_language =
            |(tag, _): &(&String, &OperatorTranslation)| Language::of_tag(tag) == Some(language);
        let translation =
            self.translations.iter().find(of_language).map(|(_, translation)| translation.clone());
        let OperatorTranslation { contact, signature } = translation.unwrap_or_default();
        self.contact = contact.unwrap_or_default();
        self.signature = signature.or_else(|| self.signature.take());
    }
}
