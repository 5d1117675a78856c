<#
.SYNOPSIS
Collects the sign-in logs of one or several Microsoft Entra tenants, for lightsout.

.DESCRIPTION
Reads the interactive and the non-interactive user sign-ins from Microsoft Graph and writes them as
they come, one file for each tenant, log and UTC day:

    sign-ins\tenantId=<id>\InteractiveSignIns_<day before>_<day after>.json
    sign-ins\tenantId=<id>\NonInteractiveSignIns_<day before>_<day after>.json

A file gets its name when its day is complete, and lightsout takes it as complete for that day. Run
the script again to go on where it ended: days that are there are passed. Nothing in the tenant is
changed: every request is a GET. The beta endpoint is used because version 1.0 has neither the
non-interactive log nor the members userAgent and authenticationProtocol.

Needs: module Microsoft.Graph.Authentication 2.0 or later, in Windows PowerShell 5.1 or PowerShell
7; the permissions AuditLog.Read.All and Directory.Read.All; the Entra role Reports Reader or
Global Reader; and a licence of Entra ID P1 in the tenant, which keeps sign-ins for 30 days.

.PARAMETER TenantId
The ids of the tenants: your own, or those that have delegated access to you.

.PARAMETER Days
How many days back, without today. Default: 30.

.PARAMETER OutDir
Where the files go. Default: sign-ins in the current folder.

.PARAMETER ClientId
With CertificateThumbprint: sign in as this application instead of asking for a user.

.EXAMPLE
.\lightsout-signins.ps1 -TenantId 11111111-2222-4333-8444-555555555555
lightsout run sign-ins

.EXAMPLE
.\lightsout-signins.ps1 -TenantId (Get-Content tenants.txt) -ClientId $id -CertificateThumbprint $thumb
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)][guid[]]$TenantId,
    [ValidateRange(1, 30)][int]$Days = 30,
    [string]$OutDir = 'sign-ins',
    [string]$ClientId,
    [string]$CertificateThumbprint
)

$ErrorActionPreference = 'Stop'
$culture = [Globalization.CultureInfo]::InvariantCulture
$logs = [ordered]@{ InteractiveSignIns = 'interactiveUser'; NonInteractiveSignIns = 'nonInteractiveUser' }

# Reads one page as text. Graph throttles frequent requests, and sometimes fails.
function Read-Page {
    param([string]$Uri)
    for ($try = 1; ; $try++) {
        try {
            return Invoke-MgGraphRequest -Method GET -Uri $Uri -OutputType Json
        } catch {
            $response = $_.Exception.Response
            $status = if ($response) { [int]$response.StatusCode } else { 0 }
            if ($try -ge 8 -or $status -notin 0, 408, 429, 500, 502, 503, 504) { throw }
            $wait = [Math]::Min(300, [Math]::Pow(2, $try) * 5)
            if ($response -and $response.Headers -and $response.Headers.RetryAfter) {
                $asked = $response.Headers.RetryAfter.Delta
                if ($asked) { $wait = [Math]::Max($wait, $asked.TotalSeconds) }
            }
            Write-Warning "Graph answered $status; waiting $wait seconds."
            Start-Sleep -Seconds $wait
        }
    }
}

# Writes the pages of one log and day, and gives the file its name when the last page is there.
function Save-Day {
    param([string]$Folder, [string]$Name, [string]$Kind, [DateTime]$Day)
    $before = $Day.AddDays(-1).ToString('yyyy-MM-dd', $culture)
    $after = $Day.AddDays(1).ToString('yyyy-MM-dd', $culture)
    $file = [IO.Path]::Combine($Folder, "${Name}_${before}_${after}.json")
    if ([IO.File]::Exists($file)) { return 'there already' }
    $from = $Day.ToString('yyyy-MM-dd', $culture) + 'T00:00:00Z'
    $filter = "createdDateTime ge $from and createdDateTime lt ${after}T00:00:00Z" +
        " and signInEventTypes/any(t: t eq '$Kind')"
    $uri = 'https://graph.microsoft.com/beta/auditLogs/signIns?$top=999&$filter=' + [Uri]::EscapeDataString($filter)
    $part = "$file.part"
    $writer = New-Object IO.StreamWriter($part, $false, (New-Object Text.UTF8Encoding($false)))
    $pages = 0
    try {
        while ($uri) {
            $text = Read-Page -Uri $uri
            $writer.WriteLine($text)
            $pages++
            $uri = ($text | ConvertFrom-Json).'@odata.nextLink'
        }
    } finally {
        $writer.Close()
    }
    [IO.File]::Move($part, $file)
    return "$pages pages"
}

# Relative paths are those of PowerShell, not of the process.
$OutDir = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($OutDir)
$today = [DateTime]::UtcNow.Date
$failed = 0
foreach ($tenant in $TenantId) {
    try {
        $with = @{ TenantId = "$tenant"; NoWelcome = $true; ContextScope = 'Process' }
        if ($ClientId) {
            $with['ClientId'] = $ClientId
            $with['CertificateThumbprint'] = $CertificateThumbprint
        } else {
            $with['Scopes'] = 'AuditLog.Read.All', 'Directory.Read.All'
        }
        Connect-MgGraph @with
        $connected = (Get-MgContext).TenantId
        if ($connected -ne "$tenant") { throw "The connection is to tenant $connected." }
        $folder = [IO.Path]::Combine($OutDir, "tenantId=$tenant")
        $null = [IO.Directory]::CreateDirectory($folder)
        for ($back = $Days; $back -ge 1; $back--) {
            $day = $today.AddDays(-$back)
            foreach ($name in $logs.Keys) {
                $done = Save-Day -Folder $folder -Name $name -Kind $logs[$name] -Day $day
                Write-Host "$tenant $($day.ToString('yyyy-MM-dd', $culture)) ${name}: $done"
            }
        }
    } catch {
        $failed++
        Write-Warning "Tenant ${tenant}: $($_.Exception.Message) $($_.ErrorDetails.Message)"
    }
}
if ($failed) { Write-Warning "$failed of $($TenantId.Count) tenants are not complete; run the script again."; exit 1 }
Write-Host "Next: lightsout run `"$OutDir`""
