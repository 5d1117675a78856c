
# ---- From here on every runner is the same. ----

Set-StrictMode -Off
$ErrorActionPreference = 'Stop'
$invariant = [Globalization.CultureInfo]::InvariantCulture
if ([bool]$AppId -ne [bool]$CertificateThumbprint) {
    throw '-AppId and -CertificateThumbprint belong together: give both, or neither.'
}
if ($Delegated -and -not $UserPrincipalName) {
    throw '-Delegated requires -UserPrincipalName, the account of the partner.'
}
if (@(Get-ConnectionInformation).Count -gt 0) {
    throw 'A connection to Exchange Online is open. This script opens one for each tenant and closes it again: run Disconnect-ExchangeOnline first. Nothing was changed.'
}
$known = @($tenants | ForEach-Object { $_.TenantId; $_.Announcement })
$unknown = @(@($TenantId) + @($Announcement) | Where-Object { $_ -and $known -notcontains "$_" })
if ($unknown.Count -gt 0) {
    throw "Not in this folder: $($unknown -join ', '). index.csv lists the tenants and their announcements. Nothing was changed."
}
$chosen = @($tenants | Where-Object { $Undo -or $_.Due })
if ($TenantId) { $chosen = @($chosen | Where-Object { @($TenantId | ForEach-Object { "$_" }) -contains $_.TenantId }) }
if ($Announcement) { $chosen = @($chosen | Where-Object { $Announcement -contains $_.Announcement }) }
if ($chosen.Count -eq 0) {
    throw 'No tenant is chosen. index.csv lists the tenants and their announcements. Nothing was changed.'
}
$file = if ($Undo) { 'undo.ps1' } else { 'turn-off.ps1' }
if (-not $ResultFile) {
    $kind = if ($Undo) { 'undo' } else { 'turn-off' }
    $ResultFile = Join-Path -Path $PSScriptRoot -ChildPath "result-$kind-$([DateTime]::UtcNow.ToString('yyyyMMddHHmmss', $invariant)).csv"
}

# A row of the result, on the screen and in the file as soon as it is known. With -WhatIf there is no file.
function Add-Result {
    param($Row)
    $Row
    if (-not $WhatIfPreference) {
        $Row | Export-Csv -LiteralPath $ResultFile -Append -NoTypeInformation -Encoding UTF8
    }
}
function New-Row {
    param($Tenant, [string]$Step, [string]$Outcome, [string]$Detail)
    [pscustomobject]@{
        tenant_id = $Tenant.TenantId
        happened_at = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ', $invariant)
        step = $Step
        outcome = $Outcome
        protocols = ''
        # One line, and no formula for whoever opens the result in a spreadsheet.
        detail = ($Detail -replace '\s+', ' ') -replace '^(?=[=+@-])', "'"
    }
}

# Connecting is no change: it is done with -WhatIf too, so that each script can say what it would do.
function Open-Tenant {
    param($Tenant)
    $WhatIfPreference = $false
    $with = @{ ShowBanner = $false }
    if ($ExchangeEnvironmentName) { $with['ExchangeEnvironmentName'] = $ExchangeEnvironmentName }
    if ($AppId) {
        $with['AppId'] = $AppId
        $with['CertificateThumbprint'] = $CertificateThumbprint
        $with['Organization'] = $Tenant.Organization
    } elseif ($Delegated) {
        $with['UserPrincipalName'] = $UserPrincipalName
        $with['DelegatedOrganization'] = $Tenant.Organization
    } else {
        if ($UserPrincipalName) { $with['UserPrincipalName'] = $UserPrincipalName }
        Write-Host "Sign in as an administrator of tenant $($Tenant.TenantId) ($($Tenant.Organization))."
    }
    Connect-ExchangeOnline @with
}
function Close-Tenant {
    $WhatIfPreference = $false
    Disconnect-ExchangeOnline -Confirm:$false
}

$stopped = 0
$number = 0
foreach ($tenant in $chosen) {
    $number++
    Write-Host "$number of $($chosen.Count): tenant $($tenant.TenantId)"
    $path = Join-Path -Path (Join-Path -Path $PSScriptRoot -ChildPath $tenant.Folder) -ChildPath $file
    if (-not (Test-Path -LiteralPath $path)) {
        Add-Result (New-Row $tenant 'start' 'skipped' "there is no $file for this tenant any more")
        continue
    }
    if ($Undo -and -not (Test-Path -LiteralPath (Join-Path -Path (Split-Path -Path $path -Parent) -ChildPath 'changes.jsonl'))) {
        Add-Result (New-Row $tenant 'start' 'skipped' 'nothing was changed from this folder')
        continue
    }
    if (-not $WhatIfPreference -and -not $PSCmdlet.ShouldProcess("tenant $($tenant.TenantId) ($($tenant.Organization))", "run $file")) {
        Add-Result (New-Row $tenant 'start' 'declined' '')
        continue
    }
    try {
        Open-Tenant $tenant
        & $path -WhatIf:([bool]$WhatIfPreference) -Confirm:$false | ForEach-Object {
            if ($_.step -eq 'finish' -and $_.outcome -eq 'incomplete') { $stopped++ }
            Add-Result $_
        }
    } catch {
        $stopped++
        Add-Result (New-Row $tenant 'stop' 'failed' "$($_.Exception.Message)")
        Write-Warning "Tenant $($tenant.TenantId): $($_.Exception.Message)"
    } finally {
        Close-Tenant
    }
}

if (-not $WhatIfPreference) { Write-Host "The result is in $ResultFile." }
if ($stopped -gt 0) {
    Write-Warning "$stopped of $($chosen.Count) tenants did not finish; their rows of the steps 'stop' and 'finish' say why. Fix that and run this script again: it skips what is done already."
    exit 1
}
if (-not $Undo -and -not $WhatIfPreference) {
    Write-Host "Next: lightsout campaign confirm --from `"$ResultFile`""
}
