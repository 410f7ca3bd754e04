"""What of the session lives on the host's loop: what is loaded, what is remembered, what is read of it for people.

These modules load the whole host, so that each waits until a name of it is used: `%load_ext washnb` needs none.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "BlobstoreBackend": "reading",
    "Command": "actions",
    "ConfigBackend": "reading",
    "Deployment": "deployments",
    "Deployments": "deployments",
    "Exports": "exports",
    "Fault": "faults",
    "FilmFile": "filming",
    "History": "history",
    "Inspection": "reports",
    "Kept": "reading",
    "KernelLoop": "on_kernel",
    "KeyValueBackend": "reading",
    "Message": "history",
    "NoSuchBucket": "reading",
    "NoSuchContainer": "reading",
    "NoSuchObject": "reading",
    "ObjectInfo": "reading",
    "ParityReport": "parity",
    "PluginSkeleton": "skeletons",
    "ReceiptReport": "receipts",
    "RequestTrace": "history",
    "ShownFault": "faults",
    "ShownSnapshot": "snapshots",
    "StateDiff": "snapshots",
    "StateSnapshot": "snapshots",
    "Questions": "questions",
    "ShownQuestion": "questions",
    "Status": "reports",
    "TraceReport": "history",
    "attached": "attaching",
    "belongs_to_kernel": "on_kernel",
    "blobs_of": "reading",
    "buckets_of": "reading",
    "Crossing": "timeline",
    "Passage": "timeline",
    "Timeline": "timeline",
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
    "host_of": "reading",
    "inspection": "reports",
    "is_attached": "attaching",
    "keyvalue_of": "reading",
    "known": "reading",
    "logs_place": "reading",
    "memory_of": "filming",
    "messaging_of": "messaging",
    "nats_started": "serving",
    "nats_status": "serving",
    "nats_stopped": "serving",
    "made_by_word": "attaching",
    "opened": "actions",
    "parity_of": "parity",
    "passage_entry": "crossings",
    "place_of": "reading",
    "plugin_table": "reports",
    "published": "messaging",
    "receipt_of": "receipts",
    "requested": "messaging",
    "require_loaded": "reading",
    "restored": "snapshots",
    "sent": "actions",
    "served": "actions",
    "server_of": "reading",
    "snapshot_taken": "snapshots",
    "skeleton_of": "skeletons",
    "state_of": "reading",
    "shown_question": "questions",
    "status": "reports",
    "subject_matcher": "messaging",
}


def __getattr__(name: str) -> Any:
    """Load a name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
