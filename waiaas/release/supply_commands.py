"""The commands for what goes with an artefact: arguments in, a file written, its path out."""

import argparse
from typing import TYPE_CHECKING

from waiaas.core.errors import Exit

if TYPE_CHECKING:
    from waiaas.release.commands import Bench


def sums(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    from waiaas.release.sums import write

    bench.say(str(write(arguments.files, arguments.output, bench.files)))
    return Exit.OK


def sbom(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    from waiaas.release.sbom import write

    bench.say(str(write(arguments.artefact, arguments.source, arguments.output, bench.files)))
    return Exit.OK
