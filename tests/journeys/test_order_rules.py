"""The checker of test_journey_order.py can fail: each rule against a trace that breaks it."""

from tests.journeys.order import Where, violations
from tests.journeys.trace import Act, read

WHERE = Where("/s/bin/waiaas", "/s/data")
BEFORE = (WHERE.program, WHERE.database)
JOURNAL = f'AT_FDCWD</s>, "{WHERE.journal}", O_WRONLY|O_CREAT|O_APPEND'


def trace(*lines: str) -> list[Act]:
    """strace's text, each line of it by process 7 unless it says otherwise."""
    return read("\n".join(line if line[0].isdigit() else f"7 {line}" for line in lines))


def event(name: str, step: str = "", *, durable: bool = True) -> list[str]:
    text = f'{{\\"at\\": 1.0, \\"event\\": \\"{name}\\", \\"step\\": \\"{step}\\"}}\\n'
    lines = [f"openat({JOURNAL}) = 5<{WHERE.journal}>", f'write(5<{WHERE.journal}>, "{text}", 9) = 9']
    return lines + ([f"fsync(5<{WHERE.journal}>) = 0", f"fsync(6<{WHERE.base}>) = 0"] if durable else [])


STAGED = [
    f'openat(AT_FDCWD</s>, "{WHERE.base}/staged", O_WRONLY|O_CREAT|O_EXCL, 0755) = 5<{WHERE.base}/staged>',
    f'write(5<{WHERE.base}/staged>, "PK", 2) = 2',
]
SYNCED = [f"fsync(5<{WHERE.base}/staged>) = 0", f"fsync(6<{WHERE.base}>) = 0"]
KEEP = [
    f"fsync(5<{WHERE.program}>) = 0",
    f'linkat(AT_FDCWD</s/bin>, "waiaas", AT_FDCWD</s>, "{WHERE.base}/.a.link", 0) = 0',
    f'rename("{WHERE.base}/.a.link", "{WHERE.base}/a.pyz") = 0',
    f"fsync(6<{WHERE.base}>) = 0",
]
SWAP = [f'rename("{WHERE.base}/staged", "{WHERE.program}") = 0']
SYNC_BIN = ["fsync(6</s/bin>) = 0"]


def swapping(*middle: list[str]) -> list[str]:
    """A run up to the end of its step “swap”."""
    run = [*event("opened"), *event("intent", "check"), *STAGED, *SYNCED, *event("intent", "swap")]
    return [*run, *(line for part in middle for line in part), *event("done", "swap")]


def found(*lines: str) -> list[str]:
    return violations(trace(*lines), WHERE, BEFORE)


def test_a_run_that_keeps_the_order_is_clean() -> None:
    assert found(*swapping(KEEP, SWAP, SYNC_BIN)) == []


def test_a_name_given_to_unsynced_bytes() -> None:
    lines = [*event("intent", "check"), *STAGED, *event("intent", "swap"), *KEEP, *SWAP, *SYNC_BIN]
    assert any("was not fsynced after its last write" in v for v in found(*lines))


def test_bytes_written_after_the_fsync() -> None:
    late = [STAGED[1]]
    assert any("was not fsynced" in v for v in found(*swapping(KEEP, late, SWAP, SYNC_BIN)))


def test_an_fsync_that_had_not_returned_yet() -> None:
    cut = [f"8 fsync(5<{WHERE.base}/staged> <unfinished ...>", *SWAP, "8 <... fsync resumed>) = 0"]
    run = [*event("intent", "check"), *STAGED, *event("intent", "swap"), *KEEP, *cut, *SYNC_BIN]
    assert any("was not fsynced" in v for v in found(*run))


def test_a_folder_of_unsynced_files() -> None:
    folder = f"{WHERE.data}/backups/.tmp-x"
    lines = [
        *event("intent", "backup"),
        f'openat(AT_FDCWD</s>, "{folder}/manifest.json", O_WRONLY|O_CREAT|O_EXCL, 0600) = 5<x>',
        f'rename("{folder}", "{WHERE.data}/backups/x") = 0',
        f"fsync(6<{WHERE.data}/backups>) = 0",
    ]
    unsynced, inside, end = found(*lines)
    assert "manifest.json was not fsynced" in unsynced
    assert "manifest.json inside is not durable" in inside
    assert "backups/x/manifest.json is not durable" in end


