"""The store's tests make hundreds of durable operations; no test can see whether a disk was flushed.

They prove every migration that there is, also those that a later version does not serve any more."""

import os

import pytest

from waiaas.core import compat
from waiaas.store.migrations import MIGRATIONS


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


@pytest.fixture(autouse=True)
def every_migration_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "MIN_COMPATIBLE_SCHEMA_VERSION", MIGRATIONS[0].VERSION - 1)
