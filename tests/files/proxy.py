"""The program under test, with a store of its own."""

import json
import os
import shutil
import subprocess
import tempfile

BINARY = os.environ["COSTEER_TEST_BINARY"]


class Store:
    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="files-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.home, ignore_errors=True)

    def put(self, name, data):
        path = os.path.join(self.home, "in", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        return path

    def run(self, *arguments):
        env = {name: value for name, value in os.environ.items() if not name.startswith("COSTEER__")}
        env.update(COSTEER__STORE__PATH=os.path.join(self.home, "store.db"), HOME=self.home, XDG_DATA_HOME=self.home)
        done = subprocess.run([BINARY, "profile", *arguments], env=env, capture_output=True, timeout=300)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def imported(self, *paths, options=()):
        """What is in the store after an import, and what the import said."""
        code, out, err = self.run("import", "--profile", "ada", "--json", *options, *(paths or [os.path.join(self.home, "in")]))
        said = json.loads(out.splitlines()[-1]) if out.strip() else {}
        if not said.get("added"):
            return [], (code, said, err)
        _, out, _ = self.run("export", "ada")
        lines = [json.loads(line) for line in out.splitlines()]
        return [line for line in lines if line["type"] == "document"], (code, said, err)
