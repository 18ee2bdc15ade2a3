#!/usr/bin/env bash
# Runs a built program (deploy/build.sh) as the image would, without a container engine: bare.sh PROGRAM. It is process 1 in a read-only root
# file system that holds nothing but the program, the C library, the certificates and the tiny pair, as user 10001 where this runs as root;
# only the directory of the profiles can be written to. Runs the demo, makes a profile, then serves, asks "costeer health" and ends it with
# SIGTERM.
#
# Needs Linux with namespaces (unshare of util-linux), python3 and a file of certificates; where namespaces are forbidden it says so and is
# skipped.
set -euo pipefail

if [ $# != 1 ]; then
    echo "usage: $0 PROGRAM" >&2
    exit 2
fi
program=$(realpath "$1")
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin bare
cd "$root"
# The user, and what else the Dockerfile's last stage sets.
user=10001
variables=(PATH=/usr/local/bin HOME=/models HF_HOME=/models/huggingface COSTEER__STORE__PATH=/profiles/profiles.db)
# What debian:bookworm-slim has of that which a Rust program links to, and llama.cpp, which is C++.
libraries='linux-vdso|ld-linux-[^ ]*|libc|libm|libgcc_s|libdl|libpthread|librt|libstdc\+\+'

spaces=(--mount --pid --fork)
as=(--userspec="$user:$user" --groups=)
if [ "$(id -u)" != 0 ]; then
    spaces+=(--user --map-root-user)
    # A user namespace made without privileges has one user only.
    as=()
fi
if ! unshare "${spaces[@]}" mount -t proc proc /proc 2> /dev/null; then
    echo "skipped: namespaces are forbidden here"
    exit
fi

foreign=$(ldd "$program" | awk '{ print $1 }' | grep -Ev "(^|/)($libraries)\.so" || true)
if [ -n "$foreign" ]; then
    echo "the slim image has no $foreign" >&2
    exit 1
fi
inside=$scratch/root
mkdir -p "$inside/usr/local/bin" "$inside/usr/local/share/costeer/models" "$inside/etc/ssl/certs" "$inside/proc" "$inside/models" "$inside/profiles"
cp "$program" "$inside/usr/local/bin/costeer"
cp -r models/tiny "$inside/usr/local/share/costeer/models/"
ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
    install -D "$library" "$inside$library"
done
for certificates in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
    if [ -e "$certificates" ]; then
        cp "$certificates" "$inside/etc/ssl/certs/ca-certificates.crt"
        break
    fi
done
chmod -R go+rX "$scratch"
mkdir "$scratch/profiles"
if [ "$(id -u)" = 0 ]; then
    chown "$user:$user" "$scratch/profiles"
fi

# bare ARGUMENTS: costeer in there; variables for it are in the array "variables".
bare() {
    # shellcheck disable=SC2016 # The inner shell expands these.
    exec unshare "${spaces[@]}" bash -c '
        set -e
        root=$1
        profiles=$2
        shift 2
        mount --bind "$root" "$root"
        mount -o remount,bind,ro "$root"
        mount --bind "$profiles" "$root/profiles"
        mount -t proc proc "$root/proc"
        exec "$@"
    ' bare "$inside" "$scratch/profiles" "$(command -v env)" -i "${variables[@]}" "$(command -v chroot)" "${as[@]}" "$inside" /usr/local/bin/costeer "$@"
}

fail() {
    echo "$1" >&2
    tail -n 40 "$scratch"/said-* >&2
    exit 1
}

attend bare demo --once --listen 127.0.0.1:0 --upstream-listen 127.0.0.1:0 > "$scratch/said-demo" 2>&1 || fail "the demo failed"
grep -q '^steered: ' "$scratch/said-demo" || fail "the demo showed no steered answer"
say "the demo steers"

(bare profile create ada --fact "I live in Trondheim.") > "$scratch/said-profile" 2>&1 || fail "a profile could not be made"
(bare profile list) > "$scratch/said-profile" 2>&1 || fail "the profiles cannot be listed"
grep -q '^ada ' "$scratch/said-profile" || fail "the profile that was made is not there"
say "profiles are kept"

read -r upstream port < <(free_ports 2)
variables+=("COSTEER__SERVER__LISTEN=127.0.0.1:$port" "COSTEER__UPSTREAM__URL=http://127.0.0.1:$upstream/v1")
health() {
    local status=0
    (bare health --url "http://127.0.0.1:$port") > "$scratch/said-health" 2>&1 || status=$?
    echo $status
}
# Not any failure: a command line that is wrong ends with 2.
[ "$(health)" = 1 ] || fail "health does not end with 1 where no proxy runs"
start bare upstream --model models/tiny/llm --listen "127.0.0.1:$upstream" > "$scratch/said-upstream" 2>&1
start bare serve > "$scratch/said-serve" 2>&1
server=${servers[1]}
deadline=$((SECONDS + 60))
until [ "$(health)" = 0 ]; do
    kill -0 "$server" 2> /dev/null || fail "the proxy ended before it was ready"
    [ $SECONDS -lt $deadline ] || fail "the proxy was not ready within a minute"
    sleep 0.5
done
say "health sees a proxy that is ready"

# The program, not unshare.
pkill -TERM -P "$server" || fail "the proxy is gone"
status=0
wait "$server" || status=$?
[ "$status" = 0 ] || fail "the proxy ended with $status at SIGTERM"
say "SIGTERM ends it"
