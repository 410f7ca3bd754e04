"""What TAB offers for a word or an option of a verb: the kinds that verbs declare, and completion.py knows to find."""

from __future__ import annotations

SOURCES, SUBJECTS, FILES, FOLDERS = "sources", "subjects", "files", "folders"
WORKLOADS, PLUGINS, ATTACHED = "workloads", "plugins", "attached"
IMPORTS, PLUGIN_ACTIONS = "imports", "plugin actions"
BUCKETS, CONTAINERS = "buckets", "containers"
TARGETS, FAULTS, ERRORS = "targets", "faults", "errors"
METHODS, NATS_ACTIONS, VERBS, ACTIONS, LEVELS = "methods", "nats actions", "verbs", "actions", "levels"
SPEEDS = "speeds"
