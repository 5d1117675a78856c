//! PowerShell for a person to review and run: turns off what is due in one tenant, and back on. It
//! changes nothing by itself when it is written, asks before it changes anything when it is run, and
//! stops in the wrong tenant.
//!
//! Basic Authentication is governed by authentication policies: switches `AllowBasicAuth*`, one a
//! protocol; a new policy allows none, and users without a policy of their own have the
//! organisation's default one. SMTP AUTH as a whole has a switch in the transport configuration, and
//! modern authentication for Outlook for Windows one in the organisation's.

use std::fmt::Write as _;

use super::plan::Due;
use lightsout_model::campaign::Campaign;
use lightsout_model::protocol::Protocol;

/// Both scripts of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runbook {
    pub turn_off: String,
    pub undo: String,
}

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

/// Writes both scripts. `name` is the tenant's, for the reader; it comes from people and stands in a
/// comment alone.
#[must_use]
pub fn runbook(campaign: &Campaign, due: &Due, name: Option<&str>) -> Runbook {
    let plain = |text: &str| lightsout_output::text::plain_short(text, 120);
    let about = format!(
        "# Tenant {}{}, campaign {}, from {} on.\n",
        plain(&due.tenant_id),
        name.map(|name| format!(" ({})", plain(name))).unwrap_or_default(),
        plain(&campaign.name),
        due.effective_date,
    );
    Runbook { turn_off: turn_off(campaign, due, &about), undo: undo(campaign, due, &about) }
}

/// In the tenant that it is for, or nowhere.
const GUARD: &str = r#"
$ErrorActionPreference = 'Stop'
$connected = @(Get-ConnectionInformation | Where-Object { $_.State -eq 'Connected' })
if ($connected.Count -eq 0) {
    throw "Not connected. Run Connect-ExchangeOnline as an administrator of tenant $tenantId first."
}
if (@($connected | Where-Object { "$($_.TenantID)" -ne $tenantId }).Count -gt 0) {
    throw "Connected to another tenant than $tenantId. Run Disconnect-ExchangeOnline and connect again."
}
"#;

