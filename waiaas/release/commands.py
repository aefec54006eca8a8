"""The commands of the maker's tool: arguments in, a story told, lines out.

Imports are inside the functions where they are heavy, so that `build` needs neither `tuf` nor
`cryptography` and runs in any Python that has shiv.
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from waiaas.core.errors import Exit, UsageError
from waiaas.core.value import frozen
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.processes import Processes
from waiaas.release import ceremony_commands, deploy_commands, look_commands, supply_commands
from waiaas.release.withdrawal.commands import assess, checklist, evidence, report, withdraw

if TYPE_CHECKING:
    from waiaas.release.keys import Keyring
    from waiaas.release.publish import Maker, Terms

EPOCH = "SOURCE_DATE_EPOCH"


@frozen
class Passphrases:
    """`known` opens keys that exist, `new` locks keys that are being made."""

    known: Callable[[], bytes]
    new: Callable[[], bytes]


@frozen
class Bench:
    """What the commands work with. `say`: data for stdout; `remark`: talk for stderr.

    `ask`: one typed line, None where there is no terminal to ask on.
    """

    files: Files
    clock: Clock
    processes: Processes
    environ: Mapping[str, str]
    passphrase: Passphrases
    say: Callable[[str], None]
    remark: Callable[[str], None]
    ask: Callable[[str], str | None]


def make_keys(bench: Bench, arguments: argparse.Namespace) -> Exit:
    from waiaas.release.keys import generate

    secret = None if arguments.plain else bench.passphrase.new()
    root = generate(arguments.dir, arguments.threshold, secret, bench.files, bench.clock)
    bench.say(str(root))
    bench.remark("keep root and targets keys offline, each on its own medium; only root.json is public")
    return Exit.OK


def build(bench: Bench, arguments: argparse.Namespace) -> Exit:
    from waiaas.release.build import Order, build

    order = Order(
        source=arguments.source.resolve(),
        output=arguments.output.resolve(),
        root=arguments.root,
        feed_url=arguments.feed_url,
        version=arguments.version,
        overlay=arguments.overlay,
        cache=arguments.cache and arguments.cache.resolve(),
        epoch=_epoch(bench.environ),
        targets_floor=arguments.targets_floor,
    )
    bench.say(str(build(order, bench.files, bench.processes)))
    if order.root is None:
        bench.remark("note: built without a root of trust (--root), so it can never upgrade itself")
    return Exit.OK


def prepare(bench: Bench, arguments: argparse.Namespace) -> Exit:
    from waiaas.release import publish

    root = _first_root(arguments.root, arguments.feed)
    terms, shells = _terms(arguments), _shells(arguments)
    folder = publish.prepare(_maker(bench), arguments.feed, arguments.artefacts, terms, root, shells)
    return ceremony_commands.frozen(bench, arguments, folder)


def publish(bench: Bench, arguments: argparse.Namespace) -> Exit:
    from waiaas.release import pending, publish
    from waiaas.release.keys import Keyring

    maker, feed, folder = _maker(bench), arguments.feed, arguments.keys or arguments.online
    waiting = pending.folder_of(feed)
    if folder is None and (arguments.artefacts or not waiting.exists()):
        raise UsageError("no-keys", "publishing needs keys", "name the folder with --keys K, or --online DIR")
    ring = _keyring(bench, folder) if folder else Keyring([])  # a new root is signed offline only
    if not arguments.artefacts:
        rooted = (waiting / "root.json").is_file()
        version = publish.publish_pending(maker, feed, ring)
        return _rooted(bench, feed, version) if rooted else _changed(bench, version)
    root = _first_root((folder or feed) / "root.json", feed)
    terms, shells = _terms(arguments), _shells(arguments)
    return _changed(bench, publish.publish(maker, feed, arguments.artefacts, terms, root, ring, shells))


def rollout(bench: Bench, arguments: argparse.Namespace) -> Exit:
    from waiaas.release import publish

    ring = _keyring(bench, arguments.keys)
    return _changed(
        bench, publish.rollout(_maker(bench), arguments.feed, arguments.version, arguments.percent, ring)
    )


def refresh(bench: Bench, arguments: argparse.Namespace) -> Exit:
    from waiaas.release import publish

    signed = publish.refresh(_maker(bench), arguments.feed, _keyring(bench, arguments.keys))
    bench.say(f"signed anew: {', '.join(signed)}")
    return Exit.OK


def rotate(bench: Bench, arguments: argparse.Namespace) -> Exit:
    from waiaas.release import publish

    wish = publish.Rotation(arguments.role, arguments.replace, arguments.threshold, arguments.plain)
    version = publish.rotate(_maker(bench), arguments.feed, arguments.keys, wish, bench.passphrase.known)
    bench.say(f"root is now version {version}")
    bench.remark(f"build {arguments.keys / 'root.json'} into the next release")
    return Exit.OK


def _maker(bench: Bench) -> "Maker":
    from waiaas.release.publish import Maker

    return Maker(bench.files, bench.clock)


def _keyring(bench: Bench, folder: Path) -> "Keyring":
    from waiaas.release.keys import load_folder

    return load_folder(folder, bench.passphrase.known)


def _terms(arguments: argparse.Namespace) -> "Terms":
    from waiaas.release.publish import Terms

    return Terms(
        channel=arguments.channel,
        rollout=arguments.rollout,
        critical=arguments.critical,
        min_from=arguments.min_from,
        via=tuple(arguments.via),
        notes_url=arguments.notes,
        min_safe=arguments.min_safe,
    )


def _shells(arguments: argparse.Namespace) -> list[tuple[str, Path]]:
    from waiaas.release.shells import read_wish

    return [read_wish(text) for text in arguments.shell]


def _first_root(path: Path | None, feed: Path) -> bytes:
    """The root of trust of a feed that does not exist yet; afterwards the feed has its own."""
    if (feed / "metadata" / "1.root.json").is_file():
        return b""
    if path is None or not path.is_file():
        raise UsageError(
            "no-root", f"{feed} is a new feed and needs its root of trust", "name it: --root K/root.json"
        )
    return path.read_bytes()


def _epoch(environ: Mapping[str, str]) -> int | None:
    text = environ.get(EPOCH, "")
    if text and not text.isdecimal():
        raise UsageError("bad-epoch", f"{EPOCH}={text} is no number of seconds", f"unset {EPOCH}")
    return int(text) if text else None


def _changed(bench: Bench, version: int | None) -> Exit:
    if version is None:
        bench.remark(ceremony_commands.UP_TO_DATE)
    else:
        bench.say(f"published: targets version {version}")
    return Exit.OK


def _rooted(bench: Bench, feed: Path, version: int | None) -> Exit:
    if version is None:
        bench.remark(ceremony_commands.UP_TO_DATE)
        return Exit.OK
    bench.say(f"published: root version {version}")
    bench.remark(f"build it into the next release: --root {feed}/metadata/{version}.root.json")
    return Exit.OK


COMMANDS: dict[str, Callable[[Bench, argparse.Namespace], Exit]] = {
    "keys": make_keys,
    "build": build,
    "prepare": prepare,
    "sign": ceremony_commands.sign,
    "publish": publish,
    "rollout": rollout,
    "withdraw": withdraw,
    "assess": assess,
    "report": report,
    "evidence": evidence,
    "checklist": checklist,
    "refresh": refresh,
    "rotate": rotate,
    "status": look_commands.status,
    "verify": look_commands.verify,
    "sums": supply_commands.sums,
    "sbom": supply_commands.sbom,
    "desktop": supply_commands.desktop,
    "new-key": ceremony_commands.new_key,
    "prepare-root": ceremony_commands.prepare_root,
    "prepare-rotation": ceremony_commands.prepare_rotation,
    "prepare-renewal": ceremony_commands.prepare_renewal,
    "prepare-withdrawal": ceremony_commands.prepare_withdrawal,
    "prepare-rollout": ceremony_commands.prepare_rollout,
    "assemble": lambda bench, arguments: deploy_commands.assemble(bench, arguments, _terms(arguments)),
    "deploy": deploy_commands.deploy,
    "fetch": deploy_commands.fetch,
    "push": deploy_commands.push,
    "unpack-keys": deploy_commands.unpack_keys,
}
