"""Commands of wash's own CLI, present and past, each with the line that does the same in a notebook."""

from __future__ import annotations

_BUILD = "build with your own toolchain (`!wash build` works in a cell), then: %wash load PATH_OF_THE_COMPONENT"

ELSEWHERE: dict[str, str] = {
    "dev": "%wash load PATH, and %wash reload after each build",
    "build": _BUILD,
    "new": "start from an example: %wash load example:hello",
    "oci": "`!wash oci pull REFERENCE it.wasm` in a cell, then: %wash load it.wasm",
    "pull": "`!wash oci pull REFERENCE it.wasm` in a cell, then: %wash load it.wasm",
    "push": "publishing stays with wash: `!wash oci push REFERENCE it.wasm` in a cell",
    "wit": "%wash inspect NAME_OR_PATH shows the world of a component",
    "host": "this notebook is the host: %wash status",
    "completion": "TAB completes verbs, options, names and files",
    "update": "`%pip install -U washnb`, and a new kernel",
    "up": "%wash load PATH, then %wash serve",
    "down": "%wash reset",
    "app": "%wash load PATH starts a workload, %wash unload NAME stops it",
    "start": "%wash load PATH",
    "stop": "%wash unload NAME",
    "get": "%wash status",
    "ps": "%wash status",
    "link": "%wash attach PLUGIN",
    "spy": "%wash trace",
    "capture": "%wash trace",
    "doctor": "%wash status",
    "claims": "%wash inspect NAME_OR_PATH",
    "ui": "%wash kv, blobs, config, logs and messages are live views",
}
