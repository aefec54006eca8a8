"""The command line of a ceremony in parts: who makes a key, who prepares, who signs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from waiaas.core.version import Version
from waiaas.release.withdrawal.words import SEVERITIES

if TYPE_CHECKING:
    from waiaas.release.arguments import Commands

ROLES = ("root", "targets", "snapshot", "timestamp")
SIGNED_OFFLINE = ("root", "targets")


def add(commands: "Commands") -> None:
    for one in (_new_key, _prepare_root, _prepare_rotation, _prepare_renewal, _prepare_withdrawal):
        one(commands)
    _prepare_rollout(commands)
    _sign(commands)


def _new_key(commands: "Commands") -> None:
    command = commands.add_parser("new-key", help="make one key, on the machine of whoever will hold it")
    command.add_argument("--dir", type=Path, required=True, metavar="D", help="folder for NAME.pem, NAME.pub")
    command.add_argument("--name", default="", metavar="NAME", help="default: the beginning of the key id")
    command.add_argument("--plain", action="store_true", help="no passphrase: for tests and demos")


def _prepare_root(commands: "Commands") -> None:
    command = commands.add_parser(
        "prepare-root", help="a new feed's root of trust, from public halves of keys"
    )
    _feed(command)
    for role in ROLES:
        command.add_argument(
            f"--{role}",
            type=Path,
            action="append",
            required=True,
            metavar="PUB",
            help=f"a {role} key; repeat",
        )
    command.add_argument("--root-threshold", type=int, default=2, metavar="N", help="root keys needed (2)")
    command.add_argument("--threshold", type=int, default=2, metavar="N", help="targets keys needed (2)")


def _prepare_rotation(commands: "Commands") -> None:
    command = commands.add_parser("prepare-rotation", help="a new root of trust, in which keys join or leave")
    _feed(command)
    command.add_argument(
        "--new",
        type=_joining,
        action="append",
        default=[],
        metavar="ROLE=PUB",
        help="a key that joins; repeat",
    )
    command.add_argument(
        "--replace",
        action="append",
        default=[],
        metavar="KEY",
        help="a key that leaves: its id, or its .pub; repeat",
    )
    command.add_argument(
        "--threshold", type=_needed, action="append", default=[], metavar="ROLE=N", help="keys needed to sign"
    )


def _prepare_renewal(commands: "Commands") -> None:
    command = commands.add_parser("prepare-renewal", help="root or targets as they are, with a new date")
    _feed(command)
    command.add_argument("role", choices=SIGNED_OFFLINE, metavar="ROLE")


def _prepare_withdrawal(commands: "Commands") -> None:
    command = commands.add_parser(
        "prepare-withdrawal", help="the mark on a bad release, to be signed in parts"
    )
    _feed(command)
    command.add_argument("version", type=Version.parse, metavar="V")
    command.add_argument("--reason", help="what happened, in one line; needed the first time")
    command.add_argument("--severity", choices=tuple(SEVERITIES), help="default: high")
    command.add_argument(
        "--to", type=Version.parse, metavar="W", help="default: newest earlier good stable one"
    )
    command.add_argument("--nowhere", action="store_true", help="there is no version to go to, and I know it")


def _prepare_rollout(commands: "Commands") -> None:
    command = commands.add_parser("prepare-rollout", help="another share of a release, to be signed in parts")
    _feed(command)
    command.add_argument("version", type=Version.parse, metavar="V")
    command.add_argument("percent", type=int, metavar="N", help="0 to 100")


def _sign(commands: "Commands") -> None:
    command = commands.add_parser(
        "sign", help="say what is prepared, and sign it, on the key holder's machine"
    )
    command.add_argument("--key", type=Path, required=True, metavar="FILE")
    command.add_argument("--pending", type=Path, required=True, metavar="DIR", help="what was prepared")
    command.add_argument(
        "--root", type=Path, metavar="FILE", help="your own root of trust (default: root.json beside the key)"
    )


def _joining(text: str) -> tuple[str, Path]:
    role, value = _of_role(text)
    return role, Path(value)


def _needed(text: str) -> tuple[str, int]:
    role, value = _of_role(text)
    if not value.isdecimal():
        raise argparse.ArgumentTypeError(f"{value!r} is no number of keys")
    return role, int(value)


def _of_role(text: str) -> tuple[str, str]:
    role, _, value = text.partition("=")
    if role not in ROLES or not value:
        raise argparse.ArgumentTypeError(f"{text!r} does not begin with {'=, '.join(ROLES)}=")
    return role, value


def _feed(command: argparse.ArgumentParser) -> None:
    command.add_argument("--feed", type=Path, required=True, metavar="F", help="folder of the feed")
