"""Arrays of NumPy, NIfTI and HDF5 files, and microscope makers' files through bioio."""

import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace

import h5py
import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytoform.errors import InputError
from cytoform.movies.readers import open_movies

UM = (0.5, 0.2, 0.25)


def read(path: Path, **options: object) -> np.ndarray:
    """All frames of the one movie of a source."""
    (movie,) = open_movies(path, **options)
    return np.stack([movie.read(t) for t in range(movie.n_frames)])


def write_nifti(path: Path, values: np.ndarray, *, unit: str = "micron", scale: float = 1.0) -> Path:
    """Write (t z y x) or (z y x) values."""
    image = nibabel.Nifti1Image(np.ascontiguousarray(values.T), np.diag([0.25 * scale, 0.2 * scale, 0.5 * scale, 1]))
    if values.ndim == 4:
        image.header["pixdim"][4] = 90.0
    image.header.set_xyzt_units(unit, "sec")
    nibabel.save(image, path)
    return path


def write_hdf5(path: Path, values: np.ndarray, axes: str = "", name: str = "exported_data") -> Path:
    """Write an array as ilastik does."""
    with h5py.File(path, "w") as file:
        array = file.create_dataset(name, data=values, compression="gzip")
        if axes:
            array.attrs["axistags"] = '{"axes": [' + ", ".join(f'{{"key": "{axis}"}}' for axis in axes) + "]}"
    return path


def with_claimed_frames(path: Path, n_frames: int) -> Path:
    """A compressed array whose header claims more frames than it has."""
    np.savez_compressed(path, labels=np.ones((4, 3, 5, 6), np.uint8))
    with zipfile.ZipFile(path) as archive:
        content = archive.read("labels.npy")
    whole, claimed = b"(4, 3, 5, 6), }", f"({n_frames}, 3, 5, 6), }}".encode()
    padded = whole + b" " * (len(claimed) - len(whole))
    assert padded in content
    content = content.replace(padded, claimed)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.npy", content)
    return path


@pytest.mark.parametrize("n_frames", [5, 99_999_999_999])
def test_frames_that_a_header_only_claims(n_frames, tmp_path):
    with pytest.raises(InputError, match="not a NumPy array, or truncated or damaged"):
        open_movies(with_claimed_frames(tmp_path / "a.npz", n_frames), voxel_size_zyx_um=UM)


@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("compressed", [None, False, True])
def test_numpy(compressed, fortran, division, tmp_path):
    stored = np.asfortranarray(division) if fortran else division
    path = tmp_path / ("cells.npy" if compressed is None else "cells.npz")
    if compressed is None:
        np.save(path, stored)
    else:
        (np.savez_compressed if compressed else np.savez)(path, image=np.ones(3), labels=stored)
    np.testing.assert_array_equal(read(path, voxel_size_zyx_um=UM), division)
    np.testing.assert_array_equal(read(path, voxel_size_zyx_um=UM, axes="TZYX"), division)
    with pytest.raises(InputError, match="nowhere recorded"):
        open_movies(path)


def test_a_lone_volume_needs_its_axes_and_a_frame_of_a_folder_does_not(division, tmp_path):
    (tmp_path / "f").mkdir()
    for t, frame in enumerate(division):
        np.save(tmp_path / "f" / f"t{t}.npy", frame)
    np.testing.assert_array_equal(read(tmp_path / "f", voxel_size_zyx_um=UM), division)
    path = tmp_path / "f" / "t2.npy"
    with pytest.raises(InputError, match=r"three axes without names .* pass --axes ZYX"):
        open_movies(path, voxel_size_zyx_um=UM)
    np.testing.assert_array_equal(read(path, voxel_size_zyx_um=UM, axes="zyx")[0], division[2])


