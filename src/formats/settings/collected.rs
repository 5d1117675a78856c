//! The collector's JSON: what each cmdlet gave, and whether it gave all of it.
//!
//! A file is refused if it is not what the collector writes. A file that says that a cmdlet failed is
//! kept, with its problems, and proves nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use lightsout_model::protocol::Protocol;
use lightsout_model::settings::{AuthenticationPolicy, CollectedSettings, StoredSettings, SwitchCount};
use lightsout_model::tenant::is_guid;
use serde::Deserialize;

use super::{ADDRESSES_MAX, short};

/// What `kind` says in the collector's files.
const KIND: &str = "lightsout-settings";
const VERSION: u32 = 1;

/// Every cmdlet that the collector runs. Nothing is concluded without one of them.
const CMDLETS: [&str; 8] = [
    "Get-ConnectionInformation",
    "Get-TransportConfig",
    "Get-OrganizationConfig",
    "Get-AuthenticationPolicy",
    "Get-User",
    CAS_MAILBOX,
    "Get-CASMailboxPlan",
    "Get-AcceptedDomain",
];
const CAS_MAILBOX: &str = "Get-CASMailbox";

/// Cmdlets that every tenant answers with at least one object.
const NEVER_EMPTY: [&str; 6] = [
    "Get-TransportConfig",
    "Get-OrganizationConfig",
    "Get-User",
    CAS_MAILBOX,
    "Get-CASMailboxPlan",
    "Get-AcceptedDomain",
];

/// The switches of an authentication policy, by protocol.
const POLICY_SWITCHES: [(Protocol, &str); 12] = [
    (Protocol::Pop3, "AllowBasicAuthPop"),
    (Protocol::Imap4, "AllowBasicAuthImap"),
    (Protocol::SmtpAuth, "AllowBasicAuthSmtp"),
    (Protocol::ExchangeActivesync, "AllowBasicAuthActiveSync"),
    (Protocol::ExchangeWebServices, "AllowBasicAuthWebServices"),
    (Protocol::OfflineAddressBook, "AllowBasicAuthOfflineAddressBook"),
    (Protocol::MapiOverHttp, "AllowBasicAuthMapi"),
    (Protocol::OutlookAnywhereRpc, "AllowBasicAuthRpc"),
    (Protocol::RemotePowershell, "AllowBasicAuthPowershell"),
    (Protocol::Autodiscover, "AllowBasicAuthAutodiscover"),
    (Protocol::ReportingWebServices, "AllowBasicAuthReportingWebServices"),
    (Protocol::OutlookService, "AllowBasicAuthOutlookService"),
];

/// The switches of mailboxes and mailbox plans, by protocol. `MAPIEnabled` is not taken for proof of
/// Outlook Anywhere, and `RemotePowerShellEnabled` of nothing.
const MAILBOX_SWITCHES: [(Protocol, &str); 5] = [
    (Protocol::Pop3, "PopEnabled"),
    (Protocol::Imap4, "ImapEnabled"),
    (Protocol::ExchangeActivesync, "ActiveSyncEnabled"),
    (Protocol::ExchangeWebServices, "EwsEnabled"),
    (Protocol::MapiOverHttp, "MAPIEnabled"),
];
const SMTP_SWITCH: &str = "SmtpClientAuthenticationDisabled";

/// What a file of the collector says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// The tenant of the connection; `None` where it may be that of a partner.
    pub tenant_id: Option<String>,
    /// The organisations that a partner's connection was delegated to.
    pub delegated: Vec<String>,
    pub collected_at: DateTime<Utc>,
    pub complete: bool,
    pub stored: StoredSettings,
}

