#!/usr/bin/env bash
# Commits what a crawl changed to a branch of origin; nothing where nothing changed. Usage: push.sh BRANCH
# Exit code 5: the branch's catalog is no longer the one that was crawled from, so the crawl is to be done anew.
# Generated files are never merged or rebased: on a branch that only moved elsewhere they are committed anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
branch=$1
crawl=$PWD/build/crawl
tree=build/push
clear_tree() { git worktree remove --force "$tree" 2>/dev/null || rm -rf "$tree"; }
trap clear_tree EXIT

for try in 1 2 3; do
  git fetch --quiet origin "refs/heads/$branch"
  if [ "$(git rev-parse FETCH_HEAD:catalog)" != "$(cat "$crawl/derived-from")" ]; then
    echo "catalog/ on $branch changed since the crawl began"
    exit 5
  fi
  clear_tree
  git worktree prune
  git worktree add --quiet --detach "$tree" FETCH_HEAD
  rm -rf "$tree/catalog/snapshot"
  cp -R "$crawl/snapshot" "$tree/catalog/snapshot"
  git -C "$tree" add --all catalog/snapshot
  if git -C "$tree" diff --cached --quiet; then
    echo "no data changed, so nothing is committed"
    exit 0
  fi
  python3 scripts/schedule/told.py message catalog/snapshot "$crawl/snapshot" >build/message
  git -C "$tree" commit --quiet --file "$PWD/build/message"
  if git -C "$tree" push --quiet origin "HEAD:refs/heads/$branch"; then
    head -n 1 build/message
    exit 0
  fi
  sleep "$try"
done
echo "pushing to $branch failed three times" >&2
exit 1
