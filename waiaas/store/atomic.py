"""One transaction, also when the caller has already opened one."""

from collections.abc import Iterator
from contextlib import contextmanager

from waiaas.host.sqlite import Connection, transaction


@contextmanager
def atomic(connection: Connection) -> Iterator[None]:
    """Everything inside is stored or nothing; joins a transaction that is open already."""
    if connection.in_transaction:
        yield
        return
    with transaction(connection):
        yield
