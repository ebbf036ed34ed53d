"""What tests share: a bucket in a directory, a bucket server, real clips."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from launcher.bucket_server import BucketServer
from s2s.storage import Bucket, DirectoryBucket

pytest_plugins = [
    "serving_fixtures",
    "page_fixtures",
    "dataset_fixtures",
    "training_fixtures",
    "postgres_fixtures",
]
ROOT = Path(__file__).resolve().parent.parent

# A machine that is busy is no failure.
settings.register_profile("any_speed", deadline=None)
settings.load_profile("any_speed")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real clips and catalog rows: S2S_TEST_DATA, or `shared/data` beside the project."""
    folder = Path(os.environ.get("S2S_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "clips").is_dir():
        pytest.skip(f"no real clips in {folder}: set S2S_TEST_DATA to a folder that has them")
    return folder


@pytest.fixture
def directory_bucket(tmp_path: Path) -> Bucket:
    """An empty embedded bucket."""
    return DirectoryBucket(tmp_path / "bucket")


@pytest.fixture(scope="session")
def bucket_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """fake-gcs-server with data on disk and the bucket `test-bucket`; its URL."""
    server = BucketServer(tmp_path_factory.mktemp("gcs"), port=0)
    server.start()
    previous = os.environ.get("STORAGE_EMULATOR_HOST")
    os.environ["STORAGE_EMULATOR_HOST"] = server.url
    server.make_bucket("test-bucket")
    yield server.url
    server.stop()
    if previous is None:
        del os.environ["STORAGE_EMULATOR_HOST"]
    else:
        os.environ["STORAGE_EMULATOR_HOST"] = previous


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium that Playwright can drive."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium on PATH: install Debian's package chromium")
    return path
