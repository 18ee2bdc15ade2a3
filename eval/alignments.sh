#!/usr/bin/env bash
# Makes docs/src/alignment.md: the shipped big model, steered by the small model of its own vocabulary, and by the one of another vocabulary with both ways of
# bringing them together. Starts and stops everything. Builds costeer unless COSTEER names a binary. Needs curl and requirements.txt (PYTHON names the
# interpreter). About 15 minutes on two cores; a run that was cut short goes on where it was.
set -euo pipefail
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../tests/lib.sh"
begin alignments
cd "$root"
python=${PYTHON:-python3}
out=eval/out/alignments
export PYTHONPATH=$root/eval
binary=$(build_binary)

start "$binary" upstream --model models/tiny/llm --slots 3 --listen 127.0.0.1:8190 > /dev/null
# Port, small model and alignment of each proxy.
proxy() {
    COSTEER__SERVER__LISTEN=127.0.0.1:$1 COSTEER__UPSTREAM__URL=http://127.0.0.1:8190/v1 COSTEER__UPSTREAM__TOKENIZER=models/tiny/llm \
        COSTEER__LOCAL__MODEL=$2 COSTEER__VOCABULARY__ALIGNMENT=$3 COSTEER__STEERING__DELTA_FLOOR=0.0001 COSTEER__LOCAL__SLOTS=2 \
        COSTEER__LOG__FILTER=warn start "$binary" serve
}
proxy 8192 models/tiny/slm identical
proxy 8193 models/tiny/slm-pieces/model.gguf intersection
proxy 8194 models/tiny/slm-pieces/model.gguf bytes
for port in 8190 8192 8193 8194; do
    attend await "http://127.0.0.1:$port/v1/models"
done

for items in items unseen_names; do
    for proxy in 8192:identical 8193:intersection 8194:bytes; do
        attend "$python" -m costeer_eval --data "training/eval/$items.jsonl" --format world --proxy "http://127.0.0.1:${proxy%:*}/v1" \
            --strengths 1 --max-tokens 128 --jobs 2 --output "$out/$items-${proxy#*:}" > /dev/null
    done
done
"$python" -m costeer_eval.alignments "$out" docs/src/alignment.md
