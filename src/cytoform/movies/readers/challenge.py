"""Cell Tracking Challenge folders: tracks of NN_GT/TRA or NN_RES, masks of NN_ST/SEG or NN_GT/SEG where dense.

Results may lie in NN_RES, or in TRA and SEG inside it.

Naming and content of the files: https://public.celltrackingchallenge.net/documents/Naming%20and%20file%20content%20conventions.pdf
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cytoform.base.kinds import CHALLENGE_PART
from cytoform.errors import InputError
from cytoform.movies.lineage import MAX_LABEL, read_tracks
from cytoform.movies.metadata import GivenScale
from cytoform.movies.movie import LabelMovie, Labels
from cytoform.movies.readers.folder import open_frames
from cytoform.movies.readers.numbering import in_order


@dataclass(frozen=True)
class ChallengeSequence:
    """One sequence of a dataset. `kind` (GT, ST, RES) and `seg` are set if the user named such a subfolder."""

    root: Path
    number: str
    kind: str = ""
    seg: bool = False

    def folder(self, kind: str, inner: str = "") -> Path:
        """Path of a subfolder, such as 01_GT/TRA."""
        return self.root / f"{self.number}_{kind}" / inner

    @property
    def name(self) -> str:
        """Dataset and sequence number."""
        return f"{self.root.name}_{self.number}"


def find_sequences(path: Path) -> list[ChallengeSequence]:
    """Sequences of a dataset, or the one that owns the given folder (01_GT, 01_GT/TRA, 01_ST/SEG, 01_RES, …)."""
    inner = path.name in ("TRA", "SEG")
    if match := CHALLENGE_PART.fullmatch(path.parent.name if inner else path.name):
        root = path.parent.parent if inner else path.parent
        return [ChallengeSequence(root, match[1], match[2], seg=path.name == "SEG" or match[2] == "ST")]
    parts = [match for p in sorted(path.iterdir()) if p.is_dir() and (match := CHALLENGE_PART.fullmatch(p.name))]
    return [ChallengeSequence(path, number) for number in sorted({match[1] for match in parts})]


def refuse_images(folder: Path) -> None:
    """Raise InputError for the folder of a sequence that holds its images, such as 01 beside 01_GT."""
    beside = [folder.with_name(f"{folder.name}_{kind}") for kind in ("GT", "ST", "RES")]
    truth = next((path for path in beside if path.is_dir()), None)
    if truth is not None and numbered_files(folder, "t"):
        raise InputError(f"{folder}: the images of a Cell Tracking Challenge sequence, not labels; give {truth}")


def open_sequence(sequence: ChallengeSequence, *, given: GivenScale) -> LabelMovie:
    """The tracks of a sequence, with the masks of a dense segmentation if it has one."""
    truth, result = sequence.folder("GT", "TRA"), sequence.folder("RES")
    if sequence.kind != "RES" and truth.is_dir():
        return _open_truth(sequence, given)
    if result.is_dir() and not sequence.seg:
        tracked = _result(result)
        return _movie(sequence, tracked.files[0].parent, tracked.files, tracked.tracks, given)
    return _open_untracked(sequence, given)


@dataclass(frozen=True)
class _Tracked:
    """The label images of all frames, and their tracks."""

    files: tuple[Path, ...]
    tracks: Path


def _tracked(folder: Path, prefix: str, tracks: str, *, beside: Path | None = None) -> _Tracked:
    """The frames in a folder, with the track file in it or in the folder `beside`."""
    path = (beside or folder) / tracks
    read_tracks(path)
    files = numbered_files(folder, prefix)
    if not files:
        raise InputError(f"{folder}: no {prefix}000.tif and so on; put the label images beside {tracks}")
    for frame in range(max(files) + 1):
        if frame not in files:
            raise InputError(f"{folder}, frame {frame}: {prefix}{frame:03d}.tif is missing; frames count from 0 on")
    return _Tracked(tuple(files[frame] for frame in sorted(files)), path)


def _result(folder: Path) -> _Tracked:
    """The masks and tracks of a result, which some programs put into its subfolders TRA and SEG."""
    places = (folder, folder / "TRA", folder / "SEG")
    tracks = next((place for place in places if (place / "res_track.txt").is_file()), folder)
    masks = next((place for place in (tracks, *places) if numbered_files(place, "mask")), tracks)
    return _tracked(masks, "mask", "res_track.txt", beside=tracks)


def _movie(
    sequence: ChallengeSequence,
    folder: Path,
    files: Sequence[Path],
    tracks: Path | None,
    given: GivenScale,
    markers: Sequence[Path] = (),
) -> LabelMovie:
    movie = open_frames(files, name=sequence.name, source=str(folder), tracks=tracks, given=given, markers=markers)
    return replace(movie, origin=replace(movie.origin, shapes=str(folder.relative_to(sequence.root))))


def _open_truth(sequence: ChallengeSequence, given: GivenScale) -> LabelMovie:
    """The masks of the first segmentation that covers every frame, because tracking markers may be mere spots."""
    truth = sequence.folder("GT", "TRA")
    tracked = _tracked(truth, "man_track", "man_track.txt")
    gaps = []
    for kind in (sequence.kind,) if sequence.seg else ("ST", "GT"):
        folder = sequence.folder(kind, "SEG")
        files = numbered_files(folder, "man_seg")
        absent = [frame for frame in range(len(tracked.files)) if frame not in files]
        if not absent:
            ordered = [files[frame] for frame in range(len(tracked.files))]
            masks = _movie(sequence, folder, ordered, None, given, markers=tracked.files)
            markers = _markers(tracked, masks, given)
            return replace(
                masks,
                lineage=markers.lineage,
                origin=replace(masks.origin, lineage=str(truth / "man_track.txt")),
                values=markers.values,
                read=RelabelledMasks(markers.read, masks.read, masks.files),
                absent=f"no mask of {folder.parent.name}/SEG covers its marker",
            )
        if sequence.seg:
            raise InputError(f"{folder}, frame {absent[0]}: no mask; give {truth}")
        if files:
            gaps.append(f"{folder} has no mask in frame {absent[0]}")
    movie = _movie(sequence, truth, tracked.files, tracked.tracks, given)
    notice = f"{truth}: tracking markers stand in for the cells, and may be smaller: {'; '.join(gaps)}; add the masks"
    if gaps:
        return replace(movie, notices=(*movie.notices, notice))
    return replace(movie, origin=replace(movie.origin, markers=True))


def _markers(tracked: _Tracked, masks: LabelMovie, given: GivenScale) -> LabelMovie:
    """The tracking markers as a movie, with the scale of the masks."""
    scale = replace(given, spacing_zyx_um=masks.spacing_zyx_um, time_step_s=masks.time_step_s)
    source = str(tracked.tracks.parent)
    return open_frames(tracked.files, name=masks.name, source=source, tracks=tracked.tracks, given=scale)


def _open_untracked(sequence: ChallengeSequence, given: GivenScale) -> LabelMovie:
    for kind in ("ST", "GT"):
        folder = sequence.folder(kind, "SEG")
        if files := numbered_files(folder, "man_seg"):
            ordered = in_order([files[frame] for frame in sorted(files)])
            movie = _movie(sequence, folder, ordered.files, None, given)
            return replace(movie, notices=(*movie.notices, *ordered.notices))
    raise InputError(
        f"{sequence.root}: sequence {sequence.number} has neither {sequence.number}_GT/TRA, {sequence.number}_RES nor "
        f"{sequence.number}_ST/SEG; give a folder with label images"
    )


def numbered_files(folder: Path, prefix: str) -> dict[int, Path]:
    """The files PREFIX000.tif and so on by number. Raises InputError for a number that two files have."""
    files: dict[int, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if match := re.fullmatch(rf"{prefix}([0-9]+)\.tiff?", path.name, re.IGNORECASE):
            before = files.setdefault(int(match[1]), path)
            if before != path:
                raise InputError(
                    f"{folder}: {before.name} and {path.name} are both frame {int(match[1])}; keep one of them"
                )
    return files


@dataclass(frozen=True)
class RelabelledMasks:
    """Reads dense masks, relabelled with the labels of the tracks."""

    markers: Callable[[int], Labels]
    masks: Callable[[int], Labels]
    files: tuple[str, ...]

    def __call__(self, frame: int) -> Labels:
        markers, masks = self.markers(frame), self.masks(frame)
        if markers.shape != masks.shape:
            raise InputError(
                f"{self.files[frame]}, frame {frame}: shape {masks.shape} but the tracks have {markers.shape}; "
                "masks and tracks must agree"
            )
        return transfer_labels(markers, masks)


def transfer_labels(markers: Labels, masks: Labels) -> Labels:
    """Give each mask the label of the marker it contains; masks without a marker become background.

    Silver-truth ids may differ from tracking ids. As in the challenge's detection measure, a mask contains a marker if
    it covers more than half of it. Of two markers in one mask, the one with the larger overlap counts.
    """
    marked = markers > 0
    pairs = markers[marked].astype(np.uint32) << 16 | masks[marked]
    sizes = np.bincount(markers[marked], minlength=MAX_LABEL + 1)
    table = np.zeros(MAX_LABEL + 1, np.uint16)
    best = np.zeros(MAX_LABEL + 1, np.int64)
    for pair, overlap in zip(*np.unique(pairs, return_counts=True), strict=True):
        marker, mask = divmod(int(pair), 1 << 16)
        if mask and 2 * overlap > sizes[marker] and overlap > best[mask]:
            table[mask], best[mask] = marker, overlap
    return table[masks]
