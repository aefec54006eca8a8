"""Writes while a site goes up and down: who makes them, and where they are found again."""

import http.client
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from tests.journeys.api import reader, request
from tests.journeys.workshop import Site

WRITERS, PAUSE = 2, 0.04  # threads; seconds between two writes of each


class Writers:
    """Threads that register wallets as fast as they are let, and remember what was acknowledged."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._token = site.token
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._acknowledged: set[str] = set()
        self._threads = [threading.Thread(target=self._work, args=(n,)) for n in range(WRITERS)]
        for thread in self._threads:
            thread.start()

    def acknowledged(self) -> set[str]:
        with self._lock:
            return set(self._acknowledged)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, writer: int) -> None:
        number = 0
        while not self._stop.wait(PAUSE):
            number += 1
            address = f"0x{writer:08x}{number:032x}"
            try:
                status, _ = request(self._site, "POST", "/v1/wallets", self._wallet(address))
            except (OSError, ValueError, http.client.HTTPException):
                continue  # never acknowledged
            if status == 201:
                with self._lock:
                    self._acknowledged.add(address)

    def _wallet(self, address: str) -> dict[str, str]:
        return {"name": address, "chain": "ethereum", "environment": "mainnet", "publicKey": address}


def wallets(database: Path) -> set[str]:
    """The addresses in a database, live or of a backup."""
    with closing(reader(database)) as connection:
        try:
            return {str(row[0]) for row in connection.execute("SELECT public_key FROM wallets")}
        except sqlite3.Error as problem:
            raise AssertionError(f"{database}: {problem}") from problem