def test_pickles_are_not_loaded(tmp_path):
    class Trap:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "sprung",)

    np.save(tmp_path / "cells_seg.npy", {"masks": Trap()}, allow_pickle=True)
    with pytest.raises(InputError, match=r"cells_seg.npy: holds Python objects, which could run code .* np.save"):
        open_movies(tmp_path / "cells_seg.npy", voxel_size_zyx_um=UM)
    np.savez(tmp_path / "a.npz", labels=np.array([Trap()], object), allow_pickle=True)
    with pytest.raises(InputError, match="holds Python objects"):
        open_movies(tmp_path / "a.npz", voxel_size_zyx_um=UM)
    assert not (tmp_path / "sprung").exists()


def test_faults_of_numpy_files(division, tmp_path):
    np.savez(tmp_path / "two.npz", a=division, b=division)
    with pytest.raises(InputError, match=r"two.npz: several arrays \(a, b\); save the labels alone"):
        open_movies(tmp_path / "two.npz", voxel_size_zyx_um=UM)
    np.save(tmp_path / "a.npy", division)
    content = (tmp_path / "a.npy").read_bytes()
    for size in (0, 5, 60, 1000, len(content) - 1):
        (tmp_path / "a.npy").write_bytes(content[:size])
        with pytest.raises(InputError, match=r"a.npy: not a NumPy array, or truncated or damaged"):
            open_movies(tmp_path / "a.npy", voxel_size_zyx_um=UM)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize(("unit", "scale"), [("micron", 1.0), ("mm", 1e-3)])
def test_nifti(ending, unit, scale, division, tmp_path):
    path = write_nifti(tmp_path / f"cells{ending}", division, unit=unit, scale=scale)
    (movie,) = open_movies(path)
    assert (movie.name, movie.spacing_zyx_um, movie.time_step_s) == ("cells", UM, 90.0)
    np.testing.assert_array_equal(read(path), division)


def test_nifti_of_nnunet_and_scaled_values(division, tmp_path):
    """One volume a file; the time is in the name, and programs scale labels by 1."""
    (tmp_path / "f").mkdir()
    for t, frame in enumerate(division):
        write_nifti(tmp_path / "f" / f"cell_{t:03d}.nii.gz", frame.astype(np.int32))
    np.testing.assert_array_equal(read(tmp_path / "f"), division)
    path = write_nifti(tmp_path / "a.nii", division)
    with path.open("r+b") as file:
        file.seek(112)
        file.write(np.array([2, 0], np.float32).tobytes())
    np.testing.assert_array_equal(read(path), 2 * division)


def test_nifti_that_calls_micrometres_millimetres(division, tmp_path):
    path = write_nifti(tmp_path / "a.nii", division, unit="mm")
    with pytest.raises(InputError, match=r"voxels of 0.5 0.2 0.25 mm, too large for cells .* perhaps 0.5 0.2 0.25"):
        open_movies(path)
    assert open_movies(path, voxel_size_zyx_um=UM)[0].spacing_zyx_um == UM
    unknown = write_nifti(tmp_path / "b.nii", division, unit="unknown")
    with pytest.raises(InputError, match="nowhere recorded"):
        open_movies(unknown)


def test_faults_of_nifti_files(division, tmp_path):
    path = write_nifti(tmp_path / "a.nii", division)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"a.nii, frame \d: not a NIfTI file, or truncated or damaged"):
        read(path)
    path.write_bytes(b"\x89PNG\r\n")
    with pytest.raises(InputError, match=r"a.nii: not a NIfTI file but a PNG picture"):
        open_movies(path)
    (tmp_path / "b.nii.gz").write_bytes(b"no gzip")
    with pytest.raises(InputError, match=r"b.nii.gz: not a NIfTI file, or truncated"):
        open_movies(tmp_path / "b.nii.gz")


@settings(max_examples=20, deadline=None)
@given(order=st.permutations("tzyx"), channel=st.integers(0, 4))
def test_hdf5_of_ilastik_in_any_order(order, channel, tmp_path_factory):
    from division import division_frames

    truth = division_frames()
    axes, values = "".join(order), truth.transpose(["tzyx".index(axis) for axis in order])
    axes, values = axes[:channel] + "c" + axes[channel:], np.expand_dims(values, channel)
    path = write_hdf5(tmp_path_factory.mktemp("h5") / "cells_Object Identities.h5", values, axes)
    np.testing.assert_array_equal(read(path, voxel_size_zyx_um=UM), truth)


