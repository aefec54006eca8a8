"""Settings from four sources, everything wrong with them at once (SPEC §5)."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiaas.core.legacy_settings import KEYS as LEGACY_KEYS
from waiaas.core.legacy_settings import SECTIONS as LEGACY_SECTIONS
from waiaas.core.settings import KEYS, Settings, parse
from waiaas.core.settings_sources import Collector
from waiaas.core.settings_values import FORMS, accept

LEGACY_INIT = """\
# WAIaaS Configuration
# comment

[daemon]
port = 3100
hostname = "127.0.0.1"

[database]
path = "data/waiaas.db"
"""


def test_nothing_given_means_all_defaults() -> None:
    parsed = parse(None, {}, {})
    assert parsed.settings == Settings()
    assert set(parsed.origins.values()) == {"default"}
    assert not parsed.problems
    assert not parsed.notices


def test_defaults_are_those_of_the_specification() -> None:
    settings = Settings()
    assert (settings.daemon.port, settings.daemon.hostname) == (3100, "127.0.0.1")
    assert (settings.daemon.update_check, settings.daemon.update_check_interval) == (True, 86400)
    assert settings.daemon.shutdown_timeout == 30
    assert settings.database.path == "data/waiaas.db"
    assert (settings.upgrade.channel, settings.upgrade.keep_backups) == ("stable", 5)
    assert (settings.upgrade.health_timeout, settings.upgrade.probation) == (30, 10)


def test_every_default_obeys_its_own_rule() -> None:
    for key in KEYS.values():
        value = list(key.default) if isinstance(key.default, tuple) else key.default
        assert accept(key.rule, value) == key.default, key.dotted


def test_flag_beats_environment_beats_file_beats_build() -> None:
    file = "[daemon]\nport = 4001\n[upgrade]\nkeep_backups = 6\nprobation = 7\n"
    environ = {"WAIAAS_DAEMON_PORT": "4002", "WAIAAS_UPGRADE_KEEP_BACKUPS": "8"}
    built = {"upgrade.feed_url": "https://built.example"}
    parsed = parse(file, environ, {"daemon.port": "4003"}, defaults=built)
    assert parsed.settings.daemon.port == 4003
    assert parsed.settings.upgrade.keep_backups == 8
    assert parsed.settings.upgrade.probation == 7
    assert parsed.settings.upgrade.feed_url == "https://built.example"
    origins = [parsed.origins[k] for k in ("daemon.port", "upgrade.keep_backups", "upgrade.probation")]
    assert origins == ["flag", "environment", "file"]
    assert parsed.origins["upgrade.feed_url"] == "default"


def test_five_mistakes_are_five_findings_with_line_and_hint() -> None:
    text = (
        "[daemon]\n"
        "prot = 3100\n"  # 2: unknown
        'hostname = "a b"\n'  # 3: form
        'log_level = "loud"\n'  # 4: choice
        "[upgrade]\n"
        'keep_backups = "5"\n'  # 6: type
        "probation = -1\n"  # 7: range
    )
    problems = parse(text, {}, {}).problems
    assert [p.line for p in problems] == [2, 3, 4, 6, 7]
    assert [p.key for p in problems] == [
        "daemon.prot",
        "daemon.hostname",
        "daemon.log_level",
        "upgrade.keep_backups",
        "upgrade.probation",
    ]
    assert all(p.message and p.hint for p in problems)
    assert problems[0].hint == "did you mean daemon.port?"


def test_reading_goes_on_after_a_broken_line() -> None:
    text = (
        '[daemon]\nport = 1\nport = 2\nlog_level = "info\nthreads = 0\n'
        "[daemon]\nidle_timeout = 0\n[upgrade]\npin = 1\n"
    )
    problems = parse(text, {}, {}).problems
    assert [p.line for p in problems] == [3, 4, 5, 6, 9]


def test_array_left_open_does_not_flood() -> None:
    problems = parse("[daemon]\nallowed_hosts = [\n[upgrade]\npin = 1\n[database]\n", {}, {}).problems
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("port = 1\n", 1),
        ("[demon]\nport = 1\n", 1),
        ("\n[daemon]\n[daemon.port]\nx = 1\n", 3),
        ("daemon = 1\n", 1),
        ("daemon.prot = 1\n", 1),
        ('"daemon" = { prot = 1 }\n', 1),
        ("[database]\npath = 1979-05-27\n", 2),
        ("[daemon]\nport = true\n", 2),
        ("[daemon]\nport = 3100.5\n", 2),
        ('[daemon]\nport = "3100"\n', 2),
        ("[daemon]\nallowed_hosts = [1]\n", 2),
        ('[daemon]\nhostname = ""\n', 2),
        ("[[daemon]]\nport = 1\n", 1),
    ],
)
def test_mistake_is_found_on_its_line(text: str, line: int) -> None:
    (problem,) = parse(text, {}, {}).problems
    assert problem.line == line
    assert problem.hint


@pytest.mark.parametrize("word", ["trace", "debug"])
def test_old_log_levels_are_understood(word: str) -> None:
    assert parse(f'[daemon]\nlog_level = "{word}"\n', {}, {}).settings.daemon.log_level == "debug"
    assert parse('[daemon]\nlog_level = "warn"\n', {}, {}).settings.daemon.log_level == "warning"


def test_settings_of_the_previous_init_are_ours() -> None:
    parsed = parse(LEGACY_INIT, {}, {})
    assert parsed.settings == Settings()
    assert not parsed.problems
    assert not parsed.notices


def test_keys_of_the_previous_implementation_are_one_notice() -> None:
    text = (
        '[daemon]\nlog_file = "x"\nadmin_ui = true\n[rpc]\nsolana_mainnet = "https://x"\n'
        "[security]\nauto_stop_consecutive_failures_threshold = 3\n[keystore]\nargon2_time = 3\n"
        "[database]\ncache_size = 64000\n"
    )
    parsed = parse(text, {"WAIAAS_NOTIFICATIONS_TELEGRAM_CHAT_ID": "42"}, {})
    assert not parsed.problems
    assert len(parsed.notices) == 1
    for word in ("daemon.log_file", "[rpc]", "[security]", "database.cache_size", "TELEGRAM_CHAT_ID"):
        assert word in parsed.notices[0]
    assert "42" not in parsed.notices[0]


def test_every_old_key_is_ours_or_known_as_legacy() -> None:
    facts = Path(__file__).parents[2].parent / "shared/legacy/config.md"
    if not facts.exists():
        pytest.skip("legacy/config.md is not at hand")
    table = facts.read_text().partition("## 3.")[2].partition("## 4.")[0]
    rows = re.findall(r"^\| (\w+) \| ([\w, ]+) \|", table, re.MULTILINE)
    assert len(rows) > 50
    for section, names in rows[1:]:
        for name in names.split(", "):
            known = f"{section}.{name}" in KEYS or name in LEGACY_KEYS.get(section, ())
            assert known or section in LEGACY_SECTIONS, f"{section}.{name}"


def test_environment_is_typed_by_its_key() -> None:
    environ = {
        "WAIAAS_DAEMON_UPDATE_CHECK": "false",
        "WAIAAS_DAEMON_ALLOWED_HOSTS": "a.example, b.example",
        "WAIAAS_UPGRADE_PIN": "1",
        "WAIAAS_DAEMON_PORT": "",
    }
    settings = parse(None, environ, {}).settings
    assert settings.daemon.update_check is False
    assert settings.daemon.allowed_hosts == ("a.example", "b.example")
    assert settings.upgrade.pin == "1"
    assert settings.daemon.port == 3100


def test_environment_that_is_no_setting_is_left_alone() -> None:
    environ = {
        "WAIAAS_DATA_DIR": "/x",
        "WAIAAS_OFFLINE": "1",
        "WAIAAS_NO_UPDATE_NOTIFY": "1",
        "DAEMON_PORT": "1",
    }
    parsed = parse(None, environ, {})
    assert not parsed.problems
    assert not parsed.notices


def test_unknown_key_in_the_environment_is_a_problem() -> None:
    (problem,) = parse(None, {"WAIAAS_DAEMON_PROT": "1"}, {}).problems
    assert problem.hint == "did you mean WAIAAS_DAEMON_PORT?"
    assert problem.line is None


def test_unknown_keys_only_warn_while_a_run_is_open() -> None:
    text = "[daemon]\nnew_key = 1\nport = 0\n[brand_new]\nx = 1\n"
    parsed = parse(text, {"WAIAAS_UPGRADE_NEW": "x"}, {}, lenient=True)
    assert not parsed.problems
    assert len(parsed.notices) == 3
    assert parsed.settings.daemon.port == 0


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://releases.example/waiaas",
        "https://releases.example:8443/x",
        "http://127.0.0.1:8000",
        "http://localhost/feed",
        "http://[::1]:80/",
        "file:///srv/feed",
    ],
)
def test_feed_may_be_there(url: str) -> None:
    assert parse(None, {}, {"upgrade.feed_url": url}).settings.upgrade.feed_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://releases.example",
        "http://127.0.0.1.evil.example",
        "https://",
        "ftp://x/y",
        "file://server/share",
        "file:relative",
        "/srv/feed",
        "https://user:secret@x/",
        "https://x/?q=1",
        "http://[::1",
        "https://x:99999/",
    ],
)
def test_feed_may_not_be_there(url: str) -> None:
    (problem,) = parse(None, {}, {"upgrade.feed_url": url}).problems
    assert "upgrade.feed_url" in problem.message


@pytest.mark.parametrize("pin", ["1.8.0", "v1", "01", "1.", "x"])
def test_bad_pin_is_refused(pin: str) -> None:
    assert parse(None, {}, {"upgrade.pin": pin}).problems


@given(
    st.text(max_size=200),
    st.dictionaries(st.sampled_from([k.variable for k in KEYS.values()]), st.text(max_size=20)),
)
def test_parse_never_raises(text: str, environ: dict[str, str]) -> None:
    parsed = parse(text, environ, {})
    assert isinstance(parsed.settings, Settings)
    assert all(p.message and p.hint for p in parsed.problems)


@given(st.integers(), st.sampled_from(["daemon.port", "daemon.threads", "upgrade.probation"]))
def test_number_is_taken_exactly_within_its_range(number: int, dotted: str) -> None:
    rule, section = KEYS[dotted].rule, dotted.partition(".")
    parsed = parse(f"[{section[0]}]\n{section[2]} = {number}\n", {}, {})
    assert rule.low is not None
    assert rule.high is not None
    assert (not parsed.problems) == (rule.low <= number <= rule.high)


def test_the_form_that_a_rule_names_exists() -> None:
    assert {key.rule.form for key in KEYS.values()} == {"", *FORMS}


@given(
    st.lists(
        st.sampled_from(
            ["# a", "\t# ü", "", " ", "\r", "#\r", "[daemon]", "port = 1", "#\x01", "\x0b", "a\u2028"]
        )
    ),
    st.dictionaries(
        st.sampled_from(["WAIAAS_DATA_DIR", "WAIAAS_DAEMON_PORT", "WAIAAS_RPC_X", "PATH"]), st.just("1")
    ),
    st.sampled_from([{}, {"upgrade.feed_url": "https://built.example"}]),
)
def test_what_says_nothing_is_read_as_the_parser_reads_it__PRF_3(
    lines: list[str], environ: dict[str, str], defaults: dict[str, str]
) -> None:
    """Settings that set nothing are not parsed; nobody can tell."""
    text = "\n".join(lines)
    found = Collector(KEYS, lenient=False)
    found.take_texts(defaults, "default")
    found.take_file(text)
    found.take_environment(environ)
    parsed = parse(text, environ, {}, defaults=defaults)
    assert parsed.problems == tuple(found.problems)
    assert parsed.notices == found.notices()
    assert parsed.origins == {dotted: found.origins.get(dotted, "default") for dotted in KEYS}
    for key in KEYS.values():
        value = getattr(getattr(parsed.settings, key.section), key.name)
        assert value == found.values.get((key.section, key.name), key.default)
