//! What a raw sign-in means: protocol, auth method with its evidence, outcome. Three tables and the
//! rules that read them; the sources of both are Microsoft's lists and the spellings seen in logs.

mod codes;

use std::borrow::Cow;

use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::{AuthMethod, Category, Classified, Outcome, RawSignIn};

pub use codes::{is_known_code, outcome};

/// The application (and resource) id of Exchange Online, the same in every tenant.
pub const EXCHANGE_ONLINE_ID: &str = "00000002-0000-0ff1-ce00-000000000000";

/// The names under which Exchange Online stands as a resource.
const EXCHANGE_ONLINE_NAMES: [&str; 2] = ["office 365 exchange online", "exchange online"];

/// User agents that Exchange puts in when it rewrites Basic Authentication for Entra.
const REWRITE_USER_AGENTS: [&str; 4] = ["bav2ropc", "cbainprod", "cbaintar", "msrpc"];

/// The user agent of remote PowerShell's Basic sign-ins.
const WINRM_USER_AGENT: &str = "microsoft winrm client";

/// What a client app stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientApp {
    Modern,
    Names(Protocol),
}

/// Every spelling of the client app that is known, lower case, blanks collapsed.
const CLIENT_APPS: [(&str, ClientApp); 44] = {
    use ClientApp::{Modern, Names};
    use Protocol as P;
    [
        ("browser", Modern),
        ("mobile apps and desktop clients", Modern),
        ("pop3", Names(P::Pop3)),
        ("pop", Names(P::Pop3)),
        ("other clients; pop", Names(P::Pop3)),
        ("other clients; pop3", Names(P::Pop3)),
        ("imap4", Names(P::Imap4)),
        ("imap", Names(P::Imap4)),
        ("other clients; imap", Names(P::Imap4)),
        ("other clients; imap4", Names(P::Imap4)),
        ("authenticated smtp", Names(P::SmtpAuth)),
        ("smtp", Names(P::SmtpAuth)),
        ("smtp auth", Names(P::SmtpAuth)),
        ("other clients; smtp", Names(P::SmtpAuth)),
        ("exchange activesync", Names(P::ExchangeActivesync)),
        ("exchange active sync", Names(P::ExchangeActivesync)),
        ("exchange activesync (unsupported)", Names(P::ExchangeActivesync)),
        ("exchange activesync (supported)", Names(P::ExchangeActivesync)),
        ("exchange activesync (eas)", Names(P::ExchangeActivesync)),
        ("activesync", Names(P::ExchangeActivesync)),
        ("exchange web services", Names(P::ExchangeWebServices)),
        ("exchangewebservices", Names(P::ExchangeWebServices)),
        ("mapi over http", Names(P::MapiOverHttp)),
        ("mapi", Names(P::MapiOverHttp)),
        ("other clients; mapi", Names(P::MapiOverHttp)),
        ("outlook anywhere (rpc over http)", Names(P::OutlookAnywhereRpc)),
        ("outlook anywhere", Names(P::OutlookAnywhereRpc)),
        ("msrpc", Names(P::OutlookAnywhereRpc)),
        ("offline address book", Names(P::OfflineAddressBook)),
        ("exchange online powershell", Names(P::RemotePowershell)),
        ("exchange remote powershell", Names(P::RemotePowershell)),
        ("remote powershell", Names(P::RemotePowershell)),
        ("autodiscover", Names(P::Autodiscover)),
        ("reporting web services", Names(P::ReportingWebServices)),
        ("outlook service", Names(P::OutlookService)),
        ("universal outlook", Names(P::OutlookService)),
        ("other clients", Names(P::OtherLegacy)),
        ("other client", Names(P::OtherLegacy)),
        ("other", Names(P::OtherLegacy)),
        ("other clients; other", Names(P::OtherLegacy)),
        ("other clients; older office clients", Names(P::OtherLegacy)),
        ("older office clients", Names(P::OtherLegacy)),
        ("", Names(P::NotStated)),
        ("unknown", Names(P::NotStated)),
    ]
};

/// Lower case, trimmed, runs of blanks collapsed. Borrowed where that changes nothing.
fn folded(text: &str) -> Cow<'_, str> {
    let plain = !text.bytes().any(|byte| byte.is_ascii_uppercase() || byte >= 0x80)
        && !text.contains("  ")
        && text.trim() == text;
    if plain {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase())
}

