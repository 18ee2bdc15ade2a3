#!/usr/bin/env bash
# Runs the evaluation's tests in front of the release binary (COSTEER_BIN, or where cargo puts it). Installs requirements.txt into
# ${COSTEER_VENVS:-~/.cache/costeer}/eval (once, 0.4 GB). Arguments go to pytest. Needs Python 3.11 or newer with venv.
set -euo pipefail

# shellcheck source=tests/once.sh
source "$(dirname "$0")/../../tests/once.sh"
venv=$venvs/eval
target=${CARGO_TARGET_DIR:-$HOME/.cache/costeer/target}
COSTEER=$(realpath "${COSTEER_BIN:-$target/release/costeer}")
export COSTEER PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "$0")/.."

once_venv "$venv" requirements.txt
exec "$venv/bin/python" -m pytest -q -p no:cacheprovider -rsP tests "$@"
