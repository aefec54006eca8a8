#!/usr/bin/env bash
# Real engines on a bare Debian machine: Docker with compose, and podman with buildah. Nothing is
# installed: the machine's own dockerd is used, or Docker's packages are unpacked; the base image is made
# from the distribution's archive. All of it runs in mount, network and process namespaces of its own, so
# nothing outlives this script, no port can clash, and no image can be fetched. Prints what ran and how
# long. Exit code 77: it cannot run here.
#
#   --possible   only say whether it can
#   --engine, --base, --artefacts, --inside ENGINE   its own parts, which it starts itself
set -euo pipefail
cd "$(dirname "$0")/.."

WHAT="container tests" REQUIRED="${REQUIRE_CONTAINERS:-}"
. build/debian.sh
CACHE=$PWD/.cache/containers
PYTHON=$PWD/.venv/bin/python
PATH=$PATH:/usr/sbin:/sbin

check() {
  need_namespaces -m -n -p -f
  grep -qw overlay /proc/filesystems || skip "this kernel has no overlay"
  need apt-get dpkg-deb ip iptables mmdebstrap runc podman buildah crun
  [ -n "$(archive)" ] || skip "apt here knows neither Debian's archive nor Ubuntu's"
  own_engine || [ "$(os ID)" = debian ] || skip "there is no dockerd with compose (and Debian's is for Debian)"
}

own_engine() { # the machine has all of it
  command -v dockerd containerd >/dev/null && docker compose version >/dev/null 2>&1 &&
    docker buildx version >/dev/null 2>&1
}

packages() { # what has to be unpacked, and from which suite
  if own_engine; then
    echo "$(os VERSION_CODENAME) docker-registry"
  else # Debian 12 has no compose v2; these programs of 13 need no newer libraries than 12 has
    echo "trixie containerd docker-buildx docker-cli docker-compose docker-registry docker.io"
  fi
}

engine() { # packages, unpacked; apt works on an index of its own, beside the machine's
  [ ! -d "$CACHE/engine" ] || return 0
  local fresh options deb suite wanted
  read -r suite wanted < <(packages)
  fresh=$(mktemp -d "$CACHE/fresh.XXXXXX")
  mkdir -p "$fresh"/apt/{lists,archives}/partial "$fresh/unpacked"
  sources "$suite" >"$fresh/apt/sources.list"
  options=(-qq -o Dir::Etc::SourceList="$fresh/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State::Lists="$fresh/apt/lists" -o Dir::Cache="$fresh/apt" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update
  # shellcheck disable=SC2086 # several words
  (cd "$fresh" && apt-get "${options[@]}" download $wanted)
  for deb in "$fresh"/*.deb; do dpkg-deb -x "$deb" "$fresh/unpacked"; done
  mv -T "$fresh/unpacked" "$CACHE/engine"
  rm -r "$fresh"
}

base() { # a system with a Python, as one tar
  [ ! -s "$CACHE/base.tar" ] || return 0
  local fresh
  debian "$(os VERSION_CODENAME)"
  fresh=$(mktemp "$CACHE/fresh.XXXXXX")
  tar -C "$DEBIAN/$(os VERSION_CODENAME)" --numeric-owner -cf "$fresh" .
  mv "$fresh" "$CACHE/base.tar"
}

inside() { # ENGINE: as process 1 of namespaces of its own
  if mountpoint -q /sys/fs/cgroup/unified; then
    umount /sys/fs/cgroup/unified # crun knows cgroups v1 and v2, and no mixture
  fi
  mount -t tmpfs tmpfs /run # nothing of the machine's is touched
  ip link set lo up
  mkdir "$WAIAAS_RUN/$1"
  if awk '/^MemAvailable:/ { exit $2 < 4000000 }' /proc/meminfo; then # kB; images in memory spare the disk
    mount -t tmpfs tmpfs "$WAIAAS_RUN/$1"
  fi
  WAIAAS_ENGINE=$1 "$PYTHON" -m pytest -p no:cacheprovider -p no:xdist tests/containers
}

prepare() { # a step of its own, at work beside the others; its time goes into the table
  local begun=$EPOCHREALTIME
  "$0" "--$1" >"$WAIAAS_RUN/$1.log" 2>&1 || { touch "$WAIAAS_RUN/$1.failed"; return; }
  awk -v a="$begun" -v b="$EPOCHREALTIME" -v n="$1" \
    'BEGIN { printf "prepare\t%s\t%.1f\tpassed\n", n, b - a }' >"$WAIAAS_RUN/$1.rows"
}

prepare_all() {
  local step
  for step in engine base artefacts; do prepare "$step" & done
  wait
  [ ! -e "$WAIAAS_RUN/artefacts.failed" ] || { cat "$WAIAAS_RUN/artefacts.log"; exit 1; }
  for step in engine base; do
    [ ! -e "$WAIAAS_RUN/$step.failed" ] || skip "no $step: $(tail -1 "$WAIAAS_RUN/$step.log")"
  done
}

test_all() { # both engines at once
  local name pid code=0 waiting=()
  for name in docker podman; do
    unshare -m -n -p -f --kill-child --mount-proc --propagation private "$0" --inside "$name" \
      >"$WAIAAS_RUN/$name.log" 2>&1 &
    waiting+=("$!")
  done
  for pid in "${waiting[@]}"; do wait "$pid" || code=1; done
  [ "$code" = 0 ] || cat "$WAIAAS_RUN"/{docker,podman}.log
  "$PYTHON" -m tests.containers.table "$WAIAAS_RUN" "$SECONDS"
  return "$code"
}

clear_away() {
  find /sys/fs/cgroup -depth -type d -path '*/waiaas-test*' -exec rmdir {} + 2>/dev/null || true
  rm -rf "$WAIAAS_RUN"
}

case "${1:-}" in
  --possible) check ;;
  --engine) engine ;;
  --base) base ;;
  --artefacts) "$PYTHON" -m tests.containers.artefacts "$WAIAAS_RUN/context" ;;
  --inside) inside "$2" ;;
  *)
    check
    mkdir -p "$CACHE"
    export WAIAAS_CONTAINERS=$CACHE WAIAAS_RUN
    WAIAAS_RUN=$(mktemp -d "$CACHE/run.XXXXXX")
    trap clear_away EXIT
    prepare_all
    test_all
    ;;
esac
