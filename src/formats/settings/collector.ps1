<#
.SYNOPSIS
Collects what Exchange Online's settings say about Basic Authentication, for lightsout.

.DESCRIPTION
Reads settings and writes them to one JSON file. It changes nothing in Exchange Online: every
Exchange cmdlet that it runs begins with Get-. It does not connect by itself; connect first:

    Connect-ExchangeOnline -UserPrincipalName admin@contoso.com
    .\lightsout-settings.ps1 -OutFile contoso-settings.json

Needs: module ExchangeOnlineManagement 3.0 or later, in Windows PowerShell 5.1 or PowerShell 7, and
an account with the Exchange role group "View-Only Organization Management" or the Entra role
"Global Reader". An account that may not read one of the settings gets a file that says so, and
lightsout then concludes nothing from it.

The file holds the addresses of the mailboxes that have SMTP AUTH switched on for themselves, the
names of authentication policies and of accepted domains, and counts. It holds no passwords, no
tokens, no mail and no other addresses.

.PARAMETER OutFile
The file to write. Default: lightsout-settings.json in the current folder.

.EXAMPLE
.\lightsout-settings.ps1 -OutFile contoso-settings.json
lightsout ingest contoso-settings.json
#>
[CmdletBinding()]
param(
    [string]$OutFile = 'lightsout-settings.json'
)

$ErrorActionPreference = 'Stop'
# The start, so that nothing in the file is older than it says.
$collectedAt = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture)
$cmdlets = [Collections.ArrayList]@()

# Runs one cmdlet, hands each object to $Take, and records how it went. A warning of a cmdlet that
# lists everything may mean that its list is cut short, so the list then counts as truncated.
function Read-Setting {
    param([string]$Cmdlet, [hashtable]$With, [scriptblock]$Take)
    if ($Cmdlet -notlike 'Get-*') { throw "$Cmdlet is not a read-only cmdlet." }
    $record = [ordered]@{
        name = $Cmdlet; status = 'ok'; objects = 0; truncated = $false; error = $null; warnings = @()
    }
    try {
        & $Cmdlet @With -ErrorAction Stop -WarningAction Continue 3>&1 | ForEach-Object {
            if ($_ -is [Management.Automation.WarningRecord]) {
                $record['warnings'] += [string]$_.Message
                if ($With.ContainsKey('ResultSize')) { $record['truncated'] = $true }
            } else {
                $record['objects'] += 1
                & $Take $_
            }
        }
    } catch {
        $seen = "$($_.FullyQualifiedErrorId) $($_.Exception.GetType().Name) $($_.Exception.Message)"
        # Exchange Online does not even offer the cmdlets that an account may not run.
        $denied = $seen -match 'CommandNotFound|Unauthorized|Forbidden|AccessDenied|Access is denied'
        $record['status'] = if ($denied) { 'denied' } else { 'failed' }
        $record['error'] = [string]$_.Exception.Message
    }
    [void]$cmdlets.Add($record)
}

# 'true', 'false', 'null' (not set), or 'absent': the cmdlet does not show the property.
function Read-State {
    param($From, [string]$Name)
    $property = $From.PSObject.Properties[$Name]
    if ($null -eq $property) { return 'absent' }
    $text = [string]$property.Value
    if ($text -eq 'True') { return 'true' }
    if ($text -eq 'False') { return 'false' }
    if ($text -eq '') { return 'null' }
    return 'absent'
}

# The same as a value of JSON: true, false or null. What is absent is left out.
function Copy-State {
    param($From, [string[]]$Names, $To)
    foreach ($name in $Names) {
        $state = Read-State $From $name
        if ($state -eq 'true') { $To[$name] = $true }
        if ($state -eq 'false') { $To[$name] = $false }
        if ($state -eq 'null') { $To[$name] = $null }
    }
}

$tenants = @{}
$delegated = @{}
Read-Setting 'Get-ConnectionInformation' @{} {
    param($connection)
    if ([string]$connection.State -eq 'Connected' -and [string]$connection.IsEopSession -ne 'True') {
        $tenants[([string]$connection.TenantID).ToLowerInvariant()] = $true
        $organizationName = [string]$connection.DelegatedOrganization
        if ($organizationName) { $delegated[$organizationName] = $true }
    }
}
$tenantIds = @($tenants.Keys)
if ($tenantIds.Length -ne 1) {
    throw "Expected a connection to Exchange Online of one tenant, found $($tenantIds.Length). Run Disconnect-ExchangeOnline, then Connect-ExchangeOnline (module ExchangeOnlineManagement 3.0 or later)."
}

