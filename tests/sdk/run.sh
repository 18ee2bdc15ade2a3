#!/usr/bin/env bash
# Runs the clients that people use against the proxy: the openai packages for Python and Node, LangChain's ChatOpenAI, and curl.
#
# Installs them at the versions pinned here into ${COSTEER_VENVS:-~/.cache/costeer}/sdk and sdk-node (once, 0.15 GB), starts the release
# binary (COSTEER_BIN, or where cargo puts it) as big model and as proxy, runs the tests and stops both. Arguments go to pytest, for example
# "-k stop". Needs Python 3.11 or newer with venv, and curl; without Node 20 or newer its part is skipped.
set -euo pipefail

# shellcheck source=tests/once.sh
source "$(dirname "$0")/../once.sh"
venv=$venvs/sdk
node_home=$venv-node
python=$venv/bin/python
target=${CARGO_TARGET_DIR:-$HOME/.cache/costeer/target}
binary=$(realpath "${COSTEER_BIN:-$target/release/costeer}")
cd "$(dirname "$0")/../.."
here=$PWD/tests/sdk
start_limit_seconds=60

# Nothing of the caller's may reach the clients or the proxy: keys, tracing, settings, a proxy on the way to this machine.
unset ${!OPENAI_@} ${!LANGCHAIN_@} ${!LANGSMITH_@} ${!COSTEER__@}
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 PYTHONDONTWRITEBYTECODE=1

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
    echo "sdk: $title: $((SECONDS - began)) s"
    return $status
}

scratch=
# Ends what still runs, the servers among it: TERM to each group, and after ten seconds KILL to what is left.
clean() {
    local status=$? groups
    trap '' INT TERM HUP
    if [ "$status" != 0 ] && [ "$status" -lt 128 ] && [ -s "$scratch/log" ]; then
        echo "sdk: the end of the servers' log:" >&2
        tail -n 40 "$scratch/log" >&2
    fi
    groups=($(jobs -p))
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

servers=()
# A big model and a proxy in front of it: start_pair PORT PORT SLOTS QUEUE PACE.
start_pair() {
    in_group "$binary" upstream --model models/tiny/llm --name tiny-llm --listen "127.0.0.1:$1" --pace-ms "$5"
    servers+=($!)
    COSTEER__UPSTREAM__URL=http://127.0.0.1:$1/v1 COSTEER__LOCAL__SLOTS=$3 COSTEER__LOCAL__QUEUE=$4 \
        in_group "$binary" serve --listen "127.0.0.1:$2"
    servers+=($!)
} >> "$scratch/log" 2>&1

# A proxy passes this question on, so its answer says that the server behind it is up as well.
await() {
    local deadline=$((SECONDS + start_limit_seconds)) server
    until curl --silent --fail --noproxy '*' --max-time 5 --output /dev/null "$1/v1/models"; do
        for server in "${servers[@]}"; do
            if ! kill -0 "$server" 2> /dev/null; then
                echo "sdk: a server ended before it was ready" >&2
                return 1
            fi
        done
        if [ $SECONDS -ge $deadline ]; then
            echo "sdk: $1 was not ready within $start_limit_seconds s" >&2
            return 1
        fi
        sleep 0.1
    done
}

step "installing Python's packages" once_venv "$venv" "$here/requirements-sdk.txt"
if has_node; then
    step "installing Node's package" once_npm "$node_home" "$here"
fi

ports=($("$python" -c '
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
print(*(one.getsockname()[1] for one in held))'))
# What suits the tiny pair.
export COSTEER__LOCAL__MODEL=$PWD/models/tiny/slm COSTEER__UPSTREAM__TOP_K=32
export COSTEER__STEERING__STRENGTH=1 COSTEER__STEERING__DELTA_FLOOR=0.0001
start_pair "${ports[0]}" "${ports[1]}" 2 32 0
# For what must happen in the middle of an answer: one slot, nobody may wait for it, and a token takes its time.
start_pair "${ports[2]}" "${ports[3]}" 1 0 100
# What the tests are told; they start more proxies themselves.
export COSTEER_TEST_BINARY=$binary
export COSTEER_TEST_UPSTREAM=http://127.0.0.1:${ports[0]}
export COSTEER_TEST_PROXY=http://127.0.0.1:${ports[1]}
export COSTEER_TEST_SLOW_PROXY=http://127.0.0.1:${ports[3]}
step "starting" await "$COSTEER_TEST_PROXY"
step "starting the slow pair" await "$COSTEER_TEST_SLOW_PROXY"

failed=0
step "Python and curl" "$python" -m pytest -q --tb short -p no:cacheprovider --durations 3 "$@" "$here" || failed=1
if has_node; then
    export NODE_PATH=$node_home/node_modules
    step "Node" node --test --test-reporter spec "$here/openai.test.js" || failed=1
else
    echo "sdk: Node's part is skipped: it needs Node 20 or newer with npm"
fi
exit $failed
