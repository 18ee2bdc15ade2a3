#!/usr/bin/env bash
# Runs the conformity tests against a real server that holds the big model of the shipped pair: run.sh llamacpp|vllm|mlx|ollama.
#
# Installs the server from PyPI into ${COSTEER_VENVS:-~/.cache/costeer}/KIND, at the versions of requirements-KIND.txt (once: 0.2 GB for
# llama.cpp, 0.5 GB for mlx-lm, 6.2 GB for vLLM), starts it on a free port, runs the tests and stops it. Ollama is llama.cpp's server behind a double
# that leaves out what Ollama leaves out; Ollama's own clients read the double first, the one for JavaScript where there is Node. Needs Python
# 3.11 or newer with venv, curl and cargo.
set -euo pipefail

if [ $# != 1 ] || [[ ! $1 =~ ^(llamacpp|vllm|mlx|ollama)$ ]]; then
    echo "usage: $0 llamacpp|vllm|mlx|ollama" >&2
    exit 2
fi
kind=$1
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin "$kind"
venv=$cache/$kind
python=$venv/bin/python
# Ollama's models run in this.
llamacpp=$cache/llamacpp
cd "$root"
here=$root/tests/upstreams
model=$root/models/tiny/llm
name=tiny-llm

# serve_llamacpp [PORT]
serve_llamacpp() {
    exec "$llamacpp/bin/python" "$here/llamacpp.py" --gguf "$scratch/$name.gguf" --port "${1:-$port}" --alias "$name"
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

# With an empty cache of the hub, or it would list whatever models are there.
serve_mlx() {
    mkdir "$scratch/hub"
    export HF_HUB_OFFLINE=1 HF_HUB_CACHE=$scratch/hub
    exec "$python" -m mlx_lm server --model "$scratch/mlx" --host 127.0.0.1 --port "$port"
}

serve_ollama() {
    exec python3 "$here/ollama_double.py" --port "$port" --behind "http://127.0.0.1:$behind" --name "$name"
}

fetch() {
    curl --silent --show-error --fail --noproxy '*' --max-time 120 "$@"
}

# The first request, and with vLLM the first that asks for log-probabilities, is slow, and that is none of the tests' business.
warm_up() {
    fetch --output /dev/null --header 'content-type: application/json' \
        --data "{\"model\": \"$name\", \"prompt\": \"Hello\", \"max_tokens\": 1, \"logprobs\": 20}" "$url/v1/completions"
}

version_of() {
    "$1/bin/python" -c 'import sys; from importlib.metadata import version; print(*(f"{name} {version(name)}" for name in sys.argv[1:]))' "${@:2}"
}

version() {
    case $kind in
        llamacpp) version_of "$llamacpp" xllamacpp ;;
        vllm) fetch "$url/version" && echo ;;
        mlx) version_of "$venv" mlx-lm mlx ;;
        ollama) version_of "$llamacpp" xllamacpp && version_of "$venv" ollama ;;
    esac
}

write_gguf() {
    "$llamacpp/bin/python" "$here/make_gguf.py" "$model" "$scratch/$name.gguf"
}

# The weights are bfloat16, and so would mlx-lm's log-probabilities be, which are then whole 16ths where they are small.
write_mlx() {
    HF_HUB_OFFLINE=1 "$python" -m mlx_lm convert --hf-path "$model" --mlx-path "$scratch/mlx" --dtype float32
}

clients() {
    "$python" "$here/ollama_clients.py" "$url" "$name"
    if has_node; then
        once_npm "$cache/ollama-node" "$here/ollama-npm"
        node "$here/ollama_clients.mjs" "$cache/ollama-node" "$url" "$name"
    else
        say "skipped: npm's client needs Node 20"
    fi
}

# tests FILTER...: of the binary tests/it.
tests() {
    cargo test --release --locked --test it -- "$@" --include-ignored --nocapture --test-threads 1
}

step "installing" once_venv "$venv" "$here/requirements-$kind.txt"
if [ "$kind" = ollama ]; then
    step "installing llama.cpp's server" once_venv "$llamacpp" "$here/requirements-llamacpp.txt"
fi
case $kind in
    llamacpp | ollama) step "writing the GGUF file" write_gguf ;;
    mlx) step "writing the weights as float32" write_mlx ;;
esac
read -r port behind <<< "$(free_ports 2)"
if [ "$kind" = ollama ]; then
    start serve_llamacpp "$behind" > "$scratch/log" 2>&1
    step "starting llama.cpp's server" await "http://127.0.0.1:$behind/health" 240
fi
url=http://127.0.0.1:$port
start "serve_$kind" >> "$scratch/log" 2>&1
step "starting" await "$url/health" 240
say "version $(version)"
export COSTEER_TEST_UPSTREAM=$url
case $kind in
    llamacpp | vllm)
        step "warming up" warm_up
        step "tests" tests conformity:: fifty_answers
        # Both have text completions, too.
        COSTEER_TEST_DRIVER=completions step "tests over text completions" tests conformity_text::
        ;;
    ollama)
        step "Ollama's own clients" clients
        step "tests" tests conformity_text::
        ;;
    mlx) step "tests" tests conformity_text:: ;;
esac
