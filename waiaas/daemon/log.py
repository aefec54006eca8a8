"""The daemon's log: one line an event, as text for people or JSON for machines.

A closed stream or a full disk never harms the daemon (DMN-2); a value that was handed to `hide`
never appears, whoever put it into a message (DMN-6).
"""

import json
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol, TextIO

from waiaas.host.clock import Clock, iso
from waiaas.host.journal import is_journal

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
SYSLOG = {"debug": 7, "info": 6, "warning": 4, "error": 3}  # sd-daemon(3)
HIDDEN = "[hidden]"
CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}


class Sink(Protocol):
    def write(self, line: str) -> None:
        """Take one line without its newline; never raises."""


class StreamSink:
    """Lines to an open text stream, ours for as long as it takes them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream

    def write(self, line: str) -> None:
        if self._stream is None:
            return
        try:
            encoding = self._stream.encoding or "utf-8"
            self._stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self._stream.flush()
        except BlockingIOError:
            return
        except (OSError, ValueError):
            self._forget(self._stream)

    def _forget(self, stream: TextIO) -> None:
        """Closed terminal, broken pipe: go on without. What is still buffered goes nowhere, or Python's
        last flush would make a clean end exit 120."""
        self._stream = None
        with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
            os.dup2(nowhere.fileno(), stream.fileno())


class Log:
    """`log.info("started", port=3100)`. Thread-safe; no method ever raises."""

    def __init__(self, clock: Clock, sink: Sink, level: str = "info", form: str = "text") -> None:
        """`form` is text, json or journal (text with a priority and without a time)."""
        self._clock = clock
        self._sink = sink
        self._threshold = LEVELS[level]
        self._form = form
        self._hidden: list[str] = []
        self._lock = threading.RLock()  # a signal handler may log while the main thread does

    def hide(self, secret: str) -> None:
        """Never write this text."""
        if secret:
            self._hidden.append(secret)

    def debug(self, message: str, **fields: object) -> None:
        self._write("debug", message, fields)

    def info(self, message: str, **fields: object) -> None:
        self._write("info", message, fields)

    def warning(self, message: str, **fields: object) -> None:
        self._write("warning", message, fields)

    def error(self, message: str, **fields: object) -> None:
        self._write("error", message, fields)

    def _write(self, level: str, message: str, fields: Mapping[str, object]) -> None:
        if LEVELS[level] < self._threshold:
            return
        line = self._line(level, message, fields)
        for secret in self._hidden:
            line = line.replace(secret, HIDDEN)
        with self._lock:
            self._sink.write(line)

    def _line(self, level: str, message: str, fields: Mapping[str, object]) -> str:
        at = iso(self._clock.now())
        if self._form == "json":
            return json.dumps(
                {"time": at, "level": level, "message": message, **fields}, default=str, ensure_ascii=False
            )
        text = message + "".join(f" {name}={_value(value)}" for name, value in fields.items())
        text = text.translate(CONTROL)
        return f"<{SYSLOG[level]}>{text}" if self._form == "journal" else f"{at} {level.upper():7} {text}"


def stream_log(
    clock: Clock, stream: TextIO, environ: Mapping[str, str], level: str = "info", log_format: str = "auto"
) -> Log:
    """Log to a stream. `log_format` auto: for the journal if it is one, text on a terminal, else JSON."""
    return Log(clock, StreamSink(stream), level, _form(stream, environ, log_format))


def _form(stream: TextIO, environ: Mapping[str, str], log_format: str) -> str:
    if log_format == "json":
        return "json"
    if is_journal(stream, environ):
        return "journal"
    return "text" if log_format == "text" or stream.isatty() else "json"


def _value(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or " " in text or '"' in text else text
