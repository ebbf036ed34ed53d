"""Reading and writing media: PyAV in this process, ffmpeg for whole passes.

Untrusted files are opened through `open_guarded` or `input_args` only.
"""

from s2s.media.ffmpeg import ffmpeg_folder, ffmpeg_path, input_args, run_ffmpeg
from s2s.media.frames import read_frames
from s2s.media.guard import MediaLimits, open_guarded
from s2s.media.mux import add_sound, drop_sound
from s2s.media.probe import Probe, probe
from s2s.media.sound import read_audio, write_wav

__all__ = [
    "MediaLimits",
    "Probe",
    "add_sound",
    "drop_sound",
    "ffmpeg_folder",
    "ffmpeg_path",
    "input_args",
    "open_guarded",
    "probe",
    "read_audio",
    "read_frames",
    "run_ffmpeg",
    "write_wav",
]
