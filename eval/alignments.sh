#!/usr/bin/env bash
# Makes docs/src/alignment.md: the shipped big model, steered by the small model of its own vocabulary, and by the one of another vocabulary with both ways of
# bringing them together. Starts and stops everything. Builds costeer unless COSTEER names a binary. Needs requirements.txt (PYTHON names the
# interpreter). About 15 minutes on two cores; a run that was cut short goes on where it was.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
out=eval/out/alignments
export PYTHONPATH=$PWD/eval
if [ -z "${COSTEER:-}" ]; then
    cargo build --release --locked
    COSTEER=${CARGO_TARGET_DIR:-target}/release/costeer
fi

servers=()
stop() {
    kill "${servers[@]}" 2> /dev/null || true
    wait
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$COSTEER" upstream --model models/tiny/llm --slots 3 --listen 127.0.0.1:8190 > /dev/null &
servers+=($!)
# Port, small model and alignment of each proxy.
proxy() {
    COSTEER__SERVER__LISTEN=127.0.0.1:$1 COSTEER__UPSTREAM__URL=http://127.0.0.1:8190/v1 COSTEER__UPSTREAM__TOKENIZER=models/tiny/llm \
        COSTEER__LOCAL__MODEL=$2 COSTEER__VOCABULARY__ALIGNMENT=$3 COSTEER__STEERING__DELTA_FLOOR=0.0001 COSTEER__LOCAL__SLOTS=2 \
        COSTEER__LOG__FILTER=warn "$COSTEER" serve &
    servers+=($!)
}
proxy 8192 models/tiny/slm identical
proxy 8193 models/tiny/slm-pieces/model.gguf intersection
proxy 8194 models/tiny/slm-pieces/model.gguf bytes
for port in 8190 8192 8193 8194; do
    until "$python" -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/v1/models')" 2> /dev/null; do
        sleep 0.5
    done
done

for items in items unseen_names; do
    for proxy in 8192:identical 8193:intersection 8194:bytes; do
        "$python" -m costeer_eval --data "training/eval/$items.jsonl" --format world --proxy "http://127.0.0.1:${proxy%:*}/v1" \
            --strengths 1 --max-tokens 128 --jobs 2 --output "$out/$items-${proxy#*:}" > /dev/null
    done
done
"$python" -m costeer_eval.alignments "$out" docs/src/alignment.md
