"""What is said before anything is done: what it does to users, with what it works, what is final."""

from collections.abc import Iterator

from waiaas.release.withdrawal.case import Tools
from waiaas.release.withdrawal.marking import Mark
from waiaas.release.withdrawal.settings import Settings


def lines(mark: Mark, settings: Settings, tools: Tools) -> list[str]:
    """The plan (W-07, W-24). Nothing has been changed when this is read."""
    gone, version = mark.withdrawal, mark.release.version
    return [
        f"withdrawing {version}: {gone.reason} (severity {gone.severity})",
        *(f"  {line}" for line in _way(mark)),
        *(f"  {line}" for line in _prerequisites(settings, tools)),
        f"This cannot be taken back: who has seen it keeps it, and {version} is never used again.",
        "Nothing is deleted: artefact, tag, release and image stay where they are.",
    ]


def contacts(settings: Settings) -> list[str]:
    """Whom to call (W-22)."""
    missing = ", ".join(settings.missing_contacts)
    named = [f"contact   {role}: {who}" for role, who in settings.contacts]
    return [*named, *([f"contact   the settings name no {missing}"] if missing else [])]


def _way(mark: Mark) -> Iterator[str]:
    to, way = mark.withdrawal.to, mark.way
    if to is None or way is None:
        yield "users are told to stop: there is no version to go to"
        return
    yield f"users on it are sent to {to}, with `waiaas upgrade`"
    if way.crosses:
        yield f"{to} cannot open their database: the newest backup that it can read comes back,"
        yield "newer rows are lost; `waiaas upgrade` says how many and asks. Who has none stays, and waits"
    if way.stuck:
        names = ", ".join(f"{major}.{minor}" for major, minor, _ in way.stuck)
        yield f"{to} does not install on Python {names}: users there stay, and are told so"


def _prerequisites(settings: Settings, tools: Tools) -> Iterator[str]:
    registry = tools.registry.name if tools.registry else "no skopeo or docker buildx: by hand"
    images = f"{', '.join(settings.images)} ({registry})" if settings.images else "none is named"
    package = f"{settings.package} on {settings.index}" if settings.package else "none is named"
    yield f"feed      {f'public on {settings.branch}' if settings.branch else 'the folder is what is public'}"
    yield f"gh        {tools.no_github or settings.repository}"
    yield f"git       {tools.no_git or f'{settings.checkout}, {settings.remote}'}"
    yield f"images    {images}"
    yield f"package   {package}"
