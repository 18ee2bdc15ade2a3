#!/usr/bin/env bash
# Recomputes the tables of README.md through the real parts: the big model's server, the proxy, the small model's server. Writes them to out/*.md.
# Needs curl and python3 with tqdm (PYTHON names another); builds costeer unless COSTEER names a binary. Takes about ten minutes on two cores.
set -euo pipefail
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../tests/lib.sh"
begin training
cd "$root"
python=${PYTHON:-python3}
binary=$(build_binary)

llm=http://127.0.0.1:8190
start "$binary" upstream --model models/tiny/llm --slots 3 --listen 127.0.0.1:8190
start "$binary" upstream --model models/tiny/slm --slots 3 --listen 127.0.0.1:8191
# Port, candidates and floor of each proxy: the floor and the number of candidates are settings of a server.
proxy() {
    COSTEER__SERVER__LISTEN=127.0.0.1:$1 COSTEER__UPSTREAM__TOP_K=$2 COSTEER__STEERING__DELTA_FLOOR=$3 COSTEER__UPSTREAM__URL=$llm/v1 \
        COSTEER__LOCAL__SLOTS=2 start "$binary" serve
}
proxy 8192 20 0
proxy 8193 20 0.0001
proxy 8194 32 0.0001
proxy 8195 1000000 0.0001
for port in 8190 8191 8192 8193 8194 8195; do
    attend await "http://127.0.0.1:$port/v1/models"
done

mkdir -p training/out
for items in items unseen_names; do
    attend "$python" training/evaluate.py --items "training/eval/$items.jsonl" --jobs 2 --output "training/out/$items.md" \
        --answers "training/out/$items.answers.jsonl" --proxy http://127.0.0.1:8192 --slm http://127.0.0.1:8191 \
        --steered "k 20, floor 0=http://127.0.0.1:8192" --steered "k 20, floor 1e-4=http://127.0.0.1:8193"
    attend "$python" training/evaluate.py --items "training/eval/$items.jsonl" --jobs 2 --output "training/out/$items.more.md" --strengths 1 \
        --steered "k 32, floor 1e-4=http://127.0.0.1:8194" --steered "whole vocabulary, floor 1e-4=http://127.0.0.1:8195"
done
