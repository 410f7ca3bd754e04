"""Names of interfaces: their form, and which versions can stand in for each other."""

from __future__ import annotations

import pytest

from washnb.errors import ConfigError
from washnb.wit import WitInterface, versions_match


@pytest.mark.parametrize(
    ("served", "wanted"),
    [
        (None, "0.2.0"),
        ("0.2.0-draft", None),
        ("0.2.0-draft", "0.2.0-draft"),
        ("0.2.0", "0.2.10"),
        ("1.0.0", "1.4.0"),
        ("0.0.1", "0.0.1"),
        ("1.0.0+a-build", "1.0.0"),
    ],
)
def test_compatible_versions_match(served: str | None, wanted: str | None) -> None:
    """Versions that are equal up to the first number that is not 0 match both ways, and no version matches any."""
    assert versions_match(served, wanted)
    assert versions_match(wanted, served)


@pytest.mark.parametrize(
    ("served", "wanted"),
    [("0.2.0", "0.3.0"), ("1.0.0", "2.0.0"), ("0.0.1", "0.0.2"), ("0.2.0-draft", "0.2.0"), ("1.0.0-a", "1.0.0-b")],
)
def test_other_versions_do_not_match(served: str, wanted: str) -> None:
    """In 0.0.x each version is alone, as each pre-release is: the component model calls none of them compatible."""
    assert not versions_match(served, wanted)
    assert not versions_match(wanted, served)


def test_the_name_of_an_interface_may_have_acronyms() -> None:
    """WIT writes words in lower case and acronyms in upper case; packages have words alone."""
    assert str(WitInterface.parse("docs:web/HTTP-server,store@1.0.0")) == "docs:web/HTTP-server,store@1.0.0"
    with pytest.raises(ConfigError, match="does not name a WIT interface"):
        WitInterface.parse("docs:WEB/server")
