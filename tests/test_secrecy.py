"""Which names are secret, and what is left of texts that have secrets in them."""

from __future__ import annotations

import pytest

from washnb.secrecy import (
    HIDDEN,
    REDACTION,
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
        *(
            (without_secrets, text, text.replace("ada:pw", REDACTION))
            for text in (
                "http://ada:pw@host:80/a?q=1",
                "tried https://ada:pw@host, and http://ada:pw@[::1]:80/a",
                "ada:pw@host",
                "ada:pw@127.0.0.1:8080",
                "ada:pw@[::1]:80",
            )
        ),
        (without_secrets, "http://ada:p@w@host/", f"http://{REDACTION}@host/"),
        (without_secrets, "ada:p@w@host", f"{REDACTION}@host"),
        (without_secrets, ":pw@host", f"{REDACTION}@host"),
        (without_secrets, "https://ghp_16C7@host/a", f"https://{REDACTION}@host/a"),
        (without_secrets, "http://ada:pw@host/?token=x", f"http://{REDACTION}@host/?token={REDACTION}"),
        *(
            (without_secrets, text, text)
            for text in (
                "ada@example.org",
                "mailto:ada@example.org",
                "Ada <ada@example.org>: a:b@c inside text",
                "wasi:keyvalue@0.2.0-draft",
                "wasi:http/types@0.2.0",
                "repo:tag@sha256:9f86d081",
                "http://host:80/@ada",
                "http://host:80?mail=ada@example.org",
                '{"at": "http://host:80","mail": "ada@example.org"}',
                '{"at":"http://host:80","mail":"ada@example.org"}',
                "12:30@noon!",
            )
        ),
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