#[derive(Deserialize)]
struct Written {
    kind: String,
    version: u32,
    collected_at: DateTime<Utc>,
    tenant_id: String,
    #[serde(default)]
    delegated_organizations: Vec<String>,
    cmdlets: Vec<Cmdlet>,
    transport: Transport,
    organization: Organization,
    authentication_policies: Vec<BTreeMap<String, serde_json::Value>>,
    assigned_policies: Vec<Assigned>,
    mailbox_switches: BTreeMap<String, SwitchCount>,
    smtp_enabled_mailboxes: Vec<String>,
    mailbox_plans: Vec<BTreeMap<String, serde_json::Value>>,
    #[serde(default)]
    accepted_domains: Vec<String>,
}

#[derive(Deserialize)]
struct Cmdlet {
    name: String,
    status: String,
    objects: u64,
    truncated: bool,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Transport {
    #[serde(rename = "SmtpClientAuthenticationDisabled")]
    smtp_client_authentication_disabled: Option<bool>,
}

#[derive(Deserialize)]
struct Organization {
    #[serde(rename = "DefaultAuthenticationPolicy")]
    default_authentication_policy: Option<String>,
    #[serde(rename = "EwsEnabled")]
    ews_enabled: Option<bool>,
    #[serde(rename = "IsDehydrated")]
    is_dehydrated: Option<bool>,
    #[serde(rename = "OAuth2ClientProfileEnabled")]
    oauth2_client_profile_enabled: Option<bool>,
}

#[derive(Deserialize)]
struct Assigned {
    policy: String,
    users: u64,
}

/// Whether the start of a JSON text is the collector's: some member `"kind": "lightsout-settings"`. Within
/// a text of a log the quotes would be escaped.
#[must_use]
pub fn is_collected(head: &str) -> bool {
    head.trim_start().starts_with('{')
        && head.match_indices("\"kind\"").any(|(at, key)| {
            let value = head[at + key.len()..].trim_start().strip_prefix(':').map(str::trim_start);
            value
                .and_then(|value| value.strip_prefix('"')?.strip_prefix(KIND))
                .is_some_and(|rest| rest.starts_with('"'))
        })
}

/// Reads the collector's JSON.
///
/// # Errors
/// Fails with what is wrong if the collector did not write it so.
pub fn parse(text: &str) -> Result<Collected, String> {
    let wrong = |what: String| format!("expected the JSON that the settings collector writes; {what}");
    let written: Written = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if written.kind != KIND || written.version != VERSION {
        let (kind, version) = (short(&written.kind), written.version);
        return Err(wrong(format!("found {kind} of version {version}, and this program reads version 1")));
    }
    let tenant_id = written.tenant_id.trim().trim_matches(['{', '}']).to_ascii_lowercase();
    if !is_guid(&tenant_id) {
        return Err(wrong(format!("its tenant_id is '{}', which is not a GUID", short(&written.tenant_id))));
    }
    let delegated: Vec<String> = written.delegated_organizations.iter().map(|name| short(name)).collect();
    let facts = facts(&written).map_err(wrong)?;
    let addresses = |all: &[String]| all.iter().take(ADDRESSES_MAX).map(|text| short(text)).collect();
    Ok(Collected {
        tenant_id: delegated.is_empty().then_some(tenant_id),
        delegated,
        collected_at: written.collected_at,
        complete: facts.problems.is_empty(),
        stored: StoredSettings::ExchangeSettings {
            facts,
            smtp_auth_mailboxes: addresses(&written.smtp_enabled_mailboxes),
            accepted_domains: addresses(&written.accepted_domains),
        },
    })
}

fn facts(written: &Written) -> Result<CollectedSettings, String> {
    let (transport, organization) = (&written.transport, &written.organization);
    let count = |name: &str| written.mailbox_switches.get(name).copied();
    let smtp = count(SMTP_SWITCH).unwrap_or_default();
    let mailbox_switches =
        MAILBOX_SWITCHES.iter().filter_map(|(protocol, name)| Some((*protocol, count(name)?)));
    let mailboxes = written.cmdlets.iter().find(|cmdlet| cmdlet.name == CAS_MAILBOX);
    let policy = |shown: &BTreeMap<String, serde_json::Value>| {
        let text = |name: &str| shown.get(name).and_then(|value| value.as_str()).map(short);
        let called = ["name", "identity", "guid", "distinguished_name"].into_iter().filter_map(text);
        Ok(AuthenticationPolicy {
            called: called.filter(|text| !text.is_empty()).collect(),
            allows_basic: switches(shown, &POLICY_SWITCHES)?,
        })
    };
    let policies: Result<Vec<_>, String> = written.authentication_policies.iter().map(policy).collect();
    let plans: Result<Vec<_>, String> =
        written.mailbox_plans.iter().map(|shown| switches(shown, &MAILBOX_SWITCHES)).collect();
    Ok(CollectedSettings {
        collected_at: written.collected_at,
        problems: problems(written, smtp),
        smtp_auth_disabled: transport.smtp_client_authentication_disabled,
        smtp_auth_disabled_mailboxes: smtp,
        default_policy: organization.default_authentication_policy.as_deref().map(short),
        policies: policies?,
        assigned_policies: (written.assigned_policies.iter())
            .map(|assigned| (short(&assigned.policy), assigned.users))
            .collect(),
        mailboxes: mailboxes.map_or(0, |cmdlet| cmdlet.objects),
        mailbox_switches: mailbox_switches.collect(),
        plan_switches: plans?,
        ews_enabled: organization.ews_enabled,
        is_dehydrated: organization.is_dehydrated,
        oauth2_client_profile_enabled: organization.oauth2_client_profile_enabled,
    })
}

/// The switches that an object shows as true or false. A switch that is not set is none of both.
fn switches(
    shown: &BTreeMap<String, serde_json::Value>,
    known: &[(Protocol, &str)],
) -> Result<BTreeMap<Protocol, bool>, String> {
    let mut switches = BTreeMap::new();
    for (protocol, name) in known {
        match shown.get(*name) {
            None | Some(serde_json::Value::Null) => {}
            Some(serde_json::Value::Bool(on)) => {
                switches.insert(*protocol, *on);
            }
            Some(other) => {
                return Err(format!("{name} is {}, not true, false or null", short(&other.to_string())));
            }
        }
    }
    Ok(switches)
}

/// What keeps the file from proving anything.
fn problems(written: &Written, smtp: SwitchCount) -> Vec<String> {
    let mut problems = Vec::new();
    for name in CMDLETS {
        let mut runs = written.cmdlets.iter().filter(|cmdlet| cmdlet.name == name);
        let (Some(cmdlet), None) = (runs.next(), runs.next()) else {
            problems.push(format!("{name} was not run exactly once"));
            continue;
        };
        let error = cmdlet.error.as_deref().map_or_else(String::new, |error| format!(": {}", short(error)));
        match cmdlet.status.as_str() {
            "ok" if cmdlet.truncated => problems.push(format!("{name} may have listed only a part")),
            "ok" if cmdlet.objects == 0 && NEVER_EMPTY.contains(&name) => {
                problems.push(format!("{name} found nothing"));
            }
            "ok" => {}
            "denied" => problems.push(format!("{name} was denied{error}")),
            _ => problems.push(format!("{name} failed{error}")),
        }
        let disagrees = |what: &str, found: u64| {
            (found != cmdlet.objects).then(|| {
                format!("{name} listed {} objects, and the file has {what} of {found}", cmdlet.objects)
            })
        };
        if name == CAS_MAILBOX {
            problems.extend(
                (written.mailbox_switches.iter())
                    .filter_map(|(switch, count)| disagrees(&short(switch), count.total())),
            );
        }
        if name == "Get-AuthenticationPolicy" {
            problems.extend(disagrees("the switches", written.authentication_policies.len() as u64));
        }
        if name == "Get-CASMailboxPlan" {
            problems.extend(disagrees("the switches", written.mailbox_plans.len() as u64));
        }
    }
    if smtp.off != written.smtp_enabled_mailboxes.len() as u64 {
        let named = written.smtp_enabled_mailboxes.len();
        problems.push(format!("{} mailboxes enable SMTP AUTH, and the file names {named}", smtp.off));
    }
    problems
}
