"""Every way in which a clip can be of no use, with files that were damaged on purpose."""

import hashlib
from pathlib import Path

import av
import pytest
from cut_clips import make_clip, make_recipe, store_clip

from s2s.errors import MediaError, ObjectNotFoundError
from s2s.media import drop_sound, run_ffmpeg
from s2s.reasons import Status
from s2s.settings import Settings
from s2s.storage import Bucket, crc32c_of
from validation.checks.clip_checks import CheckTask, read_checks
from validation.checks.picture import measure_picture
from validation.checks.sound import measure_sound

NAME = "bell0_00000000_00002000"
RECIPE = make_recipe()


def test_a_still_under_an_equaliser_is_frozen_and_a_real_clip_is_not(
    real_data: Path, tmp_path: Path
):
    real, still = real_data / "clips" / "vas" / "dog_video_02677.mp4", tmp_path / "still.mp4"
    graph = (
        "[0:v]trim=end_frame=1,loop=150:1,setpts=N/25/TB,scale=320:240[p];"
        "[0:a]showfreqs=s=320x72:mode=bar:fscale=log:colors=white[d];[p][d]overlay=0:H-h[v]"
    )
    encoding = ["-map", "[v]", "-t", "4", "-c:v", "libx264", "-preset", "ultrafast", "-f", "mp4"]
    run_ffmpeg(["-i", str(real), "-filter_complex", graph, *encoding, str(still)], "still")
    assert measure_picture(still).is_still
    assert measure_picture(still).motion > 100
    assert not measure_picture(real).is_still


@pytest.fixture
def task(directory_bucket: Bucket, tmp_path: Path) -> CheckTask:
    settings = Settings(
        recipe=RECIPE,
        recipe_path=tmp_path / "tiny.yaml",
        bucket_url=directory_bucket.url,
        work_dir=tmp_path / "work",
    )
    return CheckTask(settings, tmp_path)


def reason_of(task: CheckTask, bucket: Bucket, video: Path, sound: Path) -> tuple[str, str]:
    store_clip(bucket, RECIPE, NAME, video, sound)
    with pytest.raises(MediaError) as failure:
        task(NAME)
    with pytest.raises(ObjectNotFoundError):
        dict(read_checks(bucket, RECIPE, [NAME]))
    return failure.value.reason, failure.value.message


def test_a_good_clip(task: CheckTask, directory_bucket: Bucket, tmp_path: Path):
    video, sound = make_clip(tmp_path, "clip")
    store_clip(directory_bucket, RECIPE, NAME, video, sound)
    outcome = task(NAME)
    assert outcome.status is Status.OK
    assert outcome.size == video.stat().st_size + sound.stat().st_size
    check = dict(read_checks(directory_bucket, RECIPE, [NAME]))[NAME]
    assert check.sha256 == hashlib.sha256(video.read_bytes()).hexdigest()
    assert check.wav_sha256 == hashlib.sha256(sound.read_bytes()).hexdigest()
    assert check.crc32c == crc32c_of(video.read_bytes())
    picture, found = check.picture, check.sound
    assert picture.duration_s == pytest.approx(2.0)
    assert (picture.fps, picture.width, picture.height) == (25, 64, 48)
    assert picture.brightness > 30
    assert picture.motion > 20
    assert found.duration_s == pytest.approx(2.0)
    # The tone's amplitude is 0.5 / 8.
    assert found.loudness_dbfs == pytest.approx(-24.1, abs=0.5)
    assert found.mean_dbfs < found.loudness_dbfs - 3
    assert (found.clipped_share, found.is_constant) == (0, False)
    assert task(NAME).status is Status.OK, "a check that races with another writes the same"


def test_a_picture_without_its_last_frames(
    task: CheckTask, directory_bucket: Bucket, tmp_path: Path
):
    video, sound = make_clip(tmp_path, "clip")
    with av.open(str(video)) as file:
        places = [packet.pos for packet in file.demux(video=0) if packet.pos]
    video.write_bytes(video.read_bytes()[: places[30]])
    reason, message = reason_of(task, directory_bucket, video, sound)
    assert reason == "corrupt"
    assert "30 of the 50 frames" in message


def test_a_picture_that_breaks_off(task: CheckTask, directory_bucket: Bucket, tmp_path: Path):
    video, sound = make_clip(tmp_path, "clip")
    video.write_bytes(video.read_bytes()[:-5000])
    assert reason_of(task, directory_bucket, video, sound)[0] == "corrupt"


