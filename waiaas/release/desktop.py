"""The desktop channel: `latest.json` for Tauri's updater, from the verified targets of the feed (DSK-1).

The channel has neither floors nor a roll-out, and one entry that cannot be read strands everybody, so
it offers one release only: the newest that is stable, not withdrawn, not below `min_safe`, offered to
everybody, and has a bundle for every platform that another such release has. It updates the shell;
the program inside is updated by `waiaas upgrade`.
"""

import base64
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.release import Release
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.clock import iso
from waiaas.host.files import Files
from waiaas.release import minisign
from waiaas.release.artefact import BUILD
from waiaas.release.reader import Verified
from waiaas.release.shells import PLATFORM, Shell

FILE = "latest.json"
PUBLIC_MODE = 0o644
PUBLIC_DIRECTORY = 0o755
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")  # RFC 3339
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@frozen
class Offer:
    """The release that shells are offered. `passed_over`: newer ones, and why not they."""

    release: Release
    shells: tuple[Shell, ...]
    passed_over: tuple[str, ...]


def choose(seen: Verified, without: Sequence[str], now: float) -> Offer | None:
    """The newest release that every shell can take; None if there is none. `without`: given up platforms."""
    floor = max((r.min_safe for r in seen.releases if r.min_safe), default=None)
    good = {r.version: r for r in seen.releases if _fault(r, floor, now) is None}
    kept = [shell for shell in seen.shells if shell.version in good and shell.platform not in without]
    needed = {shell.platform for shell in kept}
    passed_over: list[str] = []
    for version in sorted({shell.version for shell in seen.shells}, reverse=True):
        mine = tuple(shell for shell in kept if shell.version == version)
        missing = sorted(needed - {shell.platform for shell in mine})
        if version in good and mine and not missing:
            return Offer(good[version], mine, tuple(passed_over))
        release = next((r for r in seen.releases if r.version == version), None)
        lacks = ", ".join(missing) or "any platform that is kept"
        why = (release and _fault(release, floor, now)) or f"it has no bundle for {lacks}"
        passed_over.append(f"{version}: {why}")
    return None


def write(
    offer: Offer, feed: Path, feed_url: str, key: minisign.SecretKey, folder: Path, files: Files
) -> Path:
    """Sign every bundle, then write `latest.json`; the same offer gives the same bytes.

    Raises WaiaasError `bad-latest` rather than write an entry that a shell could not read.
    """
    base = (feed_url or _built_in(feed, offer.release)).rstrip("/")
    platforms = {}
    for shell in offer.shells:
        bundle = feed / "targets" / shell.served
        comment = f"timestamp:{offer.release.built}\tfile:{shell.name}\tversion:{shell.version}"
        text = key.sign(bundle, comment)
        place = folder / str(shell.version) / shell.platform / f"{shell.name}.minisig"
        files.make_directory("desktop.folder", place.parent, PUBLIC_DIRECTORY)
        files.write("desktop.signature", place, text.encode(), PUBLIC_MODE)
        platforms[shell.platform] = {
            "signature": base64.b64encode(text.encode()).decode(),
            "url": f"{base}/targets/{quote(shell.served)}",
        }
    document = {
        "version": str(offer.release.version),
        "notes": offer.release.notes_url,
        "pub_date": iso(offer.release.built),
        "platforms": platforms,
    }
    check(document, key.public, {shell.platform: feed / "targets" / shell.served for shell in offer.shells})
    path = folder / FILE
    files.write("desktop.latest", path, (json.dumps(document, indent=1) + "\n").encode(), PUBLIC_MODE)
    return path


def withhold(folder: Path, files: Files) -> None:
    """Offer nothing: whoever asks gets 404, and no shell installs anything."""
    files.remove("desktop.latest", folder / FILE)


def check(document: Mapping[str, Any], key: minisign.PublicKey, bundles: Mapping[str, Path]) -> None:
    """Every entry is one that Tauri's updater can read, signed by `key`; else WaiaasError `bad-latest`."""
    if set(document) != {"version", "notes", "pub_date", "platforms"}:
        raise _bad("it has other fields")
    if Version.parse(document["version"]).is_rc:
        raise _bad(f"{document['version']} is a release candidate")
    if not MOMENT.fullmatch(document["pub_date"]) or not isinstance(document["notes"], str):
        raise _bad("pub_date is no RFC 3339 moment, or notes no text")
    if not document["platforms"]:
        raise _bad("it names no platform")
    for platform, entry in document["platforms"].items():
        if not PLATFORM.fullmatch(platform) or set(entry) != {"signature", "url"}:
            raise _bad(f"{platform} is no entry of a platform")
        _check_url(entry["url"])
        text = base64.b64decode(entry["signature"], validate=True).decode()
        comment = minisign.verify(key, bundles[platform], text).split("\t")
        if f"version:{document['version']}" not in comment:
            raise _bad(f"the signature for {platform} is of another version")


def _fault(release: Release, floor: Version | None, now: float) -> str | None:
    """Why a release is not for the shells of everybody."""
    if release.withdrawn is not None:
        return "it is withdrawn"
    if release.version.is_rc or release.channel != "stable":
        return "it is a release candidate"
    if floor is not None and release.version < floor:
        return f"it is older than {floor}, the oldest safe version"
    if release.rollout is not None and not release.critical and release.rollout.percent(now) < 100:
        return "it is not offered to everybody yet"
    return None


def _built_in(feed: Path, release: Release) -> str:
    """The address of the feed that the artefact itself was built with."""
    with zipfile.ZipFile(feed / "targets" / f"{release.sha256}.{release.target}") as archive:
        found = json.loads(archive.read(BUILD)).get("feedUrl", "")
    if not found:
        raise UsageError(
            "no-feed-url", "the artefact names no address of the feed", "name it: --feed-url URL"
        )
    return str(found)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise _bad(f"{url} is not https")


def _bad(what: str) -> WaiaasError:
    return WaiaasError("bad-latest", f"no shell could read this list: {what}", "nothing was written")
