"""The JetStream stream behind a bucket on NATS. Its settings are those of wash-runtime, which refuses any others."""

from __future__ import annotations

from typing import Any

SETTINGS: dict[str, Any] = {
    "max_msgs_per_subject": 1,
    "storage": "file",
    "num_replicas": 1,
    "discard": "new",
    "deny_delete": True,
    "deny_purge": False,
    "allow_rollup_hdrs": True,
    "allow_direct": True,
}
"""The settings that are sent when a bucket is made."""

SERVER_DEFAULTS: dict[str, Any] = {
    "retention": "limits",
    "max_consumers": -1,
    "max_msgs": -1,
    "max_bytes": -1,
    "max_age": 0.0,
    "max_msg_size": -1,
    "duplicate_window": 120.0,
    "compression": "none",
    "mirror": None,
    "sources": None,
    "mirror_direct": False,
    "sealed": False,
    "no_ack": False,
    "discard_new_per_subject": False,
    "allow_msg_ttl": False,
    "republish": None,
    "subject_transform": None,
    "placement": None,
    "description": None,
}
"""The other settings, with the values that the server gives them: a bucket with others is refused, too."""


def stream_name(bucket: str) -> str:
    """Return the name of the stream behind a bucket."""
    return f"KV_{bucket}"


def subject(bucket: str, key: str = "") -> str:
    """Return the subject of a key, or without `key` the text with which the subjects of all keys of a bucket begin."""
    return f"$KV.{bucket}.{key}"


def stream_config(bucket: str) -> Any:
    """Return the `nats.js.api.StreamConfig` of a bucket."""
    from nats.js.api import StreamConfig

    return StreamConfig(name=stream_name(bucket), subjects=[subject(bucket, ">")], **SETTINGS)


def differences(bucket: str, found: Any) -> str:
    """Return in words the settings in which `found`, a StreamConfig, is no bucket of ours: `max_age is 60, not 0`."""
    wanted = {**SERVER_DEFAULTS, **SETTINGS, "subjects": [subject(bucket, ">")]}
    pairs = ((name, getattr(found, name), value) for name, value in wanted.items())
    return ", ".join(f"{name} is {_said(is_)}, not {_said(value)}" for name, is_, value in pairs if is_ != value)


def _said(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
