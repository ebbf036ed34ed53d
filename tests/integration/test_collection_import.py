"""Videos that one already has: a folder as a catalog, and copies of a public data set."""

import os
import shutil
import socket
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import typer
from typer.testing import CliRunner

import collection.stage
import preprocessing.stage
from collection.importing import import_videos
from launcher.commands.import_videos import import_command
from s2s.catalog import stored_catalog
from s2s.errors import CatalogError, SettingsError, VersionError
from s2s.logs import console
from s2s.manifest import read_manifest
from s2s.media import run_ffmpeg
from s2s.reasons import Reason
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.storage import DirectoryBucket, open_bucket
from s2s.tasks.generation.settings import GenerationRecipe

app = typer.Typer()
app.command()(import_command)


@pytest.fixture(scope="module")
def clip(real_data: Path) -> Path:
    """Six seconds of a dog."""
    return real_data / "clips" / "vas" / "dog_video_02677.mp4"


def settings_of(tmp_path: Path, **collection: object) -> Settings:
    content = {
        "name": "mine",
        "spec": {"duration_s": 2},
        "collection": {"source_url": "http://127.0.0.1:9/{source_id}", **collection},
        "preprocessing": {"short_side_px": 64, "preset": "ultrafast"},
    }
    recipe = GenerationRecipe.model_validate(content)
    path = tmp_path / "mine.yaml"
    path.write_text(recipe.model_dump_json())
    return Settings(
        recipe=recipe,
        recipe_path=path,
        bucket_url=f"file://{tmp_path / 'bucket'}",
        work_dir=tmp_path / "work",
    )


def outcomes(settings: Settings, stage: str) -> dict[str, Outcome]:
    rows = read_manifest(open_bucket(settings.bucket_url), f"manifests/mine/{stage}.jsonl")
    return {row.clip_id: row for row in rows}


@pytest.fixture
def folder(tmp_path: Path, clip: Path) -> Path:
    """Videos in folders that are named for their labels, and what else lies about there."""
    folder = tmp_path / "videos"
    for name in (
        "train/dog barking/1.mp4",
        "train/cat%2Fkitten/1.mp4",
        "val/dog barking/Hund, laut (ü).MP4",
        "alone.mp4",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, folder / name)
    (folder / "notes.txt").write_text("no video")
    (folder / ".hidden.mp4").write_text("no video")
    (folder / "broken.mp4").write_text("no video")
    return folder


def test_a_folder_is_a_catalog_of_its_own(tmp_path: Path, folder: Path):
    settings = settings_of(tmp_path, catalog="videos", format="folder")
    report = collection.stage.run(settings)
    assert report.counts == {"ok": 4, "failed:corrupt": 1}
    clips = stored_catalog(DirectoryBucket(tmp_path / "bucket"), settings.recipe).clips
    assert sorted((clip.labels, clip.split or "") for clip in clips) == [
        ((), ""),
        ((), ""),
        (("cat/kitten",), "train"),
        (("dog barking",), "train"),
        (("dog barking",), "val"),
    ]
    assert len({clip.source_id for clip in clips}) == 5
    assert preprocessing.stage.run(settings).counts == {"ok": 4, "skipped:upstream_failed": 1}
    again = collection.stage.run(settings)
    assert again.counts == {"skipped:already_done": 4, "failed:corrupt": 1}


def test_a_folder_called_videos_is_no_label(tmp_path: Path, clip: Path):
    for name in ("dog/videos/1.mp4", "test/drum/Videos/2.mp4", "videos/3.mp4"):
        (tmp_path / "VAS" / name).parent.mkdir(parents=True)
        shutil.copy(clip, tmp_path / "VAS" / name)
    settings = settings_of(tmp_path, catalog="VAS", format="folder")
    collection.stage.run(settings)
    clips = stored_catalog(DirectoryBucket(tmp_path / "bucket"), settings.recipe).clips
    found = sorted((clip.labels, clip.split) for clip in clips)
    assert found == [(("dog",), None), (("drum",), "test"), (("videos",), None)]


def folder_with(tmp_path: Path, clip: Path, names: list[str], **collection: object) -> Settings:
    """A recipe of a folder with these videos, whose splits are to be kept."""
    for name in names:
        (tmp_path / "real" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, tmp_path / "real" / name)
    settings = settings_of(tmp_path, catalog="real", format="folder", **collection)
    kept = settings.recipe.validation.model_copy(update={"keep_catalog_split": True})
    recipe = settings.recipe.model_copy(update={"validation": kept})
    return settings.model_copy(update={"recipe": recipe})


