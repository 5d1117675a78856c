//! PowerShell for a person to review and run: turns off what is due in one tenant, and back on, and a
//! runner for all tenants of a folder. Writing them changes nothing; run, they ask before each change.
//!
//! A script is a head with what is this tenant's, written here, and a body that is the same in every
//! tenant's (`runbook/*.ps1`). The body begins with the guards: it runs only on the days it is for, over
//! one connection, in the tenant whose domains the server itself states.
//!
//! Basic Authentication is governed by authentication policies: switches `AllowBasicAuth*`, one a
//! protocol; a new policy allows none, and users without a policy of their own have the
//! organization's default one. SMTP AUTH as a whole has a switch in the transport configuration, and
//! modern authentication for Outlook for Windows one in the organization's.
//!
//! Names and domains come from people and logs: they stand in comments, one line each, or in
//! single-quoted strings (`quoted`).

mod still_allowed;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use chrono::{Days, NaiveDate};

use super::plan::Due;
use lightsout_model::campaign::{Campaign, policy_name};
use lightsout_model::protocol::Protocol;
use lightsout_output::text::{plain, plain_short};

pub use still_allowed::still_allowed;

/// Without it Windows PowerShell 5.1 reads a file in the code page of the machine.
const BYTE_ORDER_MARK: &str = "\u{feff}";

const GUARDS: &str = include_str!("runbook/guards.ps1");
const TURN_OFF: &str = include_str!("runbook/turn_off.ps1");
const UNDO: &str = include_str!("runbook/undo.ps1");
const RUN_ALL: &str = include_str!("runbook/run_all.ps1");

/// The module from which on there is `Get-ConnectionInformation`.
const REQUIRES: &str = "#Requires -Version 5.1\n\
    #Requires -Modules @{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.0.0' }\n";

/// For so long a change can be set back by its script; then others have built on it.
const UNDO_DAYS: u64 = 90;

/// Every switch of an authentication policy.
const SWITCHES: [(Protocol, &str); 12] = [
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

/// What the scripts of one tenant are made of.
#[derive(Debug, Clone)]
pub struct RunbookTenant<'a> {
    pub due: &'a Due,
    /// The tenant's, for the reader.
    pub name: Option<&'a str>,
    /// The roster's; one of them must be among those that the server states.
    pub domains: &'a [String],
    /// What a new default policy goes on allowing ([`still_allowed`]).
    pub still_allowed: Vec<Protocol>,
    /// The wave that it was announced in.
    pub announcement_id: &'a str,
}

/// Both scripts of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runbook {
    pub turn_off: String,
    pub undo: String,
    /// The last day on which the first one runs.
    pub valid_until: NaiveDate,
}

/// Writes both scripts, as they are on `today`. `None`: Exchange has no switch for what is due.
#[must_use]
pub fn runbook(campaign: &Campaign, tenant: &RunbookTenant, today: NaiveDate) -> Option<Runbook> {
    let off = switches(&tenant.due.protocols);
    if off.is_empty() {
        return None;
    }
    // A decision that is older is not announced either: logs grow old.
    let valid_until = later(today, campaign.max_decision_age_days.into());
    let undo_until = later(today, UNDO_DAYS);
    let about = about(campaign, tenant);
    let turn_off = format!(
        "{BYTE_ORDER_MARK}{REQUIRES}\
         # Turns Basic Authentication off in one tenant, where nobody was seen to use it.\n{about}\
         # Off: {}. A new default policy still allows: {}.\n\
         # Read it. Connect as an administrator of this tenant; run it with -WhatIf, which changes nothing and\n\
         # writes nothing; then without. What it changes is listed in changes.jsonl beside it, for undo.ps1.\n\
         # Run it again to do what is missing. Policies take effect within 24 hours, often within one.\n\
         [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]\n\
         param(\n    \
             # Authentication policies that stay as they are, by name.\n    \
             [string[]]$KeepPolicy = @(),\n    \
             # Take Basic Authentication from High Volume Email accounts too.\n    \
             [switch]$IncludeHighVolumeEmail\n\
         )\n{}\
         $expired = 'Assess again and write it again: lightsout campaign apply --runbook.'\n\
         $policyName = {}\n\
         # The switches of authentication policies to turn off, and those that a new default policy leaves on.\n\
         $off = @({})\n\
         $allow = @({})\n\
         $protocols = {}\n\
         $smtpAuthAsWhole = ${}\n\
         $outlookModernAuth = ${}\n\
         {GUARDS}{TURN_OFF}",
        names(&tenant.due.protocols),
        names(&tenant.still_allowed),
        identity(tenant, tenant.due.effective_date, valid_until, &needed(tenant, true)),
        quoted(&policy_name(&campaign.name)),
        list(&off),
        list(&switches(&tenant.still_allowed)),
        quoted(&with_switches(&tenant.due.protocols)),
        tenant.due.disables_smtp_client_authentication,
        tenant.due.enables_outlook_modern_auth,
    );
    let undo = format!(
        "{BYTE_ORDER_MARK}{REQUIRES}\
         # Undoes what turn-off.ps1 changed in one tenant, as listed in changes.jsonl beside it.\n{about}\
         # Read it. Connect as an administrator of this tenant; run it with -WhatIf, which changes nothing and\n\
         # writes nothing; then without. What somebody has changed since stays as it is.\n\
         [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]\n\
         param()\n{}\
         $expired = 'What it would undo is listed in changes.jsonl beside it: undo it by hand.'\n\
         {GUARDS}{UNDO}",
        identity(tenant, tenant.due.effective_date, undo_until, &needed(tenant, false)),
    );
    Some(Runbook { turn_off, undo, valid_until })
}

