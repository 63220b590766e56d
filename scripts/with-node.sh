#!/bin/sh
# Runs a script on the Node that the project pins through npm, so that an older Node on the host is enough to install and start.
# Falls back to the host's Node when that is 24 or newer (for platforms without a pinned package).
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/find-node.sh"
exec "$NINES_NODE" "$@"
