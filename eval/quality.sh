#!/usr/bin/env bash
# Makes docs/src/quality.md and its plots: starts both models of the shipped pair and the proxy, asks the held-out questions of training/eval, and stops
# everything. Builds costeer unless COSTEER names a binary. Needs curl and requirements.txt (PYTHON names the interpreter). About 20 minutes on two
# cores; a run that was cut short goes on where it was. --compare only checks the numbers of the main set against the intervals of those that
# are there (eval/quality.json), which takes two thirds of that; remove eval/out to have everything asked again.
set -euo pipefail
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../tests/lib.sh"
begin quality
cd "$root"
python=${PYTHON:-python3}
out=eval/out
export PYTHONPATH=$root/eval
binary=$(build_binary)

start "$binary" upstream --model models/tiny/llm --slots 3 --listen 127.0.0.1:8190 > /dev/null
start "$binary" upstream --model models/tiny/slm --slots 3 --listen 127.0.0.1:8191 > /dev/null
COSTEER__SERVER__LISTEN=127.0.0.1:8192 COSTEER__UPSTREAM__URL=http://127.0.0.1:8190/v1 COSTEER__UPSTREAM__TOP_K=20 \
    COSTEER__STEERING__DELTA_FLOOR=0.0001 COSTEER__LOCAL__SLOTS=2 COSTEER__LOG__FILTER=warn start "$binary" serve
for port in 8190 8191 8192; do
    attend await "http://127.0.0.1:$port/v1/models"
done

sets=(items)
if [ "${1:-}" != --compare ]; then
    sets+=(unseen_names)
fi
for items in "${sets[@]}"; do
    attend "$python" -m costeer_eval --data "training/eval/$items.jsonl" --format world --proxy http://127.0.0.1:8192/v1 \
        --slm http://127.0.0.1:8191/v1 --strengths 0.25 0.5 1 1.8 3 --max-tokens 128 --jobs 2 --output "$out/$items" > /dev/null
done
if [ "${1:-}" = --compare ]; then
    "$python" -m costeer_eval.compare eval/quality.json "$out/items/results.json"
else
    "$python" -m costeer_eval.quality "$out/items" "$out/unseen_names" docs/src
    cp "$out/items/results.json" eval/quality.json
fi
