#!/usr/bin/env bash
# Tries the page at /costeer/ in Chromium, in front of the release binary (COSTEER_BIN, or where cargo puts it) and the pair that ships.
#
# Installs playwright-core at the version pinned here into ${COSTEER_VENVS:-~/.cache/costeer}/page (once, 10 MB). CHROMIUM names the
# browser; without it /usr/bin/chromium is taken, and installed where that is Debian's and we may. Without Node 20 or a browser it is
# skipped. COSTEER_SCREENSHOTS names a directory for pictures of the page. Arguments go to node --test.
set -euo pipefail

caches=${COSTEER_VENVS:-$HOME/.cache/costeer}
mkdir -p "$caches"
home=$(cd "$caches" && pwd)/page
target=${CARGO_TARGET_DIR:-$HOME/.cache/costeer/target}
COSTEER_BIN=$(realpath "${COSTEER_BIN:-$target/release/costeer}")
export COSTEER_BIN
cd "$(dirname "$0")"
here=$PWD

if ! command -v npm > /dev/null || [ "$(node --print 'process.versions.node.split(".")[0]')" -lt 20 ]; then
    echo "page: skipped: it needs Node 20 or newer"
    exit
fi

CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
export CHROMIUM
if [ ! -x "$CHROMIUM" ] && [ -e /etc/debian_version ] && [ "$(id -u)" = 0 ]; then
    echo "page: installing Chromium"
    (apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium) > /dev/null 2>&1 || true
fi
if [ ! -x "$CHROMIUM" ]; then
    echo "page: skipped: there is no $CHROMIUM; install it, or name another in CHROMIUM"
    exit
fi

exec 9> "$home.lock"
flock 9
wanted="$(node --version) $(sha256sum < "$here/package-lock.json")"
if [ "$(cat "$home/installed" 2> /dev/null)" != "$wanted" ]; then
    rm -rf "$home"
    mkdir "$home"
    cp "$here/package.json" "$here/package-lock.json" "$home"
    (cd "$home" && npm ci --silent --no-audit --no-fund --ignore-scripts)
    echo "$wanted" > "$home/installed"
fi
# node looks for packages above the file that imports them.
cp "$here"/*.js "$home"
# The servers find the models from here.
export COSTEER_ROOT=${here%/tests/page}
exec node --test --test-reporter=spec "$@" "$home/page.test.js"
