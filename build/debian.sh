# shellcheck shell=bash
# For scripts that need a real Debian or Ubuntu: an honest skip, and the archive that apt here uses.
# Set WHAT (for the message) and REQUIRED (not empty: a skip is a failure) before sourcing this.

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
