"""The artefact's own `__main__.py`, as text: it must parse on every Python since 2.7 (CLI-7).

It looks at the Python first, before any of our code is imported. Then it pins the archive (SHP-2):
zipimport opens the file again for each module, so a process that goes by the path would load the
code of a file that was renamed over its own. It goes by `/proc/self/fd/N` instead, with a number
that nobody hits by accident. A child started from an inherited pin keeps that pin.
"""

OLDEST = (3, 11)
PYTHON_RANGE = f">={OLDEST[0]}.{OLDEST[1]}"
SHEBANG = b"#!/usr/bin/env python3\n"

SOURCE = '''\
# -*- coding: utf-8 -*-
"""Starts WAIaaS. Parsable by Python 2.7; imports nothing of ours before the version check."""
import os
import sys

OLDEST = @OLDEST@
TRIED = "WAIAAS_PYTHON_TRIED"
LOWEST_PIN = 100


def newer_python():
    """Become a newer Python from PATH, proven to run first; return if there is none."""
    import subprocess

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


def refuse():
    sys.stderr.write(
        "waiaas needs Python %d.%d or newer and this is Python %d.%d (%s): "
        "install a newer one with your system's package manager or from https://www.python.org/downloads/\\n"
        % (OLDEST + sys.version_info[:2] + (sys.executable,))
    )
    return 78


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


def start():
    os.environ.pop(TRIED, None)
    sys.dont_write_bytecode = True
    archive, pinned = pin()
    from waiaas.__main__ import run

    return run(archive=archive, pin=pinned)


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        if not os.environ.get(TRIED):
            newer_python()
        sys.exit(refuse())
    sys.exit(start())
'''.replace("@OLDEST@", repr(OLDEST))
