"""The steps that turn what pointed at the withdrawn version: image tags, "latest", a package (WDR-2).

None of them deletes anything, and none moves a pointer that does not point at the withdrawn version.
"""

import shlex

from waiaas.core.errors import WaiaasError
from waiaas.release.withdrawal import github, images, index, target
from waiaas.release.withdrawal.case import Case, Desk, Seen, by_hand, done, not_needed


def image_tags(case: Case) -> Seen:
    """`latest`, `X` and `X.Y` of each image (DOCK-02)."""
    tags, desk = images.moving_tags(case.version), case.desk
    wanted = {tag: images.meant_by(tag, case.releases, case.version, case.to) for tag in tags}
    if not tags:
        return not_needed(f"{case.version} is a release candidate: it never had a moving tag")
    if not desk.settings.images:
        return not_needed("no image is named (--image)")
    moves = [(name, tag, good) for name in desk.settings.images for tag, good in wanted.items() if good]
    if not moves:
        return by_hand("there is no good version to move the tags to", f"take down {', '.join(tags)}")
    registry = desk.tools.registry
    if registry is None:
        commands = [images.SKOPEO.move(name, f"DIGEST-OF-{good}", tag) for name, tag, good in moves]
        todo = "; ".join(map(shlex.join, commands))
        return by_hand("neither skopeo nor docker buildx is at hand: nothing was looked at", todo)
    seen, left = [], []
    for move in moves:  # one registry that fails keeps no other from being seen to
        try:
            seen.append(images.move_back(registry, desk.outside, *move, case.version))
        except WaiaasError as problem:
            left.append(problem.message)
    if left:
        raise WaiaasError("tags-left", "; ".join([*left, *seen]))
    return done("; ".join(seen))


def latest(case: Case) -> Seen:
    """The release that GitHub calls the latest."""
    good, repository = target.newest_good(case.releases, case.version), case.desk.settings.repository
    if good is None:
        return not_needed("there is no good release that could be called the latest")
    command = github.make_latest(repository or "OWNER/NAME", good)
    if case.desk.tools.no_github:
        return by_hand(f"not looked at ({case.desk.tools.no_github})", shlex.join(command))
    now = _latest(case.desk)
    if now == github.tag(case.version):
        case.desk.outside.ask(command)
        now = _latest(case.desk)
    if now == github.tag(case.version):
        raise WaiaasError("not-shown", f"{repository} still calls {now} the latest release")
    return done(f"{repository} calls {now} the latest release")


def package(case: Case) -> Seen:
    """A package index keeps what it has; it can only be told not to offer it (PEP 592), by hand."""
    name, address, number = case.desk.settings.package, case.desk.settings.index, case.version.pep440
    if not name:
        return not_needed("no package is on an index")
    state = index.look(case.desk.network, address, name, case.version)
    if state == index.ABSENT:
        return not_needed(f"{address} has no {name} {number}")
    if state == index.YANKED:
        return done(f"{address} says that {name} {number} is yanked")
    return by_hand(
        f"{address} still offers {name} {number}",
        f"sign in at {address}, project {name}, release {number}, Options, Yank: type the version and the "
        "reason. Yank, never delete: the name of a deleted file can never be used again",
    )


def desktop(case: Case) -> Seen:
    """The list of the desktop channel, which another key signs (docs/desktop.md)."""
    platforms = sorted(shell.platform for shell in case.shells if shell.version == case.version)
    if not platforms:
        return not_needed(f"{case.version} has no bundle for the desktop shell")
    return by_hand(
        f"{case.version} has bundles for {', '.join(platforms)}; their list was not looked at",
        "make the list again, and serve it: desktop --feed F --root K/root.json --minisign-key FILE -o DIR",
    )


def _latest(desk: Desk) -> str:
    found = github.field(desk.outside.read(github.latest(desk.settings.repository)), "tag_name", str)
    return str(found)
