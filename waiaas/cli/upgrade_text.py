"""What `waiaas upgrade` says: progress while it works, and its results in words."""

import json
from contextlib import AbstractContextManager
from typing import Any

from waiaas.cli.output import Output
from waiaas.cli.progress import Progress
from waiaas.core.choose import Upgrade, withdrawal_of
from waiaas.core.journal import Facts
from waiaas.host.clock import iso
from waiaas.upgrade.place import Place
from waiaas.upgrade.story import Checked

MIB = 1 << 20


class Teller:
    """Tells a run on the terminal, or as one JSON line for each event (UPGR-11)."""

    def __init__(self, out: Output, *, events: bool = False) -> None:
        self._out = out
        self._events = events
        self._bar: Progress | None = None
        self._waiting: AbstractContextManager[object] | None = None
        self._margin = ""  # what is said within a step stands below its line

    @property
    def events(self) -> bool:
        """stdout is a stream of events, and nothing else."""
        return self._events

    def step(self, number: int, total: int, name: str, title: str) -> None:
        self._margin = "      "
        self._out.say(f"[{number}/{total}] {title}")
        self.event("STEP_STARTED", step=name, number=number, total=total)
        self._wait()

    def finished(self, name: str, outcome: str, seconds: float) -> None:
        self._done()
        self.event("STEP_FINISHED", step=name, outcome=outcome, seconds=round(seconds, 3))

    def downloaded(self, done: int, total: int) -> None:
        if self._bar is None:
            self._done()
            self._bar = self._out.progress(f"{self._margin}download", total)
        self._bar.update(done)
        self.event("DOWNLOAD_PROGRESS", done=done, total=total)
        if done >= total:
            self._done()
            self._wait()

    def note(self, text: str) -> None:
        self._out.say(self._margin + text)

    def ended(self, text: str) -> None:
        """The result, where stdout is not for people."""
        if text:
            self._out.say(text)

    def event(self, kind: str, **data: Any) -> None:
        if self._events:
            self._out.line(json.dumps({"event": kind, **data}, ensure_ascii=False))

    def _wait(self) -> None:
        """How long the step takes, on a terminal; elsewhere its line has said enough."""
        self._waiting = self._out.activity(f"{self._margin}working", plain=False)
        self._waiting.__enter__()

    def _done(self) -> None:
        if self._waiting is not None:
            self._waiting.__exit__(None, None, None)
            self._waiting = None
        if self._bar is not None:
            self._bar.done()
            self._bar = None


def describe_check(place: Place, checked: Checked, how: str = "", failed: Facts | None = None) -> str:
    """`how`: what a person is told to do about it; `failed`: how the last try here failed."""
    choice = checked.choice
    lines = [_headline(place, checked)]
    lines.append(f"  current  {place.installed}")
    lines.append(f"  latest   {checked.latest.version if checked.latest else 'unknown'}")
    lines.append(f"  channel  {place.settings.upgrade.channel}")
    if isinstance(choice, Upgrade):
        target = choice.target
        if choice.downgrade:
            lines.append(f"  go to    {target.version}")
        lines.append(f"  size     {target.length / MIB:.1f} MiB")
        if len(choice.path) > 1:
            lines.append(
                "  path     " + " → ".join([str(place.installed), *(str(h.version) for h in choice.path)])
            )
        if target.notes_url:
            lines.append(f"  notes    {target.notes_url}")
        if failed:
            lines.append(f"  failed   here on {iso(failed['at'])}: {failed['reason']}")
        lines.append(how)
    elif choice.code != "up-to-date":
        lines.append(f"  why      {choice.reason}")
    return "\n".join(lines)


def _headline(place: Place, checked: Checked) -> str:
    withdrawn = withdrawal_of(checked.catalogue.releases, place.installed)
    if withdrawn:
        return f"Version {place.installed} was withdrawn: {withdrawn.reason}"
    if isinstance(checked.choice, Upgrade):
        said = "Would go down" if checked.choice.downgrade else "Upgrade available"
        return f"{said}: {place.installed} → {checked.choice.target.version}"
    return f"Already up to date ({place.installed})"


def describe_plan(
    place: Place, checked: Checked, how: str, refused: tuple[str, str] | None, failed: Facts | None
) -> str:
    """`--dry-run`: the plan, the proof, and what stands against it."""
    lines = describe_check(place, checked, how, failed).splitlines()
    if isinstance(checked.choice, Upgrade):
        lines.pop()  # what to run comes last
        writes = checked.choice.path[0].schema.writes
        migrates = writes > checked.schema
        lines.append(
            f"  schema   {checked.schema} → {writes}" if migrates else f"  schema   {checked.schema}, stays"
        )
        lines += [f"  backup   below {place.layout.backups}", how]
    if refused:
        lines.append(f"Would be refused: {refused[0]}\n  hint: {refused[1]}")
    lines.append("Nothing was changed (--dry-run).")
    return "\n".join(lines)
