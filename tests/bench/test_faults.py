"""A small slice of the bench of planted faults: one net of two kinds, each fault once."""

from __future__ import annotations

import numpy as np
import pytest

from bench.faults.nets import build_branching, build_residual, make_image
from bench.faults.site import Site, make_site
from bench.faults.trial import FAULTS, WITHOUT_NOISE, is_alarm, judge, judge_clean


@pytest.fixture(scope="module")
def site() -> Site:
    model = build_branching(42)
    return make_site("branching", model, make_image(model, 5), make_image(model, 6))


CASES = [
    (name, noise)
    for name in FAULTS
    for noise in ("none", "8 bits")
    if name != "pool_rounding" and (noise == "none" or name not in WITHOUT_NOISE)  # noise of the same size hides these
]


@pytest.mark.parametrize(("fault", "noise"), CASES)
def test_a_planted_fault_is_found_first_and_named(site: Site, fault: str, noise: str) -> None:
    outcome = judge(site, fault, noise, np.random.default_rng(1))
    assert outcome is not None
    assert outcome.place == 1, outcome
    assert outcome.right_kind, outcome


@pytest.mark.parametrize("noise", ["none", "8 bits", "8 and 16 bits"])
def test_a_net_without_a_fault_raises_no_alarm(site: Site, noise: str) -> None:
    assert not is_alarm(judge_clean(site, noise))


def test_there_are_at_least_twelve_faults() -> None:
    assert len(FAULTS) >= 12


def test_a_fault_changes_only_what_comes_behind_it() -> None:
    """The faults themselves: the layer that is said to be wrong first is the first that differs."""
    from bench.faults.trial import plant

    model = build_residual(3)
    site = make_site("residual", model, make_image(model, 1), make_image(model, 2))
    for name in FAULTS:
        made = plant(site, name, "none", np.random.default_rng(4))
        if made is None or made[0].renamed:
            continue
        planted, sample, benchmark = made
        pairs = [(sample.read(index), benchmark.read(index)) for index in range(len(sample.infos))]
        first = next(a.info.name for a, b in pairs if not np.array_equal(a.array, b.array))
        assert first == planted.layer, name
