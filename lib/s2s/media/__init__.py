"""Reading and writing media: PyAV in this process, ffmpeg for whole passes.

Untrusted files are opened through `open_guarded`, `open_picture` or `input_args` only; those of
strangers, by `run_sandboxed` besides.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from s2s.media.ffmpeg import ffmpeg_path, input_args, run_ffmpeg, small_ffmpeg_path
from s2s.media.guard.containers import PICTURE_TYPES, VIDEO_TYPES
from s2s.media.guard.opening import MediaLimits, open_guarded
from s2s.media.guard.sandbox import (
    SandboxLimits,
    end_sandboxed,
    missing_protections,
    run_sandboxed,
    start_sandbox,
)
from s2s.media.guard.streams import picture_stream, sound_stream
from s2s.media.guard.upload import check_upload, picture_demuxer
from s2s.media.read.probe import Probe, probe
from s2s.media.write.jpegs import write_jpegs
from s2s.media.write.mux import ENCODE_MOST_S, add_sound, drop_sound, make_preview

if TYPE_CHECKING:
    from s2s.media.read.frames import (
        Cover,
        Part,
        PartRead,
        map_frames,
        most_bytes,
        picture_start_s,
        read_frames,
        stream_frames,
        write_frames,
        write_part,
    )
    from s2s.media.read.pictures import read_jpegs, write_picture
    from s2s.media.read.sampling import SampledFrames, sample_frames
    from s2s.media.read.sound import SoundSpan, read_audio, read_segments, read_span, resample
    from s2s.media.write.samples import write_samples
    from s2s.media.write.still import make_still_video
    from s2s.media.write.wav import write_wav

__all__ = [
    "ENCODE_MOST_S",
    "PICTURE_TYPES",
    "VIDEO_TYPES",
    "Cover",
    "MediaLimits",
    "Part",
    "PartRead",
    "Probe",
    "SampledFrames",
    "SandboxLimits",
    "SoundSpan",
    "add_sound",
    "check_upload",
    "drop_sound",
    "end_sandboxed",
    "ffmpeg_path",
    "input_args",
    "make_preview",
    "make_still_video",
    "map_frames",
    "missing_protections",
    "most_bytes",
    "open_guarded",
    "picture_demuxer",
    "picture_start_s",
    "picture_stream",
    "probe",
    "read_audio",
    "read_frames",
    "read_jpegs",
    "read_segments",
    "read_span",
    "resample",
    "run_ffmpeg",
    "run_sandboxed",
    "sample_frames",
    "small_ffmpeg_path",
    "sound_stream",
    "start_sandbox",
    "stream_frames",
    "write_frames",
    "write_jpegs",
    "write_part",
    "write_picture",
    "write_samples",
    "write_wav",
]

_WITH_ARRAYS = {
    "Cover": "read.frames",
    "Part": "read.frames",
    "PartRead": "read.frames",
    "SampledFrames": "read.sampling",
    "SoundSpan": "read.sound",
    "make_still_video": "write.still",
    "map_frames": "read.frames",
    "most_bytes": "read.frames",
    "picture_start_s": "read.frames",
    "read_audio": "read.sound",
    "read_frames": "read.frames",
    "read_jpegs": "read.pictures",
    "read_segments": "read.sound",
    "read_span": "read.sound",
    "resample": "read.sound",
    "sample_frames": "read.sampling",
    "stream_frames": "read.frames",
    "write_frames": "read.frames",
    "write_part": "read.frames",
    "write_picture": "read.pictures",
    "write_samples": "write.samples",
    "write_wav": "write.wav",
}


def __getattr__(name: str) -> Any:
    """Import what needs numpy when it is asked for: collection's image is without."""
    if name not in _WITH_ARRAYS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WITH_ARRAYS[name]}"), name)
