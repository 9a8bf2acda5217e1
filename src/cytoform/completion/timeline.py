"""The frames of a completed sequence: copies of known frames, and gaps between them."""

from dataclasses import dataclass, replace

import numpy as np

from cytoform.base.triples import floats
from cytoform.completion.gaps import Gap, gap_at
from cytoform.completion.options import FillOptions
from cytoform.errors import InputError
from cytoform.shapes.sequence import SequenceInfo, ShapeSequence


@dataclass(frozen=True)
class Timeline:
    """Known frames of a sequence, and the times of the completed one, `step` apart, in units of the known one's frames."""

    info: SequenceInfo
    known: tuple[int, ...]
    times: tuple[float, ...]
    step: float = 1.0

    def copies(self) -> dict[int, int]:
        """Number of the known frame, by number of the completed frame that is the same."""
        known = set(self.known)
        return {number: int(time) for number, time in enumerate(self.times) if time in known}

    def gaps(self) -> dict[int, Gap]:
        """The gaps to fill, by number of the completed frame."""
        copies = self.copies()
        return {
            number: gap_at(self.info.name, time, self.known)
            for number, time in enumerate(self.times)
            if number not in copies
        }

    def completed(self) -> SequenceInfo:
        """Metadata of the completed sequence; its cube moves evenly between known frames."""
        info, n_frames = self.info, len(self.times)
        step_s = info.time_step_s
        if step_s is not None and n_frames > 1:
            step_s *= self.step
        offsets = np.array([info.offsets_zyx_um[frame] for frame in self.known if info.offsets_zyx_um])
        moved = [np.interp(self.times, self.known, axis) for axis in offsets.T]
        return replace(
            info,
            n_frames=n_frames,
            time_step_s=step_s,
            offsets_zyx_um=tuple(floats(place) for place in np.transpose(moved)),
            details={},  # of the store that it comes from: its code would not give the filled frames
        )


def timeline_of(sequence: ShapeSequence, options: FillOptions, *, fewest: int = 2) -> Timeline:
    """What is known, and what is wanted: by default as many frames as there are.

    Raises InputError for a sequence with fewer than `fewest` known frames.
    """
    info = sequence.info
    known = tuple(frame for frame in range(0, info.n_frames, options.every_frame) if not sequence.box(frame).is_empty)
    where = f"{info.name}: {len(known)} of {info.n_frames} frames {'is' if len(known) == 1 else 'are'} known"
    if not known:
        raise InputError(f"{where}, so there is nothing to fill from; leave it out with --sequences")
    wanted = info.n_frames if options.n_frames is None else options.n_frames
    if len(known) < fewest and (info.n_frames, wanted, options.before, options.after) != (1, 1, 0, 0):
        raise InputError(
            f"{where}, and frames lie between two; use a smaller --every-frame, or leave it out with --sequences"
        )
    step = (info.n_frames - 1) / (wanted - 1) if wanted > 1 else 1.0
    # Rounded, so that times which are frames are known as such.
    times = (step * np.arange(-options.before, wanted + options.after)).round(9)
    return Timeline(info, known, tuple(times.tolist()), step)
