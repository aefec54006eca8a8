"""Bundles of the desktop shell, as targets of the feed beside the artefacts (DSK-1).

A bundle belongs to a release and a platform: `desktop/<version>/<platform>/<file>`. The program reads
only targets that end in `.pyz`, so it never sees one; `desktop.py` makes the shell's own list of them.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from waiaas.core.errors import TrustRefused, UsageError, WaiaasError
from waiaas.core.release import Release, from_custom
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.files import sha256

FOLDER = "desktop"
FORMAT = 1
# Tauri's updater looks for OS-ARCH-BUNDLE, then for OS-ARCH (tauri-plugin-updater 2)
PLATFORM = re.compile(
    r"(linux|darwin|windows)-(x86_64|aarch64|i686|armv7)(-(appimage|deb|rpm|app|msi|nsis))?"
)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}(?<!\.pyz)")


class Target(Protocol):
    """A target of the feed, as the TUF library has it."""

    length: int
    hashes: dict[str, str]
    path: str

    @property
    def custom(self) -> Any: ...


@frozen
class Shell:
    """One signed bundle. `name`: its file; `length` in bytes, `sha256` in hex."""

    version: Version
    platform: str
    name: str
    length: int
    sha256: str

    @property
    def target(self) -> str:
        """Its path as a target."""
        return f"{FOLDER}/{self.version}/{self.platform}/{self.name}"

    @property
    def served(self) -> str:
        """Its path below `targets/`, with the digest in its name."""
        return f"{FOLDER}/{self.version}/{self.platform}/{self.sha256}.{self.name}"

    def to_custom(self) -> dict[str, Any]:
        return {"format": FORMAT, "kind": "shell", "version": str(self.version), "platform": self.platform}


def read_wish(text: str) -> tuple[str, Path]:
    """`PLATFORM=FILE` of the command line; raises UsageError `bad-shell`."""
    platform, _, path = text.partition("=")
    if not PLATFORM.fullmatch(platform) or not path:
        raise UsageError("bad-shell", f"{text!r} is not PLATFORM=FILE", "like --shell linux-x86_64=FILE")
    return platform, Path(path)


def described(version: Version, wishes: Iterable[tuple[str, Path]]) -> dict[Shell, Path]:
    """The bundles of a release that are to be published; raises UsageError `bad-shell`."""
    found: dict[Shell, Path] = {}
    for platform, path in wishes:
        if not path.is_file() or not NAME.fullmatch(path.name) or not path.stat().st_size:
            raise UsageError(
                "bad-shell",
                f"{path} is no bundle of the desktop shell",
                "name a file with a plain name that does not end in .pyz",
            )
        if any(shell.platform == platform for shell in found):
            raise UsageError("bad-shell", f"{platform} is named twice", "one bundle for each platform")
        found[Shell(version, platform, path.name, path.stat().st_size, sha256(path))] = path
    return found


def missing(published: Sequence[Shell], wanted: dict[Shell, Path]) -> dict[Shell, Path]:
    """Those that are not published yet; raises WaiaasError `version-taken` for other bytes."""
    there = {(shell.version, shell.platform): shell for shell in published}
    for shell in wanted:
        other = there.get((shell.version, shell.platform), shell)
        if other != shell:
            raise WaiaasError(
                "version-taken",
                f"the shell {shell.version} for {shell.platform} is published already with other bytes",
                "publish the next version",
            )
    return {shell: path for shell, path in wanted.items() if shell not in published}


def is_shell(path: str) -> bool:
    return path.startswith(f"{FOLDER}/")


def from_target(target: Target) -> Shell:
    """Raises TrustRefused `bad-release-data`."""
    custom = target.custom if isinstance(target.custom, dict) else {}
    try:
        version, platform = Version.parse(custom["version"]), str(custom["platform"])
        name = target.path.rpartition("/")[2]
        shell = Shell(version, platform, name, target.length, target.hashes["sha256"])
    except (KeyError, TypeError, WaiaasError) as problem:
        raise _unknown(target.path) from problem
    known = (custom.get("format"), custom.get("kind")) == (FORMAT, "shell")
    if (
        not known
        or target.path != shell.target
        or not NAME.fullmatch(name)
        or not PLATFORM.fullmatch(platform)
    ):
        raise _unknown(target.path)
    return shell


def releases_among(targets: Iterable[Target]) -> tuple[Release, ...]:
    """The releases, oldest publication first; raises TrustRefused `bad-release-data`."""
    found = [_release(target) for target in targets if not is_shell(target.path)]
    return tuple(sorted(found, key=lambda release: release.seq))


def shells_among(targets: Iterable[Target]) -> tuple[Shell, ...]:
    """The bundles, in the order of their versions and platforms; raises TrustRefused `bad-release-data`."""
    found = [from_target(target) for target in targets if is_shell(target.path)]
    return tuple(sorted(found, key=lambda shell: (shell.version, shell.platform)))


def check_target(target: Target) -> None:
    """A target is a release or a bundle, under the name that it must have; else TrustRefused."""
    if is_shell(target.path):
        from_target(target)
    else:
        _release(target)


def _release(target: Target) -> Release:
    return from_custom(target.custom, target.path, target.length, target.hashes.get("sha256", ""))


def _unknown(path: str) -> TrustRefused:
    return TrustRefused(
        "bad-release-data",
        f"the feed describes {path[:80]!r} in a way this tool does not understand",
        "use the tool of a newer version",
    )
