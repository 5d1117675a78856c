
# What turn-off.ps1 changed from this folder; of one setting the oldest entry says what it was.
$journal = Join-Path -Path $PSScriptRoot -ChildPath 'changes.jsonl'
if (-not (Test-Path -LiteralPath $journal)) {
    throw "There is no file ${journal}: turn-off.ps1 has changed nothing from this folder, so there is nothing to set back."
}
$entries = New-Object -TypeName Collections.ArrayList
$known = @{}
foreach ($line in @(Get-Content -LiteralPath $journal -Encoding UTF8)) {
    if (-not "$line".Trim()) { continue }
    $entry = ConvertFrom-Json -InputObject $line
    if ("$($entry.tenant_id)" -ne $tenantId) {
        throw "$journal holds changes of tenant $($entry.tenant_id), and this script is for tenant $tenantId. Put it back into that tenant's folder. Nothing was changed."
    }
    $key = "$($entry.kind)|$($entry.target)|$($entry.setting)"
    if (-not $known.ContainsKey($key)) {
        $known[$key] = $true
        [void]$entries.Add($entry)
    }
}

$skipped = if ($WhatIfPreference) { 'would be done' } else { 'declined' }
$missing = @()

# What somebody has changed since stays as it is.
foreach ($entry in @($entries | Where-Object { $_.kind -eq 'organization' })) {
    if ($entry.setting -eq 'OAuth2ClientProfileEnabled') {
        Write-Step 'modern authentication for Outlook' 'kept' 'it stays on: without it Outlook for Windows cannot sign in where Basic Authentication is off for everybody'
        continue
    }
    $default = "$($organization.DefaultAuthenticationPolicy)"
    $made = @(Get-AuthenticationPolicy -ErrorAction Stop | Where-Object { "$($_.Name)" -eq "$($entry.set)" })
    $names = @($made | ForEach-Object { "$($_.Name)"; "$($_.Identity)"; "$($_.Guid)"; "$($_.DistinguishedName)" })
    if (-not $default) {
        Write-Step 'default policy' 'back already' 'none'
    } elseif ($names -notcontains $default) {
        Write-Step 'default policy' 'left' "it has been changed since, to $default"
    } elseif ($PSCmdlet.ShouldProcess("tenant $tenantId", 'Set-OrganizationConfig -DefaultAuthenticationPolicy $null')) {
        Set-OrganizationConfig -DefaultAuthenticationPolicy $null -Confirm:$false -ErrorAction Stop
        Write-Step 'default policy' 'set back' "none; the policy $($entry.set) stays, since users may have been given it"
    } else {
        $missing += 'default policy'
        Write-Step 'default policy' $skipped 'none'
    }
}

foreach ($group in @($entries | Where-Object { $_.kind -eq 'policy' } | Group-Object -Property target)) {
    $name = "$($group.Name)"
    $policy = @(Get-AuthenticationPolicy -ErrorAction Stop | Where-Object { "$($_.Name)" -eq $name })
    if ($policy.Count -eq 0) {
        Write-Step "policy $name" 'left' 'it does not exist any more'
        continue
    }
    $change = @{}
    foreach ($entry in $group.Group) {
        $setting = "$($entry.setting)"
        if ("$($policy[0].$setting)" -eq "$($entry.set)") { $change[$setting] = [bool]$entry.was }
    }
    $settings = @($change.Keys | Sort-Object)
    if ($settings.Count -eq 0) {
        Write-Step "policy $name" 'back already'
    } elseif ($PSCmdlet.ShouldProcess("policy $name", "Set-AuthenticationPolicy, back: $($settings -join ', ')")) {
        Set-AuthenticationPolicy -Identity $name @change -Confirm:$false -ErrorAction Stop
        Write-Step "policy $name" 'set back' ($settings -join ', ')
    } else {
        $missing += "policy $name"
        Write-Step "policy $name" $skipped ($settings -join ', ')
    }
}

foreach ($entry in @($entries | Where-Object { $_.kind -eq 'transport' })) {
    if ("$((Get-TransportConfig -ErrorAction Stop).SmtpClientAuthenticationDisabled)" -ne 'True') {
        Write-Step 'SMTP AUTH of the organization' 'back already'
    } elseif ($PSCmdlet.ShouldProcess("tenant $tenantId", 'Set-TransportConfig -SmtpClientAuthenticationDisabled $false')) {
        Set-TransportConfig -SmtpClientAuthenticationDisabled $false -Confirm:$false -ErrorAction Stop
        Write-Step 'SMTP AUTH of the organization' 'set back' 'on'
    } else {
        $missing += 'SMTP AUTH of the organization'
        Write-Step 'SMTP AUTH of the organization' $skipped 'on'
    }
}

$mailboxes = @($entries | Where-Object { $_.kind -eq 'mailbox' })
if ($mailboxes.Count -gt 0) {
    if ($PSCmdlet.ShouldProcess("$($mailboxes.Count) mailboxes that had SMTP AUTH on for themselves", 'Set-CASMailbox -SmtpClientAuthenticationDisabled $false')) {
        $failed = 0
        foreach ($entry in $mailboxes) {
            $id = "$($entry.target)"
            try {
                # One that somebody has set since stays as it is.
                if ("$((Get-CASMailbox -Identity $id -ErrorAction Stop).SmtpClientAuthenticationDisabled)" -eq '') {
                    Set-CASMailbox -Identity $id -SmtpClientAuthenticationDisabled $false -Confirm:$false -ErrorAction Stop
                }
            } catch {
                $failed++
                Write-Step "mailbox $id" 'failed' "$($_.Exception.Message)"
            }
        }
        if ($failed -gt 0) { $missing += "$failed mailboxes" }
        Write-Step 'mailboxes' 'set back' "$($mailboxes.Count - $failed) of $($mailboxes.Count)"
    } else {
        $missing += 'mailboxes'
        Write-Step 'mailboxes' $skipped "$($mailboxes.Count) that had SMTP AUTH on for themselves"
    }
}

# The next turn-off.ps1 begins a list of its own.
if (-not $WhatIfPreference -and $missing.Count -eq 0) {
    $stamp = [DateTime]::UtcNow.ToString('yyyyMMddHHmmss', $invariant)
    [IO.File]::Move($journal, (Join-Path -Path $PSScriptRoot -ChildPath "changes-undone-$stamp.jsonl"))
}
if ($WhatIfPreference) {
    Write-Step 'finish' 'would be done' 'with -WhatIf nothing is changed and nothing written'
} elseif ($missing.Count -gt 0) {
    Write-Step 'finish' 'incomplete' "run this script again; open: $($missing -join '; ')"
} else {
    Write-Step 'finish' 'undone' 'policies take effect within 24 hours, often within one'
}
