#!/bin/sh
# The daily job: ingest, decide, recheck the campaign, say what is due. Run it in the folder that has `logs`, `lake` and
# `mine.toml`. Every command runs even if an earlier one reports something; the exit code is the worst one.
worst=0
step() {
    lightsout "$@"
    code=$?
    [ "$code" -eq 0 ] || echo "lightsout $1: exit code $code" >&2
    # Usage and settings, failures, rejects, holds: in this order.
    for rank in 2 1 3 4; do
        [ "$worst" -eq "$rank" ] && return
        [ "$code" -eq "$rank" ] && worst=$code && return
    done
    [ "$code" -eq 0 ] || worst=$code
}
step ingest logs --quiet
step assess --campaign mine.toml --quiet
step campaign recheck --campaign mine.toml --quiet
step campaign status --campaign mine.toml --output out/status.csv --quiet
exit "$worst"
