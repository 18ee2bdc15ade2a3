# shellcheck shell=bash
# What the scripts that test and measure have in common. A script sources this before any cd, and calls "begin NAME" before anything else.
#
# What was started with "start", "attend" or "step" ends with the script, whether that is done, fails or is sent a signal. These three are for the
# script itself: a function that runs in one of them must not use them.

# begin NAME: NAME stands before what the script says. Sets
#   root     the repository
#   cache    where packages are kept, ${COSTEER_VENVS:-~/.cache/costeer}
#   scratch  a folder that is removed at the end; when the script fails, the end of $scratch/log is shown
begin() {
    suite=$1
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    cache=${COSTEER_VENVS:-$HOME/.cache/costeer}
    mkdir -p "$cache"
    cache=$(cd "$cache" && pwd)
    scratch=
    servers=()
    trap clean EXIT
    # A signal must go through EXIT as well.
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    scratch=$(mktemp -d)
    # The configuration of whoever runs this must not count.
    export XDG_CONFIG_HOME=$scratch/config
}

say() {
    echo "$suite: $*"
}

# TERM to each group, and after ten seconds KILL to what is left. Servers are named apart from the jobs, for their other processes may outlive the first.
clean() {
    local status=$? groups
    trap '' INT TERM HUP
    if [ "$status" != 0 ] && [ "$status" -lt 128 ] && [ -s "$scratch/log" ]; then
        say "the end of the servers' log:" >&2
        tail -n 40 "$scratch/log" >&2
    fi
    # shellcheck disable=SC2207 # Numbers.
    groups=($(jobs -p) "${servers[@]}")
    groups=("${groups[@]/#/-}")
    kill -TERM -- "${groups[@]}" 2> /dev/null || true
    for _ in {1..100}; do
        # It succeeds while any of the groups has a process.
        kill -0 -- "${groups[@]}" 2> /dev/null || break
        sleep 0.1
    done
    kill -KILL -- "${groups[@]}" 2> /dev/null || true
    rm -rf "$scratch"
}

# in_group COMMAND...: in the background, as a process group of its own, so that one signal reaches all of its processes.
in_group() {
    set -m
    "$@" < /dev/null &
    set +m
}

# start COMMAND...: starts a server.
start() {
    in_group "$@"
    servers+=($!)
}

# attend COMMAND...: runs it and waits. Not in the foreground: bash heeds a signal while it waits, but not while a foreground command runs.
attend() {
    local status=0
    in_group "$@"
    wait $! || status=$?
    return $status
}

# step TITLE COMMAND...: the same, and says how long it took.
step() {
    local title=$1 began=$SECONDS status=0
    shift
    # Not "attend ... ||": bash would no longer stop at the first error in there.
    in_group "$@"
    wait $! || status=$?
    say "$title: $((SECONDS - began)) s"
    return $status
}

# await URL [SECONDS]: until it answers. Fails when a server has ended, and after a minute or that many seconds.
await() {
    local url=$1 limit=${2:-60} began=$SECONDS server
    until curl --silent --fail --noproxy '*' --max-time 5 --output /dev/null "$url"; do
        for server in "${servers[@]}"; do
            if ! kill -0 "$server" 2> /dev/null; then
                say "a server ended before it was ready" >&2
                return 1
            fi
        done
        if [ $((SECONDS - began)) -ge "$limit" ]; then
            say "$url was not ready within $limit s" >&2
            return 1
        fi
        sleep 0.1
    done
}

# free_ports COUNT: ports of this machine that nothing listens on, in one line.
free_ports() {
    python3 -c '
import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(one.getsockname()[1] for one in held))' "$1"
}

# release_binary: where cargo has put it, or what COSTEER_BIN names. Without CARGO_TARGET_DIR, target/ goes before the cache that .ci/run builds in.
release_binary() {
    local binary=${COSTEER_BIN:-}
    if [ -z "$binary" ]; then
        binary=${CARGO_TARGET_DIR:-$root/target}/release/costeer
        if [ -z "${CARGO_TARGET_DIR:-}" ] && [ ! -x "$binary" ]; then
            binary=$HOME/.cache/costeer/target/release/costeer
        fi
    fi
    if [ ! -x "$binary" ]; then
        say "there is no $binary; \"cargo build --release --locked\" makes it" >&2
        return 1
    fi
    realpath "$binary"
}

# build_binary: builds it first, unless COSTEER names one.
build_binary() {
    if [ -n "${COSTEER:-}" ]; then
        COSTEER_BIN=$COSTEER release_binary
    else
        (cd "$root" && cargo build --release --locked) && COSTEER_BIN='' release_binary
    fi
}

# once DIRECTORY WANTED COMMAND...: runs an installation into a directory, unless it has been done with the same WANTED. What was cut short may
# look complete, so it is made anew.
once() (
    directory=$1
    wanted=$2
    shift 2
    exec 9> "$directory.lock"
    flock 9
    if [ "$(cat "$directory/installed" 2> /dev/null)" != "$wanted" ]; then
        rm -rf "$directory"
        mkdir "$directory"
        "$@" && echo "$wanted" > "$directory/installed"
    fi
)

# once_venv DIRECTORY REQUIREMENTS: a virtual environment of Python with these packages and no others.
once_venv() {
    once "$1" "$(python3 --version) $(sha256sum < "$2")" make_venv "$1" "$2"
}

make_venv() {
    python3 -m venv "$1" && "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$2"
}

# once_npm DIRECTORY FOLDER: the packages of the folder's package-lock.json.
once_npm() {
    once "$1" "$(node --version) $(sha256sum < "$2/package-lock.json")" make_npm "$1" "$2"
}

make_npm() {
    cp "$2/package.json" "$2/package-lock.json" "$1" && cd "$1" && npm ci --silent --no-audit --no-fund --ignore-scripts
}

has_node() {
    command -v npm > /dev/null && [ "$(node --print 'process.versions.node.split(".")[0]')" -ge 20 ]
}

# Whether the suites that need packages of Python can run here.
has_python() {
    python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2> /dev/null && return
    echo "skipped: it needs Python 3.11 or newer with venv"
    return 1
}
