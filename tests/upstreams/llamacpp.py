#!/usr/bin/env python3
"""Serves a GGUF file on 127.0.0.1 with llama.cpp's own HTTP server, until it is killed. Needs xllamacpp, which ships that server as a library."""
import argparse
import signal

import xllamacpp


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gguf", required=True, help="the model file")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--context", type=int, default=8192, help="tokens of context, divided evenly among the slots (default: %(default)s)")
    parser.add_argument("--slots", type=int, default=4, help="requests answered at a time (default: %(default)s)")
    parser.add_argument("--alias", default="tiny-llm", help="the model's name in the API (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="threads that compute (default: %(default)s)")
    parser.add_argument("--no-flash-attention", action="store_true", help="attention as two products of matrices")
    return parser.parse_args()


def settings(arguments: argparse.Namespace) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = arguments.gguf
    params.model_alias = {arguments.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = arguments.port
    params.n_ctx = arguments.context
    params.n_parallel = arguments.slots
    params.cpuparams.n_threads = arguments.threads
    params.endpoint_metrics = True
    params.endpoint_slots = True
    if arguments.no_flash_attention:
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    return params


def main() -> None:
    server = xllamacpp.Server(settings(parse_arguments()))
    print(f"llama.cpp listens on {server.listening_address}", flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
