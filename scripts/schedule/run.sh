#!/usr/bin/env bash
# One slot on a machine of one's own, for systemd and cron: crawls into the database and builds the site.
# With LACONIC_PUSH=BRANCH it works as the workflow does: pulls, imports, crawls, and pushes what changed to that branch.
# Exit code: that of update, else of status (3 partly, 4 stale), when everything else is done.
set -euo pipefail
cd "$(dirname "$0")/../.."
laconic() { .venv/bin/python -m scripts "$@"; }
mkdir -p build
exec 9>build/schedule.lock
flock --nonblock 9 || { echo "another slot is still at work" >&2; exit 0; }
scripts/schedule/setup.sh

update=0 status=0
if [ -z "${LACONIC_PUSH:-}" ]; then
  laconic status >/dev/null 2>&1 || [ $? = 4 ] || laconic import # no database yet, or one of an older Laconic
  laconic update || update=$?
  laconic status || status=$?
else
  pushed=5
  for _ in 1 2 3; do
    git pull --quiet --ff-only origin "$LACONIC_PUSH"
    laconic import
    scripts/schedule/crawl.sh
    pushed=0
    scripts/schedule/push.sh "$LACONIC_PUSH" || pushed=$?
    [ "$pushed" = 5 ] || break # else others changed the catalog meanwhile
  done
  [ "$pushed" = 0 ] || exit "$pushed"
  ! command -v gh >/dev/null || scripts/schedule/propose.sh "$LACONIC_PUSH"
  # shellcheck source=/dev/null
  . build/crawl/codes
fi
laconic site
[ "$update" = 0 ] || exit "$update"
exit "$status"
