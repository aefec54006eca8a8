# shellcheck shell=bash
# For scripts that need a real Debian or Ubuntu: an honest skip, the archive that apt here uses, and one
# base system made from it.
# Set WHAT (for the message) and REQUIRED (not empty: a skip is a failure) before sourcing this.
DEBIAN=$PWD/.cache/debian # a folder for each suite
MERGED_USR=/usr/share/mmdebstrap/hooks/merged-usr # spares 50 MB of Perl, which would only merge /usr
IDLE=(console-getty systemd-logind systemd-networkd systemd-resolved systemd-timesyncd) # of no use in there

skip() { # one line that says why, and exit code 77
  echo "SKIP $WHAT: $*"
  [ -z "${REQUIRED:-}" ] || exit 1
  exit 77
}

need() { # every command must be there
  local command
  for command in "$@"; do
    command -v "$command" >/dev/null || skip "$command is missing (build/ci-packages.sh installs it)"
  done
}

need_namespaces() { # what a container in a container does not have, and a virtual machine has
  [ "$(uname -s)" = Linux ] || skip "this is not Linux"
  [ "$(id -u)" = 0 ] || skip "not root"
  unshare "$@" --mount-proc --propagation private true 2>/dev/null ||
    skip "namespaces cannot be unshared here (unshare $*)"
}

os() { # NAME: a field of os-release
  (. /etc/os-release && echo "${!1:-}")
}

archive() { # where apt here fetches this release from; nothing if that is neither Debian's nor Ubuntu's
  case $(os ID) in debian | ubuntu) ;; *) return 0 ;; esac
  # shellcheck disable=SC2016 # these are apt's own placeholders
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 'Component: main' |
    awk -v suite="$(os VERSION_CODENAME)" '$1 == suite || $1 == "stable" { print $2; exit }'
}

sources() { # SUITE: the line of a sources.list for it
  local keys components=main
  keys=/usr/share/keyrings/$(os ID)-archive-keyring.gpg
  [ "$(os ID)" = debian ] || components="main universe"
  echo "deb [signed-by=$keys] $(archive) $1 $components"
}

debian() { # SUITE: into $DEBIAN, once for whoever asks: the smallest system with systemd and a Python
  local fresh unit options=()
  [ ! -d "$MERGED_USR" ] || options=(--hook-dir="$MERGED_USR")
  mkdir -p "$DEBIAN"
  (
    flock 9 # two scripts may ask at once: the second waits, and finds it made
    [ ! -d "$DEBIAN/$1" ] || exit 0
    fresh=$(mktemp -d "$DEBIAN/fresh.XXXXXX")
    trap 'rm -rf "$fresh"' EXIT
    mmdebstrap --quiet --variant=minbase --include=ca-certificates,dbus,python3,systemd,systemd-sysv \
      --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' \
      --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
      "${options[@]}" "$1" "$fresh/root" "$(sources "$1")"
    for unit in "${IDLE[@]}"; do ln -sf /dev/null "$fresh/root/etc/systemd/system/$unit.service"; done
    mv -T "$fresh/root" "$DEBIAN/$1"
  ) 9>"$DEBIAN/lock"
}
