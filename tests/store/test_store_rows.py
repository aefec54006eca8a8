"""The rows that the daemon itself reads and writes: keys, kill switch, wallets, audit."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import FakeClock
from tests.store.old_databases import insert, layout_of, old_database
from waiaas.core.check import CheckOutcome
from waiaas.core.errors import WaiaasError
from waiaas.host.files import Files
from waiaas.host.sqlite import Connection, connect_live, transaction
from waiaas.store import audit, keyvalue, killswitch, schema, switching, wallets
from waiaas.store.addresses import BASE58, check_address
from waiaas.store.migrate import migrate_file

NOW = 1_800_000_000
SOLANA = "11111111111111111111111111111111"
ETHEREUM = "0x" + "aB" * 20


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Connection]:
    schema.create(Files(), FakeClock(), tmp_path / "waiaas.db")
    with closing(connect_live(tmp_path / "waiaas.db")) as connection:
        yield connection


def test_a_successful_check_is_stored_in_plain_text__VCHK_02(database: Connection) -> None:
    withdrawn = {"reason": "bad", "to": "1.8.1", "severity": "high"}
    keyvalue.store_check(database, CheckOutcome("1.9.0", withdrawn, None), NOW)
    assert keyvalue.get(database, "version_check_latest") == "1.9.0"
    assert keyvalue.get(database, "version_check_checked_at") == str(NOW)
    found = keyvalue.stored_check(database)
    assert found == keyvalue.StoredCheck("1.9.0", NOW, None, None, withdrawn)
    keyvalue.mark_notified(database, NOW + 1)
    keyvalue.store_check(database, CheckOutcome("1.9.0", None, None), NOW + 2)
    assert keyvalue.stored_check(database) == keyvalue.StoredCheck("1.9.0", NOW + 2, NOW + 1, None, None)


def test_a_failed_check_touches_no_key_but_the_error__VCHK_03(database: Connection) -> None:
    keyvalue.store_check(database, CheckOutcome(None, None, "no answer"), NOW)
    assert keyvalue.get(database, "version_check_latest") is None
    keyvalue.store_check(database, CheckOutcome("1.9.0", None, None), NOW)
    keyvalue.store_check(database, CheckOutcome(None, None, "no answer"), NOW + 9)
    assert keyvalue.stored_check(database) == keyvalue.StoredCheck("1.9.0", NOW, None, "no answer", None)


def test_a_check_is_stored_whole_or_not_at_all__VCHK_02(database: Connection) -> None:
    database.execute(
        "CREATE TEMP TRIGGER t BEFORE DELETE ON key_value_store BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    keyvalue.put(database, "version_check_error", "old", 1)
    with pytest.raises(sqlite3.IntegrityError):
        keyvalue.store_check(database, CheckOutcome("1.9.0", None, None), NOW)
    assert keyvalue.stored_check(database) == keyvalue.StoredCheck(None, None, None, "old", None)


def test_stored_values_that_are_no_numbers_count_as_absent__VCHK_02(database: Connection) -> None:
    for key in ("version_check_checked_at", "version_check_notified_at", "version_check_withdrawn"):
        keyvalue.put(database, key, "soon", NOW)
    assert keyvalue.stored_check(database) == keyvalue.StoredCheck(None, None, None, None, None)


def test_the_kill_switch_goes_on_and_off_and_is_audited__DMN_4(database: Connection) -> None:
    assert killswitch.state(database) == "ACTIVE"
    assert switching.switch(database, True, "admin", NOW) == "SUSPENDED"
    assert killswitch.is_on(database)
    assert keyvalue.get(database, "kill_switch_activated_at") == str(NOW)
    assert keyvalue.get(database, "kill_switch_activated_by") == "admin"
    assert switching.switch(database, True, "other", NOW + 1) == "SUSPENDED"
    assert switching.switch(database, False, "admin", NOW + 2) == "ACTIVE"
    events = [entry.event_type for entry in audit.page(database, None, 10)]
    assert events == ["KILL_SWITCH_RECOVERED", "KILL_SWITCH_ACTIVATED"]


@pytest.mark.parametrize(
    ("stored", "on"), [("ACTIVE", False), ("LOCKED", True), ("", True), ("ACTIVATED", True)]
)
def test_an_unknown_word_counts_as_on__DMN_4(database: Connection, stored: str, on: bool) -> None:
    keyvalue.put(database, "kill_switch_state", stored, NOW)
    assert killswitch.is_on(database) is on


@pytest.mark.parametrize(
    ("stored", "on"), [("NORMAL", False), ("ACTIVATED", True), ("RECOVERING", False), ("odd", True)]
)
@pytest.mark.parametrize("schema_version", [11, 13])
def test_words_of_an_older_schema_mean_what_their_migration_makes_of_them__DMN_4_MIG_07(
    tmp_path: Path, schema_version: int, stored: str, on: bool
) -> None:
    layout = layout_of(tmp_path)
    old_database(layout.database, schema_version)
    with closing(connect_live(layout.database)) as old:
        keyvalue.put(old, "kill_switch_state", stored, NOW)
        assert killswitch.is_on(old) is on
    migrate_file(Files(), FakeClock(), layout)
    with closing(connect_live(layout.database)) as new:
        assert killswitch.is_on(new) is on


@pytest.mark.parametrize("stored", [None, "NORMAL", "RECOVERING", "ACTIVATED"])
def test_a_switch_thrown_on_an_older_schema_is_on_after_the_migration__DMN_4_MIG_07(
    tmp_path: Path, stored: str | None
) -> None:
    layout = layout_of(tmp_path)
    old_database(layout.database, 11)
    with closing(connect_live(layout.database)) as old:
        if stored:
            keyvalue.put(old, "kill_switch_state", stored, NOW)
        assert switching.switch(old, True, "cli", NOW) == "SUSPENDED"
    migrate_file(Files(), FakeClock(), layout)
    with closing(connect_live(layout.database)) as new:
        assert killswitch.is_on(new)


def test_a_locked_switch_is_not_loosened_by_switching_it_on__DMN_4(database: Connection) -> None:
    keyvalue.put(database, "kill_switch_state", "LOCKED", NOW)
    assert switching.switch(database, True, "admin", NOW) == "LOCKED"
    assert switching.switch(database, False, "admin", NOW) == "ACTIVE"


def test_a_wallet_is_registered_renamed_suspended_and_resumed__DMN_4(database: Connection) -> None:
    made = wallets.register(database, "  Kasse  ", "ethereum", "testnet", ETHEREUM, NOW)
    assert (made.name, made.status, made.default_network) == ("Kasse", "ACTIVE", None)
    assert (made.created_at, made.updated_at, made.owner_verified) == (NOW, NOW, False)
    parsed = uuid.UUID(made.id)
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert parsed.int >> 80 == NOW * 1000
    assert wallets.rename(database, made.id, "Bank", NOW + 1).name == "Bank"
    held = wallets.suspend(database, made.id, "lost", NOW + 2)
    assert (held.status, held.suspended_at, held.suspension_reason) == ("SUSPENDED", NOW + 2, "lost")
    free = wallets.resume(database, made.id, NOW + 3)
    assert (free.status, free.suspended_at, free.suspension_reason) == ("ACTIVE", None, None)
    assert wallets.listing(database) == [free]
    assert wallets.find(database, made.id) == free
    assert wallets.find(database, "other") is None


def test_wallets_join_the_transaction_of_their_caller__DMN_4(database: Connection) -> None:
    class Stop(Exception):
        pass

    with pytest.raises(Stop), transaction(database):
        wallets.register(database, "a", "solana", "mainnet", SOLANA, NOW)
        raise Stop
    assert wallets.listing(database) == []


def code_of(work: object, *arguments: object) -> str:
    with pytest.raises(WaiaasError) as caught:
        work(*arguments)  # type: ignore[operator]
    assert caught.value.hint
    return caught.value.code


def test_what_cannot_be_is_refused_with_a_stable_code__DMN_4(database: Connection) -> None:
    def register(name: str, chain: str, environment: str, key: str) -> object:
        return wallets.register(database, name, chain, environment, key, NOW)

    assert code_of(register, "", "solana", "mainnet", SOLANA) == "bad-name"
    assert code_of(register, "x" * 101, "solana", "mainnet", SOLANA) == "bad-name"
    assert code_of(register, "a\nb", "solana", "mainnet", SOLANA) == "bad-name"
    assert code_of(register, "a", "bitcoin", "mainnet", SOLANA) == "bad-chain"
    assert code_of(register, "a", "solana", "moon", SOLANA) == "bad-environment"
    for key in ("", SOLANA + "1", SOLANA[1:], "0" * 32, "1" * 10**6, ETHEREUM):
        assert code_of(register, "a", "solana", "mainnet", key) == "bad-address", key
    for key in ("", "0x", ETHEREUM + "0", ETHEREUM[2:], "0x" + "g" * 40, ETHEREUM + "\n"):
        assert code_of(register, "a", "ethereum", "mainnet", key) == "bad-address", key
    known = wallets.register(database, "a", "ethereum", "mainnet", ETHEREUM, NOW)
    assert code_of(register, "b", "ethereum", "testnet", ETHEREUM.lower()) == "wallet-exists"
    assert code_of(wallets.rename, database, "none", "a", NOW) == "wallet-not-found"
    assert code_of(wallets.resume, database, known.id, NOW) == "wallet-not-suspended"
    assert code_of(wallets.suspend, database, known.id, "x" * 501, NOW) == "bad-reason"
    wallets.suspend(database, known.id, None, NOW)
    assert code_of(wallets.suspend, database, known.id, None, NOW) == "wallet-not-active"


@given(st.binary(min_size=0, max_size=40))
def test_a_solana_address_is_any_32_bytes_and_nothing_else__DMN_4(data: bytes) -> None:
    number, text = int.from_bytes(data), ""
    while number:
        number, rest = divmod(number, 58)
        text = BASE58[rest] + text
    text = "1" * (len(data) - len(data.lstrip(b"\0"))) + text
    if len(data) == 32:
        check_address("solana", text)
    else:
        assert code_of(check_address, "solana", text) == "bad-address"


def test_audit_pages_go_back_in_time__DMN_4(database: Connection) -> None:
    for number in range(5):
        audit.write(database, f"E{number % 2}", "system", {"n": number}, NOW + number, wallet_id="w")
    first = audit.page(database, None, 2)
    assert [entry.details["n"] for entry in first] == [4, 3]
    assert [entry.details["n"] for entry in audit.page(database, first[-1].id, 9)] == [2, 1, 0]
    assert [entry.details["n"] for entry in audit.page(database, None, 9, "E1")] == [3, 1]
    assert audit.page(database, None, -1) == []
    assert audit.recorded(database, ["E1"], "n") == {"1", "3"}


def test_rows_of_the_previous_implementation_are_read_whatever_they_hold__MIG_05(tmp_path: Path) -> None:
    path = old_database(tmp_path / "old.db", 16)
    with closing(connect_live(path)) as connection:
        insert(connection, "audit_log", {**AUDIT, "details": "[" * 10**5})
        insert(connection, "audit_log", {**AUDIT, "details": "9" * 5000})
        insert(connection, "audit_log", {**AUDIT, "details": "NaN"})
        found = [entry.details for entry in audit.page(connection, None, 10)]
        assert found[0] == "NaN"
        assert found[3:] == ["not JSON", "with a \0 inside", {"a": 1}]
        assert [wallet.chain for wallet in wallets.listing(connection)] == ["solana", "ethereum"]


AUDIT = {"timestamp": NOW, "event_type": "E", "actor": "x"}
