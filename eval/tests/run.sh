#!/usr/bin/env bash
# Runs the evaluation's tests in front of the release binary (COSTEER_BIN, or where cargo puts it). Installs requirements.txt into
# ${COSTEER_VENVS:-~/.cache/costeer}/eval (once, 0.4 GB). Arguments go to pytest. Needs Python 3.11 or newer with venv.
set -euo pipefail

caches=${COSTEER_VENVS:-$HOME/.cache/costeer}
mkdir -p "$caches"
venv=$(cd "$caches" && pwd)/eval
target=${CARGO_TARGET_DIR:-$HOME/.cache/costeer/target}
COSTEER=$(realpath "${COSTEER_BIN:-$target/release/costeer}")
export COSTEER PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "$0")/.."

exec 9> "$venv.lock"
flock 9
wanted="$(python3 --version) $(sha256sum < requirements.txt)"
if [ "$(cat "$venv/installed" 2> /dev/null)" != "$wanted" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements.txt
    echo "$wanted" > "$venv/installed"
fi
exec "$venv/bin/python" -m pytest -q -p no:cacheprovider -rsP tests "$@"