@pytest.mark.parametrize("other", ["dog/x.mp4", "dog/videos/x.mp4", "more/dog/x.mp4"])
def test_a_split_s_folder_that_is_not_known_is_an_error(tmp_path: Path, clip: Path, other: str):
    names = ["train/dog/1.mp4", "Testing/dog/2.mp4", f"validacion/{other}"]
    settings = folder_with(tmp_path, clip, names)
    found = r"not known what 'validacion' is\. Found: 'Testing', 'train', 'validacion'\."
    with pytest.raises(CatalogError, match=rf"real: .*{found}.*collection\.split_names"):
        collection.stage.run(settings)
    told = folder_with(tmp_path, clip, names, split_names={"validacion": "val"})
    assert collection.stage.run(told).counts == {"ok": 3}
    clips = stored_catalog(DirectoryBucket(tmp_path / "bucket"), told.recipe).clips
    assert sorted(clip.split or "" for clip in clips) == ["Testing", "train", "validacion"]
    assert {clip.labels for clip in clips} == {("dog",)}


def test_labels_beside_the_splits_folders_have_no_split(tmp_path: Path, clip: Path):
    settings = folder_with(tmp_path, clip, ["train/dog/1.mp4", "cat/videos/2.mp4", "3.mp4"])
    assert collection.stage.run(settings).counts == {"ok": 3}
    clips = stored_catalog(DirectoryBucket(tmp_path / "bucket"), settings.recipe).clips
    found = sorted((clip.labels, clip.split) for clip in clips)
    assert found == [((), None), (("cat",), None), (("dog",), "train")]


@pytest.mark.parametrize(
    ("names", "is_warned"),
    [(["dog/train/a.mp4", "dog/b.mp4"], True), (["train/train/a.mp4", "train/dog/b.mp4"], False)],
    ids=["below a label", "a label below a split"],
)
def test_a_split_s_name_below_a_label_is_warned_of(
    tmp_path: Path, clip: Path, names: list[str], *, is_warned: bool
):
    settings = folder_with(tmp_path, clip, names)
    with console.capture() as capture:
        assert collection.stage.run(settings).counts == {"ok": 2}
    printed = "".join(capture.get().split())
    assert ("hasasplit'sname:1videos(firstdog/train/a.mp4)" in printed) == is_warned


@pytest.mark.parametrize("inside", ["", "videos/"])
def test_files_of_two_classes_may_be_called_alike(tmp_path: Path, clip: Path, inside: str):
    for label, size in (("dog", 0), ("drum", 1)):
        file = tmp_path / "VAS" / label / f"{inside}video_00001.mp4"
        file.parent.mkdir(parents=True)
        shutil.copy(clip, file)
        with file.open("ab") as end:
            end.write(bytes(8 * size))  # so that they differ
    (tmp_path / "vas_train.txt").write_text("dog/video_00001\ndrum/video_00001\ngun/video_00001\n")
    settings = settings_of(tmp_path, catalog="vas_train.txt")
    report = import_videos(settings, str(tmp_path / "VAS"))
    assert report.counts == {"ok": 2, "skipped:no_source": 1}
    raw = tmp_path / "bucket" / "raw_data"
    sizes = [(raw / f"{label}_video_00001.mp4").stat().st_size for label in ("dog", "drum")]
    assert sizes[1] == sizes[0] + 8


def test_a_folder_may_be_a_prefix_of_a_bucket(tmp_path: Path, clip: Path, bucket_server: str):
    name = f"import-{uuid4().hex[:8]}"
    httpx.post(f"{bucket_server}/storage/v1/b", json={"name": name}, trust_env=False)
    open_bucket(f"gs://{name}").upload(clip, "copies/dog/a.mp4")
    open_bucket(f"gs://{name}").upload(clip, "copies-of-others/dog/b.mp4")
    settings = settings_of(tmp_path, catalog=f"gs://{name}/copies", format="folder")
    assert collection.stage.run(settings).counts == {"ok": 1}
    [found] = stored_catalog(open_bucket(settings.bucket_url), settings.recipe).clips
    assert found.labels == ("dog",)
    assert found.source_id.startswith("a-")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(CatalogError, match="nowhere is no folder"):
        collection.stage.run(settings_of(tmp_path, catalog="nowhere", format="folder"))