fn turn_off(campaign: &Campaign, due: &Due, about: &str) -> String {
    let mut script = format!(
        "#Requires -Modules ExchangeOnlineManagement\n\
         # Turns Basic Authentication off where nobody was seen to use it.\n\
         {about}\
         # Protocols: {}.\n\
         # Read it, then run it with -WhatIf, then without. What it finds is kept beside it, for undo.ps1.\n\
         # Policies take effect within a day; an hour is usual.\n\
         [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]\n\
         param()\n\
         $tenantId = {}\n\
         $policyName = {}\n\
         $before = Join-Path $PSScriptRoot 'before.json'\n",
        due.protocols.iter().map(|protocol| protocol.display_name()).collect::<Vec<_>>().join(", "),
        quoted(&due.tenant_id),
        quoted(&format!("lightsout {}", campaign.name)),
    );
    script.push_str(GUARD);
    script.push_str("\n# The switches of an authentication policy, and those that go off.\n$switches = @(\n");
    for (_, switch) in SWITCHES {
        let _ = writeln!(script, "    '{switch}'");
    }
    script.push_str(")\n$off = @(\n");
    for (protocol, switch) in SWITCHES {
        if due.protocols.contains(&protocol) {
            let _ = writeln!(script, "    '{switch}' # {}", protocol.display_name());
        }
    }
    script.push_str(
        r")

$organization = Get-OrganizationConfig
$policies = @(Get-AuthenticationPolicy)
if (-not (Test-Path $before)) {
    $kept = @{
        DefaultAuthenticationPolicy = [string]$organization.DefaultAuthenticationPolicy
        OAuth2ClientProfileEnabled = [bool]$organization.OAuth2ClientProfileEnabled
        SmtpClientAuthenticationDisabled = [bool](Get-TransportConfig).SmtpClientAuthenticationDisabled
        Policies = @($policies | Select-Object -Property (@('Name') + $switches))
    }
    $kept | ConvertTo-Json -Depth 4 | Set-Content -Path $before -Encoding utf8 -WhatIf:$false -Confirm:$false
}

# Every policy that there is, so that users with a policy of their own are included.
foreach ($policy in $policies) {
    $change = @{}
    foreach ($switch in $off) { if ($policy.$switch) { $change[$switch] = $false } }
    if ($change.Count -gt 0 -and $PSCmdlet.ShouldProcess($policy.Name, 'Set-AuthenticationPolicy')) {
        Set-AuthenticationPolicy -Identity $policy.Name @change -Confirm:$false
    }
}

# Without a default policy everything is allowed: make one that allows all but these.
if (-not $organization.DefaultAuthenticationPolicy) {
    $allow = @{}
    foreach ($switch in $switches) { if ($off -notcontains $switch) { $allow[$switch] = $true } }
    if ($PSCmdlet.ShouldProcess($policyName, 'New-AuthenticationPolicy, and make it the default')) {
        if (-not (Get-AuthenticationPolicy | Where-Object { $_.Name -eq $policyName })) {
            New-AuthenticationPolicy -Name $policyName @allow -Confirm:$false | Out-Null
        }
        Set-OrganizationConfig -DefaultAuthenticationPolicy $policyName -Confirm:$false
    }
}
",
    );
    if due.disables_smtp_client_authentication {
        script.push_str(
            r"
# SMTP AUTH as a whole, and in every mailbox that has it on for itself: nobody was seen to use it.
if ($PSCmdlet.ShouldProcess($tenantId, 'Set-TransportConfig -SmtpClientAuthenticationDisabled $true')) {
    $mailboxes = @(Get-CASMailbox -ResultSize Unlimited | Where-Object { $_.SmtpClientAuthenticationDisabled -eq $false })
    $own = Join-Path $PSScriptRoot 'before-mailboxes.txt'
    if (-not (Test-Path $own)) {
        $mailboxes | ForEach-Object { [string]$_.Guid } | Set-Content -Path $own -Encoding utf8 -Confirm:$false
    }
    foreach ($mailbox in $mailboxes) {
        Set-CASMailbox -Identity ([string]$mailbox.Guid) -SmtpClientAuthenticationDisabled $null -Confirm:$false
    }
    Set-TransportConfig -SmtpClientAuthenticationDisabled $true -Confirm:$false
}
",
        );
    }
    if due.enables_outlook_modern_auth {
        script.push_str(
            r"
# Modern authentication for Outlook for Windows, so that it can sign in without Basic Authentication.
if (-not $organization.OAuth2ClientProfileEnabled) {
    if ($PSCmdlet.ShouldProcess($tenantId, 'Set-OrganizationConfig -OAuth2ClientProfileEnabled $true')) {
        Set-OrganizationConfig -OAuth2ClientProfileEnabled $true -Confirm:$false
    }
}
",
        );
    }
    script
}

fn undo(campaign: &Campaign, due: &Due, about: &str) -> String {
    let mut script = format!(
        "#Requires -Modules ExchangeOnlineManagement\n\
         # Sets back what turn-off.ps1 changed, to what it found.\n\
         {about}\
         [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]\n\
         param()\n\
         $tenantId = {}\n\
         $policyName = {}\n\
         $before = Join-Path $PSScriptRoot 'before.json'\n",
        quoted(&due.tenant_id),
        quoted(&format!("lightsout {}", campaign.name)),
    );
    script.push_str(GUARD);
    script.push_str("\n$off = @(\n");
    for (protocol, switch) in SWITCHES {
        if due.protocols.contains(&protocol) || due.off_before.contains(&protocol) {
            let _ = writeln!(script, "    '{switch}' # {}", protocol.display_name());
        }
    }
    script.push_str(
        r#")
if (-not (Test-Path $before)) { throw "There is no $before : turn-off.ps1 has not run from this folder." }
$kept = Get-Content -Path $before -Raw | ConvertFrom-Json

foreach ($policy in $kept.Policies) {
    $change = @{}
    foreach ($switch in $off) { if ($policy.$switch) { $change[$switch] = $true } }
    if ($change.Count -gt 0 -and $PSCmdlet.ShouldProcess($policy.Name, 'Set-AuthenticationPolicy')) {
        Set-AuthenticationPolicy -Identity $policy.Name @change -Confirm:$false
    }
}

# The policy that was made stays, with these switches on: users may have been given it meanwhile.
if (-not $kept.DefaultAuthenticationPolicy) {
    $change = @{}
    foreach ($switch in $off) { $change[$switch] = $true }
    if ($PSCmdlet.ShouldProcess($policyName, 'Set-AuthenticationPolicy')) {
        Set-AuthenticationPolicy -Identity $policyName @change -Confirm:$false
    }
}
"#,
    );
    if due.disables_smtp_client_authentication {
        script.push_str(
            r"
if ($PSCmdlet.ShouldProcess($tenantId, 'Set-TransportConfig -SmtpClientAuthenticationDisabled')) {
    Set-TransportConfig -SmtpClientAuthenticationDisabled ([bool]$kept.SmtpClientAuthenticationDisabled) -Confirm:$false
    $own = Join-Path $PSScriptRoot 'before-mailboxes.txt'
    if (Test-Path $own) {
        foreach ($mailbox in @(Get-Content -Path $own | Where-Object { $_ })) {
            Set-CASMailbox -Identity $mailbox -SmtpClientAuthenticationDisabled $false -Confirm:$false
        }
    }
}
",
        );
    }
    if due.enables_outlook_modern_auth {
        script.push_str(
            r"
if (-not $kept.OAuth2ClientProfileEnabled) {
    if ($PSCmdlet.ShouldProcess($tenantId, 'Set-OrganizationConfig -OAuth2ClientProfileEnabled $false')) {
        Set-OrganizationConfig -OAuth2ClientProfileEnabled $false -Confirm:$false
    }
}
",
        );
    }
    script
}

