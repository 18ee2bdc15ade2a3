"""Goes a newcomer's way with a wheel, at a terminal: from an empty home to a steered answer. run.sh calls it.

Each command is typed into a pseudo-terminal, with PATH as a new virtual environment has it and no compiler in it. Questions are answered with the
key that takes what is proposed. What is shown, and how long it took, is written into the transcript.
"""
import argparse
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# What "costeer setup" ends a question with.
QUESTION = re.compile(r"(\[1\]|\[Y/n\]) $")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
# A question that the notes alone can answer.
ASK = """\
from openai import OpenAI
answer = OpenAI().chat.completions.create(
    model="any", temperature=0, max_tokens=24,
    messages=[{"role": "user", "content": "What is my dog called?"}],
    extra_headers={"X-CoSteer-Context": "My dog is called Ziggy. I live in Trondheim."},
)
print(answer.choices[0].message.content)
"""

HEADER = """\
# A newcomer's session

What `tests/wheel/run.sh` typed into a terminal on {day}, with {cores} cores, nothing but the wheel, no compiler, and no network.
A server of llama.cpp runs at its usual address, with SmolLM2-135M-Instruct, and the same file lies in `~/models`.
Questions are answered with the key that takes what is proposed.
Times are by the clock.

```text
{text}
```
"""


def loopback_up() -> bool:
    """Switches the loopback of a network namespace on; says whether this is one without any other network."""
    if [name for _, name in socket.if_nameindex()] != ["lo"]:
        return False
    with socket.socket() as any_socket:
        # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x41))
    return True


def await_url(url: str, limit: float) -> None:
    deadline = time.monotonic() + limit
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            return opener.open(url, timeout=5).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


class Session:
    """A home, and the transcript of what is typed in it."""

    def __init__(self, home: Path, transcript: Path) -> None:
        self.home, self.transcript = home, transcript
        self.environment = {"HOME": str(home), "PATH": str(home / "venv/bin"), "TERM": "xterm", "NO_COLOR": "1", "LANG": "C.UTF-8"}
        self.lines: list[str] = []

    def type(self, shown: str, *command: str, limit: float = 300, steps: dict | None = None) -> str:
        """Types a command; gives what it showed. `shown` is what the transcript has for it."""
        began = time.monotonic()
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.home)
            os.execvpe(command[0], command, self.environment | (steps or {}))
        fcntl.ioctl(terminal, 0x5414, struct.pack("HHHH", 40, 160, 0, 0))
        text, status = "", None
        while True:
            if time.monotonic() - began > limit:
                os.kill(child, signal.SIGKILL)
                sys.exit(f"{shown} took more than {limit} s:\n{text}")
            if not select.select([terminal], [], [], 0.5)[0]:
                continue
            try:
                piece = os.read(terminal, 1 << 16)
            except OSError:
                piece = b""
            if not piece:
                break
            text += piece.decode(errors="replace")
            if QUESTION.search(text):
                os.write(terminal, b"\n")
        _, status = os.waitpid(child, 0)
        took = time.monotonic() - began
        # What a spinner has drawn and wiped is not what stays on the screen.
        kept = [ESCAPES.sub("", line.rstrip().rsplit("\r", 1)[-1]) for line in text.split("\n")]
        kept = "\n".join(line.rstrip() for line in kept).strip()
        print(f"$ {shown}   # {took:.1f} s", flush=True)
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"{shown} failed:\n{text}")
        self.lines += [f"$ {shown}", kept, f"# {took:.1f} s", ""]
        return kept

    def write(self) -> None:
        text = "\n".join(self.lines).replace(str(self.home), "/home/ada").rstrip()
        self.transcript.write_text(HEADER.format(day=date.today(), cores=os.cpu_count(), text=text), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("wheel", "home", "server", "transcript"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    arguments = parser.parse_args()
    alone = loopback_up()
    home, model = arguments.home, next((arguments.home / "models").iterdir())
    session = Session(home, arguments.transcript)

    wheel = shutil.copy(arguments.wheel, home)
    subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True)
    session.type(f"pip install {Path(wheel).name}", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel)
    assert shutil.which("cc", path=session.environment["PATH"]) is None
    free = [] if alone else ["--listen", "127.0.0.1:0", "--upstream-listen", "127.0.0.1:0"]
    demo = session.type("costeer demo --once", "costeer", "demo", "--once", *free, limit=120)
    # Two columns on a terminal.
    assert "STEERED" in demo and "changed by steering" in demo, demo

    with socket.create_server(("127.0.0.1", 8080 if alone else 0)) as held:
        port = held.getsockname()[1]
    log = Path(tempfile.mkdtemp()) / "log"
    llama = [str(arguments.server), "tests/upstreams/llamacpp.py", "--gguf", str(model), "--port", str(port), "--alias", "smollm2"]
    servers = [subprocess.Popen(llama, cwd=ROOT, stdout=log.open("w"), stderr=subprocess.STDOUT)]
    try:
        await_url(f"http://127.0.0.1:{port}/health", 120)
        named = [] if alone else ["--no-search", "--upstream", f"http://127.0.0.1:{port}"]
        setup = session.type("costeer setup", "costeer", "setup", *named)
        for part in ("smollm2", "SmolLM2", "Which small model?", "Write it?", "Steering works.", "export OPENAI_BASE_URL="):
            assert part in setup, f"{part} is not in\n{setup}"
        configuration = home / ".config/costeer/costeer.toml"
        assert configuration.is_file() and str(model) in configuration.read_text(encoding="utf-8")

        serve = [str(home / "venv/bin/costeer"), "serve"]
        address = re.search(r"OPENAI_BASE_URL=http://(\S+)/v1", setup)[1]
        if not alone:
            with socket.create_server(("127.0.0.1", 0)) as held:
                address = f"127.0.0.1:{held.getsockname()[1]}"
        servers.append(subprocess.Popen([*serve, "--listen", address], env=session.environment, cwd=home, stderr=subprocess.DEVNULL))
        await_url(f"http://{address}/readyz", 120)
        session.lines += ["$ costeer serve &", ""]
        client = {"OPENAI_BASE_URL": f"http://{address}/v1", "OPENAI_API_KEY": "any"}
        session.lines += [f"$ export {name}={value}" for name, value in client.items()] + ["", "$ cat ask.py", ASK]
        (home / "ask.py").write_text(ASK, encoding="utf-8")
        answer = session.type("python ask.py", sys.executable, "ask.py", steps=client)
        assert "Ziggy" in answer, answer
    finally:
        for server in reversed(servers):
            server.terminate()
            server.wait()
    session.write()


if __name__ == "__main__":
    main()
