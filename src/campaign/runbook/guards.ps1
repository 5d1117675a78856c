
# ---- From here on every tenant's script is the same. ----

Set-StrictMode -Off
$ErrorActionPreference = 'Stop'
# The cmdlets of Exchange Online come from a module, which does not see this setting: each has -ErrorAction Stop of
# its own. Without it an error would be shown, and the step counted as done.
$invariant = [Globalization.CultureInfo]::InvariantCulture

# A row of the result: what a step came to.
function Write-Step {
    param([string]$Step, [string]$Outcome, [string]$Detail, [string]$Protocols)
    [pscustomobject]@{
        tenant_id = $tenantId
        happened_at = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ', $invariant)
        step = $Step
        outcome = $Outcome
        protocols = $Protocols
        # One line, and no formula for whoever opens the result in a spreadsheet.
        detail = ($Detail -replace '\s+', ' ') -replace '^(?=[=+@-])', "'"
    }
}

# In time: the plan rests on logs, which grow old.
$today = [DateTime]::UtcNow.ToString('yyyy-MM-dd', $invariant)
if ([string]::CompareOrdinal($today, $validFrom) -lt 0) {
    throw "Today is $today (UTC), and this script is for $validFrom and later. Nothing was changed."
}
if ([string]::CompareOrdinal($today, $validUntil) -gt 0) {
    throw "Today is $today (UTC), and this script was valid until $validUntil. Nothing was changed. $expired"
}

# One connection, so that no cmdlet can reach another tenant than the one that is checked.
$connections = @(Get-ConnectionInformation)
if ($connections.Count -eq 0) {
    throw "There is no connection to Exchange Online. Run Connect-ExchangeOnline as an administrator of tenant $tenantId, then this script again."
}
if ($connections.Count -gt 1) {
    $open = @($connections | ForEach-Object { "$($_.Name) of tenant $($_.TenantID)" }) -join ', '
    throw "$($connections.Count) connections are open ($open), and which of them a cmdlet uses is not certain. Run Disconnect-ExchangeOnline, connect to tenant $tenantId alone, then run this script again. Nothing was changed."
}
$connection = $connections[0]
if ("$($connection.IsEopSession)" -eq 'True') {
    throw 'The open connection is to Security & Compliance PowerShell. Run Disconnect-ExchangeOnline, then Connect-ExchangeOnline. Nothing was changed.'
}
if ("$($connection.State)" -ne 'Connected') {
    throw "The connection is in the state '$($connection.State)'; expected 'Connected'. Run Disconnect-ExchangeOnline, then Connect-ExchangeOnline. Nothing was changed."
}
$delegated = "$($connection.DelegatedOrganization)"
$via = ''
if ($delegated) {
    $via = " The connection was opened with -DelegatedOrganization $delegated, and such a connection can show one tenant while its cmdlets reach another: connect as an administrator of the tenant itself."
}
if ("$($connection.TenantID)" -ne $tenantId) {
    throw "The connection is to tenant $($connection.TenantID), and this script is for tenant $tenantId. Run Disconnect-ExchangeOnline and connect to this one. Nothing was changed.$via"
}

# Exchange Online offers an account only the cmdlets that it may run.
$lacking = @($cmdlets | Where-Object { -not (Get-Command -Name $_ -ErrorAction SilentlyContinue) })
if ($lacking.Count -gt 0) {
    throw "This account may not run $($lacking -join ', '). Connect with the role Exchange Administrator. Nothing was changed."
}

# The tenant, as the server says it and not as the connection does.
$organization = Get-OrganizationConfig -ErrorAction Stop
$stated = "$($organization.ExternalDirectoryOrganizationId)"
if ($stated -and $stated -ne $tenantId) {
    throw "Exchange Online answers for tenant $stated, and this script is for tenant $tenantId. Nothing was changed.$via"
}
$accepted = @(Get-AcceptedDomain -ErrorAction Stop | ForEach-Object { "$($_.DomainName)" })
$strange = @($domains | Where-Object { $accepted -notcontains $_ })
if ($domains.Count -gt 0 -and $strange.Count -eq $domains.Count) {
    throw "Exchange Online answers for an organization with the domains $($accepted -join ', '), and the roster gives tenant $tenantId the domains $($domains -join ', '). If the roster is wrong, correct it and run lightsout campaign apply --runbook again. Nothing was changed.$via"
}
if ($domains.Count -eq 0 -and -not $stated) {
    throw "Nothing that Exchange Online reports can be compared: the roster gives tenant $tenantId no domain. Put one of its domains into the column domains, then run lightsout campaign apply --runbook again. Nothing was changed.$via"
}
if ($strange.Count -gt 0) {
    Write-Warning "The roster gives this tenant domains that Exchange Online does not accept mail for: $($strange -join ', ')."
}

if ("$($organization.IsDehydrated)" -eq 'True') {
    throw "The organization of tenant $tenantId is dehydrated: it takes no settings of its own yet. Run Enable-OrganizationCustomization in it once, wait until (Get-OrganizationConfig).IsDehydrated is False, then run this script again. Nothing was changed."
}
Write-Step 'guards' 'passed' "tenant $tenantId; the server states $(@($accepted | Select-Object -First 10) -join ', ')"
