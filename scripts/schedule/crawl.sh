#!/usr/bin/env bash
# Crawls, and leaves in build/crawl/ what a push needs; the checkout's own snapshot stays as it is.
#   snapshot/, update.json, status.json   the data, and what came of each source
#   derived-from                          the git tree of catalog/ that this was derived from
#   accepted/LIST/                        for a list that lost a fifth of its entries: the snapshot if that is believed
#   codes                                 exit codes of update and status, for the alarm when all else is done
# Exit code 0 wherever there is something to export: one source that fails does not hold up the others.
set -euo pipefail
cd "$(dirname "$0")/../.."
laconic() { .venv/bin/python -m scripts "$@"; }
out=build/crawl
rm -rf "$out"
mkdir -p "$out/accepted"

update=0 status=0
laconic update --json >"$out/update.json" || update=$?
[ -s "$out/update.json" ] || exit "$update" # refused or interrupted: there is no report
laconic status --json >"$out/status.json" || status=$?
[ -s "$out/status.json" ] || exit "$status"
printf 'update=%d\nstatus=%d\n' "$update" "$status" >"$out/codes"

cp -R catalog/snapshot "$out/snapshot" # so that `export` can refuse to lose what stands there
laconic export "$out/snapshot" >&2
git rev-parse HEAD:catalog >"$out/derived-from"

.venv/bin/python scripts/schedule/told.py shrunken "$out" | while read -r list; do
  export LACONIC_DB="sqlite:///$PWD/build/accepted.db"
  rm -f build/accepted.db
  laconic import "$out/snapshot" >&2
  laconic update --source "$list" --accept-shrunken >&2 || continue
  cp -R "$out/snapshot" "$out/accepted/$list"
  laconic export "$out/accepted/$list" >&2
done
.venv/bin/python scripts/schedule/told.py summary "$out"
