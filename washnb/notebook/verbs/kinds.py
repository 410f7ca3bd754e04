"""The kinds of names that TAB offers for a word or an option: verbs declare one, completion.py finds its names."""

from __future__ import annotations

SOURCES, SUBJECTS, FILES, FOLDERS = "sources", "subjects", "files", "folders"
WORKLOADS, PLUGINS, ATTACHED = "workloads", "plugins", "attached"
IMPORTS, PLUGIN_ACTIONS = "imports", "plugin actions"
BUCKETS, KEYS, CONTAINERS, OBJECTS, SNAPSHOTS = "buckets", "keys", "containers", "objects", "snapshots"
TARGETS, FAULTS, ERRORS = "targets", "faults", "errors"
METHODS, NATS_ACTIONS, VERBS, ACTIONS, LEVELS = "methods", "nats actions", "verbs", "actions", "levels"
SPEEDS = "speeds"
