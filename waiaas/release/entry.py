"""The modules of the artefact that come before any of our packages, as text (SHP-2, CLI-7).

`__main__.py` must parse on every Python since 2.7. It looks at the Python first. Then it answers the two
questions that machines ask all day (PRF-1, PRF-2): `--version`, and `health` of a daemon that is well,
for which there is `quick_health.py`; whatever is not as plain as that is left to the command line. Such
an answer ends the process at once: there is nothing to take apart. Then it pins the archive: zipimport
opens the file again for each module, so a process that goes by the path would load the code of a file
that was renamed over its own. It goes by `/proc/self/fd/N` instead, with a number that nobody hits by
accident. A child started from an inherited pin keeps it. And it takes a doubled cost out of zipimport,
whose `get_filename` compiles each module once more to tell its name: half of the daemon's start (PRF-5).
What is compiled stays, so the collector of circles need not look at it: a command ends before it would.

`old_python.py` is imported where the Python is too old, and by nothing else.
"""

from pathlib import Path

from waiaas.host import quick_health

OLDEST = (3, 11)
PYTHON_RANGE = f">={OLDEST[0]}.{OLDEST[1]}"
SHEBANG = b"#!/usr/bin/env python3\n"

SOURCE = '''\
# Starts WAIaaS. Parsable by Python 2.7; imports nothing of ours before the version check.
import os
import sys

LOWEST_PIN = 100


def quick(words):
    if words == ["--version"]:
        return b"@VERSION@\\n"
    if "health" not in words:
        return None
    try:
        from quick_health import answer

        return answer(words)
    except (ImportError, OSError, ValueError):
        return None


def said(line):
    try:
        return line is not None and os.write(1, line) == len(line)
    except OSError:
        return False


def pin():
    """The archive's real path (None if it has none any more) and the pinned descriptor, or None."""
    import fcntl

    opened = sys.path[0]
    prefix = "/proc/self/fd/"
    number = opened[len(prefix):]
    if opened.startswith(prefix) and number.isdigit():
        held = int(number)
        path = os.readlink(opened)
    else:
        held = os.open(opened, os.O_RDONLY | os.O_CLOEXEC)
        path = os.path.realpath(opened)
    if held >= LOWEST_PIN:
        os.set_inheritable(held, False)
        pinned = held
    else:
        try:
            pinned = fcntl.fcntl(held, fcntl.F_DUPFD_CLOEXEC, LOWEST_PIN)
        except OSError:  # `ulimit -n` ends below that
            pinned = fcntl.fcntl(held, fcntl.F_DUPFD_CLOEXEC, LOWEST_PIN // 5)
        os.close(held)
    if not os.path.exists(prefix + str(pinned)):
        os.close(pinned)
        sys.path[0] = path
        return path, None
    sys.path[0] = prefix + str(pinned)
    try:
        same = os.path.samestat(os.stat(path), os.fstat(pinned))
    except OSError:
        same = False
    return (path if same else None), pinned


def compile_once():
    import zipimport

    class Importer(zipimport.zipimporter):
        def get_filename(self, fullname):
            name = self.prefix + fullname.rpartition(".")[2]
            return os.path.join(self.archive, name + ("/__init__.py" if self.is_package(fullname) else ".py"))

    sys.path_hooks.insert(0, Importer)


def start():
    import gc

    os.environ.pop("WAIAAS_PYTHON_TRIED", None)
    sys.dont_write_bytecode = True
    gc.set_threshold(100000, 20, 50)
    archive, pinned = pin()
    compile_once()
    from waiaas.__main__ import run

    return run(archive=archive, pin=pinned)


if __name__ == "__main__":
    if sys.version_info < @OLDEST@:
        from old_python import refuse

        sys.exit(refuse())
    if said(quick(sys.argv[1:])):
        os._exit(0)
    sys.exit(start())
'''

ANSWER = """\


# The answer to `health` of a daemon that is well. None: ask the command line.
import os
from time import monotonic


def answer(words):
    directory = os.environ.get("WAIAAS_DATA_DIR") or os.environ.get("HOME", "") + "/.waiaas"
    if words[:1] == ["--data-dir"] and len(words) == 3:
        directory = words.pop(1)
        words.pop(0)
    if words != ["health"] or directory[:1] in ("", "~", "-"):
        return None
    known = os.open(directory + "/daemon.json", os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    path = os.read(known, 4096).partition(b'"socket": "')[2].partition(b'"')[0]
    os.close(known)
    body = asked(path, monotonic) if path[:1] == b"/" and b"\\\\" not in path else None
    return body and body.rstrip() + b"\\n"
"""

OLD_PYTHON = '''\
# Where the Python is too old: become a newer one, or refuse in one sentence. Parsable by Python 2.7.
import os
import subprocess
import sys

OLDEST = @OLDEST@
TRIED = "WAIAAS_PYTHON_TRIED"


def refuse():
    if not os.environ.get(TRIED):
        newer_python()
    sys.stderr.write(
        "waiaas needs Python %d.%d or newer and this is Python %d.%d (%s): "
        "install a newer one with your system's package manager or from https://www.python.org/downloads/\\n"
        % (OLDEST + sys.version_info[:2] + (sys.executable,))
    )
    return 78


def newer_python():
    """Become a newer Python from PATH, proven to run first; return if there is none."""
    proof = "import sys; sys.exit(sys.version_info < %r)" % (OLDEST,)
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    for minor in range(14, OLDEST[1] - 1, -1):
        for folder in folders:
            python = os.path.join(folder, "python3.%d" % minor)
            if not folder or not os.access(python, os.X_OK):
                continue
            try:
                with open(os.devnull, "r+b") as nothing:
                    streams = dict(stdin=nothing, stdout=nothing, stderr=nothing)
                    works = subprocess.call([python, "-I", "-S", "-c", proof], **streams) == 0
            except OSError:
                continue
            if works:
                os.environ[TRIED] = "1"
                options = ["-I"] if getattr(sys.flags, "isolated", 0) else []
                os.execv(python, [python] + options + [sys.argv[0]] + sys.argv[1:])
'''


def _quick_health() -> str:
    """That module of the package with the words of the command line, in one file: it imports nothing."""
    return Path(quick_health.__file__).read_text(encoding="ascii") + ANSWER


def modules(version: str) -> dict[str, bytes]:
    """The modules at the top of the artefact of this version."""
    main = SOURCE.replace("@VERSION@", version)
    texts = {"__main__.py": main, "old_python.py": OLD_PYTHON, "quick_health.py": _quick_health()}
    return {name: text.replace("@OLDEST@", repr(OLDEST)).encode("ascii") for name, text in texts.items()}