/// A tenant of a runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunnerTenant {
    pub tenant_id: String,
    /// Of its scripts, in the runner's folder.
    pub folder: String,
    /// What connections are opened with: the tenant's initial domain if it is known, else its id.
    pub organization: String,
    /// The same for all that were announced together.
    pub announcement_id: String,
    /// Whether something is to be turned off; else only to be set back.
    pub is_due: bool,
}

/// The runner of a folder: the scripts of its tenants one after the other, each over a connection of its own.
#[must_use]
pub fn runner(campaign: &Campaign, tenants: &[RunnerTenant], today: NaiveDate) -> String {
    let mut rows = String::new();
    for tenant in tenants {
        let _ = writeln!(
            rows,
            "    [pscustomobject]@{{ TenantId = {}; Folder = {}; Organization = {}; Announcement = {}; Due = ${} }}",
            quoted(&tenant.tenant_id),
            quoted(&tenant.folder),
            quoted(&tenant.organization),
            quoted(&tenant.announcement_id),
            tenant.is_due,
        );
    }
    format!(
        "{BYTE_ORDER_MARK}{REQUIRES}\
         # Runs the scripts of all tenants in this folder, one after the other: connects to a tenant, runs its\n\
         # turn-off.ps1 (with -Undo its undo.ps1), disconnects. Campaign {}, written on {today}.\n\
         # A tenant whose script stops is skipped; the result, a CSV beside this file, names tenant, step and\n\
         # outcome, and lightsout campaign confirm --from takes it.\n\
         #\n\
         #   .\\run-all.ps1 -WhatIf                          signs in to each tenant, shows what would be done\n\
         #   .\\run-all.ps1 -AppId ID -CertificateThumbprint THUMBPRINT -Confirm:$false    unattended; the\n\
         #       application has Exchange.ManageAsApp and the role Exchange Administrator in each tenant\n\
         #   .\\run-all.ps1 -UserPrincipalName me@partner.example -Delegated               as a partner\n\
         #   .\\run-all.ps1 -Undo -TenantId ID               undoes the change in one tenant\n\
         [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]\n\
         param(\n    \
             # Only the tenants of these waves, by their announcement_id in index.csv, or with these ids.\n    \
             [string[]]$Announcement,\n    \
             [guid[]]$TenantId,\n    \
             # Undo instead of turning off.\n    \
             [switch]$Undo,\n    \
             # How to sign in: as an application, or as a user (with -Delegated, a partner's); asks otherwise.\n    \
             [string]$AppId,\n    \
             [string]$CertificateThumbprint,\n    \
             [string]$UserPrincipalName,\n    \
             [switch]$Delegated,\n    \
             # For tenants outside the worldwide cloud and GCC, as in O365USGovGCCHigh.\n    \
             [string]$ExchangeEnvironmentName,\n    \
             # Default: result-turn-off-TIME.csv or result-undo-TIME.csv beside this file.\n    \
             [string]$ResultFile\n\
         )\n\
         $tenants = @(\n{rows})\n{RUN_ALL}",
        plain_short(&campaign.name, 120),
    )
}