@pytest.mark.parametrize("step", [101, 997])
def test_a_picture_with_flipped_bytes(
    step: int, task: CheckTask, directory_bucket: Bucket, tmp_path: Path
):
    video, sound = make_clip(tmp_path, "clip")
    data = bytearray(video.read_bytes())
    for place in range(len(data) // 2, len(data), step):
        data[place] ^= 0xFF
    video.write_bytes(data)
    assert reason_of(task, directory_bucket, video, sound)[0] == "corrupt"


def test_a_picture_that_is_no_media(task: CheckTask, directory_bucket: Bucket, tmp_path: Path):
    video, sound = make_clip(tmp_path, "clip")
    video.write_bytes(b"\x00" * 5000)
    assert reason_of(task, directory_bucket, video, sound)[0] == "corrupt"


def test_no_picture(task: CheckTask, directory_bucket: Bucket, tmp_path: Path):
    _, sound = make_clip(tmp_path, "clip")
    assert reason_of(task, directory_bucket, sound, sound)[0] == "no_video"


def test_no_sound(task: CheckTask, directory_bucket: Bucket, tmp_path: Path):
    video, _ = make_clip(tmp_path, "clip")
    mute = tmp_path / "mute.mp4"
    drop_sound(video, mute)
    assert reason_of(task, directory_bucket, video, mute)[0] == "no_audio"


@pytest.mark.parametrize("volume", [0.0, 0.0005])
def test_a_silent_clip(volume: float, task: CheckTask, directory_bucket: Bucket, tmp_path: Path):
    reason, message = reason_of(task, directory_bucket, *make_clip(tmp_path, "clip", volume=volume))
    assert reason == "silent"
    assert "min_loudness_dbfs" in message


def test_a_quiet_clip_is_not_silent(task: CheckTask, directory_bucket: Bucket, tmp_path: Path):
    store_clip(directory_bucket, RECIPE, NAME, *make_clip(tmp_path, "clip", volume=0.02))
    assert task(NAME).status is Status.OK


def test_a_clip_that_is_too_short(task: CheckTask, directory_bucket: Bucket, tmp_path: Path):
    short = make_clip(tmp_path, "short", duration_s=0.5)
    reason, message = reason_of(task, directory_bucket, *short)
    assert reason == "too_short"
    assert "its picture is 0.52 s long" in message


def test_a_sound_that_is_too_short(task: CheckTask, directory_bucket: Bucket, tmp_path: Path):
    video, _ = make_clip(tmp_path, "clip")
    _, sound = make_clip(tmp_path, "short", duration_s=0.5)
    reason, message = reason_of(task, directory_bucket, video, sound)
    assert reason == "too_short"
    assert "its sound is 0.50 s long" in message


def encode(output: Path, picture: str, tone: str) -> tuple[Path, Path]:
    """An mp4 of two sources of lavfi, and its sound as a wav."""
    video, sound = output.with_suffix(".mp4"), output.with_suffix(".wav")
    run_ffmpeg(
        [
            *["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone],
            *["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", str(video)],
            *["-map", "1:a", "-f", "wav", str(sound)],
        ],
        output.name,
    )
    return video, sound


MOVING = "testsrc=s=64x48:r=25:d=2"
TONE = "sine=f=440:r=16000:d=2"


@pytest.mark.parametrize(
    ("picture", "tone", "reason"),
    [
        ("color=black:s=64x48:r=25:d=2", TONE, "black"),
        ("color=red:s=64x48:r=25:d=2", TONE, "frozen"),
        ("testsrc=s=64x48:r=2:d=2", TONE, "low_frame_rate"),
        ("testsrc=s=12x12:r=25:d=2", TONE, "low_resolution"),
        (MOVING, f"{TONE},volume=60", "clipped"),
        (MOVING, "aevalsrc=0.25:s=16000:d=2", "constant"),
        ("testsrc=s=64x48:r=25:d=4", TONE, "out_of_step"),
    ],
)
def test_what_is_wrong_has_a_name(
    picture: str,
    tone: str,
    reason: str,
    task: CheckTask,
    directory_bucket: Bucket,
    tmp_path: Path,
):
    files = encode(tmp_path / "clip", picture, tone)
    found, message = reason_of(task, directory_bucket, *files)
    assert found == reason
    assert NAME in message


def test_a_sound_that_starts_late(task: CheckTask, directory_bucket: Bucket, tmp_path: Path):
    video, sound = make_clip(tmp_path, "clip")
    late = tmp_path / "late.mp4"
    run_ffmpeg(
        [
            *["-i", str(video), "-itsoffset", "0.8", "-i", str(sound), "-map", "0:v", "-map"],
            *["1:a", "-c:v", "copy", "-c:a", "aac", "-f", "mp4", str(late)],
        ],
        "late",
    )
    reason, message = reason_of(task, directory_bucket, late, sound)
    assert reason == "out_of_step"
    assert "begin 0.7" in message, "AAC starts a frame early"


def test_a_still_picture_is_taken_where_the_recipe_says_so(
    directory_bucket: Bucket, tmp_path: Path
):
    recipe = make_recipe(validation={"checks": {"min_motion": -1}})
    settings = Settings(
        recipe=recipe, recipe_path=tmp_path / "tiny.yaml", bucket_url=directory_bucket.url
    )
    files = encode(tmp_path / "clip", "color=red:s=64x48:r=25:d=2", TONE)
    store_clip(directory_bucket, recipe, NAME, *files)
    assert CheckTask(settings, tmp_path)(NAME).status is Status.OK


def test_real_clips_pass(real_data: Path):
    for video in (real_data / "clips" / "vggsound").glob("*.mp4"):
        assert measure_picture(video).duration_s == pytest.approx(10, abs=0.15)
        sound = measure_sound(video, 16_000)
        assert -30 < sound.loudness_dbfs < 6
        assert sound.duration_s == pytest.approx(10, abs=0.2)


def test_a_real_corrupted_clip_does_not_pass(real_data: Path):
    with pytest.raises(MediaError):
        measure_picture(real_data / "clips" / "odd" / "decord_corrupted.mp4")
