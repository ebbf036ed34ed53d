from pathlib import Path

from typer.testing import CliRunner

from s2s.storage import Bucket
from sample.__main__ import app
from sample.silent_to_sound.world import source_id


def test_render_prints_the_catalog_and_keeps_whole_videos(tmp_path: Path):
    (tmp_path / f"{source_id(3, 0)}.mp4").write_bytes(b"whole")

    result = CliRunner().invoke(
        app, ["render", "--out", str(tmp_path), "--sources", "1", "--seed", "3"]
    )

    assert result.exit_code == 0
    assert result.stdout.strip() == str(tmp_path / "catalog.csv")
    assert source_id(3, 0) in (tmp_path / "catalog.csv").read_text()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"{source_id(3, 0)}.mp4", "catalog.csv"}, "nothing is left behind"


def test_an_unknown_world_is_an_error_that_lists_those_there_are(tmp_path: Path):
    result = CliRunner().invoke(app, ["render", "--out", str(tmp_path), "--world", "mars"])

    assert result.exit_code == 1
    assert "mars" in result.stderr
    assert "silent_to_sound" in result.stderr


def test_render_says_why_it_cannot_write(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")

    result = CliRunner().invoke(app, ["render", "--out", str(tmp_path / "file" / "x")])

    assert result.exit_code == 1
    assert "cannot write" in result.stderr


def test_publish_puts_the_catalog_into_the_bucket(tmp_path: Path, directory_bucket: Bucket):
    (tmp_path / "catalog.csv").write_text("a,0,b,train\n")

    result = CliRunner().invoke(app, ["publish", str(tmp_path), "--bucket", directory_bucket.url])

    assert result.exit_code == 0
    assert directory_bucket.read("sample.csv") == b"a,0,b,train\n"


def test_help_says_what_things_are_for():
    result = CliRunner().invoke(app, ["--help"])

    assert result.exit_code == 0
    assert "render" in result.stdout
    assert "serve" in result.stdout
