"""Shake Kivuko: `make chaos ARGS='kill-server --times 100 --seed 7'`. Without ARGS every scenario, as often as promised.

Real processes, real kills. Each scenario prints how many messages were acknowledged, finished, lost and run twice, and how long until the
work of the dead went on. Exit code 1 when something was lost, finished twice, contradicts itself or took too long to go on.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from chaos.islands import by_itself, impossible_here
from chaos.scenarios import SCENARIOS

__all__ = ["main"]


def main() -> int:
    """Plays the scenarios that were asked for."""
    parser = argparse.ArgumentParser(description="Kill, cut and fill, and count what is left.")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"{', '.join(SCENARIOS)}; all by default")
    parser.add_argument("--times", type=int, help="how often the scenario's accident happens (default: as often as promised)")
    parser.add_argument("--tenth", action="store_true", help="a tenth of the promised number, as the tests do")
    parser.add_argument("--seed", type=int, help="what is random; printed, so that it can be repeated (default: the time)")
    options = parser.parse_args()
    if unknown := [name for name in options.scenarios if name not in SCENARIOS]:
        parser.error(f"there is no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    seed = options.seed if options.seed is not None else int(time.time()) % 100_000
    return max([_play(name, options, seed) for name in options.scenarios or SCENARIOS])


def _play(name: str, options: argparse.Namespace, seed: int) -> int:
    """Plays one scenario and prints its tally. The exit code."""
    scenario = SCENARIOS[name]
    times = options.times or max(1, scenario.times // (10 if options.tenth else 1))
    if scenario.by_itself:
        if reason := impossible_here():
            print(f"{name}: not possible here: {reason}", flush=True)
            return 1
        code = by_itself([__file__, name, "--times", str(times), "--seed", str(seed)])
        if code is not None:
            return code
    print(f"{name}: {scenario.about}\n  {times} times, seed {seed}", flush=True)
    tally = scenario.play(times, seed)
    print("\n".join(tally.lines()), flush=True)
    return 0 if tally.good else 1


if __name__ == "__main__":
    sys.exit(main())
