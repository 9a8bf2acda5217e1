"""Attack every command, and count the harm: python benchmarks/attacks --each 25 --seed 11.

Each module of `TABLES` has a table `KINDS`, name of a kind to attack. An attack gets a place of its own (place.py) and random
numbers, puts good, bad or hostile files there and runs commands. The place looks at every run:

lost      a file that was there is gone or changed, and the attack did not name it in `may_change`
silent    the command succeeded where it should have refused, or its output is another than with good files
fault     another exit status than 0, 2 and 130, a traceback, or not exactly one line with an exit status of 2
hang      more than 20 s of work and of waiting
memory    more than 2 GB

The table has a row a kind: runs tried, and runs with each harm. The exit status is 1 if there was any. Damage to the files of
label movies has a program of its own, readers.py.
"""

import argparse
import importlib
import random
import shutil
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from fixtures import make_fixtures
from place import HARMS, Attack, Place

TABLES = ("outputs", "stores", "runs", "files", "archives", "options", "surroundings")


def main() -> int:
    """Run the attacks and print the table."""
    options = _options()
    kinds: dict[str, Attack] = {}
    for module in options.modules:
        kinds |= importlib.import_module(module).KINDS
    kinds = {name: attack for name, attack in kinds.items() if options.only in name}
    room = Path(tempfile.mkdtemp(prefix="attacks-"))
    fixtures = options.fixtures or room / "fixtures"
    make_fixtures(fixtures.absolute())
    # In turns, so that a run that is stopped has tried all kinds.
    tasks = [(name, number) for number in range(options.each) for name in kinds]
    places: list[Place] = []
    with ThreadPoolExecutor(options.jobs) as pool:
        running = [
            pool.submit(_attack, kinds[name], name, n, room, fixtures.absolute(), options.seed) for name, n in tasks
        ]
        try:
            places.extend(done.result() for done in as_completed(running))
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)  # those that have begun are left to end
            print(f"stopped after {len(places)} of {len(tasks)} attacks")
    found = [harm for place in places for harm in place.harms]
    print(_table(list(kinds), places))
    if not options.keep:
        shutil.rmtree(room)
    return int(bool(found))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "modules", nargs="*", default=TABLES, metavar="MODULE", help=f"tables of kinds: {', '.join(TABLES)}"
    )
    parser.add_argument("--each", type=int, default=1, help="attacks of each kind")
    parser.add_argument("--only", default="", help="kinds with this in their name")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--fixtures", type=Path, help="folder of small good files; made there if it has none")
    parser.add_argument("--keep", action="store_true", help="keep the folder of every attack with a harm")
    return parser.parse_args()


def _attack(attack: Attack, name: str, number: int, room: Path, fixtures: Path, seed: int) -> Place:
    """One attack in a place of its own; the place is removed if nothing was harmed."""
    place = Place(room / "places" / f"{name.replace(' ', '-')}-{number}", fixtures, name)
    try:
        attack(place, random.Random(f"{seed} {name} {number}"))
    except Exception as fault:
        place.blame("attack", "", f"the attack itself failed: {fault!r}")
    if not place.harms:
        shutil.rmtree(place.folder)
    return place


def _table(names: list[str], places: list[Place]) -> str:
    rows = [("kind", "tried", *HARMS)]
    for name in [*names, "all"]:
        mine = [place for place in places if name in ("all", place.kind)]
        counts = Counter(harm.what for place in mine for harm in place.harms)
        rows.append((name, str(sum(place.tried for place in mine)), *(str(counts[harm]) for harm in HARMS)))
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], ("---",) * len(rows[0]), *rows[1:]])


if __name__ == "__main__":
    sys.exit(main())
