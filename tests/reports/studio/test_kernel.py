"""The compiled kernel of the studio is the one that its source gives."""

import shutil
import subprocess
from pathlib import Path

import pytest

import cytoform

WEB = Path(cytoform.__file__).parent / "reports" / "studio" / "web"


def test_the_bytes_are_those_of_the_source(tmp_path: Path) -> None:
    found = [shutil.which(name) for name in ("clang", "wasm-ld")]
    version = found[0] and subprocess.run([found[0], "--version"], capture_output=True, text=True, check=True).stdout
    if None in found or "version 14." not in str(version):
        pytest.skip("the kernel was built with clang and lld 14, which are not on this machine")
    subprocess.run(["sh", WEB / "build.sh", tmp_path / "kernel.wasm"], check=True)
    assert (tmp_path / "kernel.wasm").read_bytes() == (WEB / "kernel.wasm").read_bytes()