@pytest.mark.parametrize("content", [(), ("a/image_00001.jpg", "a/image_00002.jpg")])
def test_a_folder_without_videos_is_one_error_before_any_work(
    tmp_path: Path, content: tuple[str, ...]
):
    (tmp_path / "videos" / "a").mkdir(parents=True)
    for name in content:
        (tmp_path / "videos" / name).write_bytes(b"a picture")
    settings = settings_of(tmp_path, catalog="videos", format="folder")
    with (
        console.capture() as captured,
        pytest.raises(CatalogError, match="videos has no video: name a folder that has some"),
    ):
        collection.stage.run(settings)
    assert ("2 .jpg" in captured.get()) == bool(content)


def test_a_pipe_in_a_folder_is_no_video_and_holds_nothing_up(tmp_path: Path, clip: Path):
    folder = tmp_path / "videos"
    folder.mkdir()
    shutil.copy(clip, folder / "good.mp4")
    os.mkfifo(folder / "pipe.mp4")
    (folder / "link.mp4").symlink_to("pipe.mp4")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(folder / "socket.mp4"))
    settings = settings_of(tmp_path, catalog="videos", format="folder")
    assert collection.stage.run(settings).counts == {"ok": 1, "failed:no_source": 3}
    messages = [row.message for row in outcomes(settings, "collection").values()]
    assert sum("is a pipe, socket or device, not a file" in message for message in messages) == 3


ROWS = """\
-aaaaaaaaaa,1,dog,train
-aaaaaaaaaa,3,dog,train
bbbbbbbbbbb,30,dog,test
ccccccccccc,40,dog,test
ddddddddddd,50,dog,test
eeeeeeeeeee,60,dog,test
fffffffffff,70,dog,test
ggg-gggg_gg,0,dog,test
no row
"""
NAMES = {
    "-aaaaaaaaaa.mp4": "the whole source",
    "x/bbbbbbbbbbb_000030.mp4": "the id and the start, as VGGSound's copies have it",
    "x/ccccccccccc_000040_000042.mp4": "start and end, as Kinetics' have it",
    "x/ddddddddddd_50000_52000.mp4": "in milliseconds",
    "x/eeeeeeeeeee_00060000_00062000.mp4": "as we name clips",
    "y/A title, [1080p] ünd so [ggg-gggg_gg].mp4": "as yt-dlp names what it downloads",
    "zzzzzzzzzzz.mp4": "of no row",
}


@pytest.fixture
def copies(tmp_path: Path, clip: Path) -> Path:
    (tmp_path / "vggsound.csv").write_text(ROWS)
    for name in NAMES:
        path = tmp_path / "copies" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, path)
    return tmp_path / "copies"


def test_copies_of_a_data_set_are_found_by_their_names(tmp_path: Path, copies: Path):
    settings = settings_of(tmp_path, catalog="vggsound.csv")
    report = import_videos(settings, str(copies))
    assert report.counts == {"ok": 7, "skipped:no_source": 1, "failed:bad_row": 1}
    keys = list(open_bucket(settings.bucket_url).keys("raw_data/"))
    assert [key.removeprefix("raw_data/") for key in keys] == [
        "-aaaaaaaaaa.mp4",
        "bbbbbbbbbbb_00030000_00032000.mp4",
        "ccccccccccc_00040000_00042000.mp4",
        "ddddddddddd_00050000_00052000.mp4",
        "eeeeeeeeeee_00060000_00062000.mp4",
        "ggg-gggg_gg.mp4",
    ]
    again = import_videos(settings, str(copies))
    assert again.counts["skipped:already_done"] == 7

    collected = collection.stage.run(settings)
    assert collected.counts["skipped:already_done"] == 7, "no source is asked for in vain"
    assert collected.n_failed == 2, "the one without a file, and the bad row"
    assert preprocessing.stage.run(settings).counts["ok"] == 7


def test_a_file_that_ends_before_its_clip_is_not_the_source(tmp_path: Path, clip: Path):
    (tmp_path / "vggsound.csv").write_text("bbbbbbbbbbb,30,dog,test\n")
    (tmp_path / "copies").mkdir()
    shutil.copy(clip, tmp_path / "copies" / "bbbbbbbbbbb.mp4")
    settings = settings_of(tmp_path, catalog="vggsound.csv")
    import_videos(settings, str(tmp_path / "copies"))
    [outcome] = outcomes(settings, "import").values()
    assert outcome.reason is Reason.START_PAST_END
    assert "--trimmed" in outcome.message
    import_videos(settings, str(tmp_path / "copies"), trimmed=True)
    keys = list(open_bucket(settings.bucket_url).keys("raw_data/"))
    assert keys == ["raw_data/bbbbbbbbbbb_00030000_00032000.mp4"]


