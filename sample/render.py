"""From films to files: a world's catalog of videos, rendered in processes.

OUT/<source_id>.mp4          H.264 and AAC
OUT/truth/<source_id>.json   what happened when; for tests, no stage reads it
OUT/catalog.csv              their clips
"""

import json
import multiprocessing
import os
from collections.abc import Callable, Container, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Self

import av
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from s2s.logs import plural
from s2s.progress import Bars
from sample.film import Film, World, load_world

__all__ = ["encode_film", "render_catalog", "render_source"]

_CRF = 23
_GOP_S = 2
_SOUND_BITS_S = 96_000
_AAC_FRAME = 1024


def render_catalog(
    out: Path,
    sources: int,
    seed: int = 0,
    workers: int | None = None,
    world: str = "silent_to_sound",
    elsewhere: Container[str] = (),
) -> Path:
    """Render a catalog; sources that are there already are left alone.

    Args:
        out: directory for the videos, made when missing.
        sources: how many; a larger catalog of the same seed starts with the smaller one.
        seed: what everything is drawn from.
        workers: processes; None for one a core.
        world: which films.
        elsewhere: ids of sources that nobody will ask for here: they are not rendered.

    Returns:
        The catalog's file.
    """
    out.mkdir(parents=True, exist_ok=True)
    chosen = load_world(world)
    films = [chosen.film(seed, n) for n in range(sources)]
    missing = [
        n
        for n, film in enumerate(films)
        if film.source_id not in elsewhere and not _video(out, film).exists()
    ]
    if missing:
        with Bars() as bars:
            done, unit = sources - len(missing), plural(sources, "film")
            bar = bars.add_task("rendering", total=sources, completed=done, unit=unit)
            render = partial(render_source, out, seed, world=world)
            _render_all(render, missing, workers, lambda: bars.advance(bar))
    return _write_catalog(out / "catalog.csv", chosen, films)


def render_source(out: Path, seed: int, index: int, world: str = "silent_to_sound") -> Path:
    """Render one source under a temporary name, and rename it when it is whole.

    Returns:
        The video's file.
    """
    film = load_world(world).film(seed, index)
    video = _video(out, film)
    truth = out / "truth" / f"{film.source_id}.json"
    truth.parent.mkdir(parents=True, exist_ok=True)
    staged = out / f".{film.source_id}.{os.getpid()}.mp4"
    try:
        encode_film(film, staged)
        truth.write_text(json.dumps(film.truth(), indent=1) + "\n", encoding="utf-8")
        staged.replace(video)  # last: a video that is there means that the source is done
    finally:
        staged.unlink(missing_ok=True)
    return video


def _render_all(
    render: Callable[[int], Path],
    indices: list[int],
    workers: int | None,
    advance: Callable[[], None],
) -> None:
    # Spawned, because a forked child would inherit the locks of the caller's threads.
    with ProcessPoolExecutor(
        min(workers or os.cpu_count() or 1, len(indices)),
        mp_context=multiprocessing.get_context("spawn"),
    ) as pool:
        pending = [pool.submit(render, index) for index in indices]
        try:
            for done in as_completed(pending):
                done.result()
                advance()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _video(out: Path, film: Film) -> Path:
    return out / f"{film.source_id}.mp4"


def _write_catalog(path: Path, world: World, films: Sequence[Film]) -> Path:
    """Write a catalog under a temporary name, then rename it."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.write_text(world.catalog_text(films), encoding="utf-8")
    return staged.replace(path)


def encode_film(film: Film, path: Path) -> None:
    """Encode picture and sound; the same film gives the same bytes."""
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", options=options) as container:
        pictures = film.frames()
        first = next(pictures)
        picture = container.add_stream("libx264", rate=film.fps)
        picture.height, picture.width = first.shape[:2]
        picture.pix_fmt = "yuv420p"
        picture.options = {"crf": str(_CRF), "preset": "veryfast", "flags": "+bitexact"}
        picture.codec_context.gop_size = _GOP_S * film.fps
        picture.codec_context.thread_count = 1
        sound = _SoundTrack.of(container, film)
        converter = VideoReformatter()  # one for all frames is five times as fast
        for n, image in enumerate(chain([first], pictures)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame = converter.reformat(frame, format="yuv420p", threads=1)
            frame.pts, frame.time_base = n, Fraction(1, film.fps)
            container.mux(picture.encode(frame))
            # Sound and picture lie side by side in the file, so that a part of it can be played.
            if sound is not None:
                sound.encode_until((n + 1) * film.sample_rate_hz // film.fps)
        container.mux(picture.encode(None))
        if sound is not None:
            sound.finish()


class _SoundTrack:
    """A film's sound, encoded as the picture goes on."""

    def __init__(
        self, container: OutputContainer, samples_N: NDArray[np.float32], sample_rate_hz: int
    ) -> None:
        self._container = container
        self._samples_N = samples_N
        self._rate_hz = sample_rate_hz
        self._heard = 0
        self._stream = container.add_stream("aac", rate=sample_rate_hz)
        self._stream.codec_context.layout = "mono"
        self._stream.codec_context.bit_rate = _SOUND_BITS_S
        self._stream.codec_context.options = {"flags": "+bitexact", "aac_coder": "fast"}

    @classmethod
    def of(cls, container: OutputContainer, film: Film) -> Self | None:
        """The track of a film; None where it has none."""
        samples_N = film.samples()
        return None if samples_N is None else cls(container, samples_N, film.sample_rate_hz)

    def encode_until(self, until: int) -> None:
        """Encode what comes before a sample."""
        while self._heard < until and self._heard < len(self._samples_N):
            piece = self._samples_N[None, self._heard : self._heard + _AAC_FRAME]
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(piece), format="fltp", layout="mono"
            )
            frame.sample_rate = self._rate_hz
            frame.pts, frame.time_base = self._heard, Fraction(1, self._rate_hz)
            self._container.mux(self._stream.encode(frame))
            self._heard += _AAC_FRAME

    def finish(self) -> None:
        """Encode what the encoder still holds."""
        self._container.mux(self._stream.encode(None))
