"""The settings of the team: contacts and places, refused by name where they are not right (W-22)."""

from pathlib import Path

import pytest

from waiaas.core.errors import UsageError
from waiaas.release.withdrawal import settings

GOOD = """
repository = "acme/waiaas"
branch = "https://example.org/feed.git#feed"
images = ["registry.example/acme/waiaas"]
checkout = "."

[package]
name = "waiaas"
index = "https://index.example/"

[contacts]
lead = "Ada, +1 555 0100"
security = "Bob"
"""


def test_the_settings_of_the_team_are_read__WDR_2(tmp_path: Path) -> None:
    """W-22: contacts are settings, not prose."""
    path = tmp_path / "F.toml"
    path.write_text(GOOD)
    found = settings.read(path, needed=True)
    assert (found.repository, found.checkout, found.remote) == ("acme/waiaas", tmp_path / ".", "origin")
    assert (found.package, found.index) == ("waiaas", "https://index.example")
    assert found.contacts == (("lead", "Ada, +1 555 0100"), ("security", "Bob"))
    assert found.missing_contacts == ["release-engineer"]
    assert settings.read(tmp_path / "absent.toml", needed=False) == settings.Settings()


@pytest.mark.parametrize(
    "text",
    [
        "repository = 3",
        'repository = "acme"',
        'repository = "acme/x --flag"',
        'repositry = "acme/x"',
        'images = "x/y"',
        'images = ["X Y"]',
        'images = ["-x/y"]',
        'remote = "--upload-pack=x"',
        'package = "waiaas"',
        '[package]\nname = "waiaas"',
        '[package]\nname = "waiaas"\nindex = "http://index.example"',
        '[package]\ncolour = "red"',
        '[contacts]\nlead = ""',
        "[contacts]\nlead = 5",
        "=",
    ],
)
def test_a_setting_that_is_not_right_is_refused_with_its_name__WDR_2(text: str, tmp_path: Path) -> None:
    path = tmp_path / "F.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        settings.read(path, needed=True)
    assert refused.value.code == "bad-settings"
    assert str(path) in refused.value.message


def test_a_settings_file_that_is_named_must_exist__WDR_2(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        settings.read(tmp_path / "absent.toml", needed=True)