def test_what_an_earlier_import_brought_is_done(tmp_path: Path, clip: Path):
    names = ["aaaaaaaaaaa", "bbbbbbbbbbb", "ccccccccccc", "ddddddddddd"]
    (tmp_path / "vggsound.csv").write_text("".join(f"{name},0,dog,test\n" for name in names))
    for folder, name in (("one", names[0]), ("one", names[1]), ("two", names[2])):
        (tmp_path / folder).mkdir(exist_ok=True)
        shutil.copy(clip, tmp_path / folder / f"{name}.mp4")
    settings = settings_of(tmp_path, catalog="vggsound.csv")
    first = import_videos(settings, str(tmp_path / "one"))
    assert first.counts == {"ok": 2, "skipped:no_source": 2}
    second = import_videos(settings, str(tmp_path / "two"))
    assert second.counts == {"ok": 1, "skipped:already_done": 2, "skipped:no_source": 1}
    (tmp_path / "three").mkdir()
    args = [str(settings.recipe_path), str(tmp_path / "three"), "--bucket", settings.bucket_url]
    result = CliRunner().invoke(app, [*args, "--work-dir", str(tmp_path / "work")])
    assert result.exit_code == 0, result.output
    assert "3 already_done" in result.output
    assert "1 no_source" in result.output


def test_imported_clips_keep_the_names_of_their_files(tmp_path: Path, clip: Path):
    (tmp_path / "vggsound.csv").write_text("aaaaaaaaaaa,0,dog,test\nbbbbbbbbbbb,0,cat,test\n")
    files = {"one": "My dog — part 1 [aaaaaaaaaaa].mp4", "two": "cats/bbbbbbbbbbb.mp4"}
    settings = settings_of(tmp_path, catalog="vggsound.csv")
    for folder, name in files.items():
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True)
        shutil.copy(clip, path)
        import_videos(settings, str(tmp_path / folder))
    collection.stage.run(settings)
    bucket = open_bucket(settings.bucket_url)
    clips = stored_catalog(bucket, settings.recipe).clips
    assert [record.source_path for record in clips] == list(files.values())


def test_clips_of_a_folder_keep_the_names_of_their_files(tmp_path: Path, folder: Path):
    settings = settings_of(tmp_path, catalog="videos", format="folder")
    collection.stage.run(settings)
    clips = stored_catalog(open_bucket(settings.bucket_url), settings.recipe).clips
    paths = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
    assert clips
    assert {record.source_path for record in clips} <= paths


def test_what_is_wrong_with_a_file_is_said_of_its_own_name(tmp_path: Path, folder: Path):
    (folder / "dog" / "Mein Hund (1)").mkdir(parents=True)
    (folder / "dog" / "Mein Hund (1)" / "kein Video.mp4").write_text("no video")
    settings = settings_of(tmp_path, catalog="videos", format="folder")
    collection.stage.run(settings)
    failed = [each for each in outcomes(settings, "collection").values() if each.message]
    assert sorted(each.message.partition(":")[0] for each in failed) == [
        "broken.mp4",
        "dog/Mein Hund (1)/kein Video.mp4",
    ]


def test_a_file_that_failed_is_looked_at_anew_in_another_folder(tmp_path: Path, clip: Path):
    (tmp_path / "vggsound.csv").write_text("aaaaaaaaaaa,0,dog,test\n")
    for folder in ("damaged", "whole"):
        (tmp_path / folder).mkdir()
    (tmp_path / "damaged" / "aaaaaaaaaaa.mp4").write_bytes(b"no video")
    shutil.copy(clip, tmp_path / "whole" / "aaaaaaaaaaa.mp4")
    settings = settings_of(tmp_path, catalog="vggsound.csv")
    assert import_videos(settings, str(tmp_path / "damaged")).counts == {"failed:corrupt": 1}
    assert import_videos(settings, str(tmp_path / "whole")).counts == {"ok": 1}
    assert import_videos(settings, str(tmp_path / "whole")).counts == {"skipped:already_done": 1}
    again = import_videos(settings, str(tmp_path / "damaged"))
    assert again.counts == {"failed:id_taken": 1}, "it is not what is stored"


