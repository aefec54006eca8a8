"""Reading `strace -f -y`: what a run did to files, in the order in which it took effect.

An fsync counts from the moment it returned, everything else from the moment it began; so a line that
strace cut in two (`<unfinished ...>`) is never read in favour of the run. Calls that failed changed
nothing and are left out.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CALLS = (
    "open,openat,creat,write,pwrite64,writev,pwritev,copy_file_range,sendfile,truncate,ftruncate,fsync,"
    "fdatasync,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat"
)
SHOWN = 700  # bytes of what is written: enough for an event of the journal, but for the plan's end

OPENS = {"open", "openat", "creat"}
WRITES = {"write", "pwrite64", "writev", "pwritev", "copy_file_range", "sendfile", "ftruncate", "truncate"}
SYNCS = {"fsync", "fdatasync"}
KINDS = {"rename": "rename", "link": "link", "symlink": "symlink", "unlink": "unlink", "mkdir": "mkdir"}

LINE = re.compile(r"(?P<pid>\d+) +(?P<rest>.*)")
RESUMED = re.compile(r"<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)")
CALL = re.compile(r"(?P<name>\w+)\((?P<words>.*)\) += (?P<result>-?\d+|\?)")
DESCRIPTOR = re.compile(r"(?:\d+|AT_FDCWD)<(?P<path>[^>]*)>")
TEXT = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Act:
    """One thing that happened: `kind` is create, open, truncate, write, sync, rename, link, symlink,
    unlink or mkdir. `target` is the second name of rename and link; `text` what was written."""

    kind: str
    path: str
    target: str = ""
    text: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"line {self.line}: {self.kind} {self.path}{f' → {self.target}' if self.target else ''}"


def available() -> str:
    """Why nothing can be traced here; empty where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "strace may not trace here (ptrace is not allowed)"


def tracing(output: Path, argv: Sequence[str]) -> list[str]:
    """argv that runs `argv` and writes its file operations, and those of its children, to `output`."""
    options = ["-f", "-y", "-qq", "--seccomp-bpf", "--signal=none", "-s", str(SHOWN), "-o", str(output)]
    return ["strace", *options, "-e", f"trace={CALLS}", *argv]


def read(text: str) -> list[Act]:
    """The acts of a trace, in the order in which they took effect."""
    return sorted(_acts(text.splitlines()), key=lambda act: act.line)


@dataclass
class _Begun:
    number: int
    text: str


def _acts(lines: Iterable[str]) -> Iterator[Act]:
    begun: dict[str, _Begun] = {}
    for number, line in enumerate(lines, 1):
        found = LINE.fullmatch(line)
        if found is None:
            continue
        pid, rest = found["pid"], found["rest"]
        if rest.endswith("<unfinished ...>"):
            begun[pid] = _Begun(number, rest.removesuffix("<unfinished ...>").rstrip())
            continue
        start = number
        if (resumed := RESUMED.fullmatch(rest)) and pid in begun:
            first = begun.pop(pid)
            start, rest = first.number, first.text + resumed["rest"]
        yield from _act(rest, start, number)


def _act(text: str, began: int, ended: int) -> Iterator[Act]:
    call = CALL.match(text)
    if call is None or call["result"].startswith(("-", "?")):
        return
    name, words = call["name"], call["words"]
    if name in SYNCS:
        yield Act("sync", _descriptor(words), line=ended)
    elif name in WRITES:
        yield from _written(name, words, began)
    elif name in OPENS:
        yield from _opened(words, began)
    else:
        kind = KINDS.get(re.sub(r"at2?$", "", name), "unlink")
        names = _names(words)
        if kind == "symlink":
            names = names[1:]  # the first one is what it says, not where it lies
        yield Act(kind, names[0], names[1] if len(names) > 1 else "", line=began)


def _opened(words: str, line: int) -> Iterator[Act]:
    path = _names(words)[0]
    if "O_CREAT" in words:
        yield Act("create", path, line=line)
    if "O_TRUNC" in words:
        yield Act("truncate", path, line=line)
    if "O_WRONLY" in words or "O_RDWR" in words:
        yield Act("open", path, line=line)


def _written(name: str, words: str, line: int) -> Iterator[Act]:
    texts = [_unquoted(found["text"]) for found in TEXT.finditer(words)]
    if name == "truncate":
        yield Act("write", _names(words)[0], line=line)
        return
    into = re.split(r", ", words)[2] if name == "copy_file_range" else words
    yield Act("write", _descriptor(into), text="".join(texts), line=line)


def _descriptor(words: str) -> str:
    found = DESCRIPTOR.match(words)
    return found["path"] if found else ""


def _names(words: str) -> list[str]:
    """Every name in the arguments, made absolute by the folder before it."""
    folder, names = "", []
    for found in re.finditer(f"{DESCRIPTOR.pattern}|{TEXT.pattern}", words):
        if found["path"] is not None:
            folder = found["path"]
        else:
            names.append(os.path.normpath(os.path.join(folder, _unquoted(found["text"]))))
    return names


def _unquoted(text: str) -> str:
    return text.encode("latin-1", "replace").decode("unicode_escape", "replace")


@dataclass
class File:
    """A file apart from its names. `dirty`: it has bytes that no fsync has covered yet."""

    dirty: bool = True
    names: set[str] = field(default_factory=set)


class Tree:
    """The names and files below some folders, as an act after an act leaves them.

    `unsynced` are the names that a rename, a link or a creation gave, and that no fsync of their
    folder has made durable yet.
    """

    def __init__(self, existing: Iterable[str]) -> None:
        self.files: dict[str, File] = {}
        self.unsynced: set[str] = set()
        for name in existing:
            self._name(name, File())

    def file(self, name: str) -> File:
        """The file of this name. What nobody mentioned before is taken to have been there, unsynced."""
        return self.files.get(name) or self._name(name, File())

    def below(self, folder: str) -> list[str]:
        return [name for name in self.files if name.startswith(folder + "/")]

    def apply(self, act: Act) -> None:
        match act.kind:
            case "create" if act.path not in self.files:
                self._name(act.path, File())
                self.unsynced.add(act.path)
            case "write" | "truncate":
                self.file(act.path).dirty = True
            case "sync":
                if act.path in self.files:
                    self.files[act.path].dirty = False
                self.unsynced = {n for n in self.unsynced if os.path.dirname(n) != act.path}
            case "symlink":
                self._name(act.path, File(dirty=False))
                self.unsynced.add(act.path)
            case "link":
                self._name(act.target, self.file(act.path))
                self.unsynced.add(act.target)
            case "rename":
                self._rename(act.path, act.target)
            case "unlink":
                self._forget(act.path)

    def _name(self, name: str, file: File) -> File:
        self._forget(name)
        self.files[name] = file
        file.names.add(name)
        return file

    def _forget(self, name: str) -> None:
        if name in self.files:
            self.files.pop(name).names.discard(name)
        self.unsynced.discard(name)

    def _rename(self, source: str, target: str) -> None:
        inside = self.below(source)
        for name in inside:
            moved, lasting = target + name.removeprefix(source), name not in self.unsynced
            self._move(name, moved)
            if lasting:
                self.unsynced.discard(moved)
        if inside:
            self.unsynced.add(target)
        else:
            self.file(source)
            self._move(source, target)

    def _move(self, source: str, target: str) -> None:
        file = self.files[source]
        self._forget(source)
        self._name(target, file)
        self.unsynced.add(target)
