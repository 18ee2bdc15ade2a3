#!/usr/bin/env bash
# Holds the running binary against openapi.yaml: schemathesis generates requests, valid and not, and looks at every answer. Twice: with a
# private context and without. Profiles are in a store made for this. Arguments go to schemathesis, such as --include-path-regex responses.
# Needs Python 3.11 or newer with venv, curl, and the binary (${COSTEER_BIN:-of the release build}).
set -euo pipefail
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin schema
costeer=$(release_binary)
cd "$root"
venv=$cache/schema
# For each kind of request and operation.
examples=${COSTEER_EXAMPLES:-400}

# Nobody's own profiles are touched, whichever command is run below.
export COSTEER__STORE__PATH=$scratch/profiles.db

attend once_venv "$venv" tests/schema/requirements.txt

read -r upstream proxy < <(free_ports 2)
start "$costeer" upstream --model models/tiny/llm --name tiny-llm --listen "127.0.0.1:$upstream" 2> "$scratch/log"
# Short answers: what is looked at is their shape.
COSTEER__UPSTREAM__URL=http://127.0.0.1:$upstream/v1 COSTEER__STEERING__MAX_TOKENS=12 COSTEER__LOCAL__SLOTS=2 \
    start "$costeer" serve --listen "127.0.0.1:$proxy" 2>> "$scratch/log"
attend await "http://127.0.0.1:$proxy/readyz"

# Two checks do not apply: a request that fits the schema may still ask for what cannot be steered, which is a 400, and headers that the
# schema does not name are everybody's right. Some requests make 64 answers, which takes more than the usual ten seconds where
# others want the processor, too. One worker: Python 3.11's parser fails now and then where two threads use it (SystemError, "AST
# constructor recursion depth mismatch").
for header in 'X-CoSteer-Context: I am vegan.' 'X-Nothing: 1'; do
    # Again each time: requests delete some.
    "$costeer" profile import tests/schema/profiles.jsonl
    attend "$venv/bin/schemathesis" --config-file tests/schema/schemathesis.toml run openapi.yaml --url "http://127.0.0.1:$proxy" \
        --header "$header" --max-examples "$examples" --workers 1 --request-timeout 120 \
        --exclude-checks positive_data_acceptance,negative_data_rejection --continue-on-failure --no-color --generation-database none "$@"
done