def test_a_bucket_that_no_version_fits_in_is_refused_before_anything_is_copied(
    tmp_path: Path, copies: Path
):
    settings = settings_of(tmp_path, catalog="vggsound.csv")
    odd = settings.model_copy(update={"bucket_url": f"file://{tmp_path}/a{{b}}"})
    for run in (lambda: import_videos(odd, str(copies)), lambda: collection.stage.run(odd)):
        with pytest.raises(VersionError, match="DVC has no way to write such a path"):
            run()
    assert not (tmp_path / "a{b}").exists()


def test_the_command_says_what_is_missing(tmp_path: Path, copies: Path):
    settings = settings_of(tmp_path, catalog="vggsound.csv")
    args = [str(settings.recipe_path), str(copies), "--bucket", settings.bucket_url]
    result = CliRunner().invoke(app, [*args, "--work-dir", str(tmp_path / "work")])
    assert result.exit_code == 0, result.output
    assert "1 no_source" in result.output
    assert "Clips without a file" in result.output
    strict = CliRunner().invoke(app, [*args, "--work-dir", str(tmp_path / "work"), "--strict"])
    assert strict.exit_code == 1


def test_a_recipe_of_a_folder_needs_no_import(tmp_path: Path, folder: Path):
    with pytest.raises(SettingsError, match="catalog is a folder"):
        import_videos(settings_of(tmp_path, catalog="videos", format="folder"), str(folder))


@pytest.mark.parametrize("starts", [(0, 2, 30), (30, 0, 2), (2, 30, 0)])
def test_one_late_clip_does_not_cost_the_others_of_its_source(
    tmp_path: Path, clip: Path, starts: tuple[int, ...]
):
    (tmp_path / "vggsound.csv").write_text("".join(f"bbbbbbbbbbb,{s},dog,test\n" for s in starts))
    (tmp_path / "copies").mkdir()
    shutil.copy(clip, tmp_path / "copies" / "bbbbbbbbbbb.mp4")
    settings = settings_of(tmp_path, catalog="vggsound.csv")
    assert import_videos(settings, str(tmp_path / "copies")).counts == {"ok": 3}
    assert preprocessing.stage.run(settings).counts == {"ok": 2, "failed:start_past_end": 1}


def test_a_section_that_is_there_does_not_hide_the_sources_other_clips(tmp_path: Path, clip: Path):
    settings = settings_of(tmp_path, catalog="vggsound.csv")
    (tmp_path / "vggsound.csv").write_text("bbbbbbbbbbb,0,dog,test\nbbbbbbbbbbb,3,dog,test\n")
    open_bucket(settings.bucket_url).upload(clip, "raw_data/bbbbbbbbbbb_00000000_00002000.mp4")
    (tmp_path / "copies").mkdir()
    shutil.copy(clip, tmp_path / "copies" / "bbbbbbbbbbb.mp4")
    import_videos(settings, str(tmp_path / "copies"))
    assert preprocessing.stage.run(settings).counts == {"ok": 2}
    again = import_videos(settings, str(tmp_path / "copies"))
    assert again.counts == {"skipped:already_done": 2}


@pytest.mark.parametrize("container", ["webm", "mkv"])
def test_a_recording_that_was_written_as_a_stream_has_a_length(tmp_path: Path, container: str):
    (tmp_path / "vggsound.csv").write_text("bbbbbbbbbbb,0,dog,test\nbbbbbbbbbbb,2,dog,test\n")
    path = tmp_path / "copies" / f"bbbbbbbbbbb.{container}"
    path.parent.mkdir()
    codec = ["libvpx", "libopus"] if container == "webm" else ["libx264", "aac"]
    inputs = ["-f", "lavfi", "-i", "testsrc=d=4:s=64x48", "-f", "lavfi", "-i", "sine=d=4"]
    live = ["-c:v", codec[0], "-c:a", codec[1], "-live", "1", "-pix_fmt", "yuv420p"]
    run_ffmpeg([*inputs, *live, str(path)], container)
    settings = settings_of(tmp_path, catalog="vggsound.csv")
    report = import_videos(settings, str(tmp_path / "copies"))
    assert report.counts == {"ok": 2}, outcomes(settings, "import")


