#!/usr/bin/env bash
# What the schedule needs, and no more: data and site, without the lab. A virtual environment that is there is kept.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ ! -x .venv/bin/python ] || exit 0
python3.11 -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
