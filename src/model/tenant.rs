//! Tenants: their ids, and the roster, the list of tenants with names, contacts and settings. What its settings mean is
//! decided in `assess`.

use std::collections::BTreeMap;

use chrono::{NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use crate::evidence::DayRange;
use crate::protocol::Protocol;

/// What the roster says of one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RosterTenant {
    /// Lower case.
    pub tenant_id: String,
    pub display_name: Option<String>,
    pub domains: Vec<String>,
    /// `worldwide` (default), `gcc`, ...
    pub cloud: Option<String>,
    pub language: Option<String>,
    pub contacts: Vec<String>,
    /// Whether modern authentication for Outlook for Windows is on; `None`: not known.
    pub outlook_modern_auth: Option<bool>,
    /// The protocols that are switched on for it; `None`: not known.
    pub protocols_enabled: Option<Vec<Protocol>>,
    /// First and last day that its logs are known to be complete for, both included.
    pub logs_from: Option<NaiveDate>,
    pub logs_to: Option<NaiveDate>,
    /// The days of its working week, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workdays: Option<Vec<Weekday>>,
    /// `Some(reason)`: left out of the campaign.
    pub exclude: Option<String>,
    /// Columns of the file that lightsout does not know, by name: for SQL, and nothing else.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub other_columns: BTreeMap<String, String>,
}

impl RosterTenant {
    /// The days that its logs are known to be complete for; one end alone declares nothing.
    #[must_use]
    pub fn logs(&self) -> Option<DayRange> {
        let (first, last) = (self.logs_from?, self.logs_to?);
        (first <= last).then_some(DayRange { first, last })
    }

    /// Those of the protocols that are not known to be off already, in their order: what is off is not
    /// announced. Where `protocols_enabled` says nothing, all of them.
    #[must_use]
    pub fn still_on(&self, protocols: &[Protocol]) -> Vec<Protocol> {
        let is_on = |protocol: &&Protocol| {
            self.protocols_enabled.as_ref().is_none_or(|enabled| enabled.contains(protocol))
        };
        protocols.iter().filter(is_on).copied().collect()
    }
}

/// All rows of a roster, by tenant id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    pub tenants: BTreeMap<String, RosterTenant>,
}

impl Roster {
    /// Nobody can know that a log is complete for a day that is not over: ranges end with `yesterday` at the
    /// latest. The number of tenants whose range was longer.
    pub fn end_with(&mut self, yesterday: NaiveDate) -> usize {
        let beyond = |tenant: &&mut RosterTenant| tenant.logs_to.is_some_and(|last| last > yesterday);
        let mut count = 0;
        for tenant in self.tenants.values_mut().filter(beyond) {
            tenant.logs_to = Some(yesterday);
            count += 1;
        }
        count
    }
}

/// What a name stands for in a roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named<'a> {
    One(&'a str),
    Nobody,
    /// A display name that several tenants have.
    Several(Vec<&'a str>),
}

impl Roster {
    /// The tenant that a domain or a display name stands for, in any case.
    #[must_use]
    pub fn find(&self, name: &str) -> Named<'_> {
        let wanted = name.trim().to_lowercase();
        let has_domain =
            |tenant: &&RosterTenant| tenant.domains.iter().any(|domain| domain.to_lowercase() == wanted);
        let has_name = |tenant: &&RosterTenant| {
            tenant.display_name.as_ref().is_some_and(|name| name.trim().to_lowercase() == wanted)
        };
        // No two tenants have one domain.
        if let Some(tenant) = self.tenants.values().find(has_domain) {
            return Named::One(&tenant.tenant_id);
        }
        let named: Vec<&str> =
            self.tenants.values().filter(has_name).map(|tenant| tenant.tenant_id.as_str()).collect();
        match named.as_slice() {
            [] => Named::Nobody,
            [one] => Named::One(one),
            _ => Named::Several(named),
        }
    }

    /// The tenant that a person names: by its id, or by a domain or display name of this roster.
    ///
    /// # Errors
    /// Fails with what was expected if the text is none of these.
    pub fn tenant_of(&self, named: &str) -> Result<String, String> {
        if let Some(id) = tenant_id(named) {
            return Ok(id);
        }
        match self.find(named) {
            Named::One(id) => Ok(id.to_owned()),
            Named::Several(ids) => Err(format!(
                "one tenant; of that name the roster has {}, so name it by its id",
                ids.join(", ")
            )),
            Named::Nobody => {
                let roster = if self.tenants.is_empty() {
                    "a domain or name that a roster knows (--roster FILE)".to_owned()
                } else {
                    format!("a domain or name of one of the {} tenants of the roster", self.tenants.len())
                };
                Err(format!("a tenant id like 72f988bf-86f1-41af-91ab-2d7cd011db47, or {roster}"))
            }
        }
    }
}

