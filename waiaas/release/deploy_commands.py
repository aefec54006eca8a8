"""The commands that the workflows call: arguments in, a story told, lines out."""

import argparse
from typing import TYPE_CHECKING

from waiaas.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waiaas.release.commands import Bench
    from waiaas.release.deploy.record import Entry
    from waiaas.release.publish import Terms

KEY = "WAIAAS_RELEASE_KEY_"  # + the role: a private key, as its file is
KEPT_IN_CI = {
    "targets": "targets-1.pem",
    "snapshot": "snapshot-1.pem",
    "timestamp": "timestamp-1.pem",
    "minisign": "minisign.key",
}


def assemble(bench: "Bench", arguments: argparse.Namespace, terms: "Terms") -> Exit:
    from waiaas.release.deploy.assemble import Wish, assemble
    from waiaas.release.deploy.plan import ROOT

    wish = Wish(
        tag=arguments.tag,
        source=arguments.source.resolve(),
        output=arguments.output.resolve(),
        feed_url=arguments.feed_url,
        feed_branch=arguments.feed_branch,
        images=tuple(arguments.images.split()),
        terms=terms,
        cache=arguments.cache and arguments.cache.resolve(),
    )
    plan = assemble(wish, bench.files, bench.clock, bench.processes)
    bench.say(f"{plan.sha256}  {wish.output / plan.artefact}")
    if plan.rehearsal:
        bench.remark(f"note: the tree has no {ROOT}, so this artefact can be rehearsed and never published")
    return Exit.OK


def deploy(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    from waiaas.release.deploy import plan

    folder = arguments.release.resolve()
    known = plan.read(folder)
    real = plan.is_for_real(known, bench.environ)
    if arguments.mode:
        bench.say(f"publish={'true' if real else 'false'}")
        return Exit.OK
    if not real:
        bench.remark(f"dry run: nothing is published ({plan.PUBLISH} is not true)")
    from waiaas.release.deploy import story
    from waiaas.release.deploy.deployment import Deployment

    unknown = [name for name in arguments.steps if name not in story.STEPS]
    if unknown:
        raise UsageError("unknown-step", f"there is no step {unknown[0]}", f"of {', '.join(story.STEPS)}")
    deployment = Deployment(bench, folder, known, arguments.source.resolve(), arguments.keys)
    for name in arguments.steps or story.STEPS:
        for entry in story.deploy(deployment, [name]):
            _tell(bench, entry)
    return Exit.OK


def fetch(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    from waiaas.release.deploy import branch

    commit = branch.parse(arguments.branch, bench.processes).fetch(arguments.feed)
    bench.say(commit or "nothing is public yet")
    return Exit.OK


def push(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    from waiaas.release.deploy import branch

    bench.say(branch.parse(arguments.branch, bench.processes).push(arguments.feed, "refresh"))
    return Exit.OK


def unpack_keys(bench: "Bench", arguments: argparse.Namespace) -> Exit:
    """Keys come from the environment, each in a variable of its own; none is there in a dry run."""
    from waiaas.core.layout import DIRECTORY_MODE, FILE_MODE

    bench.files.make_directory("keys.folder", arguments.dir, DIRECTORY_MODE)
    for role, text in _given(bench.environ).items():
        path = arguments.dir / KEPT_IN_CI[role]
        bench.files.write("keys.unpack", path, text.encode(), FILE_MODE)
        bench.say(str(path))
    return Exit.OK


def _given(environ: "Mapping[str, str]") -> dict[str, str]:
    found = {role: environ.get(KEY + role.upper(), "") for role in KEPT_IN_CI}
    return {role: text.strip() + "\n" for role, text in found.items() if text.strip()}


def _tell(bench: "Bench", entry: "Entry") -> None:
    bench.say(f"{entry.step:<11} {entry.outcome:<13} {entry.seconds:>6.1f} s")
    for name, value in entry.observed.items():
        bench.say(f"  {name}: {value}")