def test_names_that_are_not_utf_8_are_bad_rows_with_their_names(tmp_path: Path, clip: Path):
    for name in (b"good.mp4", b"dog/ok.mp4", b"caf\xe9.mp4", b"chien\xe9/a.mp4"):
        path = tmp_path / "videos" / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, path)
    settings = settings_of(tmp_path, catalog="videos", format="folder")
    assert collection.stage.run(settings).counts == {"ok": 2, "failed:bad_row": 2}
    messages = [row.message for row in outcomes(settings, "collection").values() if row.message]
    assert sorted(message.split(": ")[1] for message in messages) == [
        "caf\\xe9.mp4",
        "chien\\xe9/a.mp4",
    ]


def test_linked_folders_are_gone_into_once(tmp_path: Path, clip: Path):
    for name in ("videos/cat/a.mp4", "real/dog/b.mp4", "real/dog/more/c.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, tmp_path / name)
    links = {"dog": "../real/dog", "dog again": "../real/dog", "cat/up": "..", "self": "."}
    for name, target in links.items():
        (tmp_path / "videos" / name).symlink_to(target)
    (tmp_path / "videos" / "linked.mp4").symlink_to("../real/dog/b.mp4")
    (tmp_path / "videos" / "gone.mp4").symlink_to("nowhere.mp4")
    settings = settings_of(tmp_path, catalog="videos", format="folder")
    assert collection.stage.run(settings).counts == {"ok": 4, "failed:no_source": 1}
    clips = stored_catalog(DirectoryBucket(tmp_path / "bucket"), settings.recipe).clips
    assert sorted(clip.labels for clip in clips) == [(), (), ("cat",), ("dog",), ("more",)]

    (tmp_path / "vggsound.csv").write_text("b,0,dog,test\nc,0,dog,test\n")
    copies = settings_of(tmp_path, catalog="vggsound.csv")
    assert import_videos(copies, str(tmp_path / "videos")).counts == {"ok": 2}


def test_other_files_are_counted_and_named(tmp_path: Path, clip: Path):
    (tmp_path / "videos").mkdir()
    for name in ("a.mp4", "b.3GP", "notes.txt", "more.TXT", "README", "x.npy"):
        shutil.copy(clip, tmp_path / "videos" / name)
    settings = settings_of(tmp_path, catalog="videos", format="folder")
    with console.capture() as captured:
        report = collection.stage.run(settings)
    assert report.counts == {"ok": 2}
    assert report.outputs["passed_over"] == {".txt": 2, "": 1, ".npy": 1}
    said = " ".join(captured.get().split())
    assert "2 .txt, 1 without an end, 1 .npy" in said


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path, clip: Path):
    (tmp_path / "videos" / "closed").mkdir(parents=True)
    (tmp_path / "videos" / "closed").chmod(0)
    if os.access(tmp_path / "videos" / "closed", os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(CatalogError, match="closed: cannot be read"):
        collection.stage.run(settings_of(tmp_path, catalog="videos", format="folder"))


@pytest.mark.parametrize("name", ["cookies_file", "proxy"])
def test_what_no_request_can_do_with_is_one_error_before_the_first(tmp_path: Path, name: str):
    (tmp_path / "vggsound.csv").write_text("bbbbbbbbbbb,0,dog,test\n")
    (tmp_path / "json.txt").write_text("[]")
    url = "http://videos.invalid/{source_id}"
    settings = settings_of(tmp_path, catalog="vggsound.csv", source_url=url, **{name: "json.txt"})
    with pytest.raises(SettingsError, match=rf"collection\.{name}"):
        collection.stage.run(settings)
    assert not list(open_bucket(settings.bucket_url).keys("raw_data/"))


def test_files_of_one_name_that_differ_are_told(tmp_path: Path, clip: Path):
    for folder, extra in (("a", b""), ("b", b"x"), ("c", b"")):
        path = tmp_path / "copies" / folder / "sixty.mp4"
        path.parent.mkdir(parents=True)
        path.write_bytes(clip.read_bytes() + extra)
    (tmp_path / "list.csv").write_text("sixty,0,dog\n")
    settings = settings_of(tmp_path, catalog="list.csv")
    args = [str(settings.recipe_path), str(tmp_path / "copies"), "--bucket", settings.bucket_url]
    result = CliRunner().invoke(app, [*args, "--work-dir", str(tmp_path / "work")])
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "a/sixty.mp4 is taken, b/sixty.mp4 is not" in said
    assert "c/sixty.mp4" not in said, "its bytes are the same"
    assert "Clips without a file" not in said
    assert (tmp_path / "bucket/raw_data/sixty.mp4").read_bytes() == clip.read_bytes()


@pytest.mark.parametrize("n_more", [0, 8], ids=["of one size", "of other size"])
@pytest.mark.parametrize("stored_as", ["clip_00.avi", "clip_00.mkv"])
def test_another_recipes_video_of_an_id_is_not_taken_for_this_ones(
    tmp_path: Path, clip: Path, stored_as: str, n_more: int
):
    (tmp_path / "list.csv").write_text("clip_00,0,dog\nclip_01,0,dog\n")
    (tmp_path / "copies").mkdir()
    for name in ("clip_00.mkv", "clip_01.mkv"):
        (tmp_path / "copies" / name).write_bytes(clip.read_bytes())
    theirs = tmp_path / "theirs"
    theirs.write_bytes(clip.read_bytes()[:-1] + b"x" + bytes(n_more))
    settings = settings_of(tmp_path, catalog="list.csv")
    bucket = open_bucket(settings.bucket_url)
    bucket.upload(theirs, f"raw_data/{stored_as}")
    args = [str(settings.recipe_path), str(tmp_path / "copies"), "--bucket", settings.bucket_url]
    args += ["--work-dir", str(tmp_path / "work")]
    result = CliRunner().invoke(app, args)
    assert result.exit_code == 0, result.output
    assert "1 id_taken" in result.output
    said = "".join(result.output.split())
    assert "Nottakenover:clip_00.mkv:anothervideohasitsid,clip_00" in said
    assert f"{bucket.url}/raw_data/{stored_as},whichstays" in said
    assert "anidofitsown" in said
    assert CliRunner().invoke(app, [*args, "--strict"]).exit_code == 1
    assert sorted(bucket.keys("raw_data/")) == [f"raw_data/{stored_as}", "raw_data/clip_01.mkv"]
    assert bucket.read(f"raw_data/{stored_as}") == theirs.read_bytes()


def test_the_same_video_under_another_suffix_is_done(tmp_path: Path, clip: Path):
    (tmp_path / "list.csv").write_text("clip_00,0,dog\n")
    (tmp_path / "copies").mkdir()
    shutil.copy(clip, tmp_path / "copies" / "clip_00.mov")
    settings = settings_of(tmp_path, catalog="list.csv")
    open_bucket(settings.bucket_url).upload(clip, "raw_data/clip_00.mp4")
    counts = import_videos(settings, str(tmp_path / "copies")).counts
    assert counts == {"skipped:already_done": 1}
    assert list(open_bucket(settings.bucket_url).keys("raw_data/")) == ["raw_data/clip_00.mp4"]


def test_a_prefix_of_a_bucket_is_compared_too(tmp_path: Path, clip: Path, bucket_server: str):
    (tmp_path / "list.csv").write_text("clip_00,0,dog\nclip_01,0,dog\n")
    name = f"import-{uuid4().hex[:8]}"
    httpx.post(f"{bucket_server}/storage/v1/b", json={"name": name}, trust_env=False)
    settings = settings_of(tmp_path, catalog="list.csv")
    for source, theirs in (("clip_00", b""), ("clip_01", b"x")):
        open_bucket(f"gs://{name}").upload(clip, f"copies/{source}.mp4")
        stored = open_bucket(settings.bucket_url)
        stored.write(f"raw_data/{source}.mp4", clip.read_bytes() + theirs)
    counts = import_videos(settings, f"gs://{name}/copies").counts
    assert counts == {"skipped:already_done": 1, "failed:id_taken": 1}


def test_an_id_that_was_taken_may_be_given_up(tmp_path: Path, clip: Path):
    """Where the stored one is meant, no failure stays behind."""
    (tmp_path / "list.csv").write_text("clip_00,0,dog\n")
    settings = settings_of(tmp_path, catalog="list.csv")
    for folder, more in (("one", b""), ("two", b"x")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "clip_00.mp4").write_bytes(clip.read_bytes() + more)
    assert import_videos(settings, str(tmp_path / "one")).counts == {"ok": 1}
    assert import_videos(settings, str(tmp_path / "two")).counts == {"failed:id_taken": 1}
    assert import_videos(settings, str(tmp_path / "one")).counts == {"skipped:already_done": 1}
    assert not list(open_bucket(settings.bucket_url).keys("catalogs/mine/imports/"))
