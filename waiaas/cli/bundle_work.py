"""`waiaas bundle`: making, showing and verifying."""

import argparse
import shlex
import sys
from pathlib import Path

from waiaas import __version__
from waiaas.cli import place as places
from waiaas.cli.context import Context, Loaded
from waiaas.cli.output import Result
from waiaas.cli.table import size, table
from waiaas.core.choose import Policy, newest_eligible
from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.release import Release
from waiaas.core.version import Version
from waiaas.host.clock import iso
from waiaas.upgrade import bundle_look
from waiaas.upgrade.feed import Catalogue
from waiaas.upgrade.installation import installation_id
from waiaas.upgrade.story import CHECK_PATIENCE
from waiaas.upgrade.trust import open_feed


def create(args: argparse.Namespace, context: Context, loaded: Loaded) -> Result:
    from waiaas.upgrade.bundle_make import create as make

    output = Path(args.output).absolute()
    if output.is_dir() or not output.parent.is_dir():
        raise UsageError("usage", f"{output} is no place for a file", "waiaas bundle create -o FILE.tgz")
    cache, floors = places.caches(context.host, loaded.layout, context.program)
    feed = open_feed(context.host, loaded.settings, cache, floors)
    catalogue = feed.refresh(CHECK_PATIENCE)
    release = _wanted(args.version, catalogue, context, loaded)
    bar = context.out.progress("download", release.length)
    made = make(context.host, feed, release, output, lambda done, _total: bar.update(done))
    bar.done()
    document = {
        "file": str(made.path),
        "bytes": made.size,
        "sha256": made.sha256,
        "version": str(release.version),
        "target": _target(release),
        "roots": made.roots,
        "expires": {role: iso(date) for role, date in made.expires.items()},
    }
    text = (
        f"{made.path}: WAIaaS {release.version}, {size(made.size)}\n"
        f"  fresh until {iso(made.expires['timestamp'])}; accepted until {iso(made.expires['targets'])}\n"
        f"Carry it, then: waiaas upgrade --from {shlex.quote(made.path.name)}{_asked_for(release.version)}"
    )
    return Result(document, text)


def _wanted(version: str | None, catalogue: Catalogue, context: Context, loaded: Loaded) -> Release:
    """The version that was named, or the newest that this installation could be running."""
    if version is None:
        settings = loaded.settings.upgrade
        identity = installation_id(loaded.layout)
        now, python = context.host.clock.now(), sys.version_info[:3]
        policy = Policy(settings.channel, settings.pin, identity, None, python, now)
        newest = newest_eligible(catalogue.releases, Version.parse(__version__), policy)
        if newest is None:
            raise WaiaasError("nothing-to-bundle", "the feed offers nothing", "waiaas upgrade --check")
        return newest
    wanted = Version.parse(version)
    found = next((release for release in catalogue.releases if release.version == wanted), None)
    if found is None:
        raise WaiaasError("not-in-feed", f"the feed has no {wanted}", "waiaas upgrade --check")
    if found.withdrawn is not None:
        raise WaiaasError(
            "withdrawn", f"{wanted} was withdrawn: {found.withdrawn.reason}", "waiaas bundle create -o FILE"
        )
    return found


def show(context: Context, path: Path) -> Result:
    _, contents = bundle_look.show(path, context.host.clock)
    payload, claims = contents.payload, bundle_look.claims(contents)
    rows = [(role, version, "?" if date is None else iso(date)) for role, (version, date) in claims.items()]
    document = {
        "file": str(path),
        "bytes": path.stat().st_size,
        "verified": False,
        "version": str(payload.version),
        "target": {"name": payload.target, "sha256": payload.sha256, "length": payload.size},
        "roots": contents.roots,
        "metadata": {
            role: {"version": version, "expires": None if date is None else iso(date)}
            for role, (version, date) in claims.items()
        },
    }
    text = (
        f"{path} says that it carries WAIaaS {payload.version} ({size(payload.size)})\n"
        f"  sha256 {payload.sha256}\n"
        f"{table(('metadata', 'version', 'expires'), rows)}\n"
        f"Nothing of this was verified. Run: waiaas bundle verify {shlex.quote(str(path))}"
    )
    return Result(document, text)


def verify(context: Context, loaded: Loaded, path: Path) -> Result:
    cache, floors = places.caches(context.host, loaded.layout, context.program)
    found = bundle_look.verify(context.host, loaded.settings, cache, floors, path)
    catalogue = found.catalogue
    for warning in catalogue.warnings:
        context.out.warn(warning)
    versions = [str(release.version) for release in found.releases]
    document = {
        "file": str(path),
        "verified": True,
        "version": versions[0] if len(versions) == 1 else None,
        "targets": [_target(release) for release in found.releases],
        "targetsVersion": catalogue.targets_version,
        "expires": {role: iso(date) for role, date in catalogue.expires.items()},
        "expired": list(catalogue.expired),
        "warnings": list(catalogue.warnings),
    }
    age = "out of date" if catalogue.expired else f"fresh until {iso(catalogue.expires['timestamp'])}"
    text = f"{path} is genuine: WAIaaS {', '.join(versions)}, list {catalogue.targets_version}, {age}"
    return Result(document, text)


def _asked_for(version: Version) -> str:
    """A release candidate is not offered: whoever wants it has to name it."""
    return f" --to {version}" if version.is_rc else ""


def _target(release: Release) -> dict[str, object]:
    return {"name": release.target, "sha256": release.sha256, "length": release.length}
