#!/usr/bin/env bash
# Tries the page at /costeer/ in Chromium, and what pages of others get, in front of the release binary (COSTEER_BIN, or where cargo puts it)
# and the pair that ships.
#
# Installs playwright-core at the version pinned here into ${COSTEER_VENVS:-~/.cache/costeer}/page (once, 10 MB). CHROMIUM names the
# browser; without it /usr/bin/chromium is taken, and installed where that is Debian's and we may. Without Node 20 or a browser it is
# skipped. COSTEER_SCREENSHOTS names a directory for pictures of the page. Arguments go to node --test.
set -euo pipefail

# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin page
COSTEER_BIN=$(release_binary)
export COSTEER_BIN
home=$cache/page
here=$root/tests/page
cd "$here"

if ! has_node; then
    say "skipped: it needs Node 20 or newer"
    exit
fi

CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
export CHROMIUM
if [ ! -x "$CHROMIUM" ] && [ -e /etc/debian_version ] && [ "$(id -u)" = 0 ]; then
    say "installing Chromium"
    (apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium) > /dev/null 2>&1 || true
fi
if [ ! -x "$CHROMIUM" ]; then
    say "skipped: there is no $CHROMIUM; install it, or name another in CHROMIUM"
    exit
fi

attend once_npm "$home" "$here"
# node looks for packages above the file that imports them.
cp "$here"/*.js "$home"
# The servers find the models from here.
export COSTEER_ROOT=$root
attend node --test --test-reporter=spec "$@" "$home/gate.test.js"
attend node --test --test-reporter=spec "$@" "$home/page.test.js"
attend node --test --test-reporter=spec "$@" "$home/thinking.test.js"
attend node --test --test-reporter=spec "$@" "$home/chat.test.js"
attend node --test --test-reporter=spec "$@" "$home/profiles.test.js"
attend node --test --test-reporter=spec "$@" "$home/tuning.test.js"
