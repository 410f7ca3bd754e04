"""wasi:random without a guest."""

from __future__ import annotations

import pytest

from washnb.wasi.random import BYTES_LIMIT, Insecure, InsecureSeed, Random

BYTES = [Random().get_random_bytes, Insecure().get_insecure_random_bytes]
NUMBERS = [Random().get_random_u64, Insecure().get_insecure_random_u64]


@pytest.mark.parametrize("get", BYTES)
def test_as_many_bytes_as_asked_for(get):
    """From none to the limit; two draws differ."""
    assert [len(get(length)) for length in (0, 1, 4096, BYTES_LIMIT)] == [0, 1, 4096, BYTES_LIMIT]
    assert get(32) != get(32)


@pytest.mark.parametrize("get", BYTES)
@pytest.mark.parametrize("length", [BYTES_LIMIT + 1, 2**64 - 1])
def test_too_many_bytes_end_the_guest(get, length):
    """The message names what was asked for and the limit, and no memory is spent."""
    with pytest.raises(ValueError, match=f"{length} random bytes.*limit is {BYTES_LIMIT}"):
        get(length)


@pytest.mark.parametrize("get", NUMBERS)
def test_numbers_use_all_of_a_u64(get):
    """Over a thousand draws every bit is seen set and unset."""
    drawn = [get() for _ in range(1000)]
    assert all(0 <= number < 2**64 for number in drawn)
    assert len(set(drawn)) == 1000
    for bit in range(64):
        assert {number >> bit & 1 for number in drawn} == {0, 1}


def test_seeds_differ_between_instances():
    """Two instances of a component must not hash alike."""
    seeds = {InsecureSeed().insecure_seed() for _ in range(100)}
    assert len(seeds) == 100
    assert all(0 <= half < 2**64 for seed in seeds for half in seed)