/// What `Connect-ExchangeOnline` takes for the tenant.
#[must_use]
pub fn organization(tenant_id: &str, domains: &[String]) -> String {
    let initial = domains.iter().map(|domain| domain_name(domain));
    // With hybrid Exchange there is a second one, for mail alone, that no connection takes.
    let mut initial = initial.filter(|domain| {
        INITIAL_DOMAINS.iter().any(|end| domain.ends_with(end)) && !domain.ends_with(".mail.onmicrosoft.com")
    });
    initial.next().unwrap_or_else(|| tenant_id.to_owned())
}

/// How the domain that a tenant is made with ends, in each cloud.
const INITIAL_DOMAINS: [&str; 3] = [".onmicrosoft.com", ".onmicrosoft.us", ".partner.onmschina.cn"];

fn about(campaign: &Campaign, tenant: &RunbookTenant) -> String {
    format!(
        "# Tenant {}{}, campaign {}, announcement {}, from {} on.\n",
        plain_short(&tenant.due.tenant_id, 120),
        tenant.name.map(|name| format!(" ({})", plain_short(name, 120))).unwrap_or_default(),
        plain_short(&campaign.name, 120),
        plain_short(tenant.announcement_id, 120),
        tenant.due.effective_date,
    )
}

/// What the guards compare with.
fn identity(tenant: &RunbookTenant, first: NaiveDate, last: NaiveDate, cmdlets: &[&str]) -> String {
    let domains: Vec<String> =
        tenant.domains.iter().map(|domain| domain_name(domain)).filter(|name| !name.is_empty()).collect();
    format!(
        "$tenantId = {}\n$domains = @({})\n$validFrom = '{first}'\n$validUntil = '{last}'\n$cmdlets = @({})\n",
        quoted(&tenant.due.tenant_id),
        list(&domains),
        list(cmdlets),
    )
}

/// The cmdlets that a script runs: an account that may not run one of them must not begin.
fn needed(tenant: &RunbookTenant, turns_off: bool) -> Vec<&'static str> {
    let mut cmdlets = vec![
        "Get-OrganizationConfig",
        "Set-OrganizationConfig",
        "Get-AcceptedDomain",
        "Get-AuthenticationPolicy",
        "Set-AuthenticationPolicy",
    ];
    if turns_off {
        cmdlets.push("New-AuthenticationPolicy");
        if tenant.due.protocols.contains(&Protocol::SmtpAuth) {
            cmdlets.extend(["Get-MailUser", "Get-User"]);
        }
    }
    if tenant.due.disables_smtp_client_authentication || !turns_off {
        let smtp_auth = ["Get-TransportConfig", "Set-TransportConfig", "Get-CASMailbox", "Set-CASMailbox"];
        cmdlets.extend(smtp_auth);
    }
    cmdlets
}

fn switches(protocols: &[Protocol]) -> Vec<&'static str> {
    let wanted = SWITCHES.iter().filter(|(protocol, _)| protocols.contains(protocol));
    wanted.map(|(_, switch)| *switch).collect()
}

fn names(protocols: &[Protocol]) -> String {
    let names: Vec<&str> = protocols.iter().map(|protocol| protocol.display_name()).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// What a finished script has turned off, as lists have it.
fn with_switches(protocols: &[Protocol]) -> String {
    let has_switch = |protocol: &&Protocol| !switches(&[**protocol]).is_empty();
    protocols.iter().filter(has_switch).map(|protocol| protocol.as_str()).collect::<Vec<_>>().join(";")
}

fn later(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(day)
}

fn domain_name(domain: &str) -> String {
    plain(domain).to_lowercase()
}

fn list(texts: &[impl AsRef<str>]) -> String {
    texts.iter().map(|text| quoted(text.as_ref())).collect::<Vec<_>>().join(", ")
}

/// A single-quoted PowerShell string: nothing in it is expanded.
fn quoted(text: &str) -> String {
    // PowerShell takes the typographic quotes for plain ones.
    let plain = plain(text);
    let mut quoted = String::from("'");
    for c in plain.chars() {
        if matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
            quoted.push(c);
        }
        quoted.push(c);
    }
    quoted.push('\'');
    quoted
}
