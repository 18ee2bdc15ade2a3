#!/bin/sh
# Trains the pair again from nothing, side by side on two cores, then the second small model from the first, and writes all to models/tiny.
# See README.md.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
# Large allocations are kept instead of being returned to the system at every step: a fifth of the time otherwise.
export OMP_NUM_THREADS=1 MALLOC_MMAP_THRESHOLD_=1000000000 MALLOC_TRIM_THRESHOLD_=1000000000
mkdir -p out
"$python" -m pair.train slm > out/slm.log 2>&1 &
slm=$!
"$python" -m pair.train llm > out/llm.log 2>&1 &
llm=$!
wait "$slm"
wait "$llm"
"$python" -m pair.export slm llm
"$python" -m pair.train slm-pieces > out/slm-pieces.log 2>&1
"$python" -m pair.export slm-pieces
for items in items unseen_names recall; do
    "$python" -m pair.measure "eval/$items.jsonl"
done