$transport = [ordered]@{}
Read-Setting 'Get-TransportConfig' @{} {
    param($config)
    Copy-State $config 'SmtpClientAuthenticationDisabled' $transport
}

$organization = [ordered]@{}
Read-Setting 'Get-OrganizationConfig' @{} {
    param($config)
    $organization['Name'] = [string]$config.Name
    $default = [string]$config.DefaultAuthenticationPolicy
    $organization['DefaultAuthenticationPolicy'] = if ($default) { $default } else { $null }
    Copy-State $config @('EwsEnabled', 'IsDehydrated', 'OAuth2ClientProfileEnabled') $organization
}

$switches = @('ActiveSync', 'Autodiscover', 'Imap', 'Mapi', 'OfflineAddressBook', 'OutlookService', 'Pop',
    'Powershell', 'ReportingWebServices', 'Rpc', 'Smtp', 'WebServices') | ForEach-Object { "AllowBasicAuth$_" }
$policies = [Collections.ArrayList]@()
Read-Setting 'Get-AuthenticationPolicy' @{} {
    param($policy)
    $shown = [ordered]@{
        name = [string]$policy.Name; identity = [string]$policy.Identity; guid = [string]$policy.Guid
        distinguished_name = [string]$policy.DistinguishedName
    }
    Copy-State $policy $switches $shown
    [void]$policies.Add($shown)
}

$assigned = @{}
Read-Setting 'Get-User' @{ ResultSize = 'Unlimited' } {
    param($user)
    $policy = [string]$user.AuthenticationPolicy
    if ($policy) { $assigned[$policy] = 1 + [int]$assigned[$policy] }
}

$protocols = @('PopEnabled', 'ImapEnabled', 'ActiveSyncEnabled', 'EwsEnabled', 'MAPIEnabled')
$smtpSwitch = 'SmtpClientAuthenticationDisabled'
$smtpEnabled = [Collections.ArrayList]@()
$counts = [ordered]@{}
foreach ($name in @($smtpSwitch) + $protocols) {
    $counts[$name] = [ordered]@{ 'true' = 0; 'false' = 0; 'null' = 0; 'absent' = 0 }
}
Read-Setting 'Get-CASMailbox' @{ ResultSize = 'Unlimited' } {
    param($mailbox)
    foreach ($name in @($smtpSwitch) + $protocols) {
        $state = Read-State $mailbox $name
        $counts[$name][$state] += 1
        if ($name -eq $smtpSwitch -and $state -eq 'false') {
            [void]$smtpEnabled.Add([string]$mailbox.PrimarySmtpAddress)
        }
    }
}

$plans = [Collections.ArrayList]@()
Read-Setting 'Get-CASMailboxPlan' @{} {
    param($plan)
    $shown = [ordered]@{ name = [string]$plan.Name }
    Copy-State $plan $protocols $shown
    [void]$plans.Add($shown)
}

$domains = [Collections.ArrayList]@()
Read-Setting 'Get-AcceptedDomain' @{} {
    param($domain)
    [void]$domains.Add([string]$domain.DomainName)
}

$settings = [ordered]@{
    kind = 'lightsout-settings'
    version = 1
    collected_at = $collectedAt
    tenant_id = $tenantIds[0]
    delegated_organizations = @($delegated.Keys)
    cmdlets = @($cmdlets)
    transport = $transport
    organization = $organization
    authentication_policies = @($policies)
    assigned_policies = @($assigned.Keys | ForEach-Object { [ordered]@{ policy = $_; users = $assigned[$_] } })
    mailbox_switches = $counts
    smtp_enabled_mailboxes = @($smtpEnabled)
    mailbox_plans = @($plans)
    accepted_domains = @($domains)
}
$path = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($OutFile)
$json = ConvertTo-Json -InputObject $settings -Depth 8
[IO.File]::WriteAllText($path, $json, [Text.UTF8Encoding]::new($false))

foreach ($record in $cmdlets) {
    if ($record['status'] -ne 'ok' -or $record['truncated']) {
        Write-Warning "$($record['name']) is $($record['status']): $($record['error']) $($record['warnings'] -join '; ')"
    }
}
Write-Host "Wrote $path. Read it into the lake with: lightsout ingest '$path'"
