"""Plant every fault in every network, and count what the verdicts are worth.

    python -m bench.faults.campaign OUT.json SEEDS ROUNDS [FOLDER OF TRAINED MODELS]

SEEDS random nets of each kind; each fault is planted ROUNDS times for each net and noise, at random places.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy loads: the arrays are small, and threads only wait

import numpy as np

from bench.faults.nets import find_nets, make_image
from bench.faults.site import make_site
from bench.faults.trial import FAULTS, NOISES, WITHOUT_NOISE, Outcome, is_alarm, judge, judge_clean


def run_campaign(seeds: int, rounds: int, reference: Path | None) -> dict[str, object]:
    """Return the counts of the whole campaign: over all faults, for each, and of clean pairs."""
    outcomes: list[Outcome] = []
    clean, alarms, nets = 0, 0, []
    for number, (name, model) in enumerate(find_nets(reference, range(seeds))):
        site = make_site(name, model, make_image(model, number), make_image(model, number + 1000))
        nets.append(name)
        for noise in NOISES:
            clean += 1
            alarms += is_alarm(judge_clean(site, noise))
        for place, fault in enumerate(FAULTS):
            for number_of_noise, noise in enumerate(NOISES):
                if noise != "none" and fault in WITHOUT_NOISE:
                    continue
                for turn in range(rounds):
                    rng = np.random.default_rng([number, turn, place, number_of_noise])
                    outcome = judge(site, fault, noise, rng)
                    if outcome is not None:
                        outcomes.append(outcome)
        print(f"  {name}: {sum(outcome.net == name for outcome in outcomes)} faults", file=sys.stderr, flush=True)
    kinds: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        kinds[outcome.kind].append(outcome)
    return {
        "all": count_outcomes(outcomes),
        "kinds": {kind: count_outcomes(several) for kind, several in kinds.items()},
        "clean": {"count": clean, "alarms": alarms},
        "nets": nets,
        "missed": [
            f"{item.kind} in {item.net} ({item.noise}) at {item.layer}: {item.told}"
            for item in outcomes
            if item.place != 1 or not item.right_kind
        ],
    }


def count_outcomes(outcomes: list[Outcome]) -> dict[str, int]:
    """Return how many there are, and how many found the layer first, in the first three, and the kind."""
    return {
        "count": len(outcomes),
        "first": sum(outcome.place == 1 for outcome in outcomes),
        "in_three": sum(1 <= outcome.place <= 3 for outcome in outcomes),
        "kind": sum(outcome.right_kind for outcome in outcomes),
    }


def main(arguments: list[str]) -> None:
    """Write the counts of a campaign."""
    out, seeds, rounds, *rest = arguments
    folder = Path(rest[0]) / "models" if rest and rest[0] else None
    counts = run_campaign(int(seeds), int(rounds), folder)
    Path(out).write_text(json.dumps(counts, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
