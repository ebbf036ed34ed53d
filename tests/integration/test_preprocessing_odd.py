"""Whatever comes has a defined outcome, in every mode."""

from pathlib import Path

import pytest

from preprocessing.cut import CutClip, cut_clips
from s2s.errors import MediaError
from s2s.media import input_args, read_audio, read_frames, run_ffmpeg
from s2s.records import ClipRecord
from s2s.tasks.generation.settings import GenerationRecipe

# Height and width as shown, seconds, and what is said where a copy is not possible.
REAL = {
    "odd/-starts-with-a-dash.mp4": ((1, 1), 5.0, "yuv444p"),
    "odd/decord_unordered.mov": ((50, 50), 0.125, ""),
    "odd/decord_video_90.mov": ((568, 320), 0.08, ""),
    "odd/h264_10bits.mp4": ((200, 200), 1.0, "yuv420p10le"),
    "odd/moviepy_video_with_failing_audio.mp4": ((360, 640), 10.0, ""),
    "odd/v_GGSY1Qvo990.mp4": ((240, 320), 10.0, ""),
    "kinetics/flipping_pancake_opus.mkv": ((240, 426), 10.0, ""),
    "kinetics/arm_wrestling_no_audio.mp4": ((256, 340), 10.0, ""),
}


def recipe(mode: str) -> GenerationRecipe:
    return GenerationRecipe.model_validate(
        {
            "name": "odd",
            "collection": {"catalog": "odd.csv"},
            "preprocessing": {
                "video": mode,
                "short_side_px": 64,
                "preset": "ultrafast",
                "min_duration_s": 0.05,
                "no_audio": "silent",
            },
        }
    )


def cut(source: Path, mode: str, folder: Path, start_s: float = 0) -> CutClip | MediaError:
    clip = ClipRecord(source_id="odd", start_s=start_s, end_s=start_s + 10)
    [result] = cut_clips(source, [clip], recipe(mode), folder)
    return result


@pytest.mark.parametrize("mode", ["encode", "copy", "smart"])
@pytest.mark.parametrize("name", REAL)
def test_real_oddities_are_cut(real_data: Path, tmp_path: Path, name: str, mode: str):
    size, seconds, said = REAL[name]
    clip = cut(real_data / "clips" / name, mode, tmp_path)
    assert isinstance(clip, CutClip), clip
    assert bool(clip.note) == (mode != "encode" and bool(said))
    assert said in clip.note or mode == "encode"
    shown = read_frames(clip.files.video, 25)
    assert len(shown) == pytest.approx(seconds * 25, abs=1)
    if mode != "encode" and not clip.note:
        assert shown.shape[1:3] == size, "turned as its metadata says"
    else:
        assert min(shown.shape[1:3]) == max(2, min(64, *size))
        assert (shown.shape[1] > shown.shape[2]) == (size[0] > size[1])
    samples = read_audio(clip.files.sound, 16_000)
    assert len(samples) / 16_000 == pytest.approx(len(shown) / 25, abs=0.05)


def test_damaged_data_is_copied_and_left_for_validation_to_find(real_data: Path, tmp_path: Path):
    source = real_data / "clips" / "odd" / "decord_corrupted.mp4"
    clip = cut(source, "copy", tmp_path)
    assert isinstance(clip, CutClip)
    with pytest.raises(MediaError, match="corrupt"):
        read_frames(clip.files.video, 25)


@pytest.mark.parametrize("mode", ["encode", "copy", "smart"])
@pytest.mark.parametrize("name", ["-dash.mp4", "ünï çode 音.mp4", "a b.mkv", "100%d.mkv"])
def test_names_are_only_names(real_data: Path, tmp_path: Path, name: str, mode: str):
    source = tmp_path / name
    real = real_data / "clips" / "odd" / "decord_unordered.mov"
    run_ffmpeg([*input_args(real), "-c", "copy", f"file:{source}"], name)
    clip = cut(source, mode, tmp_path)
    assert isinstance(clip, CutClip), clip
    assert len(read_frames(clip.files.video, 25)) == pytest.approx(3, abs=1)


def test_frames_without_time_stamps_of_their_own_are_all_there(real_data: Path, tmp_path: Path):
    source = tmp_path / "a.avi"  # which cannot hold these time stamps
    real = real_data / "clips" / "odd" / "decord_unordered.mov"
    run_ffmpeg([*input_args(real), "-c", "copy", str(source)], "avi")
    clip = cut(source, "encode", tmp_path)
    assert isinstance(clip, CutClip), clip
    shown, expected = read_frames(clip.files.video, 25, (8, 8)), read_frames(real, 25, (8, 8))
    assert len(shown) == pytest.approx(len(expected), abs=1)
    assert abs(float(shown.mean()) - float(expected.mean())) < 3


@pytest.mark.parametrize("mode", ["copy", "smart"])
def test_what_is_not_there_is_not_copied(real_data: Path, tmp_path: Path, mode: str):
    source = real_data / "clips" / "vas" / "dog_video_02677.mp4"  # of 6 s
    past = cut(source, mode, tmp_path, start_s=60)
    assert isinstance(past, MediaError)
    assert past.reason == "start_past_end"
    rest = cut(source, mode, tmp_path, start_s=4.5)
    assert isinstance(rest, CutClip), rest
    assert rest.note == ""
    assert len(read_frames(rest.files.video, 25)) == pytest.approx(1.5 * 25, abs=1)
    whole = tmp_path / "whole.mp4"
    whole.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    with pytest.raises(MediaError) as failure:
        cut(whole, mode, tmp_path)
    assert failure.value.reason == "corrupt"
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(MediaError) as failure:
        cut(tmp_path / "empty.mp4", mode, tmp_path)
    assert failure.value.reason == "corrupt"
