
# What is changed is written down before it is, for undo.ps1.
$journal = Join-Path -Path $PSScriptRoot -ChildPath 'changes.jsonl'
function Save-Change {
    param([string]$Kind, [string]$Target, [string]$Setting, $Was, $Set)
    $entry = [ordered]@{
        at = [DateTime]::UtcNow.ToString('yyyy-MM-dd HH:mm:ss', $invariant)
        tenant_id = $tenantId; kind = $Kind; target = $Target; setting = $Setting; was = $Was; set = $Set
    }
    $line = (ConvertTo-Json -InputObject $entry -Compress) + "`n"
    [IO.File]::AppendAllText($journal, $line, (New-Object -TypeName Text.UTF8Encoding -ArgumentList $false))
}

# Whether one of the names stands for the policy.
function Test-Policy {
    param($Policy, [string[]]$Names)
    $own = @("$($Policy.Name)", "$($Policy.Identity)", "$($Policy.Guid)", "$($Policy.DistinguishedName)")
    @($Names | Where-Object { $_ -and $own -contains $_ }).Count -gt 0
}

# Why something is not done: -WhatIf was given, or the answer was no.
$skipped = if ($WhatIfPreference) { 'would be done' } else { 'declined' }
$missing = @()

$policies = @(Get-AuthenticationPolicy -ErrorAction Stop)
$default = "$($organization.DefaultAuthenticationPolicy)"
foreach ($name in $KeepPolicy) {
    if (@($policies | Where-Object { Test-Policy $_ $name }).Count -eq 0) {
        $known = @($policies | ForEach-Object { "'$($_.Name)'" }) -join ', '
        throw "-KeepPolicy names '$name', which is none of this tenant's authentication policies: $known. Nothing was changed."
    }
}

# High Volume Email accounts may use Basic Authentication until September 2028.
if ($off -contains 'AllowBasicAuthSmtp') {
    $cut = @()
    if ((Get-Command -Name Get-MailUser).Parameters.ContainsKey('HVEAccount')) {
        foreach ($account in @(Get-MailUser -HVEAccount -ResultSize Unlimited -ErrorAction Stop)) {
            $own = "$((Get-User -Identity "$($account.Guid)" -ErrorAction Stop).AuthenticationPolicy)"
            $named = if ($own) { $own } else { $default }
            $policy = @($policies | Where-Object { Test-Policy $_ $named })
            $kept = @($policy | Where-Object { Test-Policy $_ $KeepPolicy }).Count -gt 0
            $offAlready = $policy.Count -gt 0 -and "$($policy[0].AllowBasicAuthSmtp)" -ne 'True'
            if (-not $kept -and -not $offAlready) { $cut += "$($account.PrimarySmtpAddress)" }
        }
    } else {
        Write-Warning 'Get-MailUser has no parameter -HVEAccount here, so that High Volume Email accounts cannot be listed. If the tenant has some, they lose Basic Authentication with all others.'
    }
    if ($cut.Count -gt 0) {
        $warning = "High Volume Email accounts keep Basic Authentication until September 2028, and this script would take it from $($cut.Count) of them: $($cut -join ', '). Give them an authentication policy of their own that allows Basic SMTP (Set-User -AuthenticationPolicy), and name it with -KeepPolicy; or run this script with -IncludeHighVolumeEmail."
        if (-not $IncludeHighVolumeEmail -and -not $WhatIfPreference) { throw "$warning Nothing was changed." }
        Write-Warning $warning
    }
}

# Without it Outlook for Windows could not sign in any more. It comes first, for a script that stops halfway.
if ($outlookModernAuth) {
    if ("$($organization.OAuth2ClientProfileEnabled)" -eq 'True') {
        Write-Step 'modern authentication for Outlook' 'on already'
    } elseif ($PSCmdlet.ShouldProcess("tenant $tenantId", 'Set-OrganizationConfig -OAuth2ClientProfileEnabled $true')) {
        Save-Change 'organization' '' 'OAuth2ClientProfileEnabled' $false $true
        Set-OrganizationConfig -OAuth2ClientProfileEnabled $true -Confirm:$false -ErrorAction Stop
        Write-Step 'modern authentication for Outlook' 'done'
    } else {
        $missing += 'modern authentication for Outlook'
        Write-Step 'modern authentication for Outlook' $skipped
    }
}

# Every policy that there is, since users with a policy of their own do not follow the default one.
foreach ($policy in $policies) {
    $name = "$($policy.Name)"
    if (Test-Policy $policy $KeepPolicy) {
        Write-Step "policy $name" 'kept' 'named with -KeepPolicy'
        continue
    }
    $change = @{}
    foreach ($setting in $off) {
        if ("$($policy.$setting)" -eq 'True') { $change[$setting] = $false }
    }
    $settings = @($change.Keys | Sort-Object)
    if ($settings.Count -eq 0) {
        Write-Step "policy $name" 'off already' ($off -join ', ')
    } elseif ($PSCmdlet.ShouldProcess("policy $name", "Set-AuthenticationPolicy, off: $($settings -join ', ')")) {
        foreach ($setting in $settings) { Save-Change 'policy' $name $setting $true $false }
        Set-AuthenticationPolicy -Identity $name @change -Confirm:$false -ErrorAction Stop
        Write-Step "policy $name" 'done' ($settings -join ', ')
    } else {
        $missing += "policy $name"
        Write-Step "policy $name" $skipped ($settings -join ', ')
    }
}

