"""Which names are secret, and what is left of texts that have secrets in them."""

from __future__ import annotations

import pytest

from washnb.secrecy import (
    HIDDEN,
    behind_userinfo,
    cut_at_userinfo,
    is_secret,
    redacted,
    without_secrets,
    without_userinfo,
)


@pytest.mark.parametrize(
    "name",
    ["Authorization", "proxy-authorization", "COOKIE", "set-cookie", "api-token", "client_secret", "DB_PASSWORD"],
)
def test_names_of_secrets(name):
    """These names hide their values everywhere."""
    assert is_secret(name)
    assert not is_secret("accept")


def test_secrets_are_hidden_by_their_names():
    """Headers and settings that sound secret keep their values to themselves."""
    shown = redacted({"Authorization": "Bearer x", "Accept": "*/*", "db_password": "p"})
    assert shown == [("Authorization", HIDDEN), ("Accept", "*/*"), ("db_password", HIDDEN)]


@pytest.mark.parametrize(
    ("function", "text", "shown"),
    [
        (without_secrets, "/a?q=1&api_token=xyz#top", "/a?q=1&api_token=<redacted>#top"),
        (without_secrets, "/a?q=1", "/a?q=1"),
        (without_userinfo, "at nats://ada:pw@host:4222 now", f"at nats://{HIDDEN}@host:4222 now"),
        (without_userinfo, "mail ada@example.org", "mail ada@example.org"),
        (behind_userinfo, "ada:p@w@host:80", "host:80"),
        (behind_userinfo, "host:80", "host:80"),
        (cut_at_userinfo, "redis://ada:pw@host", "redis:..."),
        (cut_at_userinfo, "redis://host", "redis://host"),
    ],
)
def test_texts_are_shown_without_the_secrets_in_them(function, text, shown):
    """Queries lose secret values, addresses user and password, and nothing else is changed."""
    assert function(text) == shown
