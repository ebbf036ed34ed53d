"""What is downloaded for which clips, and how yt-dlp is told."""

from pathlib import Path
from typing import Any

import pytest

from collection import download as downloads
from collection.download import DownloadOptions
from collection.fetch import Fetch, plan_fetches
from collection.programs import Programs, check_programs, preparation, scripts
from s2s.catalog import make_clip
from s2s.errors import SettingsError, StageError
from s2s.settings import DEFAULT_SOURCE_URL, CollectionSettings, Settings
from s2s.tasks.generation.settings import GenerationRecipe

CLIPS = [make_clip("a", 1.0, 4.0), make_clip("b", 10.25, 20.25), make_clip("b", 50.0, 60.0)]
WHOLE_B = Fetch("b")


def plan(**changes: object) -> list[Fetch]:
    settings = CollectionSettings.model_validate({"catalog": "c", **changes})
    return list(plan_fetches(CLIPS, settings).values())


def test_sections_are_for_sources_with_one_clip_unless_told_otherwise():
    section_of_a = Fetch("a", (0.0, 6.0), 1.0)
    assert plan(fetch="auto") == [section_of_a, WHOLE_B, WHOLE_B]
    assert plan(fetch="whole") == [Fetch("a"), WHOLE_B, WHOLE_B]
    assert [fetch.name for fetch in plan(fetch="section", section_margin_s=0.5)] == [
        "a_00000500_00004500",
        "b_00009750_00020750",
        "b_00049500_00060500",
    ]


def run_settings(tmp_path: Path, **changes: object) -> Settings:
    collection = CollectionSettings.model_validate({"catalog": "c", **changes})
    return Settings(
        recipe=GenerationRecipe(name="r", collection=collection),
        recipe_path=tmp_path / "r.yaml",
        bucket_url="file://b",
        work_dir=tmp_path,
    )


def params(tmp_path: Path, *, in_sections: bool = False, **changes: object) -> dict[str, Any]:
    options = DownloadOptions.of_run(run_settings(tmp_path, **changes))
    return downloads._params(options, in_sections=in_sections)


def test_the_recipe_chooses_the_format(tmp_path: Path):
    assert params(tmp_path)["format_sort"][:2] == ["res:480", "vcodec:h264"]
    assert params(tmp_path, max_height_px=1080, codec="av01")["format_sort"][:2] == [
        "res:1080",
        "vcodec:av01",
    ]
    assert "vcodec:" not in " ".join(params(tmp_path, codec="any")["format_sort"])
    assert "ext=mp4" in params(tmp_path, in_sections=True)["format"]


def test_the_recipe_sets_the_pace(tmp_path: Path):
    found = params(tmp_path, max_bytes_per_s=1_000_000, workers=4, sleep_s=3, timeout_s=7)
    assert found["ratelimit"] == 250_000, "of each thread, so that they make up the session's"
    assert (found["sleep_interval"], found["max_sleep_interval"]) == (3, 6)
    timeout, protocols = found["external_downloader_args"]["ffmpeg_i"][:2], ("http", "file")
    assert timeout == ["-rw_timeout", "7000000"]
    allowed = found["external_downloader_args"]["ffmpeg_i"][3].split(",")
    assert [name in allowed for name in protocols] == [True, False], "a playlist reads no files"
    assert params(tmp_path)["ratelimit"] is None


def test_cookies_are_the_recipes(tmp_path: Path):
    cookie = "videos.example\tFALSE\t/\tFALSE\t0\tname\tvalue\n"
    (tmp_path / "cookies.txt").write_text("# Netscape HTTP Cookie File\n" + cookie)
    found = params(tmp_path, cookies_file="cookies.txt")
    assert found["cookiefile"] == str(tmp_path / "cookies.txt")


def test_cookies_that_are_not_there_are_named(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"collection\.cookies_file: .*none\.txt is not there"):
        params(tmp_path, cookies_file="none.txt")


def test_the_javascript_runtime_is_here(tmp_path: Path):
    check_programs(DEFAULT_SOURCE_URL, Programs(tmp_path))


def test_without_a_javascript_runtime_youtube_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # A Python without QuickJS.
    monkeypatch.setattr(scripts.sys, "executable", "/usr/bin/python3")
    programs = Programs(tmp_path)
    check_programs("https://videos.example/{source_id}.mp4", programs)
    for url in (DEFAULT_SOURCE_URL, "https://youtu.be/{source_id}"):
        with pytest.raises(StageError, match=r"runs JavaScript.*pip install quickjs-ng"):
            check_programs(url, programs)


def test_without_its_scripts_youtube_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(preparation, "find_spec", lambda _: None)
    with pytest.raises(StageError, match=r"lacks its scripts.*yt-dlp-ejs"):
        check_programs(DEFAULT_SOURCE_URL, Programs(tmp_path))


def test_programs_follow_an_installation_that_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    programs = Programs(tmp_path)
    programs.write()
    monkeypatch.setattr(scripts.sys, "executable", "/elsewhere/python")
    programs.write()
    assert "/elsewhere/python" in programs.qjs.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ffmpeg", "qjs"]
