//! The PowerShell that collects sign-in logs from Microsoft Graph. Its files need no flag: their folder names the tenant,
//! and their names the log and the day that they are complete for.

/// The script.
pub const COLLECTOR: &str = include_str!("signins.ps1");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_collector_only_reads() {
        let cmdlets = COLLECTOR.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|word| {
            word.split_once('-').is_some_and(|(verb, noun)| {
                verb.chars().next().is_some_and(|c| c.is_ascii_uppercase()) && noun.len() > 2
            })
        });
        let known = [
            "Connect-MgGraph",
            "ConvertFrom-Json",
            "Get-Content",
            "Get-MgContext",
            "Invoke-MgGraphRequest",
            "New-Object",
            "Read-Page",
            "Save-Day",
            "Start-Sleep",
            "Write-Host",
            "Write-Warning",
        ];
        for cmdlet in cmdlets {
            assert!(known.contains(&cmdlet), "{cmdlet}");
        }
        for line in COLLECTOR.lines().filter(|line| line.contains("Invoke-MgGraphRequest")) {
            assert!(line.contains("-Method GET"), "{line}");
        }
    }

    #[test]
    fn the_collector_is_small_and_plain() {
        assert!(COLLECTOR.is_ascii(), "Windows PowerShell 5.1 reads a file without a mark in the code page");
        assert!(COLLECTOR.lines().count() <= 200, "small enough to be reviewed");
    }
}
