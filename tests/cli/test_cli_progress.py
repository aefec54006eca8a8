"""Bars and plain lines, and who may write while one stands there (CLI-4); on a real terminal see
tests/journeys/test_journey_terminal.py."""

import io
import threading

from tests.cli.conftest import Terminal
from tests.fakes import FakeClock
from waiaas.cli.flags import Flags
from waiaas.cli.output import Output, Result
from waiaas.cli.progress import Activity, Progress
from waiaas.host.effort import bytes_read


def test_without_a_known_end_the_time_is_told() -> None:
    clock, shown = FakeClock(), list[str]()
    bar = Progress(shown.append, "migrate", 0, True, True, clock)
    for _ in range(3):
        clock.sleep(0.6)
        bar.update(0)
    assert shown == ["migrate 1 s", "migrate 2 s"]
    bar.done()
    bar.done()
    assert shown[2:] == [""]


def test_plain_lines_about_time_are_rare() -> None:
    clock, shown = FakeClock(), list[str]()
    bar = Progress(shown.append, "migrate", 0, True, False, clock)
    for _ in range(65):
        clock.sleep(1)
        bar.update(0)
    assert shown == ["migrate: 30 s so far", "migrate: 60 s so far"]


def test_what_is_not_to_be_seen_is_not_shown() -> None:
    clock, shown = FakeClock(), list[str]()
    bar = Progress(shown.append, "migrate", 10, False, True, clock)
    clock.sleep(5)
    bar.update(5)
    bar.done()
    assert shown == []


def test_whoever_writes_finds_an_empty_line_and_the_bar_comes_back() -> None:
    err = Terminal()
    out = Output(io.StringIO(), err, Flags())
    bar = out.progress("copy", 10)
    clock = FakeClock()
    bar._clock, bar._began, bar._drawn = clock, 0.0, 0.0
    clock.sleep(2)
    bar.update(5)
    out.say("something else")
    clock.sleep(1)
    bar.update(9)
    bar.done()
    out.render(Result(None, "data"))
    lines = err.getvalue().split("\r\x1b[K")
    assert [line.partition("[")[0] for line in lines] == ["", "copy ", "something else\n", "copy ", ""]


def test_an_activity_looks_for_itself_until_its_block_ends() -> None:
    looked, seen = threading.Event(), list[int]()

    def measure() -> int:
        seen.append(len(seen))
        if len(seen) == 2:
            looked.set()
        return len(seen)

    before = threading.active_count()
    with Activity(Progress(lambda _: None, "x", 10, True, True), measure):
        assert looked.wait(10)
    assert threading.active_count() == before


def test_quiet_json_and_unwanted_plain_lines_start_no_thread() -> None:
    before = threading.active_count()
    for flags, plain in ((Flags(quiet=True), True), (Flags(json=True), True), (Flags(), False)):
        with Output(io.StringIO(), io.StringIO(), flags).activity("x", plain=plain):
            assert threading.active_count() == before


def test_the_kernel_counts_what_we_read() -> None:
    before = bytes_read()
    assert before is not None
    with open("/dev/zero", "rb", buffering=0) as zeros:
        zeros.read(1 << 20)
    assert (bytes_read() or 0) - before >= 1 << 20
