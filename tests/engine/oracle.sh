#!/usr/bin/env bash
# Holds steered answers against what the small model answers when it has read the private context itself: oracle.sh LOCAL UPSTREAM.gguf [OPTION...].
#
# LOCAL is what the proxy takes for local.model. UPSTREAM.gguf is what llama.cpp's server holds, as the upstream and as the judge (oracle.py says why).
# Options go to oracle.py. With the files that models.sh makes in DIRECTORY:
#
#     oracle.sh DIRECTORY/hf DIRECTORY/F16.gguf
#     COSTEER__LOCAL__ENGINE=llamacpp oracle.sh DIRECTORY/F16.gguf DIRECTORY/F16.gguf
#     oracle.sh DIRECTORY/Q8_0.gguf DIRECTORY/Q8_0.gguf --share 0.5
#
# The proxy is the release binary (COSTEER_BIN, or where cargo puts it), and heeds the caller's variables COSTEER__*. With
# COSTEER__LOCAL__FLASH_ATTENTION=false the server computes without flash attention as well. The packages are those of models.sh.
# Needs Python 3.11 or newer with venv, and curl.
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: $0 LOCAL UPSTREAM.gguf [OPTION...]" >&2
    exit 2
fi
local_model=$(realpath "$1")
upstream_model=$(realpath "$2")
shift 2
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin oracle
binary=$(release_binary)
python=$cache/engine/bin/python
cd "$root"
step "installing" once_venv "$cache/engine" tests/engine/requirements.txt

read -ra ports < <(free_ports 2)
upstream=http://127.0.0.1:${ports[0]}
proxy=http://127.0.0.1:${ports[1]}
# Where log p_LLM + delta is log p_private.
export COSTEER__STEERING__STRENGTH=1 COSTEER__STEERING__DELTA_FLOOR=0 COSTEER__STEERING__EXACTNESS=refetch
export COSTEER__CONTEXT__PLACEMENT=system COSTEER__VOCABULARY__ALIGNMENT=identical
export COSTEER__LOCAL__MODEL=$local_model COSTEER__UPSTREAM__URL=$upstream/v1
server=(--gguf "$upstream_model" --port "${ports[0]}" --alias smollm2)
if [ "${COSTEER__LOCAL__FLASH_ATTENTION:-}" = false ]; then server+=(--no-flash-attention); fi
start "$python" tests/upstreams/llamacpp.py "${server[@]}" >> "$scratch/log" 2>&1
step "starting the upstream" await "$upstream/health" 120
start "$binary" serve --listen "127.0.0.1:${ports[1]}" >> "$scratch/log" 2>&1
step "starting the proxy" await "$proxy/v1/models" 240
# What fails from here on is an answer, and the servers' log would bury it.
mv "$scratch/log" "$scratch/started"
step "judging" "$python" tests/engine/oracle.py --proxy "$proxy" --judge "$upstream" "$@"
