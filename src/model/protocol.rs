//! Protocols as the sign-in log's "Client app" names them, and the groups they are switched off in.
//! What a spelling in a log means is decided in `formats::classify`; this file only knows the names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A mail protocol, a grant that a campaign can name like one, or one of the three buckets for client apps that
/// name none.
///
/// Order is the order of reports: the nine of notice MC290828, then those outside its scope,
/// then the buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Protocol {
    Pop3,
    Imap4,
    SmtpAuth,
    ExchangeActivesync,
    ExchangeWebServices,
    OfflineAddressBook,
    MapiOverHttp,
    OutlookAnywhereRpc,
    RemotePowershell,
    Autodiscover,
    ReportingWebServices,
    OutlookService,
    /// OAuth with a password that an application sends to Entra itself: no mail protocol, and no Basic
    /// Authentication.
    PasswordGrant,
    /// "Other clients": legacy, protocol not named.
    OtherLegacy,
    /// The client app of a user sign-in is empty or "Unknown".
    NotStated,
    /// A client app that the table of spellings does not know.
    Unrecognised,
}

impl Protocol {
    /// Every protocol, in report order.
    pub const ALL: [Self; 16] = [
        Self::Pop3,
        Self::Imap4,
        Self::SmtpAuth,
        Self::ExchangeActivesync,
        Self::ExchangeWebServices,
        Self::OfflineAddressBook,
        Self::MapiOverHttp,
        Self::OutlookAnywhereRpc,
        Self::RemotePowershell,
        Self::Autodiscover,
        Self::ReportingWebServices,
        Self::OutlookService,
        Self::PasswordGrant,
        Self::OtherLegacy,
        Self::NotStated,
        Self::Unrecognised,
    ];

    /// The protocols that a campaign may put in scope.
    pub const NAMED: [Self; 13] = [
        Self::Pop3,
        Self::Imap4,
        Self::SmtpAuth,
        Self::ExchangeActivesync,
        Self::ExchangeWebServices,
        Self::OfflineAddressBook,
        Self::MapiOverHttp,
        Self::OutlookAnywhereRpc,
        Self::RemotePowershell,
        Self::Autodiscover,
        Self::ReportingWebServices,
        Self::OutlookService,
        Self::PasswordGrant,
    ];

    /// The name in SQL, lists, campaign files and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pop3 => "pop3",
            Self::Imap4 => "imap4",
            Self::SmtpAuth => "smtp_auth",
            Self::ExchangeActivesync => "exchange_activesync",
            Self::ExchangeWebServices => "exchange_web_services",
            Self::OfflineAddressBook => "offline_address_book",
            Self::MapiOverHttp => "mapi_over_http",
            Self::OutlookAnywhereRpc => "outlook_anywhere_rpc",
            Self::RemotePowershell => "remote_powershell",
            Self::Autodiscover => "autodiscover",
            Self::ReportingWebServices => "reporting_web_services",
            Self::OutlookService => "outlook_service",
            Self::PasswordGrant => "password_grant",
            Self::OtherLegacy => "other_legacy",
            Self::NotStated => "not_stated",
            Self::Unrecognised => "unrecognised",
        }
    }

    /// The name for people: notices and pages.
    #[must_use]
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Pop3 => "POP3",
            Self::Imap4 => "IMAP4",
            Self::SmtpAuth => "SMTP AUTH",
            Self::ExchangeActivesync => "Exchange ActiveSync (EAS)",
            Self::ExchangeWebServices => "Exchange Web Services (EWS)",
            Self::OfflineAddressBook => "Offline Address Book (OAB)",
            Self::MapiOverHttp => "MAPI over HTTP",
            Self::OutlookAnywhereRpc => "Outlook Anywhere (RPC over HTTP)",
            Self::RemotePowershell => "Exchange Online Remote PowerShell",
            Self::Autodiscover => "Autodiscover",
            Self::ReportingWebServices => "Reporting Web Services",
            Self::OutlookService => "Outlook Service",
            Self::PasswordGrant => "Password sent to Entra by an application (ROPC)",
            Self::OtherLegacy => "Other legacy clients (protocol not named)",
            Self::NotStated => "Client app not stated",
            Self::Unrecognised => "Client app not recognised",
        }
    }

    /// The protocols that every campaign clears, or keeps, together with this one, itself included. A
    /// campaign may add to them: ask it where there is one.
    ///
    /// Outlook for Windows and Mac use four of them at once, so usage of one keeps all four.
    #[must_use]
    pub fn group(self) -> &'static [Self] {
        const OUTLOOK: [Protocol; 4] = [
            Protocol::ExchangeWebServices,
            Protocol::OfflineAddressBook,
            Protocol::MapiOverHttp,
            Protocol::OutlookAnywhereRpc,
        ];
        if OUTLOOK.contains(&self) {
            return &OUTLOOK;
        }
        let at = self as usize;
        &Self::ALL[at..=at]
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that is no protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown protocol '{found}'; expected one of: {}", Protocol::ALL.map(Protocol::as_str).join(", "))]
pub struct UnknownProtocol {
    pub found: String,
}

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.as_str() == name)
            .ok_or_else(|| UnknownProtocol { found: name.to_owned() })
    }
}

impl TryFrom<String> for Protocol {
    type Error = UnknownProtocol;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl From<Protocol> for String {
    fn from(protocol: Protocol) -> Self {
        protocol.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_and_all_is_in_declaration_order() {
        for (at, protocol) in Protocol::ALL.into_iter().enumerate() {
            assert_eq!(protocol as usize, at);
            assert_eq!(protocol.as_str().parse(), Ok(protocol));
        }
    }

    #[test]
    fn the_outlook_protocols_share_one_group_and_every_other_is_its_own() {
        assert_eq!(Protocol::MapiOverHttp.group().len(), 4);
        assert_eq!(Protocol::Imap4.group(), [Protocol::Imap4]);
        for protocol in Protocol::ALL {
            assert!(protocol.group().contains(&protocol));
        }
    }
}
