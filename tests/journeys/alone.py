"""Processes without a network: in a namespace of their own where that is possible.

`python -m tests.journeys.alone TEST FOLDER …` runs one air-gapped journey of `airgap.py` in there. The
namespace has a loopback, for the daemon, and nothing else.
"""

import fcntl
import importlib
import json
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
UNSHARE = ["unshare", "--map-root-user", "--net"]
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
ELSEWHERE = ("192.0.2.1", 80)  # TEST-NET-1: nobody is there, but a network would try


def without_network(journey: str, folder: Path, *arguments: object) -> None:
    """Run `airgap.<journey>(folder, *arguments)` where there is no network; skips where impossible."""
    why = _impossible()
    if why:
        print(f"no network namespace: {why}")
        pytest.skip(f"no network namespace: {why}")
    words = [journey, str(folder), *map(str, arguments)]
    argv = [*UNSHARE, sys.executable, "-m", "tests.journeys.alone", *words]
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert json.loads(done.stdout.splitlines()[-1]) == {"interfaces": ["lo"], "journey": journey}


def _impossible() -> str:
    try:
        done = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, timeout=10)
    except OSError as problem:
        return str(problem)
    return done.stderr.strip() if done.returncode else ""


def _loopback_up() -> None:
    with socket.socket() as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        _, flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def _cut_off() -> bool:
    try:
        socket.create_connection(ELSEWHERE, 2).close()
    except OSError:
        return True
    return False


def main(journey: str, folder: str, *arguments: str) -> None:
    _loopback_up()
    assert _cut_off(), "there is a network after all"
    airgap = importlib.import_module("tests.journeys.airgap")
    getattr(airgap, journey)(Path(folder), *arguments)
    names = sorted(name for _, name in socket.if_nameindex())
    print(json.dumps({"interfaces": names, "journey": journey}))


if __name__ == "__main__":
    main(*sys.argv[1:])
