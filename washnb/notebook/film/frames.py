"""The frames of a film: each request that comes, each call that crosses and comes back, each answer, in order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from ..hosted.crossings import change_entry, crossing_entry, passage_entry
from ..hosted.timeline import Passage, Timeline

MAX_BYTES = 2 * 1024 * 1024
MAX_CALLS = 5_000
"""The most calls that a film shows: more would be hard to move through, and heavy to send."""

_MAX_OUTSIDE = 500
"""The most changes of state, among those that no host call made, that a film shows."""

Frame = dict[str, Any]


def reel(timeline: Timeline) -> dict[str, Any]:
    """The data of the page: requests, frames in order of time, and how much was left out.

    Times are in seconds from the first frame, which is at the Unix timestamp `begun`. `left_out` counts the older
    requests, and the calls that the film does not show: those of older requests, those beyond the most, and those
    that the trace had dropped before.
    """
    chosen = _chosen(timeline.passages)
    begun = min((passage.begun for passage, _ in chosen), default=0.0)
    requests, frames = [], []
    for place, (passage, calls) in enumerate(chosen):
        entry = passage_entry(passage)
        requests.append(entry)
        frames += _frames(place, passage, calls)
    frames += [
        {"at": change.time, "kind": "outside", "changes": [change_entry(change)]}
        for change in timeline.outside[-_MAX_OUTSIDE:]
        if change.time >= begun
    ]
    shown = sum(len(calls) for _, calls in chosen)
    return {
        "begun": begun,
        "requests": requests,
        "frames": _in_order(frames, begun),
        "calls": shown,
        "left_out": {
            "requests": len(timeline.passages) - len(chosen),
            "calls": sum(len(each.crossings) + each.trace.calls.dropped for each in timeline.passages) - shown,
        },
    }


def _chosen(passages: Sequence[Passage]) -> list[tuple[Passage, list[Frame]]]:
    """The latest requests with their calls, oldest first, as many as fit; of the oldest maybe only the first calls."""
    chosen: list[tuple[Passage, list[Frame]]] = []
    room, left = MAX_BYTES, MAX_CALLS
    for passage in reversed(passages):
        calls: list[Frame] = []
        for crossing in passage.crossings:
            entry = crossing_entry(crossing)
            room -= len(json.dumps(entry))
            if room < 0 or len(calls) >= left:
                break
            calls.append({**entry, "at": crossing.time, "end": crossing.end})
        chosen.insert(0, (passage, calls))
        left -= len(calls)
        if len(calls) < len(passage.crossings):
            break
    return chosen


def _frames(place: int, passage: Passage, calls: Iterable[Frame]) -> list[Frame]:
    """The frames of one request: it comes, its calls begin and return, it is answered."""
    end = passage.begun + passage.duration
    frames: list[Frame] = [{"at": passage.begun, "kind": "begin", "request": place}]
    for call in calls:
        back = call.pop("end")
        frames.append({**call, "kind": "call", "request": place})
        frames.append({"at": back, "kind": "back", "request": place, "n": call["n"]})
    if passage.trace.handled is not None:
        frames.append({"at": end, "kind": "end", "request": place})
    return frames


def _in_order(frames: list[Frame], begun: float) -> list[Frame]:
    """Sort frames by time. The return of a call is a frame of its own only where something happened before it."""
    ordered: list[Frame] = []
    for frame in sorted(frames, key=lambda each: each["at"]):
        last = ordered[-1] if ordered else {}
        if frame["kind"] == "back" and (last.get("kind"), last.get("request"), last.get("n")) == (
            "call",
            frame["request"],
            frame["n"],
        ):
            last["whole"] = True
        else:
            ordered.append({**frame, "at": max(0.0, frame["at"] - begun)})
    return ordered
