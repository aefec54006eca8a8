"""What most files of this folder begin with: an application, and a server of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.daemon_kit import Rig, rig_in, server_for
from waiaas.daemon.server import Server


@pytest.fixture
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    """A file that wants less in its log says so: LOG_LEVEL."""
    with rig_in(tmp_path, level=getattr(request.module, "LOG_LEVEL", "debug")) as made:
        yield made


@pytest.fixture
def server(rig: Rig) -> Iterator[Server]:
    with server_for(rig) as made:
        yield made
