"""The order of system calls, which decides what a power cut leaves of pages that nobody synced
(UPGR-06, 12): proved with strace on the built artefact, its children included.

The lower half breaks the product on purpose, one fsync, one order and one undo at a time, and shows
that the checkers notice.
"""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.journeys.chaos import SCENARIOS, Bench
from tests.journeys.order import Where, violations
from tests.journeys.sabotage import appended, fails_its_own_verification
from tests.journeys.trace import Act, available, read, tracing
from tests.journeys.workshop import PYTHON, Site, Workshop, migration_17, site

FILES, SLOTS, STEPS = "waiaas/host/files.py", "waiaas/upgrade/slots.py", "waiaas/upgrade/steps.py"
UPGRADE, ROLLBACK = ("upgrade", "--no-start"), ("upgrade", "--rollback", "--no-start")

missing = available()
traced = pytest.mark.skipif(bool(missing), reason=f"no order to observe: {missing}")


def observe(site: Site, *words: str, code: int = 0) -> tuple[list[Act], list[str]]:
    """Run a command under strace; what it did, and where that broke the order."""
    output = site.folder / "strace.out"
    existing = [str(path) for path in site.folder.rglob("*") if path.is_file()]
    argv: Sequence[str] = [PYTHON, "-I", str(site.program), "--data-dir", str(site.data), *words]
    done = subprocess.run(
        tracing(output, argv), cwd=site.folder, env=site.environ, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == code, done.stderr
    acts = read(output.read_text(errors="replace"))
    return acts, violations(acts, Where(str(site.program), str(site.data)), existing)


@pytest.fixture
def before(workshop: Workshop, tmp_path: Path) -> Iterator[Site]:
    """1.8.0 with a database that has served, before an upgrade that migrates."""
    feed = workshop.feed(tmp_path / "feed", workshop.current, workshop.minor)
    with site(tmp_path / "site", workshop.current, feed.url) as made:
        for words in (("init",), ("start", "--detach"), ("stop",)):
            made.ok(*words)
        yield made
    feed.close()


@traced
def test_upgrade_and_roll_back_keep_the_order__UPGR_06_UPGR_12(before: Site) -> None:
    for words in (UPGRADE, ROLLBACK):
        acts, broken = observe(before, *words)
        assert broken == []
        done = {(act.kind, Path(act.target or act.path).name) for act in acts}
        wanted = {("rename", "waiaas"), ("rename", "waiaas.db"), ("unlink", "journal"), ("write", "history")}
        assert wanted <= done, "the trace does not show the run"
        assert any(act.kind == "sync" and act.path == str(before.database.parent) for act in acts)
    assert before.ok("--version").out.strip().endswith("1.8.0")


@traced
def test_an_upgrade_that_undoes_itself_keeps_the_order__UPGR_07(workshop: Workshop, tmp_path: Path) -> None:
    bad = workshop.build("1.9.0", migration_17() | fails_its_own_verification(), name="order-unverified")
    feed = workshop.feed(tmp_path / "feed", workshop.current, bad)
    with site(tmp_path / "site", workshop.current, feed.url) as made:
        made.ok("init")
        acts, broken = observe(made, *UPGRADE, code=7)
    feed.close()
    assert broken == []
    renamed = [act for act in acts if act.kind == "rename" and act.target == str(made.program)]
    assert len(renamed) == 2, "there and back"


SKIPS_FSYNC_OF_DIRECTORIES = """

def _replace(self, op, source, target, *, durable=True):
    self.at(f"{op}:rename")
    os.replace(source, target)

Files.replace = _replace
"""
SKIPS_FSYNC_OF_FILES = """

def _write(self, op, path, data, mode=FILE_MODE):
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with self._create(temporary, mode) as stream:
        stream.write(data)
    self.replace(op, temporary, path)

Files.write = _write
"""
SWAPS_BEFORE_IT_KEEPS = """

def swap(files, program, old, new):
    files.like("swap.mode", program.staged, program.program)
    files.sync("swap.stage", program.staged)
    before = program.program.read_bytes()
    files.replace("swap.program", program.staged, program.program)
    files.write("swap.keep", program.slot(old), before, 0o755)
    files.symlink("swap.previous", program.slot(old).name, program.previous)
"""
ACTS_BEFORE_THE_JOURNAL = """

def _forward(run, step, number, total):
    facts = step.facts(run)
    result = step.do(run, facts)
    run.book.write("intent", step.name, facts)
    run.book.write("done", step.name, result)
"""
MUTANTS = {
    "no-fsync-of-directories": (FILES, SKIPS_FSYNC_OF_DIRECTORIES, "is not durable"),
    "no-fsync-of-files": (FILES, SKIPS_FSYNC_OF_FILES, "was not fsynced after its last write"),
    "swap-before-keep": (SLOTS, SWAPS_BEFORE_IT_KEEPS, "has no other durable name"),
    "act-before-journal": ("waiaas/upgrade/transaction.py", ACTS_BEFORE_THE_JOURNAL, "belongs to the step"),
}


@traced
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_order_broken_on_purpose_is_noticed(workshop: Workshop, tmp_path: Path, mutant: str) -> None:
    path, text, sentence = MUTANTS[mutant]
    spoiled = workshop.build("1.8.0", appended(path, text), name=f"order-{mutant}")
    feed = workshop.feed(tmp_path / "feed", spoiled, workshop.minor)
    with site(tmp_path / "site", spoiled, feed.url) as made:
        made.ok("init")
        _, broken = observe(made, *UPGRADE)
    feed.close()
    assert any(sentence in told for told in broken), broken


def test_an_undo_that_does_nothing_is_noticed_by_the_power_cut(workshop: Workshop, tmp_path: Path) -> None:
    text = "\n\nMigrate.undo = Reversible.undo\n"
    bench = Bench(workshop, tmp_path, SCENARIOS[0], appended(STEPS, text))
    try:
        point = bench.points.index("migrate.swap:rename") + 1
        bench.reset()
        assert bench.cut(point, *bench.scenario.command)[0]
        bench.site.run(*bench.scenario.recover)
        verdict = bench.verdict("undo does nothing")
    finally:
        bench.close()
    assert "mixed" in verdict, verdict
