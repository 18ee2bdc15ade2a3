# shellcheck shell=bash
# To be sourced, before any cd, by scripts that install what their tests need: it is kept in ${COSTEER_VENVS:-~/.cache/costeer}, which is
# $venvs afterwards, and installed once.

venvs=${COSTEER_VENVS:-$HOME/.cache/costeer}
mkdir -p "$venvs"
venvs=$(cd "$venvs" && pwd)

# once DIRECTORY WANTED COMMAND...: runs an installation into a directory, unless it has been done with the same WANTED. What was cut short may
# look complete, so it is made anew.
once() {
    local directory=$1 wanted=$2
    shift 2
    exec 9> "$directory.lock"
    flock 9
    if [ "$(cat "$directory/installed" 2> /dev/null)" != "$wanted" ]; then
        rm -rf "$directory"
        mkdir "$directory"
        "$@"
        echo "$wanted" > "$directory/installed"
    fi
}

# once_venv DIRECTORY REQUIREMENTS: a virtual environment of Python with these packages and no others.
once_venv() {
    once "$1" "$(python3 --version) $(sha256sum < "$2")" make_venv "$1" "$2"
}

make_venv() {
    python3 -m venv "$1"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$2"
}

# once_npm DIRECTORY FOLDER: the packages of the folder's package-lock.json.
once_npm() {
    once "$1" "$(node --version) $(sha256sum < "$2/package-lock.json")" make_npm "$1" "$2"
}

make_npm() {
    cp "$2/package.json" "$2/package-lock.json" "$1"
    (cd "$1" && npm ci --silent --no-audit --no-fund --ignore-scripts)
}

has_node() {
    command -v npm > /dev/null && [ "$(node --print 'process.versions.node.split(".")[0]')" -ge 20 ]
}
