"""What TAB offers for a word or an option of a verb: the kinds that verbs declare, and completion.py knows to find."""

from __future__ import annotations

SOURCES, SUBJECTS, FILES, FOLDERS = "sources", "subjects", "files", "folders"
WORKLOADS, EXPORTS, PLUGINS, ATTACHED = "workloads", "exports", "plugins", "attached"
IMPORTS, PLUGIN_ACTIONS = "imports", "plugin actions"
BUCKETS, KEYS, CONTAINERS = "buckets", "keys", "containers"
TARGETS, FAULTS = "targets", "faults"
METHODS, NATS_ACTIONS, VERBS, ACTIONS, LEVELS = "methods", "nats actions", "verbs", "actions", "levels"
SPEEDS = "speeds"
