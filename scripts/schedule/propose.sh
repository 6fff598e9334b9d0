#!/usr/bin/env bash
# One pull request for each thing that only a person can decide: a list that lost a fifth of its entries, a list that
# moved. Merging says yes, closing says no and is not asked about again. Usage: propose.sh BRANCH, after push.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
branch=$1
crawl=$PWD/build/crawl
tree=build/propose
clear_tree() { git worktree remove --force "$tree" 2>/dev/null || rm -rf "$tree"; }
trap clear_tree EXIT

python3 scripts/schedule/told.py decisions "$crawl" >build/decisions
while IFS=$'\t' read -r kind list head target <&3; do
  state=$(gh pr list --head "$head" --state all --limit 1 --json state --jq '.[0].state // ""')
  [ -z "$state" ] || [ "$state" = OPEN ] || continue
  git fetch --quiet origin "refs/heads/$branch"
  clear_tree
  git worktree prune
  git worktree add --quiet --detach "$tree" FETCH_HEAD
  if [ "$kind" = shrunken ]; then
    rm -rf "$tree/catalog/snapshot"
    cp -R "$crawl/accepted/$list" "$tree/catalog/snapshot"
  else
    python3 scripts/schedule/told.py follow "$tree/catalog/sources.toml" "$list" "$target"
  fi
  git -C "$tree" add --all catalog
  ! git -C "$tree" diff --cached --quiet || continue
  python3 scripts/schedule/told.py proposal "$crawl" "$kind" "$list" "$target" >build/proposal
  git -C "$tree" commit --quiet --file "$PWD/build/proposal"
  if git fetch --quiet origin "refs/heads/$head" 2>/dev/null; then
    standing=$(git rev-parse 'FETCH_HEAD^{tree}')
    [ "$standing" != "$(git -C "$tree" rev-parse 'HEAD^{tree}')" ] || [ -z "$state" ] || continue
  fi
  git -C "$tree" push --quiet --force origin "HEAD:refs/heads/$head"
  [ -z "$state" ] || continue
  sed 1,2d build/proposal >build/proposal.md
  gh pr create --base "$branch" --head "$head" --title "$(head -n 1 build/proposal)" --body-file build/proposal.md
done 3<build/decisions
