"""From scenes to files: a whole catalog of videos with sound, rendered in processes.

OUT/<source_id>.mp4          H.264 and AAC
OUT/truth/<source_id>.json   what happened when; for tests, no stage reads it
OUT/catalog.csv              clips, as VGGSound lists them
"""

import json
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import VideoReformatter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from s2s.logs import console
from sample.canvas import FPS, SIZE_PX
from sample.catalog import AnyScene, build_source, write_catalog
from sample.picture import frames
from sample.sound import SAMPLE_RATE_HZ, synthesize
from sample.world import Scene

__all__ = ["encode_scene", "render_catalog", "render_source"]

_CRF = 23
_GOP_FRAMES = 2 * FPS
_SOUND_BITS_S = 96_000
_AAC_FRAME = 1024


def render_catalog(out: Path, sources: int, seed: int = 0, workers: int | None = None) -> Path:
    """Render a catalog; sources that are there already are left alone.

    Args:
        out: directory for the videos, made when missing.
        sources: how many; a larger catalog of the same seed starts with the smaller one.
        seed: what everything is drawn from.
        workers: processes; None for one a core.

    Returns:
        The catalog's file.
    """
    out.mkdir(parents=True, exist_ok=True)
    scenes = [build_source(seed, n) for n in range(sources)]
    missing = [n for n, scene in enumerate(scenes) if not _video(out, scene).exists()]
    columns = (TextColumn("rendering"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("rendering", total=sources, completed=sources - len(missing))
        _render_all(out, seed, missing, workers, lambda: progress.advance(task))
    return write_catalog(out / "catalog.csv", scenes)


def render_source(out: Path, seed: int, index: int) -> Path:
    """Render one source under a temporary name, and rename it when it is whole.

    Returns:
        The video's file.
    """
    scene = build_source(seed, index)
    video = _video(out, scene)
    truth = out / "truth" / f"{scene.source_id}.json"
    truth.parent.mkdir(parents=True, exist_ok=True)
    staged = out / f".{scene.source_id}.{os.getpid()}.mp4"
    try:
        encode_scene(scene, staged)
        truth.write_text(_truth(scene), encoding="utf-8")
        staged.replace(video)  # last: a video that is there means that the source is done
    finally:
        staged.unlink(missing_ok=True)
    return video


def _render_all(
    out: Path, seed: int, indices: list[int], workers: int | None, advance: Callable[[], None]
) -> None:
    if not indices:
        return
    # Spawned, because a forked child would inherit the locks of the caller's threads.
    with ProcessPoolExecutor(
        min(workers or os.cpu_count() or 1, len(indices)),
        mp_context=multiprocessing.get_context("spawn"),
    ) as pool:
        pending = [pool.submit(render_source, out, seed, index) for index in indices]
        try:
            for done in as_completed(pending):
                done.result()
                advance()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _video(out: Path, scene: AnyScene) -> Path:
    return out / f"{scene.source_id}.mp4"


def _truth(scene: AnyScene) -> str:
    content = {"source_id": scene.source_id, "duration_s": scene.duration_s}
    if isinstance(scene, Scene):
        content["material"] = scene.material.name
        content["impacts"] = [
            {"time_s": hit.time_s, "speed_m_s": hit.speed_m_s, "kind": hit.kind}
            for hit in scene.impacts
        ]
    else:
        content["texture"] = scene.texture.name
        content["strengths"] = scene.knots.tolist()
    return json.dumps(content, indent=1) + "\n"


def encode_scene(scene: AnyScene, path: Path) -> None:
    """Encode picture and sound; the same scene gives the same bytes."""
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", options=options) as container:
        picture = container.add_stream("libx264", rate=FPS)
        picture.width = picture.height = SIZE_PX
        picture.pix_fmt = "yuv420p"
        picture.options = {"crf": str(_CRF), "preset": "veryfast", "flags": "+bitexact"}
        picture.codec_context.gop_size = _GOP_FRAMES
        picture.codec_context.thread_count = 1
        sound = container.add_stream("aac", rate=SAMPLE_RATE_HZ)
        sound.codec_context.layout = "mono"
        sound.codec_context.bit_rate = _SOUND_BITS_S
        sound.codec_context.options = {"flags": "+bitexact", "aac_coder": "fast"}
        converter = VideoReformatter()  # one for all frames is five times as fast
        samples = synthesize(scene)
        heard = 0
        for n, image in enumerate(frames(scene)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame = converter.reformat(frame, format="yuv420p", threads=1)
            frame.pts, frame.time_base = n, Fraction(1, FPS)
            container.mux(picture.encode(frame))
            # Sound and picture lie side by side in the file, so that a part of it can be played.
            until = (n + 1) * SAMPLE_RATE_HZ // FPS
            while heard < until and heard < len(samples):
                _encode_sound(container, sound, samples, heard)
                heard += _AAC_FRAME
        container.mux(picture.encode(None))
        container.mux(sound.encode(None))


def _encode_sound(
    container: OutputContainer,
    stream: av.AudioStream,
    samples: np.ndarray,
    start: int,
) -> None:
    piece = samples[None, start : start + _AAC_FRAME]
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="fltp", layout="mono")
    frame.sample_rate = SAMPLE_RATE_HZ
    frame.pts, frame.time_base = start, Fraction(1, SAMPLE_RATE_HZ)
    container.mux(stream.encode(frame))
