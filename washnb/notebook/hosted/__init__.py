"""What of the session lives on the host's loop: what is loaded, what is remembered, what is read of it for people.

These modules load the whole host, so that each waits until a name of it is used: `%load_ext washnb` needs none.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "BlobstoreBackend": "reading",
    "Command": "actions",
    "Crossing": "timeline",
    "Deployments": "deployments",
    "Exports": "exports",
    "Fault": "faults",
    "FilmFile": "filming",
    "INBOX": "messaging",
    "Inspection": "reports",
    "KernelLoop": "on_kernel",
    "KeyValueBackend": "reading",
    "Listening": "messaging",
    "NoSuchBucket": "reading",
    "NoSuchContainer": "reading",
    "NoSuchObject": "reading",
    "ObjectInfo": "reading",
    "ParityReport": "parity",
    "Passage": "timeline",
    "PluginSkeleton": "skeletons",
    "ReceiptReport": "receipts",
    "RequestTrace": "history",
    "ShownFault": "faults",
    "ShownQuestion": "questions",
    "ShownSnapshot": "snapshots",
    "StateSnapshot": "snapshots",
    "Status": "reports",
    "Timeline": "timeline",
    "TraceReport": "history",
    "as_snapshot": "snapshots",
    "attached": "attaching",
    "attached_as": "attaching",
    "belongs_to_kernel": "on_kernel",
    "blobs_of": "reading",
    "buckets_of": "reading",
    "called": "calling",
    "completed": "actions",
    "config_of": "reading",
    "crossing_entry": "crossings",
    "detached": "attaching",
    "exports_of": "calling",
    "fault_set": "faults",
    "fault_table": "faults",
    "faults_cleared": "faults",
    "film_saved": "filming",
    "former_parts": "parts",
    "host_of": "reading",
    "inspection": "reports",
    "is_other": "parts",
    "keyvalue_of": "reading",
    "known": "reading",
    "line_entry": "crossings",
    "lasting_subject": "messaging",
    "logs_place": "reading",
    "made_again": "parts",
    "made_by_word": "attaching",
    "memory_of": "filming",
    "messaging_of": "messaging",
    "nats_started": "nats_server",
    "nats_status": "nats_server",
    "nats_stopped": "nats_server",
    "news_of": "reading",
    "opened": "actions",
    "parity_of": "parity",
    "parts_of": "parts",
    "passage_entry": "crossings",
    "place_of": "reading",
    "plugin_table": "reports",
    "published": "messaging",
    "receipt_of": "receipts",
    "requested": "messaging",
    "require_loaded": "reading",
    "restored": "snapshots",
    "sent": "actions",
    "served": "serving",
    "shown_question": "questions",
    "skeleton_of": "skeletons",
    "snapshot_taken": "snapshots",
    "state_of": "reading",
    "status": "reports",
    "subject_matcher": "messaging",
}


def __getattr__(name: str) -> Any:
    """Load a name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