# Users without a policy of their own follow the default one. Where there is none, all that is not in use goes off.
if (-not $default) {
    $allows = if ($allow.Count -gt 0) { "allows only $($allow -join ', ')" } else { 'allows no Basic Authentication' }
    if ($PSCmdlet.ShouldProcess("policy $policyName", "New-AuthenticationPolicy, which $allows, and Set-OrganizationConfig -DefaultAuthenticationPolicy")) {
        $allowed = @{}
        foreach ($setting in $allow) { $allowed[$setting] = $true }
        $made = @($policies | Where-Object { "$($_.Name)" -eq $policyName })
        if ($made.Count -eq 0) {
            Save-Change 'new policy' $policyName '' $null $null
            New-AuthenticationPolicy -Name $policyName @allowed -Confirm:$false -ErrorAction Stop | Out-Null
        } elseif ($allowed.Count -gt 0) {
            foreach ($setting in $allow) {
                if ("$($made[0].$setting)" -ne 'True') { Save-Change 'policy' $policyName $setting $false $true }
            }
            Set-AuthenticationPolicy -Identity $policyName @allowed -Confirm:$false -ErrorAction Stop
        }
        Save-Change 'organization' '' 'DefaultAuthenticationPolicy' $null $policyName
        Set-OrganizationConfig -DefaultAuthenticationPolicy $policyName -Confirm:$false -ErrorAction Stop
        Write-Step 'default policy' 'done' "$policyName, which $allows"
    } else {
        $missing += 'default policy'
        Write-Step 'default policy' $skipped "$policyName, which $allows"
    }
}

# SMTP AUTH as a whole, with OAuth too: first the mailboxes that have it on for themselves, then the organization.
if ($smtpAuthAsWhole) {
    $mailboxes = @(Get-CASMailbox -ResultSize Unlimited -ErrorAction Stop | Where-Object { "$($_.SmtpClientAuthenticationDisabled)" -eq 'False' })
    if ($mailboxes.Count -gt 0) {
        $some = @($mailboxes | Select-Object -First 10 | ForEach-Object { "$($_.PrimarySmtpAddress)" }) -join ', '
        if ($mailboxes.Count -gt 10) { $some += ', ...' }
        if ($PSCmdlet.ShouldProcess("$($mailboxes.Count) mailboxes with SMTP AUTH on for themselves: $some", 'Set-CASMailbox -SmtpClientAuthenticationDisabled $null')) {
            $failed = 0
            foreach ($mailbox in $mailboxes) {
                $id = "$($mailbox.Guid)"
                try {
                    Save-Change 'mailbox' $id 'SmtpClientAuthenticationDisabled' $false $null
                    Set-CASMailbox -Identity $id -SmtpClientAuthenticationDisabled $null -Confirm:$false -ErrorAction Stop
                } catch {
                    $failed++
                    Write-Step "mailbox $($mailbox.PrimarySmtpAddress)" 'failed' "$($_.Exception.Message)"
                }
            }
            if ($failed -gt 0) { $missing += "$failed mailboxes" }
            Write-Step 'mailboxes' 'done' "$($mailboxes.Count - $failed) of $($mailboxes.Count) follow the organization now"
        } else {
            $missing += 'mailboxes'
            Write-Step 'mailboxes' $skipped "$($mailboxes.Count) with SMTP AUTH on for themselves"
        }
    }
    if ("$((Get-TransportConfig -ErrorAction Stop).SmtpClientAuthenticationDisabled)" -eq 'True') {
        Write-Step 'SMTP AUTH of the organization' 'off already'
    } elseif ($PSCmdlet.ShouldProcess("tenant $tenantId", 'Set-TransportConfig -SmtpClientAuthenticationDisabled $true')) {
        Save-Change 'transport' '' 'SmtpClientAuthenticationDisabled' $false $true
        Set-TransportConfig -SmtpClientAuthenticationDisabled $true -Confirm:$false -ErrorAction Stop
        Write-Step 'SMTP AUTH of the organization' 'done'
    } else {
        $missing += 'SMTP AUTH of the organization'
        Write-Step 'SMTP AUTH of the organization' $skipped
    }
}

# What Exchange Online says now; a change may take some seconds to show.
if (-not $WhatIfPreference -and $missing.Count -eq 0) {
    for ($try = 1; $try -le 6; $try++) {
        $missing = @()
        $default = "$((Get-OrganizationConfig -ErrorAction Stop).DefaultAuthenticationPolicy)"
        if (-not $default) { $missing += 'no default policy is set' }
        foreach ($policy in @(Get-AuthenticationPolicy -ErrorAction Stop)) {
            # One that is kept counts where it is that of most users.
            if ((Test-Policy $policy $KeepPolicy) -and -not (Test-Policy $policy $default)) { continue }
            foreach ($setting in $off) {
                if ("$($policy.$setting)" -eq 'True') { $missing += "policy $($policy.Name) still has $setting" }
            }
        }
        if ($smtpAuthAsWhole -and "$((Get-TransportConfig -ErrorAction Stop).SmtpClientAuthenticationDisabled)" -ne 'True') {
            $missing += 'SMTP AUTH of the organization is still on'
        }
        if ($missing.Count -eq 0) { break }
        Start-Sleep -Seconds 5
    }
}
if ($WhatIfPreference) {
    Write-Step 'finish' 'would be done' 'with -WhatIf nothing is changed and nothing written'
} elseif ($missing.Count -gt 0) {
    Write-Step 'finish' 'incomplete' "run this script again; open: $($missing -join '; ')"
} else {
    Write-Step 'finish' 'done' 'policies take effect within 24 hours, often within one' $protocols
}
