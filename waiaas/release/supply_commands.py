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


def desktop(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    from waiaas.release import desktop, minisign
    from waiaas.release.reader import read

    key = minisign.load(arguments.minisign_key, bench.passphrase.known)
    seen = read(arguments.feed, arguments.root.read_bytes())
    offer = desktop.choose(seen, arguments.without, bench.clock.now())
    if offer is None:
        desktop.withhold(arguments.output, bench.files)
        bench.remark("nothing to offer: no release in the feed has bundles for every shell")
        return Exit.OK
    for line in offer.passed_over:
        bench.remark(f"passed over {line}")
    url, folder = arguments.feed_url, arguments.output
    bench.say(str(desktop.write(offer, arguments.feed, url, key, folder, bench.files)))
    bench.remark(f"offers {offer.release.version} for {', '.join(shell.platform for shell in offer.shells)}")
    bench.remark(f"verify with: minisign -P {key.public.text}")
    return Exit.OK
