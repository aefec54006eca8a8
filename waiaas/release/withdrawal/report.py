"""The situation at a glance, before anything is decided; on record, with what could not be known (WDR-4)."""

from collections.abc import Callable
from typing import Any

from waiaas.core.errors import WaiaasError
from waiaas.core.release import Release
from waiaas.core.value import field, mutable
from waiaas.core.version import Version
from waiaas.host.clock import iso
from waiaas.release.withdrawal import downloads, feedback, github, index
from waiaas.release.withdrawal.case import Desk
from waiaas.release.withdrawal.records import Shelf

KIND = "report"
LAST = 5
COMMITS = 20
WORKFLOW = "release.yml"
COMMUNITY = "community.md"


@mutable
class Found:
    """The report as it grows. `unknown`: what could not be looked at, and why."""

    values: dict[str, Any] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def look(self, what: str, work: Callable[[], dict[str, Any]], empty: dict[str, Any]) -> None:
        """Add what `work` finds; where it fails, `empty`, and the reason."""
        try:
            self.values |= work()
        except WaiaasError as problem:
            self.values |= empty
            self.unknown.append(f"{what}: {problem.message}")
        except (KeyError, TypeError, ValueError) as problem:
            self.values |= empty
            self.unknown.append(f"{what}: gh answered in an unexpected way ({problem!r})")


def report(desk: Desk, releases: tuple[Release, ...], version: Version) -> dict[str, Any]:
    """Look everywhere, keep it on record, and return it."""
    found = Found(_published(releases))
    found.look("failed runs", lambda: _failed_runs(desk), {"failedRuns": None})
    found.look("downloads", lambda: _downloads(desk, version), {"downloads": None})
    found.look("issues", lambda: _issues(desk, version), dict.fromkeys(ISSUES))
    found.look("package", lambda: _package(desk, version), {"package": None})
    found.look("commits", lambda: _commits(desk), {"commits": None})
    found.values |= _community(desk, version)
    document = {**found.values, "unknown": found.unknown}
    desk.shelf.save(KIND, version, document)
    return document


ISSUES = ("issuesAbout", "issuesOpen", "comments", "reactions")


def lines(document: dict[str, Any], shelf: Shelf, version: Version) -> list[str]:
    """The report in words."""
    runs = document["failedRuns"]
    said = [f"version   {v['version']}  {v['channel']}  {v['state']}" for v in document["versions"]]
    said.append(f"current   {document['current'] or 'none'}")
    said.append(f"package   {document['package'] or 'unknown'}")
    if runs is not None:
        said += [f"run       {r['id']}  {r['at']}  {r['branch']}  {r['title']}" for r in runs]
        said += [] if runs else ["run       none failed"]
    said.append(f"downloads {_since(document['downloads'])}")
    for name, title in (("issuesAbout", f"about {version}"), ("issuesOpen", "open in all")):
        counts = document[name]
        words = ", ".join(f"{n} {level}" for level, n in counts.items()) if counts else "unknown"
        said.append(f"issues    {title}: {words}")
    said.append(
        f"reactions {_or_unknown(document['reactions'])}, comments {_or_unknown(document['comments'])}"
    )
    place = shelf.place(version) / COMMUNITY
    said.append(f"community {document['community'] or f'no notes; write them into {place}'}")
    said += [f"commit    {line}" for line in document["commits"] or ()]
    return [*said, *(f"unknown   {line}" for line in document["unknown"])]


def _published(releases: tuple[Release, ...]) -> dict[str, Any]:
    newest = sorted(releases, key=lambda release: release.seq, reverse=True)[:LAST]
    good = [r.version for r in releases if r.withdrawn is None and r.channel == "stable"]
    return {
        "versions": [{"version": str(r.version), "channel": r.channel, "state": _state(r)} for r in newest],
        "current": str(max(good)) if good else None,
    }


def _state(release: Release) -> str:
    if release.withdrawn is None:
        return f"seq {release.seq}"
    where = f", go to {release.withdrawn.to}" if release.withdrawn.to else ""
    return f"seq {release.seq}, withdrawn: {release.withdrawn.reason}{where}"


def _failed_runs(desk: Desk) -> dict[str, Any]:
    runs = github.failed(desk.outside.read(github.runs(_repository(desk), WORKFLOW)), LAST)
    clean = desk.shelf.secrets.withheld
    return {
        "failedRuns": [
            {
                "id": run["databaseId"],
                "title": clean(run["displayTitle"]) or "untitled",
                "branch": run["headBranch"] or "none",
                "at": run["createdAt"],
                "url": run["url"],
            }
            for run in runs
        ]
    }


def _downloads(desk: Desk, version: Version) -> dict[str, Any]:
    releases = desk.outside.read(github.releases(_repository(desk)))
    readings = downloads.note(desk.shelf, downloads.counts_of(releases))
    tag, now = github.tag(version), desk.shelf.clock.seconds()
    found = downloads.of_seven_days(readings, tag, now, downloads.published_of(releases, tag))
    if found is None:
        raise WaiaasError("unknown", "no reading of the counts is seven days old yet; this one is kept")
    return {"downloads": {"count": found.count, "since": iso(found.since)}}


def _issues(desk: Desk, version: Version) -> dict[str, Any]:
    listed = desk.outside.read(github.issues(_repository(desk), "open", feedback.FIELDS))
    found = feedback.count(listed, version)
    return dict(zip(ISSUES, (found.about, found.open, found.comments, found.reactions), strict=True))


def _package(desk: Desk, version: Version) -> dict[str, Any]:
    name, address = desk.settings.package, desk.settings.index
    if not name:
        return {"package": "none is on an index"}
    return {"package": f"{name} {version.pep440}: {index.look(desk.network, address, name, version)}"}


def _commits(desk: Desk) -> dict[str, Any]:
    if desk.tools.no_git or desk.settings.checkout is None:
        raise WaiaasError("unknown", desk.tools.no_git)
    words = ("log", "--no-decorate", f"-{COMMITS}", "--format=%h %as %s")
    said = desk.outside.ask(("git", "-C", str(desk.settings.checkout), *words))
    return {"commits": [desk.shelf.secrets.withheld(line) for line in said.splitlines() if line.strip()]}


def _community(desk: Desk, version: Version) -> dict[str, Any]:
    """Notes from channels that no program reads, written by people into one file."""
    path = desk.shelf.place(version) / COMMUNITY
    if not path.is_file():
        return {"community": None}
    said = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {"community": f"{COMMUNITY}, {len(said)} lines" if said else None}


def _repository(desk: Desk) -> str:
    if desk.tools.no_github:
        raise WaiaasError("unknown", desk.tools.no_github)
    return desk.settings.repository


def _since(downloaded: dict[str, Any] | None) -> str:
    if downloaded is None:
        return "unknown"
    return f"{downloaded['count']} since {downloaded['since']} (of assets; the feed counts nobody)"


def _or_unknown(value: int | None) -> str:
    return "unknown" if value is None else str(value)
