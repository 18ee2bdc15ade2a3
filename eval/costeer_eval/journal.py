"""The file of answers: a line for each, on disk before it counts, so that a run that is killed goes on where it was."""
import fcntl
import json
import os
import threading
from pathlib import Path


class OtherRun(Exception):
    """A journal of another configuration, or one that another run is writing."""


class Journal:
    """Opens the journal of a run with this configuration, or makes it. A last line that was cut short is dropped."""

    def __init__(self, path: Path, configuration: dict) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OtherRun(f"{path} is being written by another run") from None
        self._lock = threading.Lock()
        self._file.seek(0)
        whole = self._file.read()
        kept = whole[: whole.rfind(b"\n") + 1]
        self._file.truncate(len(kept))
        lines = [json.loads(line) for line in kept.splitlines()]
        if not lines:
            self._write({"configuration": configuration})
        elif lines[0].get("configuration") != configuration:
            before = lines[0].get("configuration") or {}
            other = sorted(name for name in {*before, *configuration} if before.get(name) != configuration.get(name))
            raise OtherRun(f"{path} was begun with another {', '.join(other)}; choose another --output, or delete it")
        self.rows = {(row["system"], row["id"]): row for row in lines[1:]}
        """The last row of each system and item."""

    def is_done(self, system: str, item: str) -> bool:
        """Whether there is an answer; an error is none."""
        return "answer" in self.rows.get((system, item), {})

    def add(self, row: dict) -> None:
        with self._lock:
            self._write(row)
            self.rows[row["system"], row["id"]] = row

    def _write(self, row: dict) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()
