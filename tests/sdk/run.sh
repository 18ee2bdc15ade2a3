#!/usr/bin/env bash
# Runs the clients that people use against the proxy: the openai packages for Python and Node, LangChain, the AI SDK, and curl.
#
# Installs them at the versions pinned here into ${COSTEER_VENVS:-~/.cache/costeer}/sdk and sdk-node (once, 0.15 GB), starts the release
# binary (COSTEER_BIN, or where cargo puts it) as big model and as proxy, runs the tests and stops both. Arguments go to pytest, for example
# "-k stop". Needs Python 3.11 or newer with venv, and curl; without Node 20 or newer its part is skipped.
set -euo pipefail

# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin sdk
binary=$(release_binary)
venv=$cache/sdk
node_home=$venv-node
python=$venv/bin/python
cd "$root"
here=$root/tests/sdk

# Nothing of the caller's may reach the clients or the proxy: keys, tracing, settings, a proxy on the way to this machine.
unset "${!OPENAI_@}" "${!LANGCHAIN_@}" "${!LANGSMITH_@}" "${!COSTEER__@}"
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 PYTHONDONTWRITEBYTECODE=1

# A big model and a proxy in front of it: start_pair PORT PORT SLOTS QUEUE PACE [FLAG...].
start_pair() {
    start "$binary" upstream --model models/tiny/llm --name tiny-llm --listen "127.0.0.1:$1" --pace-ms "$5" "${@:6}"
    COSTEER__UPSTREAM__URL=http://127.0.0.1:$1/v1 COSTEER__LOCAL__SLOTS=$3 COSTEER__LOCAL__QUEUE=$4 \
        start "$binary" serve --listen "127.0.0.1:$2"
} >> "$scratch/log" 2>&1

step "installing Python's packages" once_venv "$venv" "$here/requirements-sdk.txt"
if has_node; then
    step "installing Node's package" once_npm "$node_home" "$here"
fi

read -ra ports < <(free_ports 6)
# What suits the tiny pair.
export COSTEER__LOCAL__MODEL=$PWD/models/tiny/slm COSTEER__UPSTREAM__TOP_K=32
export COSTEER__STEERING__STRENGTH=1 COSTEER__STEERING__DELTA_FLOOR=0.0001
start_pair "${ports[0]}" "${ports[1]}" 2 32 0
# For what must happen in the middle of an answer: one lane, nobody may wait for it, and a token takes its time.
start_pair "${ports[2]}" "${ports[3]}" 1 0 100
# A big model that thinks. Its marks are no tokens of their own, and no template has them.
export COSTEER_TEST_THOUGHT="They want a dinner. I could say soup."
COSTEER__UPSTREAM__THINKING_MARKERS="<think>,</think>" \
    start_pair "${ports[4]}" "${ports[5]}" 2 32 0 --thought $'<think>\n'"$COSTEER_TEST_THOUGHT"$'\n</think>\n\n'
# What the tests are told; they start more proxies themselves.
export COSTEER_TEST_BINARY=$binary
export COSTEER_TEST_UPSTREAM=http://127.0.0.1:${ports[0]}
export COSTEER_TEST_PROXY=http://127.0.0.1:${ports[1]}
export COSTEER_TEST_SLOW_PROXY=http://127.0.0.1:${ports[3]}
export COSTEER_TEST_THINKING_PROXY=http://127.0.0.1:${ports[5]}
# A proxy passes this question on, so its answer says that the server behind it is up as well.
step "starting" await "$COSTEER_TEST_PROXY/v1/models"
step "starting the slow pair" await "$COSTEER_TEST_SLOW_PROXY/v1/models"
step "starting the pair that thinks" await "$COSTEER_TEST_THINKING_PROXY/v1/models"

failed=0
step "Python and curl" "$python" -m pytest -q --tb short -p no:cacheprovider --durations 3 "$@" "$here" || failed=1
if has_node; then
    export NODE_PATH=$node_home/node_modules
    step "Node" node --test --test-reporter spec "$here/openai.test.js" "$here/reasoning.test.js" || failed=1
else
    say "Node's part is skipped: it needs Node 20 or newer with npm"
fi
exit $failed
