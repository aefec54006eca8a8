"""The command line of what the workflows call: assemble, deploy, fetch, push, unpack-keys."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from waiaas.release.arguments import Commands


def add(commands: "Commands", source: Path) -> argparse.ArgumentParser:
    """The commands of the workflows; returns the one that also takes the terms of a release."""
    assemble = _assemble(commands, source)
    _deploy(commands, source)
    for name, what in (("fetch", "make F a copy of the public feed"), ("push", "make public what F holds")):
        command = commands.add_parser(name, help=what)
        command.add_argument("--feed", type=Path, required=True, metavar="F", help="folder of the copy")
        command.add_argument("--branch", required=True, metavar="REMOTE#BRANCH")
    command = commands.add_parser(
        "unpack-keys", help="write the keys that the environment holds into a folder"
    )
    command.add_argument("--dir", type=Path, required=True, metavar="K")
    return assemble


def _assemble(commands: "Commands", source: Path) -> argparse.ArgumentParser:
    command = commands.add_parser("assemble", help="what one release publishes, made before the gate")
    command.add_argument("--tag", required=True, metavar="vX.Y.Z", help="tag that is checked out")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    command.add_argument("--feed-url", required=True, metavar="URL", help="where users look for updates")
    command.add_argument("--feed-branch", required=True, metavar="REMOTE#BRANCH", help="what is served there")
    command.add_argument("--images", default="", metavar="NAMES", help="repositories of images, by spaces")
    command.add_argument("--source", type=Path, default=source, metavar="DIR", help="the tree at the tag")
    command.add_argument("--cache", type=Path, metavar="DIR", help="installed dependencies (default .cache)")
    return command


def _deploy(commands: "Commands", source: Path) -> None:
    command = commands.add_parser(
        "deploy", help="publish what was assembled; a dry run unless told otherwise"
    )
    command.add_argument("steps", nargs="*", metavar="STEP", help="only these; default: all, in order")
    command.add_argument("--mode", action="store_true", help="only say whether this is a dry run")
    command.add_argument("--release", type=Path, required=True, metavar="DIR", help="what `assemble` made")
    command.add_argument("--keys", type=Path, metavar="K", help="online keys, and targets keys if any")
    command.add_argument("--source", type=Path, default=source, metavar="DIR", help="the tree at the tag")
