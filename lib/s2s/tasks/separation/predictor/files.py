"""What a client gets: films in which one is heard, voices, pictures.

Legend: N samples, S faces.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from s2s.media import add_sound, drop_sound, write_wav
from s2s.tasks.contract import MadeFile, Upload
from s2s.tasks.separation.predictor.reading import MOST_S, picture_name

__all__ = ["write_files"]


def write_files(
    upload: Upload,
    voices_SN: np.ndarray,
    sounds: Mapping[str, np.ndarray],
    sample_rate_hz: int,
    tell: Callable[[float], None] = lambda _: None,
) -> tuple[MadeFile, ...]:
    """Write every face's film and voice, and the other sounds.

    The picture is copied where browsers play its codec, and encoded once otherwise.

    Args:
        upload: the video.
        voices_SN: float32, from the first picture on.
        sounds: others, by name, such as what no face says.
        sample_rate_hz: of all of them.
        tell: told how much is done, 0..1.

    Returns:
        of each face its film, voice and picture; then the other sounds.

    Raises:
        MediaError: if the picture cannot be read.
    """
    folder, files = upload.folder, []
    silent = folder / "silent.mp4"
    upload.run(_drop_sound, upload.path, silent, most_s=MOST_S)
    tell(0.5)

    def make(number: int) -> list[MadeFile]:
        name = f"face-{number}"
        wav, film = folder / f"{name}.wav", folder / f"{name}.mp4"
        write_wav(wav, voices_SN[number - 1], sample_rate_hz)
        upload.run(add_sound, silent, wav, film)
        return [
            MadeFile(f"{name}-video", film, "video/mp4", f"_face_{number}.mp4"),
            MadeFile(f"{name}-sound", wav, "audio/wav", f"_face_{number}.wav"),
            MadeFile(
                f"{name}-picture",
                folder / picture_name(number),
                "image/jpeg",
                f"_face_{number}.jpg",
            ),
        ]

    with ThreadPoolExecutor(2) as threads:
        for number, some in enumerate(threads.map(make, range(1, len(voices_SN) + 1)), start=1):
            files += some
            tell(0.5 + 0.5 * number / len(voices_SN))
    for name, samples_N in sounds.items():
        path = folder / f"{name}.wav"
        write_wav(path, samples_N, sample_rate_hz)
        files.append(MadeFile(f"{name}-sound", path, "audio/wav", f"_{name}.wav"))
    return tuple(files)


def _drop_sound(video: Path, output: Path) -> None:
    drop_sound(video, output, for_browsers=True)
