#!/usr/bin/env bash
# Runs agents and frameworks against the proxy as their users would: a base address, a model's name with a profile behind it, and no headers.
# tests/sdk has the openai packages, LangChain and curl in full.
#
# Installs them at the versions pinned here into ${COSTEER_VENVS:-~/.cache/costeer}/clients-* (once, 0.7 GB), starts the release binary
# (COSTEER_BIN, or where cargo puts it) as big model and as proxy with a profile, runs the tests and stops both. Arguments go to pytest. Needs
# Python 3.11 or newer with venv, and curl; without Node 20 or newer its part is skipped.
set -euo pipefail

# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin clients
binary=$(release_binary)
cd "$root"
here=$root/tests/clients

# Nothing of the caller's may reach the clients or the proxy, and nothing of theirs may leave this machine.
unset "${!OPENAI_@}" "${!ANTHROPIC_@}" "${!LANGCHAIN_@}" "${!LANGSMITH_@}" "${!LITELLM_@}" "${!COSTEER__@}"
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here
export LITELLM_LOCAL_MODEL_COST_MAP=True OPENAI_AGENTS_DISABLE_TRACING=1 DSPY_CACHEDIR=$scratch/dspy

# Frameworks do not agree on one version of the openai package.
for version in openai2 openai3; do
    step "installing the packages on $version" once_venv "$cache/clients-$version" "$here/requirements-$version.txt"
done
if has_node; then
    step "installing Node's packages" once_npm "$cache/clients-node" "$here"
fi

read -ra ports < <(free_ports 4)
# What suits the tiny pair.
export COSTEER__LOCAL__MODEL=$PWD/models/tiny/slm COSTEER__UPSTREAM__TOP_K=32
export COSTEER__STEERING__STRENGTH=1 COSTEER__STEERING__DELTA_FLOOR=0.0001
export COSTEER__STORE__PATH=$scratch/profiles.db
printf 'I am vegan.\nMy dog is called Ziggy.\n' > "$scratch/facts"
"$binary" profile create ada --facts "$scratch/facts" > /dev/null
{
    start "$binary" upstream --model models/tiny/llm --name tiny-llm --listen "127.0.0.1:${ports[0]}"
    COSTEER__UPSTREAM__URL=http://127.0.0.1:${ports[0]}/v1 COSTEER__LOCAL__SLOTS=2 \
        start "$binary" serve --listen "127.0.0.1:${ports[1]}"
} >> "$scratch/log" 2>&1
# The same models, and a server that stands in for a big model which calls a function before it answers: the shipped one never wants to.
calling=$scratch/calling
cp -r models/tiny/llm "$calling"
cp "$here/calling.jinja" "$calling/chat_template.jinja"
call='<tool_call>
{"name": "shop", "arguments": {"what": "leeks"}}
</tool_call><|im_end|>'
{
    start "$binary" upstream --model "$calling" --name tiny-llm --listen "127.0.0.1:${ports[2]}" --thought "$call"
    COSTEER__UPSTREAM__URL=http://127.0.0.1:${ports[2]}/v1 COSTEER__UPSTREAM__TOKENIZER=$calling \
        start "$binary" serve --listen "127.0.0.1:${ports[3]}"
} >> "$scratch/log" 2>&1
export COSTEER_TEST_PROXY=http://127.0.0.1:${ports[1]} COSTEER_TEST_CALLER=http://127.0.0.1:${ports[3]}
# A proxy passes this question on, so its answer says that the server behind it is up as well.
step "starting" await "$COSTEER_TEST_PROXY/v1/models"
step "starting those that call" await "$COSTEER_TEST_CALLER/v1/models"

failed=0
for version in openai2 openai3; do
    step "Python on $version" "$cache/clients-$version/bin/python" -m pytest -q --tb short -p no:cacheprovider -W ignore \
        --durations 3 "$@" "$here/$version" || failed=1
done
if has_node; then
    export NODE_PATH=$cache/clients-node/node_modules
    step "Node" node --test --test-reporter spec "$here"/*.test.js || failed=1
else
    say "Node's part is skipped: it needs Node 20 or newer with npm"
fi
exit $failed