fn client_app(stated: Option<&str>) -> ClientApp {
    // Nine in ten records say one of these two, in this spelling.
    match stated {
        Some("Browser" | "Mobile Apps and Desktop clients") => return ClientApp::Modern,
        None => return ClientApp::Names(Protocol::NotStated),
        Some(_) => {}
    }
    let folded = folded(stated.unwrap_or_default());
    CLIENT_APPS
        .iter()
        .find(|(spelling, _)| *spelling == folded)
        .map_or(ClientApp::Names(Protocol::Unrecognised), |(_, app)| *app)
}

/// Which resource a sign-in went to, as far as Basic Authentication cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resource {
    ExchangeOnline,
    NotNamed,
    Other,
}

fn resource(raw: &RawSignIn<'_>) -> Resource {
    let id = raw.resource_id.as_deref();
    let name = raw.resource_name.as_deref();
    if id.is_some_and(|id| id.eq_ignore_ascii_case(EXCHANGE_ONLINE_ID)) || name.is_some_and(is_exchange_name)
    {
        Resource::ExchangeOnline
    } else if id.is_none() && name.is_none() {
        Resource::NotNamed
    } else {
        Resource::Other
    }
}

/// Which application signed in, as far as the password grant cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Application {
    ExchangeOnline,
    NotNamed,
    Other,
}

/// Whether a client app is one of the two that no legacy protocol has.
#[must_use]
pub fn is_modern_client(stated: &str) -> bool {
    client_app(Some(stated)) == ClientApp::Modern
}

/// Whether a client app is known at all, and says something.
#[must_use]
pub fn is_known_client(stated: &str) -> bool {
    !matches!(client_app(Some(stated)), ClientApp::Names(Protocol::Unrecognised | Protocol::NotStated))
}

/// Whether a text in lower case has a user agent that only Basic Authentication has.
#[must_use]
pub fn names_basic_agent(lower: &str) -> bool {
    REWRITE_USER_AGENTS.into_iter().chain([WINRM_USER_AGENT]).any(|agent| lower.contains(agent))
}

/// Whether an authentication protocol is the password grant, also as one of a list. Microsoft's enumeration spells it
/// both ways.
#[must_use]
pub fn names_password_grant(stated: &str) -> bool {
    stated
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word.eq_ignore_ascii_case("ropc") || word.eq_ignore_ascii_case("rpoc"))
}

fn application(raw: &RawSignIn<'_>) -> Application {
    let is_exchange = match (raw.app_id.as_deref(), raw.app_name.as_deref()) {
        (Some(id), _) => id.trim().eq_ignore_ascii_case(EXCHANGE_ONLINE_ID),
        (None, Some(name)) => is_exchange_name(name),
        (None, None) => return Application::NotNamed,
    };
    if is_exchange { Application::ExchangeOnline } else { Application::Other }
}

fn is_exchange_name(name: &str) -> bool {
    EXCHANGE_ONLINE_NAMES.iter().any(|known| name.trim().eq_ignore_ascii_case(known))
}

/// What a record shows of how the client authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    RewriteUserAgent,
    WinrmClient,
    /// Exchange has sent a password to Entra for a client.
    RopcByExchange,
    /// Another application has.
    PasswordGrant,
    Modern(&'static str),
    None,
}

fn proof(raw: &RawSignIn<'_>, app: ClientApp, resource: Resource) -> Proof {
    if let Some(agent) = raw.user_agent.as_deref() {
        let contains = |needle: &str| {
            agent.len() >= needle.len()
                && agent
                    .as_bytes()
                    .windows(needle.len())
                    .any(|part| part.eq_ignore_ascii_case(needle.as_bytes()))
        };
        // Browsers are the bulk of the log and none of these.
        if !agent.starts_with("Mozilla/") {
            if REWRITE_USER_AGENTS.into_iter().any(contains) {
                return Proof::RewriteUserAgent;
            }
            if contains(WINRM_USER_AGENT) {
                return Proof::WinrmClient;
            }
        }
    }
    let authentication_protocol = raw.authentication_protocol.as_deref().map(str::trim);
    let is = |name: &str| authentication_protocol.is_some_and(|stated| stated.eq_ignore_ascii_case(name));
    if authentication_protocol.is_some_and(names_password_grant) {
        return password_grant(raw, app, resource);
    }
    if app == ClientApp::Modern {
        return Proof::Modern("client_app");
    }
    if is("oauth2") || is("devicecode") {
        return Proof::Modern("authentication_protocol");
    }
    if raw.client_certificate && app == ClientApp::Names(Protocol::ExchangeActivesync) {
        return Proof::Modern("client_certificate");
    }
    Proof::None
}

