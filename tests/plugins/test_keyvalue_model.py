"""Random commands on a key-value backend and on plain dictionaries end in the same state."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from washnb.plugins.keyvalue import NoSuchBucket
from washnb.plugins.keyvalue.counters import counter_value
from washnb.plugins.keyvalue.in_memory import InMemoryBackend

from .contracts.keyvalue import U64_MAX, all_keys

BUCKETS = st.sampled_from(["a", "b", "ü"])
KEYS = st.sampled_from(["", "k", "../k", "k/k", "\0", "\U0001f511"])
VALUES = st.binary(max_size=9) | st.integers(0, 2 * U64_MAX).map(lambda number: str(number).encode())
DELTAS = st.sampled_from([0, 1, 2**63, U64_MAX])


def forget(model, *keys):
    """Take keys out of a model."""
    for key in keys:
        model.pop(key, None)


class KeyValueMachine(RuleBasedStateMachine):
    """The model is a dictionary of dictionaries."""

    def __init__(self):
        super().__init__()
        self.model: dict[str, dict[str, bytes]] = {}
        self.changes = []
        self.runner = asyncio.Runner()
        self.backend = InMemoryBackend(lambda path, action: self.changes.append((path, action)))

    def teardown(self):
        """Close the loop that all commands ran on."""
        self.runner.close()

    def run(self, bucket, work, expected):
        """Both sides agree, on the result or that the bucket is missing."""
        if bucket not in self.model:
            with pytest.raises(NoSuchBucket):
                self.runner.run(work)
            return
        assert self.runner.run(work) == expected(self.model[bucket])

    @rule(bucket=BUCKETS)
    def open(self, bucket):
        self.runner.run(self.backend.open(bucket))
        self.model.setdefault(bucket, {})

    @rule(bucket=BUCKETS, key=KEYS, value=VALUES)
    def set(self, bucket, key, value):
        self.run(bucket, self.backend.set(bucket, key, value), lambda model: model.update({key: value}))

    @rule(bucket=BUCKETS, key=KEYS)
    def get(self, bucket, key):
        self.run(bucket, self.backend.get(bucket, key), lambda model: model.get(key))
        self.run(bucket, self.backend.exists(bucket, key), lambda model: key in model)

    @rule(bucket=BUCKETS, key=KEYS)
    def delete(self, bucket, key):
        self.run(bucket, self.backend.delete(bucket, key), lambda model: forget(model, key))

    @rule(bucket=BUCKETS, key=KEYS, delta=DELTAS)
    def increment(self, bucket, key, delta):
        def counted(model):
            total = min(counter_value(model.get(key, b"0")) + delta, U64_MAX)
            model[key] = total.to_bytes(8, "little")
            return total

        self.run(bucket, self.backend.increment(bucket, key, delta), counted)

    @rule(bucket=BUCKETS, entries=st.lists(st.tuples(KEYS, VALUES)))
    def set_many(self, bucket, entries):
        self.run(bucket, self.backend.set_many(bucket, entries), lambda model: model.update(entries))

    @rule(bucket=BUCKETS, keys=st.lists(KEYS))
    def get_many(self, bucket, keys):
        self.run(
            bucket,
            self.backend.get_many(bucket, keys),
            lambda model: [(key, model[key]) if key in model else None for key in keys],
        )

    @rule(bucket=BUCKETS, keys=st.lists(KEYS))
    def delete_many(self, bucket, keys):
        self.run(bucket, self.backend.delete_many(bucket, keys), lambda model: forget(model, *keys))

    @invariant()
    def holds_what_the_model_holds(self):
        """Buckets and keys are the model's."""
        assert self.runner.run(self.backend.buckets()) == sorted(self.model)
        for bucket, model in self.model.items():
            assert self.runner.run(all_keys(self.backend, bucket)) == sorted(model)

    @invariant()
    def tells_every_change(self):
        """Whoever follows the changes knows which keys there are."""
        present = {}
        for path, action in self.changes:
            present[path] = action == "set"
        known = {path for path, there in present.items() if there}
        assert known == {(bucket, key) for bucket, model in self.model.items() for key in model}


KeyValueMachine.TestCase.settings = settings(stateful_step_count=25)
TestKeyValueModel = KeyValueMachine.TestCase
