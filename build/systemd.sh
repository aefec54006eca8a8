#!/usr/bin/env bash
# A real systemd as process 1: Debian in systemd-nspawn, with the unit files of build/ and artefacts of
# this tree. Nothing is installed here: the base is made from the distribution's archive, and the machines
# live in mount, process and cgroup namespaces of their own, so nothing outlives this script. Prints what
# ran and how long. Exit code 77: it cannot run here.
#
#   --possible   only say whether it can
#   --base, --versions, --disks, --inside   its own parts, which it starts itself
#   other words go to pytest; WAIAAS_SUITE:   another release of the distribution than this machine's
set -euo pipefail
cd "$(dirname "$0")/.."

WHAT="systemd tests" REQUIRED="${REQUIRE_SYSTEMD:-}"
. build/debian.sh
PYTHON=$PWD/.venv/bin/python
SUITE="${WAIAAS_SUITE:-$(os VERSION_CODENAME)}"
PATH=$PATH:/usr/sbin:/sbin

check() {
  need_namespaces -m -p -C -f
  grep -qw overlay /proc/filesystems || skip "this kernel has no overlay"
  need apt-get mmdebstrap nsenter setpriv systemd-nspawn
  [ -n "$(archive)" ] || skip "apt here knows neither Debian's archive nor Ubuntu's"
}

inside() { # in namespaces of its own
  umount -R /sys/fs/cgroup
  mount -t cgroup2 cgroup2 /sys/fs/cgroup # version 2 alone, whatever this machine has
  mount -t tmpfs tmpfs /run               # nothing of the machine's is touched
  mount -t tmpfs tmpfs "$WAIAAS_RUN/machines"
  prepare disks && [ ! -e "$WAIAAS_RUN/disks.failed" ] || { cat "$WAIAAS_RUN/disks.log"; exit 1; }
  "$PYTHON" -m pytest -p no:cacheprovider -n auto --dist worksteal "$@" tests/systemd
}

prepare() { # a step of its own; its time goes into the table
  local begun=$EPOCHREALTIME
  "$0" "--$1" >"$WAIAAS_RUN/$1.log" 2>&1 || { touch "$WAIAAS_RUN/$1.failed"; return; }
  awk -v a="$begun" -v b="$EPOCHREALTIME" -v n="$1" \
    'BEGIN { printf "prepare\t%s\t%.1f\tpassed\n", n, b - a }' >"$WAIAAS_RUN/$1.rows"
}

test_all() {
  local step code=0
  for step in base versions; do prepare "$step" & done
  wait
  [ ! -e "$WAIAAS_RUN/versions.failed" ] || { cat "$WAIAAS_RUN/versions.log"; exit 1; }
  [ ! -e "$WAIAAS_RUN/base.failed" ] || skip "no base: $(tail -1 "$WAIAAS_RUN/base.log")"
  unshare -m -p -C -f --kill-child --mount-proc --propagation private "$0" --inside "$@" \
    >"$WAIAAS_RUN/log" 2>&1 || code=1
  [ "$code" = 0 ] || cat "$WAIAAS_RUN/log"
  "$PYTHON" -m tests.containers.table "$WAIAAS_RUN" "$SECONDS"
  return "$code"
}

case "${1:-}" in
  --possible) check ;;
  --base) debian "$SUITE" ;;
  --versions) "$PYTHON" -m tests.systemd.versions "$WAIAAS_RUN/versions" ;;
  --disks) "$PYTHON" -m tests.systemd.disks ;;
  --inside)
    shift
    inside "$@"
    ;;
  *)
    check
    export WAIAAS_BASE=$DEBIAN/$SUITE WAIAAS_RUN
    WAIAAS_RUN=$(mktemp -d /tmp/waiaas-systemd.XXXXXX)
    trap 'rm -rf "$WAIAAS_RUN"' EXIT
    mkdir "$WAIAAS_RUN/machines"
    test_all "$@"
    ;;
esac