/// Who has sent the password: Exchange for a client with Basic Authentication, or an application of its own.
fn password_grant(raw: &RawSignIn<'_>, app: ClientApp, resource: Resource) -> Proof {
    if app != ClientApp::Modern {
        return if resource == Resource::ExchangeOnline { Proof::RopcByExchange } else { Proof::None };
    }
    match (application(raw), resource) {
        (Application::Other, _) | (Application::NotNamed, Resource::Other) => Proof::PasswordGrant,
        (_, Resource::ExchangeOnline) | (Application::ExchangeOnline, Resource::NotNamed) => {
            Proof::RopcByExchange
        }
        // It may be either.
        (Application::NotNamed, Resource::NotNamed) | (Application::ExchangeOnline, Resource::Other) => {
            Proof::None
        }
    }
}

/// Classifies one record.
#[must_use]
pub fn classify(raw: &RawSignIn<'_>) -> Classified {
    let user_sign_in = raw.category.is_none_or(Category::is_user);
    let app = client_app(raw.client_app.as_deref());
    let resource = resource(raw);
    let proof = proof(raw, app, resource);
    let (auth_method, auth_evidence) = match proof {
        Proof::RewriteUserAgent => (AuthMethod::Basic, Some("user_agent")),
        Proof::WinrmClient => (AuthMethod::Basic, Some("winrm_client")),
        Proof::RopcByExchange => (AuthMethod::Basic, Some("ropc_exchange_online")),
        Proof::PasswordGrant => (AuthMethod::PasswordGrant, Some("ropc_application")),
        Proof::Modern(evidence) => (AuthMethod::Modern, Some(evidence)),
        Proof::None => (AuthMethod::Unknown, None),
    };
    let protocol = if user_sign_in { protocol(app, proof, resource) } else { None };
    Classified { protocol, auth_method, auth_evidence, outcome: outcome_of(raw) }
}

/// How a sign-in ended, by its code and by what the record says of it in words.
pub fn outcome_of(raw: &RawSignIn<'_>) -> Outcome {
    match (raw.error_code, raw.stated_outcome) {
        // Where code and word contradict each other, it may be usage.
        (_, Some(Outcome::Success)) => Outcome::Success,
        // Without a code the word counts; and a failed operation with number 0 did not succeed.
        (None | Some(0), Some(stated)) => stated,
        (code, _) => outcome(code),
    }
}

fn protocol(app: ClientApp, proof: Proof, resource: Resource) -> Option<Protocol> {
    let named = match app {
        ClientApp::Names(protocol) => Some(protocol),
        ClientApp::Modern => None,
    };
    let names_legacy = named
        .is_some_and(|p| !matches!(p, Protocol::OtherLegacy | Protocol::NotStated | Protocol::Unrecognised));
    if names_legacy {
        return named;
    }
    // Only Exchange writes these agents, so a record without a resource is Exchange's as well.
    let elsewhere = resource == Resource::Other;
    match proof {
        Proof::WinrmClient if !elsewhere => Some(Protocol::RemotePowershell),
        Proof::RewriteUserAgent if !elsewhere => Some(Protocol::OtherLegacy),
        Proof::RopcByExchange => Some(Protocol::OtherLegacy),
        Proof::PasswordGrant => Some(Protocol::PasswordGrant),
        // At another resource the agents are a doubt, which only records with a protocol can raise; and what may
        // be Basic is no modern client's.
        Proof::RewriteUserAgent | Proof::None => Some(named.unwrap_or(Protocol::OtherLegacy)),
        Proof::WinrmClient | Proof::Modern(_) => named,
    }
}

#[cfg(test)]
mod tests;
