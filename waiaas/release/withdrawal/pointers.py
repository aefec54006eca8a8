"""The steps that turn what pointed at the withdrawn version: image tags, "latest", package, roll-back tag.

None of them deletes anything, and none moves a pointer that does not point at the withdrawn version.
"""

import shlex
from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.host.clock import iso
from waiaas.release.withdrawal import github, images, index, target
from waiaas.release.withdrawal.case import Case, Seen, by_hand, done, not_needed
from waiaas.release.withdrawal.outside import Argv


def image_tags(case: Case) -> Seen:
    """`latest`, `X` and `X.Y` of each image (DOCK-02)."""
    tags = images.moving_tags(case.version)
    wanted = {tag: images.meant_by(tag, case.releases, case.version, case.to) for tag in tags}
    if not tags:
        return not_needed(f"{case.version} is a release candidate: it never had a moving tag")
    if not case.settings.images:
        return not_needed("no image is named (--image)")
    moves = [(image, tag, good) for image in case.settings.images for tag, good in wanted.items() if good]
    if not moves:
        return by_hand("there is no good version to move the tags to", f"take down {', '.join(tags)}")
    registry = case.tools.registry
    if registry is None:
        hint = "; ".join(
            shlex.join(images.SKOPEO.move(image, f"DIGEST-OF-{good}", tag)) for image, tag, good in moves
        )
        return by_hand("neither skopeo nor docker buildx is at hand: nothing was looked at", hint)
    seen = [
        images.move_back(registry, case.outside, image, tag, case.version, good) for image, tag, good in moves
    ]
    return done("; ".join(seen))


def latest(case: Case) -> Seen:
    """The release that GitHub calls the latest."""
    good = target.newest_good(case.releases, case.version)
    repository = case.settings.repository
    if good is None:
        return not_needed("there is no good release that could be called the latest")
    command = github.make_latest(repository or "OWNER/NAME", good)
    if case.tools.no_github:
        return by_hand(f"not looked at ({case.tools.no_github})", shlex.join(command))
    now = _latest(case)
    if now == github.tag(case.version):
        case.outside.ask(command)
        now = _latest(case)
    if now == github.tag(case.version):
        raise WaiaasError("not-shown", f"{repository} still calls {now} the latest release")
    return done(f"{repository} calls {now} the latest release")


def package(case: Case) -> Seen:
    """A package index keeps what it has; it can only be told not to offer it (PEP 592), by hand."""
    name, address = case.settings.package, case.settings.index
    if not name:
        return not_needed("no package is on an index")
    state = index.look(case.network, address, name, case.version)
    if state == index.ABSENT:
        return not_needed(f"{address} has no {name} {case.version.pep440}")
    if state == index.YANKED:
        return done(f"{address} says that {name} {case.version.pep440} is yanked")
    return by_hand(
        f"{address} still offers {name} {case.version.pep440}",
        f"sign in at {address} → project {name} → release {case.version.pep440} → Yank: type the version "
        "and the reason. Yank, never delete: a deleted file name can never be used again",
    )


def rollback_tag(case: Case) -> Seen:
    """An annotated tag on the target's commit, and only that tag is pushed (W-08, W-20)."""
    good = case.to
    if good is None or good > case.version:
        return not_needed("nothing goes back to an earlier version")
    day = iso(case.facts.at)[:10].replace("-", "")  # of the withdrawal, so that resuming makes no second
    name = f"v{good}-rollback-{day}"
    message = f"Roll back from {case.version} to {good}: {case.facts.reason}"
    reference = f"refs/tags/{name}"
    if case.tools.no_git or case.settings.checkout is None:
        commands = (("git", "tag", "-a", name, "-m", message, f"v{good}^{{commit}}"),
                    ("git", "push", case.settings.remote, f"{reference}:{reference}"))  # fmt: skip
        return by_hand(f"not made ({case.tools.no_git})", "; ".join(map(shlex.join, commands)))
    checkout, remote = case.settings.checkout, case.settings.remote
    commit = _commit_of(case, checkout)
    _require_remote(case, checkout)
    if _pushed(case, checkout, reference) is None:
        if _resolved(case, checkout, reference) is None:
            case.outside.ask(_git(checkout, "tag", "-a", name, "-m", message, commit))
        _require_same(name, _resolved(case, checkout, reference), commit)
        case.outside.ask(_git(checkout, "push", "--no-follow-tags", remote, f"{reference}:{reference}"))
    _require_same(name, _pushed(case, checkout, reference), commit)
    return done(f"{remote} has {name} on {commit[:12]}, the commit of {good}")


def _latest(case: Case) -> str:
    found = github.field(case.outside.read(github.latest(case.settings.repository)), "tag_name", str)
    return str(found)


def _git(checkout: Path, *words: str) -> Argv:
    return ("git", "-C", str(checkout), *words)


def _resolved(case: Case, checkout: Path, name: str) -> str | None:
    """The commit that `name` leads to, None if the checkout does not have it."""
    found = case.outside.run(_git(checkout, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"))
    return found.stdout.strip() if found.code == 0 else None


def _commit_of(case: Case, checkout: Path) -> str:
    """Of the target: what its tag and the signed feed say, which must not differ."""
    release = target.find(case.releases, case.to or case.version)
    tagged = _resolved(case, checkout, f"refs/tags/v{release.version}")
    signed = _resolved(case, checkout, release.commit) if release.commit else None
    if tagged is None and signed is None:
        raise WaiaasError("no-commit", f"{checkout} has no commit of {release.version} (git fetch --tags)")
    if tagged and signed and tagged != signed:
        raise WaiaasError(
            "tag-moved",
            f"v{release.version} is on {tagged[:12]}, but {release.version} was built from {signed[:12]}",
        )
    return tagged or signed or ""


def _require_remote(case: Case, checkout: Path) -> None:
    """Never push to some other repository than the one that is named."""
    address = case.outside.ask(_git(checkout, "remote", "get-url", "--push", case.settings.remote)).strip()
    wanted = case.settings.repository
    if wanted and not address.removesuffix("/").removesuffix(".git").endswith((f"/{wanted}", f":{wanted}")):
        raise WaiaasError("other-remote", f"{case.settings.remote} of {checkout} is not {wanted}")


def _pushed(case: Case, checkout: Path, reference: str) -> str | None:
    """The commit of the tag in the remote repository, None if it has no such tag."""
    said = case.outside.ask(
        _git(checkout, "ls-remote", "--tags", case.settings.remote, reference, f"{reference}^{{}}")
    )
    rows = (row.split("\t") for row in said.splitlines() if "\t" in row)
    found = {name: commit for commit, name in rows}
    if reference in found and f"{reference}^{{}}" not in found:
        raise WaiaasError("tag-moved", f"{case.settings.remote} has {reference}, and it is not annotated")
    return found.get(f"{reference}^{{}}")


def _require_same(name: str, seen: str | None, commit: str) -> None:
    if seen != commit:
        raise WaiaasError("tag-moved", f"{name} is on {seen and seen[:12]}, not on {commit[:12]}")
