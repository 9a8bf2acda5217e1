"""The stage from a shape store to files of another format, a sequence at a time.

.NAME.partial/            (see base/unfinished.py)
  NAME/                   the finished sequences
  done/SEQUENCE.json      state of the random numbers after a sequence, written when all its files are in NAME
  new/                    the files of the sequence that is being written
"""

import contextlib
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import RootModel

from cytoform.base.digest import folder_sha256
from cytoform.base.files import write_json
from cytoform.base.gate import read_json
from cytoform.base.parallel import Progress, no_progress
from cytoform.base.provenance import software_versions
from cytoform.base.system import replace
from cytoform.base.unfinished import Unfinished
from cytoform.errors import InputError
from cytoform.exchange.formats import Format, writer
from cytoform.shapes.store import ShapeStore


def export(
    store: Path,
    out: Path,
    *,
    to: Format,
    sequences: Collection[str] | None = None,
    points: int = 2048,
    seed: int = 0,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress = no_progress,
) -> None:
    """Write the sequences of a shape store, all or the named ones, in another format into the folder `out`.

    The format points has `points` points per frame, drawn at random with `seed`. `resume` goes on with an interrupted call
    with the same request; finished sequences are kept. Raises InputError.
    """
    output = _Export.at(out, inputs=[store], overwrite=overwrite)
    output.check(resume=resume)
    shapes = ShapeStore.open(store)
    if to == "meshes" and "z" not in shapes.grid.axes:
        raise InputError(
            f"{store}: its cells are 2D, and have outlines but no surfaces to mesh; take --to points or masks"
        )
    names = sorted(set(sequences)) if sequences else shapes.names
    chosen = [shapes[name] for name in names]
    if to == "ctc" and all(each.box(frame).is_empty for each in chosen for frame in range(each.info.n_frames)):
        raise InputError(f"{store}: every frame of every cell is empty, so there is nothing to track; train longer")
    provenance = {
        "command": "cytoform export",
        "to": to,
        "seed": seed,
        "source": {"name": store.name, "sha256": folder_sha256(store)},
        "sequences": names,
        "versions": software_versions(),
    }
    rng = np.random.default_rng(seed)
    with output.locked(), progress("exporting", len(names)) as advance:
        output.begin(provenance | {"points": points}, resume=resume, options={"source": "store"})
        output.grown.mkdir(exist_ok=True)
        try:
            for number, (name, sequence) in enumerate(zip(names, chosen, strict=True), start=1):
                if not output.has(name, rng):
                    with output.writing(name, rng) as folder:
                        writer(to, points=points, rng=rng, number=number)(sequence, folder)
                advance(1)
            write_json(output.grown / "provenance.json", provenance)
            output.put_in_place(output.grown)
        except BaseException as stop:
            if n_kept := output.n_finished():
                stop.add_note(f"{n_kept} of {len(names)} sequences are kept; the same command with --resume goes on")
            else:
                output.give_up()
            raise


class _State(RootModel[dict[str, Any]]):
    """The state of random numbers."""


class _Export(Unfinished):
    """The hidden folder of an unfinished export."""

    @property
    def grown(self) -> Path:
        """The finished sequences."""
        return self.folder / "grown"

    def n_finished(self) -> int:
        """Number of finished sequences."""
        return len(list((self.folder / "done").glob("*.json")))

    def has(self, name: str, rng: np.random.Generator) -> bool:
        """Whether a sequence is finished; then the random numbers go on from there."""
        try:
            rng.bit_generator.state = read_json(self._record(name), _State).root
        except (InputError, ValueError, TypeError, KeyError, OverflowError):
            return False
        return True

    @contextlib.contextmanager
    def writing(self, name: str, rng: np.random.Generator) -> Iterator[Path]:
        """Yield an empty folder for the files of a sequence, which is finished when the block ends."""
        new = self.folder / "new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        yield new
        for path in new.iterdir():
            place = self.grown / path.name
            if place.is_dir():  # of a process that was killed here
                shutil.rmtree(place)
            replace(path, place)
        self._record(name).parent.mkdir(exist_ok=True)
        write_json(self._record(name), dict(rng.bit_generator.state))

    def _record(self, name: str) -> Path:
        return self.folder / "done" / f"{name}.json"
