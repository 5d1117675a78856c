# The daily job on Windows: ingest, decide, recheck the campaign, say what is due. Run it in the folder that has `logs`,
# `lake` and `mine.toml`. Not run yet: only its syntax has been checked.
$ErrorActionPreference = 'Continue'
$codes = @(
    & lightsout ingest logs --quiet | Out-Host; $LASTEXITCODE
    & lightsout assess --campaign mine.toml --quiet | Out-Host; $LASTEXITCODE
    & lightsout campaign recheck --campaign mine.toml --quiet | Out-Host; $LASTEXITCODE
    & lightsout campaign status --campaign mine.toml --output out/status.csv --quiet | Out-Host; $LASTEXITCODE
)
# The worst code: wrong settings, failures, rejects, holds, in this order.
foreach ($code in 2, 1, 3, 4) { if ($codes -contains $code) { exit $code } }
exit 0