/// A single-quoted PowerShell string: nothing in it is expanded.
fn quoted(text: &str) -> String {
    // PowerShell takes the typographic quotes for plain ones.
    let plain = lightsout_output::text::plain(text);
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

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn due(protocols: &[Protocol]) -> Due {
        Due {
            tenant_id: "11111111-0000-4000-8000-000000000001".to_owned(),
            protocols: protocols.to_vec(),
            off_before: Vec::new(),
            effective_date: NaiveDate::from_ymd_opt(2026, 12, 24).expect("a day"),
            disables_smtp_client_authentication: protocols.contains(&Protocol::SmtpAuth),
            enables_outlook_modern_auth: protocols.contains(&Protocol::MapiOverHttp),
        }
    }

    fn of(protocols: &[Protocol], name: Option<&str>) -> Runbook {
        runbook(
            &lightsout_config::campaign_file::load("basic-auth-all-protocols").expect("built in"),
            &due(protocols),
            name,
        )
    }

    #[test]
    fn only_what_is_due_goes_off_and_the_undo_is_of_the_same() {
        let Runbook { turn_off, undo } = of(&[Protocol::Pop3, Protocol::SmtpAuth], Some("Adatum"));
        for script in [&turn_off, &undo] {
            let off =
                script.split("$off = @(").nth(1).and_then(|rest| rest.split(')').next()).expect("a list");
            assert_eq!(off.matches("AllowBasicAuth").count(), 2, "{off}");
            assert!(script.contains("-SmtpClientAuthenticationDisabled"));
            assert!(!script.contains("-OAuth2ClientProfileEnabled"), "no protocol of Outlook is due");
            assert!(script.contains("throw \"Connected to another tenant"));
        }
        let outlook = of(&[Protocol::MapiOverHttp], None);
        assert!(outlook.turn_off.contains("-OAuth2ClientProfileEnabled $true"));
        assert!(outlook.undo.contains("-OAuth2ClientProfileEnabled $false"));
        assert!(!outlook.turn_off.contains("Set-TransportConfig"));
    }

    #[test]
    fn every_protocol_that_a_campaign_may_name_has_its_switch() {
        for protocol in Protocol::NAMED {
            // Exchange has none for passwords that applications send to Entra.
            let switches = usize::from(protocol != Protocol::PasswordGrant);
            assert_eq!(SWITCHES.iter().filter(|(of, _)| *of == protocol).count(), switches, "{protocol}");
        }
    }

    #[test]
    fn a_name_never_leaves_its_comment_and_a_text_never_its_quotes() {
        let hostile = "x\r\nRemove-Mailbox *\u{2028}#>'; rm\u{202e}";
        let Runbook { turn_off, undo } = of(&[Protocol::Pop3], Some(hostile));
        for script in [turn_off, undo] {
            let line = script.lines().find(|line| line.contains("Remove-Mailbox")).expect("the comment");
            assert!(line.starts_with("# Tenant "), "{line}");
            assert!(!script.contains(['\u{2028}', '\u{202e}', '\r']));
        }
        assert_eq!(quoted("a'b\u{2019}c\n$(x)"), "'a''b\u{2019}\u{2019}c $(x)'");
    }
}
