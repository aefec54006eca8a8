"""The command line of what goes with an artefact: sums, sbom, desktop."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from waiaas.release.arguments import Commands


def add(commands: "Commands", source: Path) -> None:
    """`source`: the project's folder."""
    sums = commands.add_parser("sums", help="SHA256SUMS of a release's files, for `sha256sum -c`")
    _output(sums, "DIST", "folder for SHA256SUMS")
    sums.add_argument("files", nargs="+", type=Path, metavar="FILE")
    sbom = commands.add_parser("sbom", help="what is inside an artefact, as CycloneDX JSON")
    _output(sbom, "FILE", "like waiaas-X.Y.Z.cdx.json")
    sbom.add_argument("artefact", type=Path, metavar="ARTEFACT")
    sbom.add_argument(
        "--source", type=Path, default=source, metavar="DIR", help="the tree that it was built from"
    )
    _desktop(commands)


def _desktop(commands: "Commands") -> None:
    command = commands.add_parser("desktop", help="latest.json for the desktop shell, from the verified feed")
    command.add_argument("--feed", type=Path, required=True, metavar="F", help="folder of the feed")
    command.add_argument("--root", type=Path, required=True, metavar="K/root.json")
    command.add_argument(
        "--minisign-key",
        type=Path,
        required=True,
        metavar="FILE",
        help="secret key, of `minisign -G` or Tauri",
    )
    _output(command, "DIR", "folder for latest.json and the signatures")
    command.add_argument(
        "--feed-url", default="", metavar="URL", help="where F is served (default: what the artefact says)"
    )
    command.add_argument(
        "--without", action="append", default=[], metavar="PLATFORM", help="a platform that is given up"
    )


def _output(command: argparse.ArgumentParser, metavar: str, what: str) -> None:
    command.add_argument("-o", "--output", type=Path, required=True, metavar=metavar, help=what)
