"""The same stories in parts: each holder signs on their own machine (FEED-1).

Somebody prepares a change into `F.pending`; the folder, or a copy of it, goes to each holder, whose
`sign` examines it, says in words what it is and adds a signature file; the files come back into the
folder, and `publish_pending` (publish.py) commits it. Nobody ever sees the key of somebody else.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from waiaas.core.errors import UsageError
from waiaas.core.value import field, frozen
from waiaas.core.version import Version
from waiaas.release import describe, keys, pending, publish
from waiaas.release import root as roots
from waiaas.release.examine import Examined, examine
from waiaas.release.metadata import COMPACT
from waiaas.release.pending import Change, Partial
from waiaas.release.publish import Maker, Reason


@frozen
class Wish:
    """How keys are to change. `join`: role and public half; `leave`: key ids or public halves."""

    join: tuple[tuple[str, Path], ...] = ()
    leave: tuple[str, ...] = ()
    thresholds: Mapping[str, int] = field(default_factory=dict)


@frozen
class Waiting:
    """A change that waits. `missing`: role -> how many signatures it still needs."""

    lines: tuple[str, ...]
    missing: Mapping[str, int]


def new_key(maker: Maker, folder: Path, name: str, passphrase: bytes | None) -> Path:
    """Make a key on its holder's machine; returns the public half, which goes to whoever prepares."""
    signer = keys.new_key()
    stem = name or signer.public_key.keyid[: roots.SHORT]
    keys.keep(signer, folder / f"{stem}.pem", passphrase, maker.files)
    return keys.keep_public(signer.public_key, folder / f"{stem}.pub", maker.files)


def prepare_root(
    maker: Maker, feed: Path, holders: Mapping[str, Sequence[Path]], thresholds: Mapping[str, int]
) -> Path:
    """Freeze the first root of trust of a feed, from the public halves of its holders."""
    with publish.alone(maker, feed):
        if maker.repository(feed).rooted:
            raise UsageError(
                "root-exists", f"{feed} has a root of trust already", "change it with `prepare-rotation`"
            )
        public = {role: [keys.load_public(path) for path in paths] for role, paths in holders.items()}
        first = roots.first(public, thresholds, maker.clock)
        return publish.freeze(maker, feed, Change((), root=first.to_bytes(COMPACT)))


def prepare_rotation(maker: Maker, feed: Path, wish: Wish) -> Path:
    """Freeze the next root, in which keys join and leave; and the targets, where need be."""
    if not wish.join and not wish.leave and not wish.thresholds:
        raise UsageError(
            "nothing-to-rotate",
            "no key joins or leaves",
            "say --new ROLE=FILE.pub, --replace KEY or --threshold",
        )
    join = {role: [keys.load_public(path) for r, path in wish.join if r == role] for role, _ in wish.join}
    leave = [_keyid(word) for word in wish.leave]
    return _freeze_root(maker, feed, roots.Turnover(join, leave, wish.thresholds))


def prepare_renewal(maker: Maker, feed: Path, role: str) -> Path:
    """Freeze root or targets as they are, with a full lifetime."""
    if role == "root":
        return _freeze_root(maker, feed, roots.Turnover())
    with publish.alone(maker, feed):
        return publish.freeze(maker, feed, maker.repository(feed).draft([], {}, b""))


def prepare_withdrawal(maker: Maker, feed: Path, version: Version, why: Reason) -> Path | None:
    """Freeze the mark on a bad release; None if the feed says just that already (WDR-2)."""
    with publish.alone(maker, feed):
        change = publish.withdrawal(maker, feed, version, why)
        return None if change is None else publish.freeze(maker, feed, change)


def prepare_rollout(maker: Maker, feed: Path, version: Version, percent: int) -> Path | None:
    """Freeze another share of a release; None if it has that already."""
    with publish.alone(maker, feed):
        change = publish.offered(maker, feed, version, percent)
        return None if change is None else publish.freeze(maker, feed, change)


def look(folder: Path, trusted: bytes | None) -> Examined:
    """A frozen change, checked; `trusted`: the holder's own root of trust."""
    return examine(pending.thaw(folder), trusted)


def sign(maker: Maker, folder: Path, found: Examined, key: Path, passphrase: keys.Passphrase) -> list[Path]:
    """A partial signature over all that this key may sign in `folder`; returns their files.

    Raises UsageError `foreign-key` if it may sign nothing of it.
    """
    signer = keys.load(key, passphrase)
    keyid = signer.public_key.keyid
    roles = found.may_sign(keyid)
    if not roles:
        raise UsageError(
            "foreign-key",
            f"the key {keyid[: roots.SHORT]} is no {' or '.join(found.documents)} key of this feed",
            "use the key of the role; `status --feed F` names them",
        )
    made = []
    for role in roles:
        signature = found.documents[role].sign(signer, append=True)
        partial = Partial(role, keyid, signature.signature)
        made.append(pending.add_signature(folder, partial, maker.files))
    return made


def waiting(feed: Path) -> Waiting | None:
    """The change that waits beside a feed, None if none does. Raises as `look` does."""
    folder = pending.folder_of(feed)
    if not folder.exists():
        return None
    found = look(folder, None)
    return Waiting(tuple(describe.lines(found, everything=False)), missing(found))


def missing(found: Examined) -> dict[str, int]:
    """Role -> signatures that it still needs, for those that are not complete.

    Targets that go with a new root need those of the new one; the old one's spare clients a moment.
    """
    known = {"root": found.authorities(), "targets": found.authorities()[-1:]}
    needed = {
        role: max(roots.lacking(root, role, document) for root in known[role])
        for role, document in found.documents.items()
    }
    return {role: number for role, number in needed.items() if number}


def _freeze_root(maker: Maker, feed: Path, turnover: roots.Turnover) -> Path:
    with publish.alone(maker, feed):
        repository = maker.repository(feed)
        new = roots.changed(repository.root(), turnover, maker.clock)
        return publish.freeze(maker, feed, repository.draft_root(new))


def _keyid(word: str) -> str:
    """A key id, or the one in a public half."""
    return keys.load_public(Path(word)).keyid if Path(word).is_file() else word
