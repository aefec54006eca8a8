#!/usr/bin/env bash
# Debian packages that the container, service and browser tests need. Continuous integration installs
# them before `make test`; without them those tests skip, and say what is missing.
set -euo pipefail

PACKAGES=(
  # the distribution's own Python, which .ci/run prefers
  python3-venv
  # an engine, a second one, and a base image made from Debian's archive: tests/containers
  aardvark-dns buildah crun iptables iproute2 mmdebstrap netavark podman runc
  # what publishes a release, and a registry to publish into: make release-rehearsal
  docker-registry gh skopeo
  # a real systemd as process 1: tests/systemd
  systemd-container
  # the stock verifier of the desktop channel, the official checker of metrics, a browser
  minisign prometheus chromium
  # shells whose completion is tested, formatters that judge the manual page
  fish groff mandoc man-db zsh
  # what the tests watch with, and the load of make bench
  strace wrk
)

skip() {
  echo "SKIP Debian packages: $*" >&2
  exit 0
}

command -v apt-get >/dev/null || skip "no apt-get here"
[ "$(id -u)" = 0 ] || skip "not root"
missing=()
for package in "${PACKAGES[@]}"; do
  command -v "$package" >/dev/null || # where Docker's own runc is, Debian's would drive out the engine
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep 'ok installed' >/dev/null || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update >/dev/null || skip "the package index cannot be reached"
install() { apt-get -qq -y --no-install-recommends install "$@" >/dev/null 2>&1; }
install "${missing[@]}" || for package in "${missing[@]}"; do # one that fails does not take the others with it
  install "$package" || echo "SKIP Debian package $package" >&2
done
