#!/usr/bin/env python3
"""Answers as Ollama does, with a genuine llama.cpp server behind it, and loses what Ollama loses: events without text, and so the end of turn.

    python ollama_double.py --port 11434 --behind http://127.0.0.1:8080 --name tiny-llm

Ollama itself is no package of an index. Since May 2026 it runs GGUF models in llama.cpp's server, as this does. Its answers' shapes are those
that its own clients read (ollama_clients.py, ollama_clients.mjs). Standard library only.
"""
import argparse
import http.server
import itertools
import json
import urllib.error
import urllib.request

ARGUMENTS = argparse.Namespace()
TIME = "2026-11-26T00:00:00.000000Z"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--behind", required=True, help="the address of llama.cpp's server")
    parser.add_argument("--name", default="tiny-llm", help="the model's name (default: %(default)s)")
    return parser.parse_args()


def entry(token: dict) -> dict:
    return {"token": token["token"], "logprob": token["logprob"], "bytes": token["bytes"]}


def completion(request: dict):
    """The events of llama.cpp's answer to a request to Ollama."""
    options = request.get("options", {})
    body = {
        "prompt": request["prompt"],
        "n_predict": options.get("num_predict", -1),
        "temperature": options.get("temperature", 0.8),
        "top_p": options.get("top_p", 0.9),
        "min_p": options.get("min_p", 0.0),
        "repeat_penalty": options.get("repeat_penalty", 1.1),
        "n_probs": request.get("top_logprobs", 0) if request.get("logprobs") else 0,
        "stream": True,
    }
    if request.get("format"):
        body["json_schema"] = request["format"]
    address = ARGUMENTS.behind + "/completion"
    question = urllib.request.Request(address, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(question) as answer:
        for line in answer:
            if line.startswith(b"data: "):
                yield json.loads(line[len(b"data: "):])


def lines(request: dict):
    """What Ollama makes of them."""
    count = 0
    for event in completion(request):
        if event.get("content"):
            count += 1
            lists = [entry(one) | {"top_logprobs": [entry(other) for other in one["top_logprobs"]]} for one in event.get("completion_probabilities", [])]
            line = {"model": ARGUMENTS.name, "created_at": TIME, "response": event["content"], "done": False}
            yield line | ({"logprobs": lists} if lists else {})
        if event.get("stop"):
            reason = "length" if event.get("stop_type") == "limit" else "stop"
            yield {"model": ARGUMENTS.name, "created_at": TIME, "response": "", "done": True, "done_reason": reason, "total_duration": 1, "eval_count": count}


def whole(request: dict) -> dict:
    every = list(lines(request))
    lists = [one for line in every for one in line.get("logprobs", [])]
    return every[-1] | {"response": "".join(line["response"] for line in every)} | ({"logprobs": lists} if lists else {})


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments) -> None:
        pass

    def answer(self, body: dict, status: int = 200) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        model = {"name": ARGUMENTS.name, "model": ARGUMENTS.name}
        known = {
            "/api/version": {"version": "0.13.1"},
            "/api/tags": {"models": [model]},
            "/v1/models": {"object": "list", "data": [{"id": ARGUMENTS.name, "object": "model", "created": 1, "owned_by": "library"}]},
            "/health": {"status": "ok"},
        }
        self.answer(known.get(self.path, {"error": "not found"}), 200 if self.path in known else 404)

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path != "/api/generate" or not request.get("raw"):
            self.answer({"error": "not found"}, 404)
        elif request.get("model") != ARGUMENTS.name:
            self.answer({"error": f"model {request.get('model')!r} not found"}, 404)
        else:
            try:
                self.stream(request) if request.get("stream", True) else self.answer(whole(request))
            except urllib.error.URLError as error:
                self.answer({"error": f"llama.cpp's server behind this one: {error}"}, 502)

    def stream(self, request: dict) -> None:
        answer = lines(request)
        first = next(answer)
        self.send_response(200)
        self.send_header("content-type", "application/x-ndjson")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            for line in itertools.chain([first], answer):
                data = json.dumps(line).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            # The client has left, and with this the request behind ends, too.
            self.close_connection = True


def main() -> None:
    global ARGUMENTS
    ARGUMENTS = parse_arguments()
    http.server.ThreadingHTTPServer(("127.0.0.1", ARGUMENTS.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
