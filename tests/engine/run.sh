#!/usr/bin/env bash
# Runs the integration tests with a small model that llama.cpp runs: the shipped one, written as a GGUF file in F32.
#
# Needs cmake and libclang to build, and Python 3.11 or newer with venv. The packages that write the file are installed once into
# ${COSTEER_VENVS:-~/.cache/costeer}/engine.
set -euo pipefail
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin engine
cd "$root"
step "installing" once_venv "$cache/engine" tests/engine/requirements.txt
mkdir "$scratch/slm"
cp models/tiny/slm/*.json "$scratch/slm/"
step "writing the GGUF file" "$cache/engine/bin/python" tests/upstreams/make_gguf.py models/tiny/slm "$scratch/slm/slm.gguf"

# What depends on the engine. The others would only be run twice.
suites=(alignment:: choices:: conformity:: failover:: giving_up:: golden:: leaks:: llamacpp:: lookahead:: options:: parity:: slots:: steered:: trace::)
COSTEER__LOCAL__MODEL=$scratch/slm/slm.gguf attend cargo test --release --locked --features llamacpp --test it -- "${suites[@]}" "$@"
