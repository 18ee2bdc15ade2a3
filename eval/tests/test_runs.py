import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from conftest import ROOT

from costeer_eval.client import Client, Refused, Unreachable
from costeer_eval.journal import Journal, OtherRun


def evaluation(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "eval")}
    return subprocess.Popen([sys.executable, "-m", "costeer_eval", *map(str, arguments)], env=environment, stderr=subprocess.PIPE, text=True, **options)


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def keys(path):
    return [(row["system"], row["id"]) for row in lines(path)[1:]]


def killed_and_resumed(output, *arguments):
    """Runs, kills when at least half is done, resumes; rows at the kill and at the end."""
    journal = output / "answers.jsonl"
    total = int(arguments[arguments.index("--limit") + 1]) * 2
    run = evaluation(*arguments, "--output", output, stdout=subprocess.DEVNULL)
    while not journal.exists() or len(journal.read_bytes().splitlines()) <= total // 2:
        assert run.poll() is None, run.stderr.read()
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    before = journal.read_text(encoding="utf-8").rpartition("\n")[0]
    resumed = evaluation(*arguments, "--output", output, stdout=subprocess.PIPE)
    said, told = resumed.communicate()
    assert resumed.returncode == 0, told
    after = journal.read_text(encoding="utf-8")
    assert after.startswith(before), "what had been answered has changed"
    assert len(keys(journal)) == len(set(keys(journal))) == total
    return before.count("\n"), total, said


def test_a_run_that_is_killed_goes_on(servers, tmp_path):
    data = ROOT / "training/eval/items.jsonl"
    proxy, _ = servers
    arguments = ("--data", data, "--format", "world", "--proxy", proxy, "--limit", "20", "--max-tokens", "64")
    before, total, said = killed_and_resumed(tmp_path, *arguments)
    assert 0 < before < total and "steered@1" in said
    for name in ("results.json", "results.md", "quality-strength.svg", "quality-speed.svg"):
        assert (tmp_path / name).stat().st_size > 0
    # Once more there is nothing to ask, so no server is needed.
    again = evaluation(*arguments[:5], "http://127.0.0.1:1/v1", *arguments[6:], "--output", tmp_path, stdout=subprocess.PIPE)
    assert again.communicate()[0] == said and again.returncode == 0


def test_the_real_profiles_from_start_to_end(servers, tmp_path):
    data = ROOT / "../shared/datasets/cogenesis.jsonl"
    if not data.exists():
        pytest.skip(f"{data} is not there")
    proxy, _ = servers
    arguments = ("--data", data, "--format", "cogenesis", "--proxy", proxy, "--limit", "120", "--max-tokens", "16", "--max-context-chars", "400")
    before, total, said = killed_and_resumed(tmp_path, *arguments)
    print(f"{before} of {total} rows at the kill, {total - before} afterwards, none repeated or lost\n{said}")


def test_private_text_is_sent_only_where_that_is_said(servers, tmp_path):
    proxy, slm = servers
    arguments = ("--data", ROOT / "training/eval/items.jsonl", "--format", "world", "--llm", proxy, "--limit", "2", "--output", tmp_path)
    refused = evaluation(*arguments)
    assert refused.wait() == 2 and "--i-know-this-sends-private-text" in refused.stderr.read()
    run = evaluation(*arguments, "--i-know-this-sends-private-text", "--slm", slm, stdout=subprocess.PIPE)
    said, told = run.communicate()
    assert run.returncode == 0 and "llm_with_context" in said and "slm_with_context" in said, told


def test_mistakes_are_told(tmp_path):
    data = ROOT / "training/eval/items.jsonl"
    nobody = ("--data", data, "--format", "world", "--proxy", "http://127.0.0.1:1/v1", "--limit", "1", "--output", tmp_path)
    run = evaluation(*nobody)
    assert run.wait() == 1 and "http://127.0.0.1:1/v1/models does not answer" in run.stderr.read()
    wrong = evaluation("--data", data, "--format", "cogenesis", "--proxy", "http://127.0.0.1:1/v1", "--output", tmp_path)
    assert wrong.wait() == 1 and "line 1, is no row of cogenesis" in wrong.stderr.read()


def test_a_journal_drops_a_torn_line_and_refuses_another_run(tmp_path):
    path = tmp_path / "answers.jsonl"
    journal = Journal(path, {"seed": 1, "format": "world"})
    journal.add({"system": "plain", "id": "1", "answer": "a"})
    journal.add({"system": "plain", "id": "2", "error": "busy"})
    with pytest.raises(OtherRun, match="another run"):
        Journal(path, {"seed": 1, "format": "world"})
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"system": "plain", "id": "3", "ans')
    again = Journal(path, {"seed": 1, "format": "world"})
    assert again.is_done("plain", "1") and not again.is_done("plain", "2") and not again.is_done("plain", "3")
    again.add({"system": "plain", "id": "2", "answer": "b"})
    assert again.is_done("plain", "2")
    again.close()
    with pytest.raises(OtherRun, match="another seed"):
        Journal(path, {"seed": 2, "format": "world"})


class Moody(BaseHTTPRequestHandler):
    """A server that is busy twice, then answers; some questions it refuses."""

    busy = 2

    def do_GET(self):
        self.answer(200, {"data": [{"id": "model"}]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if "refuse" in body["messages"][0]["content"]:
            self.answer(400, {"error": {"message": "no"}})
        elif Moody.busy:
            Moody.busy -= 1
            self.answer(503, {"error": {"message": "busy"}})
        else:
            self.answer(200, {"choices": [{"message": {"content": "fine"}}], "usage": {"completion_tokens": 1}})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def test_busy_servers_are_asked_again():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Moody)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    client = Client(pause_seconds=0.01)
    assert client.ask(url, {"messages": [{"content": "hello"}]}).text == "fine"
    with pytest.raises(Refused, match="400: no"):
        client.ask(url, {"messages": [{"content": "refuse"}]})
    server.shutdown()
    server.server_close()
    with pytest.raises(Unreachable):
        client.ask(url, {"messages": [{"content": "hello"}]})
