#!/usr/bin/env bash
# Imports files that others have written with the real program: random ones of Python's own modules, texts of the crates that cargo has fetched,
# and the mails of CPython's tests.
#
# Installs PyYAML and pytest into ${COSTEER_VENVS:-~/.cache/costeer} (once, 20 MB), and takes the release binary (COSTEER_BIN, or where cargo puts
# it). Arguments go to pytest, for example "-k mail". COSTEER_FILES_MANY is how many notes the test of speed makes. Needs Python
# 3.11 or newer with venv.
set -euo pipefail

# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin files
COSTEER_TEST_BINARY=$(release_binary)
export COSTEER_TEST_BINARY PYTHONDONTWRITEBYTECODE=1
unset "${!COSTEER__@}"
here=$root/tests/files
venv=$cache/files

step "installing Python's packages" once_venv "$venv" "$here/requirements-files.txt"
step "the tests" "$venv/bin/python" -m pytest -q --tb short -p no:cacheprovider --capture no --durations 3 "$@" "$here"
