import socket
import subprocess
import sys
import time
import urllib.request
from os import environ
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "eval"))
READY_WITHIN_SECONDS = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    """Addresses of a proxy and of a server of the small model, from the real binary."""
    binary = environ.get("COSTEER")
    if not binary:
        pytest.skip("COSTEER names no binary")
    llm, slm, proxy = free_port(), free_port(), free_port()
    settings = {
        "COSTEER__UPSTREAM__URL": f"http://127.0.0.1:{llm}/v1",
        "COSTEER__LOCAL__MODEL": str(ROOT / "models/tiny/slm"),
        "COSTEER__STEERING__DELTA_FLOOR": "0.0001",
        "COSTEER__LOCAL__SLOTS": "2",
        "COSTEER__STORE__PATH": str(tmp_path_factory.mktemp("store") / "profiles.db"),
    }
    commands = [
        ["upstream", "--model", "models/tiny/llm", "--slots", "2", "--listen", f"127.0.0.1:{llm}"],
        ["upstream", "--model", "models/tiny/slm", "--slots", "2", "--listen", f"127.0.0.1:{slm}"],
        ["serve", "--listen", f"127.0.0.1:{proxy}"],
    ]
    quiet = subprocess.DEVNULL
    processes = [subprocess.Popen([binary, *command], cwd=ROOT, env={**environ, **settings}, stdout=quiet, stderr=quiet) for command in commands]
    try:
        for port in (llm, slm, proxy):
            deadline = time.monotonic() + READY_WITHIN_SECONDS
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models")
                    break
                except OSError:
                    assert time.monotonic() < deadline, f"port {port} is not ready"
                    time.sleep(0.1)
        yield f"http://127.0.0.1:{proxy}/v1", f"http://127.0.0.1:{slm}/v1"
    finally:
        for process in processes:
            process.kill()
            process.wait()
