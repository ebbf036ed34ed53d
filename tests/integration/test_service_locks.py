"""Every module of a service can be imported with what the service's own lock installs.

An environment for each would be six installations of torch and the rest. So all are imported in
this one, which has the same versions, by a Python that finds only files of the distributions that
the lock names, as in the service's image: nothing else, no other service, not the launcher.
"""

import json
import pkgutil
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(?:;\s*([^\\]+?))?\s*\\?$", re.MULTILINE)
PARTS = {
    "feature_extraction": ("settings", "extractors", "processor"),
    "training": (
        "settings",
        "extractors",
        "processor",
        "data",
        "network",
        "objective",
        "metrics",
        "systems",
        "predictor",
    ),
    "serving": ("settings", "processor", "network", "predictor"),
}
"""What a service uses of a task; every service reads recipes."""
WITHOUT_FEATURES = {"collection", "preprocessing", "validation"}
"""Services that never read a shard or a model, and so have nothing that reads one."""
WITH_ARRAYS = (
    "s2s.media.interlaced",
    *(f"s2s.media.read.{name}" for name in ("frames", "mono", "orientation", "pictures")),
    *(f"s2s.media.read.{name}" for name in ("placement", "sampling", "sound")),
    *(f"s2s.media.write.{name}" for name in ("samples", "still", "wav")),
)
"""Modules that need numpy, which collection is without."""
RAY = "s2s.engine.ray"
"""Is no part of images: who has a cluster brings it."""
PROGRAM = """\
import importlib, importlib.machinery, json, os, pkgutil, sys

given = json.load(sys.stdin)
allowed, site = set(given["files"]), given["site"]


def is_locked(path):
    return not str(path).startswith(site) or os.path.relpath(path, site) in allowed


class OnlyLocked(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        return spec if spec is None or is_locked(spec.origin or "") else None

    @classmethod
    def find_distributions(cls, *args):  # libraries look for optional ones by their metadata
        found = importlib.machinery.PathFinder.find_distributions(*args)
        return (one for one in found if is_locked(one._path / "METADATA"))


def is_of_an_editable_install(finder):
    return "editable" in f"{finder} {getattr(finder, '__module__', '')}".lower()


sys.path[:] = [*(p for p in sys.path if "site-packages" not in p), *given["own"], site]
sys.meta_path[:] = [
    OnlyLocked if finder is importlib.machinery.PathFinder else finder
    for finder in sys.meta_path
    if not is_of_an_editable_install(finder)
]
failed = {}


def try_import(name):
    try:
        return importlib.import_module(name)
    except Exception as error:
        failed[name] = f"{type(error).__name__}: {error}"


def try_all(name):
    if name in given["left_out"]:
        return
    module = try_import(name)
    for found in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if not found.name.startswith("__main__"):
            try_all(f"{name}.{found.name}")


for name in given["packages"]:
    try_all(name)
json.dump({"failed": failed, "imported": sorted(sys.modules)}, sys.stdout)
"""


def locked(lock: Path) -> dict[str, str]:
    """Distributions that a lock installs on this machine, with their versions."""
    rows = LOCKED.findall(lock.read_text())
    return {
        canonicalize_name(name): version
        for name, version, marker in rows
        if not marker or Marker(marker).evaluate()
    }


def import_all(tmp_path: Path, service: str, left_out: str = "") -> dict:
    """What importing a service comes to with its lock, less one distribution."""
    (tmp_path / "s2s").symlink_to(ROOT / "lib" / "s2s")
    (tmp_path / service).symlink_to(ROOT / "services" / service / service)
    folder, parts = ROOT / "lib" / "s2s", PARTS.get(service, ("settings",))
    tasks = [path.parent.name for path in (folder / "tasks").glob("*/settings*")]
    library = [found.name for found in pkgutil.iter_modules([str(folder)]) if found.name != "tasks"]
    files: set[str] = set()
    for name in locked(ROOT / "services" / service / "requirements.txt").keys() - {left_out}:
        files |= {str(path) for path in metadata.distribution(name).files or ()}
    given = {
        "files": sorted(files),
        "site": str(metadata.distribution("numpy").locate_file("")),
        "own": [str(tmp_path)],
        "left_out": [
            RAY,
            *(["s2s.features", "s2s.model_directory"] if service in WITHOUT_FEATURES else []),
            *(WITH_ARRAYS if service == "collection" else []),
        ],
        "packages": [
            *(f"s2s.{name}" for name in library),
            *(f"s2s.tasks.{task}.{part}" for task in tasks for part in parts),
            service,
        ],
    }
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout[done.stdout.rindex('{"failed"') :])


SERVICES = sorted(path.parent.name for path in (ROOT / "services").glob("*/requirements.txt"))


@pytest.mark.parametrize("service", SERVICES)
def test_the_lock_has_the_versions_that_are_tested_here(service: str):
    wanted = locked(ROOT / "services" / service / "requirements.txt")
    assert "pydantic" in wanted
    assert {name: metadata.version(name) for name in wanted} == wanted


@pytest.mark.parametrize("service", SERVICES)
def test_pip_installs_the_lock_into_the_image(service: str):
    """Uv, which makes locks, passes over upper bounds of Requires-Python, and pip does not."""
    refused = []
    for name in locked(ROOT / "services" / service / "requirements.txt"):
        asked = str(metadata.metadata(name).json.get("requires_python", ""))
        if platform.python_version() not in SpecifierSet(asked):
            refused.append(f"{name}: {asked}")
    assert refused == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_module_can_be_imported(service: str, tmp_path: Path):
    found = import_all(tmp_path, service)
    assert found["failed"] == {}
    assert {f"{service}.stage", f"{service}.cli", "s2s.storage"} <= set(found["imported"])
    others = {*SERVICES, "launcher", "sample", "moviepy"} - {service}
    assert others.intersection(found["imported"]) == set()


def test_what_a_lock_lacks_is_found(tmp_path: Path):
    found = import_all(tmp_path, "collection", left_out="yt-dlp")
    assert any("yt_dlp" in error for error in found["failed"].values())
