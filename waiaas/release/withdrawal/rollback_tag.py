"""The step that marks where one goes back to: an annotated tag on the target's commit (W-08, W-20).

Only that tag is pushed, no tag is ever moved, and `main` is not touched.
"""

import re
import shlex
from pathlib import Path

from waiaas.core.errors import WaiaasError
from waiaas.core.version import Version
from waiaas.host.clock import iso
from waiaas.release.withdrawal import target
from waiaas.release.withdrawal.case import Case, Seen, by_hand, done, not_needed
from waiaas.release.withdrawal.outside import Argv, Outside

COMMIT = re.compile(r"[0-9a-f]{7,64}")


def rollback_tag(case: Case) -> Seen:
    good, settings, outside = case.to, case.desk.settings, case.desk.outside
    if good is None or good > case.version:
        return not_needed("nothing goes back to an earlier version")
    name, message = (
        name_of(good, case.facts.at),
        f"Roll back from {case.version} to {good}: {case.facts.reason}",
    )
    if case.desk.tools.no_git or settings.checkout is None:
        git = Git(outside, Path(), settings.remote)
        commands = git.make(name, message, f"v{good}^{{commit}}"), git.push(name)
        return by_hand(f"not made ({case.desk.tools.no_git})", "; ".join(map(shlex.join, commands)))
    git = Git(outside, settings.checkout, settings.remote)
    commit = _commit_of(case, git, good)
    git.require_remote(settings.repository)
    if git.pushed(name) is None:
        if git.resolved(f"refs/tags/{name}") is None:
            outside.ask(git.make(name, message, commit))
        _require_same(name, git.resolved(f"refs/tags/{name}"), commit)
        outside.ask(git.push(name))
    _require_same(name, git.pushed(name), commit)
    return done(f"{settings.remote} has {name} on {commit[:12]}, the commit of {good}")


def name_of(good: Version, at: int) -> str:
    """`at`: of the withdrawal (Unix seconds), so that resuming on another day makes no second tag."""
    return f"v{good}-rollback-{iso(at)[:10].replace('-', '')}"


class Git:
    """Command lines of git as values, and what it answers."""

    def __init__(self, outside: Outside, checkout: Path, remote: str) -> None:
        self._outside = outside
        self._checkout = checkout
        self._remote = remote

    def make(self, name: str, message: str, commit: str) -> Argv:
        return self._git("tag", "-a", name, "-m", message, commit)

    def push(self, name: str) -> Argv:
        """This tag and, whatever the user has configured, no other."""
        return self._git("push", "--no-follow-tags", self._remote, f"refs/tags/{name}:refs/tags/{name}")

    def resolved(self, name: str) -> str | None:
        """The commit that `name` leads to, None if the checkout does not have it."""
        found = self._outside.run(self._git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"))
        return found.stdout.strip() if found.code == 0 else None

    def pushed(self, name: str) -> str | None:
        """The commit of the tag in the remote repository, None if it has no such tag."""
        reference = f"refs/tags/{name}"
        peeled = f"{reference}^{{}}"
        said = self._outside.ask(self._git("ls-remote", "--tags", self._remote, reference, peeled))
        rows = (row.split("\t") for row in said.splitlines() if "\t" in row)
        found = {tag: commit for commit, tag in rows}
        if reference in found and peeled not in found:
            raise WaiaasError("tag-moved", f"{self._remote} has {name}, and it is not annotated")
        return found.get(peeled)

    def require_remote(self, repository: str) -> None:
        """Never push to some other repository than the one that is named."""
        address = self._outside.ask(self._git("remote", "get-url", "--push", self._remote)).strip()
        path = address.removesuffix("/").removesuffix(".git")
        if repository and not path.endswith((f"/{repository}", f":{repository}")):
            raise WaiaasError("other-remote", f"{self._remote} of {self._checkout} is not {repository}")

    def _git(self, *words: str) -> Argv:
        return ("git", "-C", str(self._checkout), *words)


def _commit_of(case: Case, git: Git, good: Version) -> str:
    """Of the target: what its tag and the signed feed say, which must not differ."""
    release = target.find(case.releases, good)
    tagged = git.resolved(f"refs/tags/v{good}")
    signed = git.resolved(release.commit) if COMMIT.fullmatch(release.commit) else None
    if tagged is None and signed is None:
        raise WaiaasError("no-commit", f"the checkout has no commit of {good} (git fetch --tags)")
    if tagged and signed and tagged != signed:
        raise WaiaasError(
            "tag-moved", f"v{good} is on {tagged[:12]}, but {good} was built from {signed[:12]}"
        )
    return tagged or signed or ""


def _require_same(name: str, seen: str | None, commit: str) -> None:
    if seen != commit:
        raise WaiaasError("tag-moved", f"{name} is on {seen and seen[:12]}, not on {commit[:12]}")
