"""A payload on its way to the disk: hashed while it streams, fsynced, and right or not there."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from waiaas.core.errors import TrustRefused, WaiaasError
from waiaas.core.layout import PROGRAM_MODE
from waiaas.core.release import Release
from waiaas.host.problems import NetworkProblem

TYPE_CHECKING = False  # most checks write nothing (PRF-12)
if TYPE_CHECKING:
    from waiaas.host.files import Files

Progress = Callable[[int, int], None]  # bytes so far, bytes in all


def save(chunks: Iterator[bytes], release: Release, staged: Path, files: "Files", progress: Progress) -> None:
    """Write what is signed as `release` into `staged`, a new file of mode 0755.

    `chunks` ends or raises NetworkProblem. Raises TrustRefused `wrong-bytes`, WaiaasError
    `cannot-stage`; then nothing is left behind.
    """
    try:
        files.remove("stage", staged)  # what an interrupted run may have left
        files.at("stage:write")
        try:
            _write(signed(chunks, release), release, staged, progress)
        except BaseException:
            files.remove("stage", staged)
            raise
        files.sync_directory("stage", staged.parent)
    except OSError as problem:
        raise WaiaasError(
            "cannot-stage",
            f"cannot write {staged}: {problem.strerror}",
            f"check the rights and the free space of {staged.parent}",
        ) from problem


def signed(chunks: Iterator[bytes], release: Release) -> Iterator[bytes]:
    """The chunks as they come; after the last one raises TrustRefused `wrong-bytes` unless they were
    what is signed as `release`."""
    digest, received = hashlib.sha256(), 0
    for chunk in _bounded(chunks, release):
        digest.update(chunk)
        received += len(chunk)
        yield chunk
    if received != release.length or digest.hexdigest() != release.sha256:
        raise _wrong_bytes(release)


def _write(chunks: Iterator[bytes], release: Release, staged: Path, progress: Progress) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    received = 0
    with os.fdopen(os.open(staged, flags, PROGRAM_MODE), "wb") as stream:
        os.fchmod(stream.fileno(), PROGRAM_MODE)  # open(2) applies the umask
        for chunk in chunks:
            stream.write(chunk)
            received += len(chunk)
            progress(received, release.length)
        stream.flush()
        os.fsync(stream.fileno())


def _bounded(chunks: Iterator[bytes], release: Release) -> Iterator[bytes]:
    """More bytes than were signed are wrong bytes, not a matter of the network."""
    try:
        yield from chunks
    except NetworkProblem as problem:
        if problem.code == "network-too-large":
            raise _wrong_bytes(release) from problem
        raise


def _wrong_bytes(release: Release) -> TrustRefused:
    return TrustRefused(
        "wrong-bytes",
        f"what came as {release.target} is not what was signed",
        "nothing was changed; try again, and if it stays so tell whoever publishes the feed",
    )