def test_hdf5_with_several_arrays(division, tmp_path):
    path = write_hdf5(tmp_path / "a.h5", division, name="labels")
    np.testing.assert_array_equal(read(path, voxel_size_zyx_um=UM), division)
    with h5py.File(path, "a") as file:
        file["image"] = division
    np.testing.assert_array_equal(read(path, voxel_size_zyx_um=UM), division)
    with h5py.File(path, "a") as file:
        file.move("labels", "first")
    with pytest.raises(InputError, match=r"a.h5: several arrays \(/first, /image\); export the labels alone"):
        open_movies(path, voxel_size_zyx_um=UM)


def test_hdf5_reads_no_other_files(division, tmp_path):
    write_hdf5(tmp_path / "secret.h5", division)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        layout = h5py.VirtualLayout(shape=division.shape, dtype=division.dtype)
        layout[:] = h5py.VirtualSource(tmp_path / "secret.h5", "exported_data", shape=division.shape)
        file.create_virtual_dataset("labels", layout)
    with pytest.raises(InputError, match="its values are in other files"):
        open_movies(tmp_path / "a.h5", voxel_size_zyx_um=UM)
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["labels"] = h5py.ExternalLink("secret.h5", "exported_data")
    with pytest.raises(InputError, match="no array of labels in it"):
        open_movies(tmp_path / "b.h5", voxel_size_zyx_um=UM)


class FakeImage:
    """A BioImage of the division, with a channel of length one."""

    frames: np.ndarray
    scenes: tuple[str, ...] = ("Image:0",)

    def __init__(self, path: Path) -> None:
        assert Path(path).is_file()
        stored = self.frames[:, None]
        self.dims = SimpleNamespace(order="TCZYX", shape=stored.shape)
        self.dtype = stored.dtype
        self.dask_data = Lazy(stored)
        self.physical_pixel_sizes = SimpleNamespace(Z=0.5, Y=0.2, X=0.25)
        self.time_interval = timedelta(seconds=90)


class Lazy:
    """Values that are computed when asked for, as Dask's are."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __getitem__(self, index: object) -> "Lazy":
        return Lazy(self.values[index])

    def compute(self) -> np.ndarray:
        return self.values


def test_vendor_files_through_bioio(division, tmp_path, monkeypatch):
    path = tmp_path / "cells.czi"
    path.write_bytes(b"ZISRAWFILE")
    monkeypatch.setitem(sys.modules, "bioio", None)
    with pytest.raises(InputError, match=r"cells.czi: .* needs bioio; pip install 'cytoform\[bioio\]'"):
        open_movies(path)
    fake = ModuleType("bioio")
    fake.BioImage = type("BioImage", (FakeImage,), {"frames": division})
    monkeypatch.setitem(sys.modules, "bioio", fake)
    (movie,) = open_movies(path)
    assert (movie.spacing_zyx_um, movie.time_step_s, movie.name) == (UM, 90.0, "cells")
    np.testing.assert_array_equal(read(path), division)
    fake.BioImage = type("BioImage", (FakeImage,), {"frames": division, "scenes": ("a", "b")})
    with pytest.raises(InputError, match="2 images in one file"):
        open_movies(path)


def test_a_vendor_format_without_a_plugin(division, tmp_path, monkeypatch):
    path = tmp_path / "cells.ims"
    path.write_bytes(b"\x89HDF")

    class UnsupportedFileFormatError(Exception):
        pass

    def refuse(path: Path) -> None:
        raise UnsupportedFileFormatError

    fake = ModuleType("bioio")
    fake.BioImage = refuse
    monkeypatch.setitem(sys.modules, "bioio", fake)
    with pytest.raises(InputError, match="no plugin that reads it; pip install bioio-bioformats"):
        open_movies(path)
