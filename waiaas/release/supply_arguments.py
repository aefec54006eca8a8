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


def _output(command: argparse.ArgumentParser, metavar: str, what: str) -> None:
    command.add_argument("-o", "--output", type=Path, required=True, metavar=metavar, help=what)
