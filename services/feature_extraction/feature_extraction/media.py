"""A clip of a data set version, decoded: from the bucket, or from a folder of JPEG files."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from s2s.dataset import DatasetClip
from s2s.errors import MediaError, SettingsError
from s2s.features.arrays import ClipMedia
from s2s.layout import folder_name
from s2s.media import read_audio, read_frames, read_jpegs
from s2s.reasons import Reason
from s2s.storage import Bucket
from s2s.tasks.contract import Processor

__all__ = ["check_pictures", "fetch_clip", "frames_folder"]


def fetch_clip(
    bucket: Bucket,
    clip: DatasetClip,
    folder: Path,
    processor: Processor,
    jpegs: Path | None = None,
) -> ClipMedia:
    """Download and decode a clip, as far as a processor asks for it.

    Args:
        bucket: where it is.
        clip: which.
        folder: for its files.
        processor: says what is read of it.
        jpegs: where its frames are as JPEG files, see `frames_folder`; None to take the video's.

    Raises:
        MediaError: `corrupt` if a file is not the one that the manifest lists, or whatever
            decoding it raises.
    """
    frames_THWC = np.zeros((0, 0, 0, 3), np.uint8)
    samples_N = np.zeros(0, np.float32)
    if processor.fps is not None and jpegs is not None:
        duration_s = clip.duration_s or clip.end_s - clip.start_s
        pictures = frames_folder(jpegs, clip)
        frames_THWC = read_jpegs(pictures, processor.fps, processor.frame_size, duration_s)
    elif processor.fps is not None:
        video = _fetch(bucket, clip.key, clip.crc32c, folder / "clip.mp4")
        frames_THWC = read_frames(video, processor.fps, processor.frame_size)
    if processor.sample_rate_hz is not None:
        sound = _fetch(bucket, clip.wav_key, clip.wav_crc32c, folder / "clip.wav")
        samples_N = read_audio(sound, processor.sample_rate_hz)
    return ClipMedia(frames_THWC, samples_N, clip)


def frames_folder(jpegs: Path, clip: DatasetClip) -> Path:
    """Where a clip's frames are: `<label>/<clip_id>`, as `./s2s export --jpegs` writes them.

    Folders that are named as Kinetics' files, `<source_id>_<start s>_<end s>`, are found too.
    """
    labelled = jpegs / (folder_name(clip.labels[0]) if clip.labels else "unlabelled")
    kinetics = f"{clip.source_id}_{int(clip.start_s):06d}_{int(clip.end_s):06d}"
    names = (clip.clip_id, kinetics)
    return next(
        (labelled / name for name in names if (labelled / name).is_dir()), labelled / names[0]
    )


def check_pictures(jpegs: Path, version: str, clips: Iterable[DatasetClip]) -> None:
    """Make sure that some clip has pictures in a folder: where none has, it is another one.

    Args:
        jpegs: the folder.
        version: the data set version's name.
        clips: its clips.

    Raises:
        SettingsError: if none has any.
    """
    folders = [frames_folder(jpegs, clip) for clip in clips]
    if folders and not any(any(folder.glob("image_*.jpg")) for folder in folders):
        raise SettingsError(
            f"feature_extraction.jpegs: no clip of {version} has pictures in {jpegs}, such as "
            f"{folders[0] / 'image_00001.jpg'}: write them with './s2s export RECIPE {jpegs} "
            "--jpegs', name another folder, or leave the setting out to read the clips"
        )


def _fetch(bucket: Bucket, key: str, crc32c: str, path: Path) -> Path:
    if (found := bucket.download(key, path).crc32c) != crc32c:
        raise MediaError(
            Reason.CORRUPT,
            f"{key}: its checksum is {found}, the manifest says {crc32c}: "
            "get the version's file back with DVC",
        )
    return path
