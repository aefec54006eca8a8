"""The commands of a ceremony in parts: arguments in, a story told, lines out."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from waiaas.core.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waiaas.release.commands import Bench
    from waiaas.release.publish import Maker

ROOT_FILE = "root.json"
UP_TO_DATE = "nothing to do: the feed says so already"


def new_key(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    from waiaas.release import ceremony
    from waiaas.release.keys import load_public

    secret = None if arguments.plain else bench.passphrase.new()
    public = ceremony.new_key(_maker(bench), arguments.dir, arguments.name, secret)
    bench.say(str(public))
    bench.remark(f"key id {load_public(public).keyid}")
    bench.remark(
        f"hand out {public.name}, and read the key id aloud; nobody else ever sees {public.stem}.pem"
    )
    return Exit.OK


def prepare_root(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    from waiaas.release import ceremony
    from waiaas.release.root import ROLES

    holders = {role: getattr(arguments, role) for role in ROLES}
    thresholds = {"root": arguments.root_threshold, "targets": arguments.threshold}
    return frozen(bench, arguments, ceremony.prepare_root(_maker(bench), arguments.feed, holders, thresholds))


def prepare_rotation(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    from waiaas.release import ceremony

    wish = ceremony.Wish(tuple(arguments.new), tuple(arguments.replace), dict(arguments.threshold))
    return frozen(bench, arguments, ceremony.prepare_rotation(_maker(bench), arguments.feed, wish))


def prepare_renewal(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    from waiaas.release import ceremony

    return frozen(bench, arguments, ceremony.prepare_renewal(_maker(bench), arguments.feed, arguments.role))


def prepare_withdrawal(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    from waiaas.release import ceremony
    from waiaas.release.withdrawal import marking

    maker, feed, version = _maker(bench), arguments.feed, arguments.version
    wish = marking.Wish(version, arguments.reason, arguments.severity, arguments.to, arguments.nowhere)
    why = marking.plan(maker, feed, wish, in_parts=False).reason()
    return frozen(bench, arguments, ceremony.prepare_withdrawal(maker, feed, version, why))


def prepare_rollout(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    from waiaas.release import ceremony

    maker, feed = _maker(bench), arguments.feed
    return frozen(
        bench, arguments, ceremony.prepare_rollout(maker, feed, arguments.version, arguments.percent)
    )


def sign(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    """Check, say, then open the key: whoever reads something strange has signed nothing yet."""
    from waiaas.release import ceremony, describe

    own = arguments.root or _beside(arguments.key)
    found = ceremony.look(arguments.pending, own.read_bytes() if own else None)
    for line in describe.lines(found, everything=own is None):
        bench.remark(f"signing: {line}")
    if own is None and found.old is not None:
        bench.remark("note: compared with no root of trust of yours (--root); read every line")
    signed = ceremony.sign(_maker(bench), arguments.pending, found, arguments.key, bench.passphrase.known)
    for path in signed:
        bench.say(str(path))
    _tell_missing(bench, ceremony.missing(ceremony.look(arguments.pending, None)))
    return Exit.OK


def frozen(bench: "Bench", arguments: argparse.Namespace, folder: Path | None) -> Exit:
    """Say where a change waits, and what comes next."""
    if folder is None:
        bench.remark(UP_TO_DATE)
        return Exit.OK
    bench.say(str(folder))
    bench.remark(
        f"next: sign --key FILE --pending {folder}, by each holder; then publish --feed {arguments.feed}"
    )
    return Exit.OK


def waiting(bench: "Bench", feed: Path) -> None:
    """Say what waits for signatures beside the feed, if anything does."""
    from waiaas.release import ceremony

    found = ceremony.waiting(feed)
    if found is None:
        return
    for line in found.lines:
        bench.say(f"waiting: {line}")
    _tell_missing(bench, found.missing)


def _tell_missing(bench: "Bench", missing: "Mapping[str, int]") -> None:
    if not missing:
        bench.remark("enough holders have signed: publish")
    for role, number in missing.items():
        bench.remark(f"{role} still needs {number} signature{'s' if number > 1 else ''}")


def _beside(key: Path) -> Path | None:
    """The root of trust that the holder keeps beside the key."""
    own = key.with_name(ROOT_FILE)
    return own if own.is_file() else None


def _maker(bench: "Bench") -> "Maker":
    from waiaas.release.publish import Maker

    return Maker(bench.files, bench.clock)
