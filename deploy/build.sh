#!/usr/bin/env bash
# Builds the release binary and puts it, stripped, into a directory: deploy/build.sh DIRECTORY.
#
# The image is built with this script, and it runs without a container just as well: it needs Rust, a C/C++ compiler, perl, make
# and strip (binutils), and for llama.cpp cmake and libclang.
#   TARGET_CPU        on x86-64, the oldest CPU that the binary must run on: x86-64-v3 (AVX2 and FMA) when unset, x86-64 for any. Ignored
#                     on other machines.
#   FEATURES          cargo features, such as llamacpp; none beyond the default ones when unset.
#   CARGO_TARGET_DIR  where cargo works; the repository's target/ when unset. With the default CPU it shares everything with a plain
#                     "cargo build --release".
set -euo pipefail

if [ $# != 1 ]; then
    echo "usage: $0 DIRECTORY" >&2
    exit 2
fi
repository=$(realpath "$(dirname "$0")/..")
# Made absolute here: both are meant from where the script was called.
out=$(realpath --canonicalize-missing -- "$1")
target=$(realpath --canonicalize-missing -- "${CARGO_TARGET_DIR:-$repository/target}")
# cargo reads .cargo/config.toml of the directory that it runs in.
cd "$repository"

if [ "$(uname -m)" = x86_64 ]; then
    # RUSTFLAGS takes the place of the flags in .cargo/config.toml, it does not add to them. In the same words as there, so that cargo sees
    # no difference and compiles nothing twice.
    export RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }-C target-cpu=${TARGET_CPU:-x86-64-v3}"
fi
CARGO_TARGET_DIR=$target cargo build --release --locked --bin costeer ${FEATURES:+--features "$FEATURES"}

mkdir -p "$out"
# Not cargo's own strip setting: with another profile everything would be compiled again.
strip -o "$out/costeer" "$target/release/costeer"
ls -l "$out/costeer"
