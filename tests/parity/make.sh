#!/usr/bin/env bash
# Makes the reference answers again, after the pair in models/tiny has changed. Takes some minutes.
# Needs: pip install torch transformers (any recent version; PYTHON names the interpreter that has them).
set -euo pipefail
cd "$(dirname "$0")"
models=../../models/tiny
for placement in system user; do
    for top_k in 20 0; do
        [ "$top_k" = 0 ] && name=full || name=$top_k
        "${PYTHON:-python3}" reference.py --llm $models/llm --slm $models/slm \
            --placement $placement --top-k $top_k < prompts.jsonl > "$placement-$name.jsonl"
    done
done