def test_a_folder_that_is_not_fsynced_after_the_rename() -> None:
    [sentence] = found(*swapping(KEEP, SWAP))
    assert f"the name {WHERE.program} is not durable" in sentence


def test_an_act_before_its_intent_is_durable() -> None:
    run = swapping(KEEP, SWAP, SYNC_BIN)
    early = [*event("opened"), *event("intent", "check", durable=False), *STAGED, *SYNCED]
    assert any("“intent check” is not durable yet" in v for v in found(*early))
    assert any("belongs to the step check" in v for v in found(*event("opened"), *STAGED, *run))


def test_what_is_done_becomes_durable_with_the_next_intent() -> None:
    done = event("done", "check", durable=False)
    run = [*event("opened"), *event("intent", "check"), *STAGED, *SYNCED, *done]
    swap = [*KEEP, *SWAP, *SYNC_BIN]
    assert found(*run, *event("intent", "swap"), *swap) == []
    assert any(
        "“intent swap” is not durable yet" in v
        for v in found(*run, *event("intent", "swap", durable=False), *swap)
    )
    assert any("belongs to the step swap" in v for v in found(*run, *swap))


def test_the_program_absent_moved_or_written() -> None:
    for bad in (
        f'unlink("{WHERE.program}") = 0',
        'unlinkat(3</s/bin>, "waiaas", 0) = 0',
        f'rename("{WHERE.program}", "/s/bin/waiaas.old") = 0',
        f'openat(AT_FDCWD</s>, "{WHERE.program}", O_WRONLY|O_TRUNC) = 5<{WHERE.program}>',
    ):
        assert any("must never be absent" in v for v in found(bad)), bad
    assert found(f'unlink("{WHERE.program}") = -1 ENOENT (No such file or directory)') == []


def test_a_swap_before_the_old_program_is_kept() -> None:
    assert any("no other durable name" in v for v in found(*swapping(SWAP, SYNC_BIN, KEEP)))


def test_a_swap_while_the_kept_name_is_not_durable() -> None:
    assert any("no other durable name" in v for v in found(*swapping(KEEP[:-1], SWAP, SYNC_BIN)))


def test_the_old_database_opened_for_writing_under_any_name() -> None:
    kept = f"{WHERE.data}/backups/x/waiaas.db"
    link = f'link("{WHERE.database}", "{kept}") = 0'
    write = f'openat(AT_FDCWD</s>, "{kept}", O_RDWR|O_CLOEXEC) = 5<{kept}>'
    look = f'openat(AT_FDCWD</s>, "{kept}", O_RDONLY|O_CLOEXEC) = 5<{kept}>'
    sync = f"fsync(5<{WHERE.database}>) = 0"
    assert found(sync, link, look, f"fsync(6<{WHERE.data}/backups/x>) = 0") == []
    assert any("old database" in v for v in found(sync, link, write))


def test_a_new_database_under_the_old_name_may_be_written() -> None:
    copy = f"{WHERE.data}/data/.waiaas.db.migrating"
    lines = [
        *event("intent", "backup"),
        f"fsync(5<{WHERE.database}>) = 0",
        f'link("{WHERE.database}", "{WHERE.data}/backups/waiaas.db") = 0',
        f"fsync(6<{WHERE.data}/backups>) = 0",
        *event("intent", "migrate"),
        f'openat(AT_FDCWD</s>, "{copy}", O_RDWR|O_CREAT|O_EXCL, 0600) = 5<{copy}>',
        f'pwrite64(5<{copy}>, "x", 1, 0) = 1',
        f"fsync(5<{copy}>) = 0",
        f'rename("{copy}", "{WHERE.database}") = 0',
        f"fsync(6<{WHERE.data}/data>) = 0",
        f'openat(AT_FDCWD</s>, "{WHERE.database}", O_RDWR) = 5<{WHERE.database}>',
    ]
    assert found(*lines) == []


def test_the_journal_removed_before_the_history_has_the_run() -> None:
    assert any("history does not have" in v for v in found(f'unlink("{WHERE.journal}") = 0'))


def test_lines_that_are_no_calls_are_passed_over() -> None:
    assert trace("7 +++ exited with 0 +++", "8 --- SIGCHLD {} ---", "nonsense") == []
