#!/usr/bin/env bash
# One target of the job `platform`. Engines and a systemd of our own need root; and there a test that would
# skip for want of something fails, because a gate that skips is open.
#   build/release/platform.sh TARGET
set -euo pipefail
cd "$(dirname "$0")/../.."

make setup
case $1 in
containers | systemd) exec sudo env "PATH=$PATH" REQUIRE_CONTAINERS=1 REQUIRE_SYSTEMD=1 make "$1" ;;
*) exec make "$1" ;;
esac
