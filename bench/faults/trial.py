"""One fault in one network -> what the verdict says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.faults import edits, tampering
from bench.faults.execution import MemoryDump, run_all
from bench.faults.noise import quantise
from bench.faults.site import Planted, Site, copy_model
from ipudebug.diagnosis import Diagnosis, diagnose

NOISES = ("none", "8 bits", "8 and 16 bits")
LEAST_EFFECT = 0.06
"""Relative error (root of error energy over signal energy) that a fault must make in its layer to be one."""
OVER_NOISE = 3.0
"""And so many times the error that the noise alone makes there."""

FAULTS: dict[str, Callable[[Site, np.random.Generator], Planted | None]] = {
    name.removeprefix("plant_"): function
    for module in (tampering, edits)
    for name, function in vars(module).items()
    if name.startswith("plant_")
}
WITHOUT_NOISE = ("pool_rounding", "wide_range")
"""What noise of the same size would hide."""


@dataclass(frozen=True)
class Outcome:
    """What a verdict was worth.

    Attributes:
        place: where in the list of suspects the layer stands, from 1; 0 if it is not in it.
        right_kind: whether the first finding about it names the fault.
    """

    kind: str
    net: str
    noise: str
    layer: str
    place: int
    right_kind: bool
    told: str


def plant(site: Site, name: str, noise: str, rng: np.random.Generator) -> tuple[Planted, MemoryDump, MemoryDump] | None:
    """Return a fault with the dumps of the faulty and of the healthy network; None if none could be planted."""
    for _ in range(40):
        planted = FAULTS[name](site, rng)
        if planted is None:
            continue
        healthy = site.tensors if planted.benchmark is site.model else run_all(planted.benchmark, site.image)
        clean = run_noisy(site, planted.benchmark, site.image, noise, None) if noise != "none" else healthy
        faulty = run_noisy(site, planted.model, planted.image, noise, planted)
        if name not in ("name", "pool_rounding", "wide_range") and not _is_felt(planted, site, healthy, clean, faulty):
            continue
        faulty = {planted.renamed.get(tensor, tensor): array for tensor, array in faulty.items()}
        return planted, MemoryDump("sample", planted.image, faulty), MemoryDump("benchmark", site.image, healthy)
    return None


def run_noisy(
    site: Site, model: object, image: dict[str, np.ndarray], noise: str, planted: Planted | None
) -> dict[str, np.ndarray]:
    """Return the tensors of a network with noise, and with the fault that is planted behind it."""
    noisy = quantise(model, site.ranges, noise) if noise != "none" else copy_model(model)  # type: ignore[arg-type]
    if planted is not None and planted.tamper is not None:
        planted.tamper(noisy)
    made = run_all(noisy, image)
    return {name: made[name] for name in site.tensors if name in made}


def judge(site: Site, name: str, noise: str, rng: np.random.Generator) -> Outcome | None:
    """Return what the verdict on one planted fault is worth."""
    trial = plant(site, name, noise, rng)
    if trial is None:
        return None
    planted, sample, benchmark = trial
    return score(site, planted, noise, diagnose(sample=sample, benchmark=benchmark))


def score(site: Site, planted: Planted, noise: str, verdict: Diagnosis) -> Outcome:
    """Return how a verdict compares with what was planted."""
    if planted.renamed:
        right = [item for item in verdict.renamed if (item.benchmark, item.sample) in planted.renamed.items()]
        told = ", ".join(f"{item.benchmark} -> {item.sample}" for item in verdict.renamed)
        return Outcome(planted.kind, site.name, noise, planted.layer, 1 if right else 0, bool(right), told)
    names = [suspect.row.name for suspect in verdict.suspects]
    place = names.index(planted.layer) + 1 if planted.layer in names else 0
    finding = verdict.suspects[place - 1].finding if place else None
    told = f"{verdict.shape.value}: " + "; ".join(
        f"{s.row.name} {s.finding.kind} {s.jump.size:.2g}" for s in verdict.suspects
    )
    return Outcome(
        planted.kind,
        site.name,
        noise,
        planted.layer,
        place,
        finding is not None and finding.kind in planted.accepted,
        told,
    )


def judge_clean(site: Site, noise: str) -> Diagnosis:
    """Return the verdict on a network without any fault."""
    clean = run_noisy(site, site.model, site.image, noise, None)
    return diagnose(
        sample=MemoryDump("sample", site.image, clean), benchmark=MemoryDump("benchmark", site.image, site.tensors)
    )


def is_alarm(verdict: Diagnosis) -> bool:
    """Return whether a verdict on a pair without a fault blames a layer.

    Where noise alone crosses the vendor's thresholds, naming the first layer that does is the vendor's own rule; it is
    an alarm unless the verdict says that it is noise.
    """
    if verdict.renamed or verdict.shape.value in ("abrupt", "only at the end", "wrong from the input on"):
        return True
    return bool(verdict.suspects) and verdict.suspects[0].finding.kind != "rounding"


def _is_felt(planted: Planted, site: Site, healthy: dict, clean: dict, faulty: dict) -> bool:
    """Return whether the fault changes its layer by more than a trifle, and clearly more than the noise."""
    if planted.layer in site.image:
        return True
    right, noisy, wrong = (tensors[planted.layer].astype(np.float64) for tensors in (healthy, clean, faulty))
    if not np.isfinite(wrong).all():
        return True
    size = float(np.sqrt((right**2).sum()))
    effect = float(np.sqrt(((wrong - right) ** 2).sum()))
    return effect > LEAST_EFFECT * size and effect > OVER_NOISE * float(np.sqrt(((noisy - right) ** 2).sum()))
