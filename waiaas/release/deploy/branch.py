"""The public copy of the feed: a branch of a git repository, served as it is (GitHub Pages does that).

A push is atomic, and refused when somebody else has pushed since: two runs never mix their files, and
what was public at any moment can be read in the history. The folder of the feed is a clone of it.
"""

import shutil
from pathlib import Path

from waiaas.core.errors import UsageError, WaiaasError
from waiaas.core.value import frozen
from waiaas.host.processes import Finished, Processes

TOKEN = "WAIAAS_FEED_TOKEN"  # noqa: S105 - the name of the variable that may hold it
# Asks the environment at the moment of need, so that no command line and no file ever holds the token.
HELPER = f'!f() {{ test -n "${TOKEN}" && echo username=x-access-token && echo "password=${TOKEN}"; }}; f'
MOVED = "feed-moved"  # somebody else has pushed since we fetched
PATIENCE = 300.0  # seconds for one git command
POINT_OF_COMMIT = "metadata/timestamp.json"  # what every feed has
NO_REFERENCE = 2  # exit code of `git ls-remote --exit-code`
IDENTITY = ("-c", "user.name=waiaas-release", "-c", "user.email=waiaas-release@users.noreply.github.com")


@frozen
class Branch:
    """`name` in the repository `remote`."""

    remote: str
    name: str
    processes: Processes

    def head(self) -> str:
        """The commit that is public now; "" while there is none."""
        done = self._try("ls-remote", "--exit-code", self.remote, f"refs/heads/{self.name}")
        if done.code == NO_REFERENCE:
            return ""
        return _checked(done, f"read {self.remote}").stdout.split()[0]

    def fetch(self, feed: Path) -> str:
        """Make the folder what is public now; returns the commit, "" for none.

        Only a folder that an earlier `fetch` made is replaced; raises UsageError `not-a-copy`, and
        WaiaasError `feed-gone` for a branch that once held a feed and holds none now.
        """
        if feed.exists() and not (feed / ".git").is_dir():
            raise UsageError(
                "not-a-copy", f"{feed} is no copy of a branch", "name a folder that does not exist"
            )
        shutil.rmtree(feed, ignore_errors=True)
        self._git("init", "-q", "-b", self.name, str(feed))
        head = self.head()
        if head:
            inside = ("-C", str(feed))
            self._git(*inside, "fetch", "-q", "--depth", "1", self.remote, f"refs/heads/{self.name}")
            self._git(*inside, "reset", "-q", "--hard", "FETCH_HEAD")
            self._refuse_loss(feed)
        return head

    def push(self, feed: Path, message: str) -> str:
        """Make public what the folder holds; returns the commit that is public afterwards.

        Raises WaiaasError `feed-moved` if somebody else was faster.
        """
        inside = ("-C", str(feed), *IDENTITY)
        (feed / ".nojekyll").touch()  # Pages serves the files as they are
        self._git(*inside, "add", "--all")
        if self._git(*inside, "status", "--porcelain").stdout:
            self._git(*inside, "commit", "-q", "-m", message)
        done = self._try(*inside, "push", "-q", self.remote, f"HEAD:refs/heads/{self.name}")
        if done.code and ("fetch first" in done.stderr or "non-fast-forward" in done.stderr):
            raise WaiaasError(
                MOVED, f"{self.name} has changed since it was fetched", "run the same command again"
            )
        _checked(done, f"push to {self.remote}")
        ours = self._git("-C", str(feed), "rev-parse", "HEAD").stdout.strip()
        if (seen := self.head()) != ours:
            raise WaiaasError(MOVED, f"{self.name} is at {seen[:12]}, not at {ours[:12]}", "run it again")
        return seen

    def _refuse_loss(self, feed: Path) -> None:
        """A feed begins once: whoever lost it would begin it again, without what was withdrawn."""
        if (feed / POINT_OF_COMMIT).is_file():
            return
        inside = ("-C", str(feed))
        if self._git(*inside, "rev-parse", "--is-shallow-repository").stdout.strip() == "true":
            self._git(*inside, "fetch", "-q", "--unshallow", self.remote, f"refs/heads/{self.name}")
        last = self._git(*inside, "log", "-1", "--format=%H", "--", POINT_OF_COMMIT).stdout.strip()
        if last:
            raise WaiaasError(
                "feed-gone",
                f"{self.name} holds no feed any more, since {last[:12]}",
                "bring it back with `git revert`",
            )

    def _git(self, *arguments: str) -> Finished:
        return _checked(self._try(*arguments), f"git {' '.join(arguments)}")

    def _try(self, *arguments: str) -> Finished:
        helper = ("-c", "credential.helper=", "-c", f"credential.helper={HELPER}")
        return self.processes.run(["git", *helper, *arguments], PATIENCE)


def parse(text: str, processes: Processes) -> Branch:
    """`REMOTE#BRANCH`; raises UsageError `bad-branch`."""
    remote, separator, name = text.rpartition("#")
    if not (remote and separator and name) or remote.startswith("-") or name.startswith("-"):
        raise UsageError(
            "bad-branch", f"{text!r} names no branch", "write it like https://example.org/feed.git#feed"
        )
    return Branch(remote, name, processes)


def _checked(done: Finished, what: str) -> Finished:
    if done.code:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise WaiaasError(
            "git-failed", f"could not {what}: {lines[-1]}", f"is {TOKEN} set, and may it write?"
        )
    return done
