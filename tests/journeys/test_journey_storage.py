"""Disks that are full, read-only, foreign or odd (issue 3 item 3): nothing is lost, nothing lies
about, the words say what to do, and once the cause is gone the same command succeeds."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys import mounts
from tests.journeys.api import health
from tests.journeys.chaos import World, which
from tests.journeys.levers import Yard, data_disk, levers, litter, one_disk, program_disk
from tests.journeys.witness import told
from tests.journeys.workshop import Done, Site, Workshop

STOPPED = ("upgrade", "--no-start")
NOBODY, ANYBODYS_PYTHON = 65534, "/usr/bin/python3"

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, or run it in `unshare -Urm`")


@dataclass
class Ground:
    """Fresh installations, and the two worlds each may be found in."""

    yard: Yard
    old: World
    new: World

    @contextmanager
    def site(self, folder: Path, *, private: bool = True) -> Iterator[Site]:
        with mounts.private() if private else nullcontext():
            made = self.yard.site(folder)
            try:
                yield made
            finally:
                levers(made).mend()
                made.close()

    def world(self, site: Site) -> str:
        return which(site, self.old, self.new)

    def then_it_works(self, site: Site) -> None:
        """The cause is gone: the same command, with nothing repaired by hand."""
        site.ok(*STOPPED)
        assert self.world(site) == "new"
        assert litter(site) == []


@pytest.fixture(scope="module")
def ground(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("storage")
    yard = Yard(workshop, folder)
    first = yard.site(folder / "model")
    old = World.of(first)
    first.ok(*STOPPED)
    yield Ground(yard, old, World.of(first))
    yard.close()


@root_only
@pytest.mark.parametrize("disk", [program_disk, data_disk, one_disk])
def test_a_full_disk_is_found_before_anything_changes__UPGR_07(
    ground: Ground, tmp_path: Path, disk: Callable[[Site], Path]
) -> None:
    """ENOSPC at the preflight, with a daemon that goes on serving in the last case."""
    with ground.site(tmp_path / "site") as site:
        at, running = disk(site), disk is one_disk
        if running:
            site.ok("start", "--detach")
        balloon = mounts.Balloon(at, 2 << 20)
        words = told(site.run("upgrade"), 1)
        assert "lacks" in words["error"]
        assert "MiB" in words["error"]
        assert words["hint"].startswith("make room")
        if running:
            assert (health(site)["version"], health(site)["status"]) == ("1.8.0", "ok")
        balloon.burst()
        site.run("stop")
        assert ground.world(site) == "old"
        assert litter(site) == []
        ground.then_it_works(site)


SPACES = [  # disk, room in (programs, databases), what it is too small for, exit code
    pytest.param(program_disk, 0.5, 0.0, "cannot write", 1, id="staging"),
    pytest.param(data_disk, 0.0, 0.0, "", 1, id="nothing at all"),
    pytest.param(data_disk, 0.0, 0.5, "disk is full", 1, id="rehearsal"),
    pytest.param(data_disk, 0.0, 3.0, "backup could not be made", 7, id="backup"),
    pytest.param(data_disk, 1.0, 0.6, "disk is full", 7, id="migration"),
    pytest.param(one_disk, 1.1, 0.5, "disk is full", 1, id="rehearsal on one disk"),
]


@root_only
@pytest.mark.parametrize(("disk", "programs", "databases", "because", "code"), SPACES)
def test_a_disk_that_the_run_itself_fills__UPGR_07(
    ground: Ground,
    tmp_path: Path,
    disk: Callable[[Site], Path],
    programs: float,
    databases: float,
    because: str,
    code: int,
) -> None:
    """ENOSPC in the middle, as where something else grew meanwhile: the preflight is blind."""
    with ground.site(tmp_path / "site") as site:
        levers(site).pull("blind")
        at = disk(site)
        room = programs * site.program.stat().st_size + databases * site.database.stat().st_size
        balloon = mounts.Balloon(at, int(room) & ~4095)
        words = told(site.run(*STOPPED), code)
        assert because in words["error"]
        assert "space" in words["hint"] or "full" in words["hint"]
        assert ground.world(site) == "old"
        assert [p for p in litter(site) if "balloon" not in p] == []
        balloon.burst()
        ground.then_it_works(site)


FAULTS = [  # which operation fails with what, from then on?, exit code, world
    pytest.param(errno.EDQUOT, "backup.name:rename", "no", 7, "old", id="quota at the backup"),
    pytest.param(errno.EDQUOT, "swap.keep:link", "lasting", 7, "old", id="quota from the swap on"),
    pytest.param(errno.EIO, "swap.program:fsync-directory", "no", 7, "old", id="EIO after the swap"),
    pytest.param(errno.ENOSPC, "journal.done:append", "no", 1, "old", id="ENOSPC in the journal"),
    pytest.param(errno.ENOSPC, "journal.committed:append", "no", 7, "old", id="ENOSPC at the commit"),
    pytest.param(errno.ENOSPC, "history:append", "lasting", 0, "new", id="ENOSPC after the commit"),
    pytest.param(errno.EROFS, "migrate.swap:rename", "no", 7, "old", id="EROFS at the migration"),
    pytest.param(errno.EDQUOT, "swap.keep:link", "for-good", 8, "old", id="quota without ballast"),
    pytest.param(errno.ENOSPC, "migrate.swap:rename", "lasting", 7, "old", id="ENOSPC from step 5 on"),
]


@pytest.mark.parametrize(("error", "where", "lasting", "code", "world"), FAULTS)
def test_an_operation_that_fails_is_undone_or_finished__UPGR_06(
    ground: Ground, tmp_path: Path, error: int, where: str, lasting: str, code: int, world: str
) -> None:
    """EDQUOT, EIO, EROFS and ENOSPC at named operations of the real artefact. (A real quota needs a
    kernel and a file system with quotas, which few test machines have.)"""
    with ground.site(tmp_path / "site", private=False) as site:
        levers(site).fail(error, where, lasting)
        done = site.run(*STOPPED)
        if code == 8:
            assert "upgrade --recover" in told(done, 8)["hint"]
        elif code:
            assert os.strerror(error) in told(done, code)["error"]
        else:
            assert (done.code, "Upgraded" in done.out) == (0, True), done
        levers(site).mend()
        site.ok("upgrade", "--recover")
        assert ground.world(site) == world
        assert litter(site) == []
        ground.then_it_works(site)


@root_only
def test_read_only_disks_are_named_and_nothing_changes__UPGR_09(ground: Ground, tmp_path: Path) -> None:
    """EROFS under the program, then under the data."""
    with ground.site(tmp_path / "site") as site:
        for disk, word in ((program_disk, "mounted read-only"), (data_disk, "Read-only file system")):
            at = disk(site)
            mounts.read_only(at)
            words = told(site.run(*STOPPED), 1)
            assert word in words["error"]
            assert "mount it writable" in words["hint"]
            mounts.read_only(at, False)
            assert ground.world(site) == "old"
        ground.then_it_works(site)


@pytest.fixture
def in_the_open() -> Iterator[Path]:
    """A folder that other users can reach; pytest's own are private."""
    folder = Path(tempfile.mkdtemp(prefix="waiaas-open-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def as_nobody(site: Site, *arguments: str) -> Done:
    argv = [ANYBODYS_PYTHON, "-I", str(site.program), "--data-dir", str(site.data), *arguments]
    done = subprocess.run(
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *argv],
        cwd="/",
        env=site.environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@root_only
def test_a_program_of_somebody_else_is_named_with_the_exact_command__UPGR_09(
    ground: Ground, in_the_open: Path
) -> None:
    """EACCES. The hint, typed as it stands, does what the user wanted."""
    if Path("/proc/self/uid_map").read_text().split()[2] == "1":
        pytest.skip("there is but one user in this user namespace")
    if not Path(ANYBODYS_PYTHON).exists() or not shutil.which("setpriv"):
        pytest.skip(f"needs {ANYBODYS_PYTHON}, which another user may run, and setpriv")
    with ground.site(in_the_open / "site", private=False) as site:
        for path in (site.data, *site.data.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        words = told(as_nobody(site, *STOPPED), 1)
        assert words["error"] == f"this user may not write {site.program.parent}; nothing was changed"
        assert words["hint"] == f"sudo {site.program} --data-dir {site.data} upgrade --no-start"
        assert ground.world(site) == "old"
        assert litter(site) == []
        _, *arguments = words["hint"].removeprefix("sudo ").split()
        argv = [ANYBODYS_PYTHON, "-I", str(site.program), *arguments]
        subprocess.run(argv, cwd="/", env=site.environ, check=True, capture_output=True, timeout=60)
        assert ground.world(site) == "new"
        assert {p.stat().st_uid for p in site.data.rglob("*")} == {NOBODY}


@root_only
def test_program_and_data_on_different_disks__UPGR_12(ground: Ground, tmp_path: Path) -> None:
    """EXDEV: the program is copied into the backup instead of linked; all else is the same."""
    with ground.site(tmp_path / "site") as site:
        program_disk(site)
        data_disk(site)
        ground.then_it_works(site)
        site.ok("backup", "list", "--verify")
        site.ok("upgrade", "--rollback", "--no-start")
        assert ground.world(site) == "old"
        assert litter(site) == []


def test_a_file_system_without_hard_links__UPGR_12(ground: Ground, tmp_path: Path) -> None:
    """vfat answers EPERM to link(2). Upgrade, a failure after the migration, and roll-back by copies."""
    with ground.site(tmp_path / "site", private=False) as site:
        levers(site).pull("no-links")
        levers(site).fail(errno.EIO, "migrate.swap:fsync-directory")
        told(site.run(*STOPPED), 7)
        assert ground.world(site) == "old"
        assert litter(site) == []
        levers(site).mend()
        ground.then_it_works(site)
        site.ok("upgrade", "--rollback", "--no-start")
        assert ground.world(site) == "old"


@root_only
def test_nothing_depends_on_tmpdir__SHP_2(ground: Ground, tmp_path: Path) -> None:
    """Full, read-only, noexec and missing, over upgrade, roll-back, upgrade, roll-back."""
    with ground.site(tmp_path / "site") as site:
        place = tmp_path / "tmp"
        mounts.disk(place, 64 << 10)
        mounts.no_exec(place)
        mounts.Balloon(place, 0)
        back = ("upgrade", "--rollback", "--no-start")
        site.ok(*STOPPED, TMPDIR=str(place))
        mounts.read_only(place)
        site.ok(*back, TMPDIR=str(place))
        assert ground.world(site) == "old"
        site.ok(*STOPPED, TMPDIR=str(tmp_path / "missing"))
        assert ground.world(site) == "new"


def test_a_program_behind_a_link__UPGR_06(ground: Ground, tmp_path: Path) -> None:
    """The real file is replaced, the link stays, and what is kept lies beside the real file."""
    with ground.site(tmp_path / "site", private=False) as site:
        (site.folder / "opt").mkdir()
        site.program.rename(site.folder / "opt" / "waiaas-real")
        site.program.symlink_to("../opt/waiaas-real")
        ground.then_it_works(site)
        assert os.readlink(site.program) == "../opt/waiaas-real"
        assert [p.name for p in site.program.parent.iterdir()] == ["waiaas"]
        site.ok("upgrade", "--rollback")
        assert health(site)["version"] == "1.8.0"
        site.ok("stop")
        assert ground.world(site) == "old"
        assert os.readlink(site.program) == "../opt/waiaas-real"


@pytest.mark.skipif(os.geteuid() == 0, reason="root needs no user namespace")
@pytest.mark.timeout(300)
def test_all_of_this_in_a_user_namespace() -> None:
    """Who is not root mounts in a namespace of his own."""
    inside = ["unshare", "-Urm"]
    if subprocess.run([*inside, "true"], capture_output=True).returncode != 0:
        pytest.skip("no user namespaces on this machine")
    argv = [*inside, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
