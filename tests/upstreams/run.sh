#!/usr/bin/env bash
# Runs the conformity tests against a real server that holds the big model of the shipped pair: run.sh llamacpp, or run.sh vllm.
#
# Installs the server from PyPI into ${COSTEER_VENVS:-~/.cache/costeer}/KIND, at the versions of requirements-KIND.txt (once: 0.2 GB for
# llama.cpp, 6.2 GB for vLLM), starts it on a free port, runs the tests and stops it. Needs Python 3.11 or newer with venv, curl and cargo.
set -euo pipefail

if [ $# != 1 ] || [[ $1 != llamacpp && $1 != vllm ]]; then
    echo "usage: $0 llamacpp|vllm" >&2
    exit 2
fi
kind=$1
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin "$kind"
venv=$cache/$kind
python=$venv/bin/python
cd "$root"
here=$root/tests/upstreams
model=$root/models/tiny/llm
name=tiny-llm

serve_llamacpp() {
    exec "$python" "$here/llamacpp.py" --gguf "$scratch/$name.gguf" --port "$port" --alias "$name"
}

# From an empty directory, since "python -m" also looks for modules in the current one. The wheel's own command, vllm, does not start.
serve_vllm() {
    mkdir "$scratch/empty" "$scratch/tmp"
    cd "$scratch/empty"
    export TMPDIR=$scratch/tmp VLLM_CACHE_ROOT=$scratch/tmp VLLM_CONFIG_ROOT=$scratch/tmp
    export VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1 HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1
    export VLLM_CPU_KVCACHE_SPACE=1 OMP_NUM_THREADS=2
    # The context is the model's own and --max-logprobs is not given: the tests are to meet the limits that vLLM has by default.
    exec "$python" -m vllm.entrypoints.openai.api_server --model "$model" --served-model-name "$name" --host 127.0.0.1 --port "$port" \
        --dtype float32 --max-num-seqs 8 --enforce-eager
}

fetch() {
    curl --silent --show-error --fail --noproxy '*' --max-time 120 "$@"
}

# The first request, and with vLLM the first that asks for log-probabilities, is slow, and that is none of the tests' business.
warm_up() {
    fetch --output /dev/null --header 'content-type: application/json' \
        --data "{\"model\": \"$name\", \"prompt\": \"Hello\", \"max_tokens\": 1, \"logprobs\": 20}" "$url/v1/completions"
}

version() {
    case $kind in
        llamacpp) "$python" -c 'from importlib.metadata import version; print("xllamacpp", version("xllamacpp"))' ;;
        vllm) fetch "$url/version" && echo ;;
    esac
}

step "installing" once_venv "$venv" "$here/requirements-$kind.txt"
if [ "$kind" = llamacpp ]; then
    step "writing the GGUF file" "$python" "$here/make_gguf.py" "$model" "$scratch/$name.gguf"
fi
port=$(free_ports 1)
url=http://127.0.0.1:$port
start "serve_$kind" > "$scratch/log" 2>&1
step "starting" await "$url/health" 240
step "warming up" warm_up
say "version $(version)"
step "tests" env COSTEER_TEST_UPSTREAM="$url" \
    cargo test --release --locked --test it -- conformity fifty_answers --include-ignored --nocapture --test-threads 1
