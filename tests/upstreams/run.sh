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
venvs=${COSTEER_VENVS:-$HOME/.cache/costeer}
mkdir -p "$venvs"
venv=$(cd "$venvs" && pwd)/$kind
python=$venv/bin/python
cd "$(dirname "$0")/../.."
here=$PWD/tests/upstreams
model=$PWD/models/tiny/llm
name=tiny-llm
start_limit_seconds=240

# Starts a command as a background job that is a process group of its own, so that one signal reaches all of its processes.
in_group() {
    set -m
    "$@" < /dev/null &
    set +m
}

# Runs a command as such a job, not in the foreground: bash heeds a signal while it waits, but not while a foreground command runs.
step() {
    local title=$1 began=$SECONDS status=0
    shift
    in_group "$@"
    wait $! || status=$?
    echo "$kind: $title: $((SECONDS - began)) s"
    return $status
}

server=
scratch=
# Ends what still runs: TERM to each group, and after ten seconds KILL to what is left. The list of jobs has the server and the step that a
# signal cut short; the server is named apart as well, for its other processes may outlive the first.
clean() {
    local status=$? groups
    trap '' INT TERM HUP
    if [ "$status" != 0 ] && [ "$status" -lt 128 ] && [ -s "$scratch/log" ]; then
        echo "$kind: the end of the server's log:" >&2
        tail -n 40 "$scratch/log" >&2
    fi
    groups=($(jobs -p) $server)
    groups=("${groups[@]/#/-}")
    kill -TERM -- "${groups[@]}" 2> /dev/null || true
    for _ in {1..100}; do
        # It succeeds while any of the groups has a process.
        kill -0 -- "${groups[@]}" 2> /dev/null || break
        sleep 0.1
    done
    kill -KILL -- "${groups[@]}" 2> /dev/null || true
    rm -rf "$scratch"
}
trap clean EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
scratch=$(mktemp -d)

install_server() {
    local requirements=$here/requirements-$kind.txt wanted
    exec 9> "$venv.lock"
    flock 9
    wanted="$(python3 --version) $(sha256sum < "$requirements")"
    if [ "$(cat "$venv/installed" 2> /dev/null)" = "$wanted" ]; then
        return
    fi
    # A package whose installation was cut short may look complete to pip, so an unfinished environment is made anew.
    if [ -e "$venv/unfinished" ]; then
        rm -rf "$venv"
    fi
    mkdir -p "$venv"
    touch "$venv/unfinished"
    rm -f "$venv/installed"
    python3 -m venv "$venv"
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$requirements"
    echo "$wanted" > "$venv/installed"
    rm "$venv/unfinished"
}

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

await_server() {
    local deadline=$((SECONDS + start_limit_seconds))
    until fetch --max-time 5 --output /dev/null "$url/health" 2> /dev/null; do
        if ! kill -0 "$server" 2> /dev/null; then
            echo "$kind: the server ended before it was ready" >&2
            exit 1
        fi
        if [ $SECONDS -ge $deadline ]; then
            echo "$kind: the server was not ready within $start_limit_seconds s" >&2
            exit 1
        fi
        sleep 0.2
    done
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

step "installing" install_server
if [ $kind = llamacpp ]; then
    step "writing the GGUF file" "$python" "$here/make_gguf.py" "$model" "$scratch/$name.gguf"
fi
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
in_group serve_$kind > "$scratch/log" 2>&1
server=$!
step "starting" await_server
step "warming up" warm_up
echo "$kind: version $(version)"
step "tests" env COSTEER_TEST_UPSTREAM="$url" \
    cargo test --release --locked --test it -- conformity fifty_answers --nocapture --test-threads 1
