#!/usr/bin/env bash
# Runs the evaluation's tests in front of the release binary (COSTEER_BIN, or where cargo puts it). Installs requirements.txt into
# ${COSTEER_VENVS:-~/.cache/costeer}/eval (once, 0.4 GB). Arguments go to pytest. Needs Python 3.11 or newer with venv.
set -euo pipefail

# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../../tests/lib.sh"
begin evaluation
venv=$cache/eval
COSTEER=$(release_binary)
export COSTEER PYTHONDONTWRITEBYTECODE=1
cd "$root/eval"

attend once_venv "$venv" requirements.txt
attend "$venv/bin/python" -m pytest -q -p no:cacheprovider -rsP tests "$@"
