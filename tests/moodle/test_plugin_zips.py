"""``make plugins``: what Moodle's "Install plugins" page is given."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _build(directory: Path) -> dict[str, Path]:
    subprocess.run([sys.executable, "scripts/plugins", str(directory)], cwd=ROOT, check=True)
    return {path.name.partition("-")[0]: path for path in directory.glob("*.zip")}


def test_same_sources_same_bytes(tmp_path: Path) -> None:
    first, second = _build(tmp_path / "a"), _build(tmp_path / "b")
    assert sorted(first) == ["enrol_nagasis", "local_nagasis"]
    for name, path in first.items():
        assert path.read_bytes() == second[name].read_bytes()


def test_zips_hold_the_plugin_in_one_folder(tmp_path: Path) -> None:
    for name, path in _build(tmp_path).items():
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            version = archive.read("nagasis/version.php").decode()
        assert {each.split("/")[0] for each in names} == {"nagasis"}
        assert f"nagasis/lang/en/{name}.php" in names
        assert f"'{name}'" in version
        assert not [each for each in names if "/." in each]
