"""Public data sets by name: address, contents, and voxel size where the files do not record it."""

import difflib
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from cytoform.base.lines import printable, without_secrets
from cytoform.base.triples import Triple
from cytoform.errors import InputError

CHALLENGE = "https://data.celltrackingchallenge.net/training-datasets"
CHALLENGE_PAGE = "https://celltrackingchallenge.net/3d-datasets/"
# Addresses in the README of github.com/MIAGroupUT/IMPLICIT-CELL-SURFACES.
SHAPES = "http://datasets.gryf.fi.muni.cz/implicit_shapes"
SHAPES_PAGE = "https://cbia.fi.muni.cz/research/simulations/implicit_shapes.html"
MODELS = "https://cbia.fi.muni.cz/files/simulations/implicit_shapes/impl_sdf_source_models_examples.zip"


@dataclass(frozen=True)
class PublicDataset:
    """One file to download; `page` names its authors and conditions of use."""

    name: str
    summary: str
    url: str
    page: str = ""
    voxel_size_zyx_um: Triple | None = None
    time_step_s: float | None = None

    @property
    def file_name(self) -> str:
        """Last part of the address."""
        return unquote(urlsplit(self.url).path).rpartition("/")[2]

    def at(self, mirror: str) -> str:
        """Address of the same file on a mirror with another base address."""
        return f"{mirror.rstrip('/')}/{urlsplit(self.url).path.rpartition('/')[2]}"


def _challenge(name: str, summary: str) -> PublicDataset:
    return PublicDataset(f"celltracking:{name}", summary, f"{CHALLENGE}/{name}.zip", CHALLENGE_PAGE)


def _shapes(name: str, file: str, summary: str) -> PublicDataset:
    return PublicDataset(f"implicit-shapes:{name}", summary, f"{SHAPES}/{file}", SHAPES_PAGE)


DATASETS = {
    dataset.name: dataset
    for dataset in (
        PublicDataset(
            "celltracking:Fluo-N3DH-CE",
            "embryo of C. elegans, nuclei; the dividing cells of the paper",
            f"{CHALLENGE}/Fluo-N3DH-CE.zip",
            CHALLENGE_PAGE,
            voxel_size_zyx_um=(1.0, 0.09, 0.09),
            time_step_s=60.0,
        ),
        _challenge("Fluo-C3DH-A549", "lung cancer cells"),
        _challenge("Fluo-C3DH-A549-SIM", "simulated lung cancer cells with filopodia"),
        _challenge("Fluo-C3DH-H157", "lung cancer cells"),
        _challenge("Fluo-C3DL-MDA231", "breast carcinoma cells in collagen"),
        _challenge("Fluo-N3DH-CHO", "ovary cells of hamster, nuclei"),
        _challenge("Fluo-N3DH-SIM+", "simulated nuclei"),
        _challenge("Fluo-N3DL-DRO", "embryo of Drosophila, nuclei"),
        _challenge("Fluo-N3DL-TRIC", "embryo of Tribolium, nuclei, unrolled to a map"),
        _challenge("Fluo-N3DL-TRIF", "embryo of Tribolium, nuclei"),
        _shapes("cele", "train_cele_30x256.zip", "C. elegans, 33 x 30 frames at 256³ (9.1 GB)"),
        _shapes("filo", "train_filo_30x256.zip", "filopodial cells, 33 x 30 frames at 256³ (3.5 GB)"),
        _shapes("plat", "train_plat_30x256.zip", "Platynereis, 33 x 30 frames at 256³ (8.2 GB)"),
        _shapes("plat-rotated", "train_plat_rot_8x256.zip", "rotated Platynereis, 100 x 8 frames at 256³ (6.7 GB)"),
        _shapes("all", "train_all_8x256.zip", "all three kinds, 99 x 8 frames at 256³ (5.5 GB)"),
        PublicDataset("implicit-shapes:models", "published models, source and examples (1.2 GB)", MODELS, SHAPES_PAGE),
    )
}


def find_dataset(name: str) -> PublicDataset:
    """A data set by name or by http(s) address. Raises InputError that suggests the nearest known name."""
    if name in DATASETS:
        return DATASETS[name]
    if name.startswith(("https://", "http://")):
        return PublicDataset(without_secrets(name), "", check_address(name))
    folded = {known.casefold(): known for known in DATASETS}
    near = difflib.get_close_matches(name.casefold()[:80], folded, n=1, cutoff=0.3)
    nearest = f"; did you mean {folded[near[0]]}?" if near else ""
    raise InputError(
        f"{printable(name)}: unknown data set{nearest}; known: {', '.join(DATASETS)}; or give an https address"
    )


def check_address(address: str) -> str:
    """Return the address of a web server unchanged. Raises InputError for any other text."""
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise InputError(f"{printable(address)}: not an address of a web server; it begins with https://")
    return address