/// The tenant id in a text, lower case: a GUID, also in braces. The GUID of zeros is nobody's.
#[must_use]
pub fn tenant_id(text: &str) -> Option<String> {
    let text = text.trim();
    let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    // Of the ways to write one, `Uuid` would read too many.
    let id = is_guid(bare).then(|| uuid::Uuid::try_parse(bare).ok()).flatten()?;
    (!id.is_nil()).then(|| id.hyphenated().to_string())
}

/// 8-4-4-4-12 hexadecimal digits. Each record is asked for, so there is no branch a byte.
#[must_use]
pub fn is_guid(text: &str) -> bool {
    const DIGIT: u8 = 1;
    const HYPHEN: u8 = 2;
    const KINDS: [u8; 256] = {
        let mut kinds = [0; 256];
        let mut byte = 0;
        while byte < 128_u8 {
            if byte.is_ascii_hexdigit() {
                kinds[byte as usize] = DIGIT;
            }
            byte += 1;
        }
        kinds[b'-' as usize] = HYPHEN;
        kinds
    };
    let Ok(text) = <&[u8; 36]>::try_from(text.as_bytes()) else { return false };
    let wrong = text.iter().enumerate().fold(0, |wrong, (at, byte)| {
        let expected = if matches!(at, 8 | 13 | 18 | 23) { HYPHEN } else { DIGIT };
        wrong | (KINDS[usize::from(*byte)] ^ expected)
    });
    wrong == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_protocol_that_is_known_to_be_off_is_not_announced() {
        let scope = [Protocol::Pop3, Protocol::Imap4, Protocol::SmtpAuth];
        let mut tenant = RosterTenant::default();
        assert_eq!(tenant.still_on(&scope), scope, "nothing is known of it");
        tenant.protocols_enabled = Some(vec![Protocol::SmtpAuth, Protocol::Pop3, Protocol::Autodiscover]);
        assert_eq!(tenant.still_on(&scope), [Protocol::Pop3, Protocol::SmtpAuth]);
        tenant.protocols_enabled = Some(Vec::new());
        assert_eq!(tenant.still_on(&scope), []);
    }

    const CONTOSO: &str = "7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c";

    #[test]
    fn a_tenant_id_is_a_guid_with_or_without_braces() {
        for text in
            [CONTOSO, "{7A1F3C52-0B1D-4E6A-9C2F-5D8E0F1A2B3C}", " 7a1f3c52-0B1D-4e6a-9c2f-5d8e0f1a2b3c\n"]
        {
            assert_eq!(tenant_id(text).as_deref(), Some(CONTOSO), "{text}");
        }
        for text in [
            "contoso.onmicrosoft.com",
            "7a1f3c520b1d4e6a9c2f5d8e0f1a2b3c",
            "urn:uuid:7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c",
            "{7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c",
            "7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3g",
            "7a1f3c52-0b1d-4e6a-9c2f5-d8e0f1a2b3c",
            "00000000-0000-0000-0000-000000000000",
            "",
        ] {
            assert_eq!(tenant_id(text), None, "{text}");
        }
    }

    #[test]
    fn a_domain_or_a_name_stands_for_one_tenant_of_the_roster() {
        let tenant = |id: &str, name: &str, domain: &str| RosterTenant {
            tenant_id: id.to_owned(),
            display_name: Some(name.to_owned()),
            domains: vec![domain.to_owned()],
            ..RosterTenant::default()
        };
        let other = "7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3d";
        let third = "7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3e";
        let rows = [
            tenant(CONTOSO, "Contoso", "contoso.onmicrosoft.com"),
            tenant(other, "Fabrikam", "fabrikam.com"),
            tenant(third, "Fabrikam", "fabrikam.de"),
        ];
        let roster =
            Roster { tenants: rows.into_iter().map(|tenant| (tenant.tenant_id.clone(), tenant)).collect() };
        assert_eq!(roster.tenant_of("Contoso.onMicrosoft.com").as_deref(), Ok(CONTOSO));
        assert_eq!(roster.tenant_of(" contoso").as_deref(), Ok(CONTOSO));
        assert_eq!(roster.tenant_of("fabrikam.de").as_deref(), Ok(third));
        assert!(roster.tenant_of("Fabrikam").is_err_and(|expected| expected.contains(other)));
        assert!(Roster::default().tenant_of("contoso").is_err_and(|told| told.contains("--roster")));
    }
}
