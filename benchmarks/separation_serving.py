"""Ten seconds of two talkers in 640×360, from the file to each face's voice, as serving does it.

    python benchmarks/separation_serving.py [--video FILE] [--model MODEL]

The video is two drawn talkers side by side, unless told; the model is the smallest audio-visual one
with random weights, which takes as long as a trained one. Printed are the seconds of each step,
the file read where it can do no harm, and what following faces takes against detecting them, and
finding their points, in every picture.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from s2s.media import MediaLimits, run_ffmpeg, start_sandbox, stream_frames
from s2s.spec import TimeSpec
from s2s.tasks.contract import Made, Upload
from s2s.tasks.separation.extractors import LIPS, track_faces
from s2s.tasks.separation.extractors.detector import FaceDetector
from s2s.tasks.separation.extractors.mesh import FaceMesh, region_of_detection
from s2s.tasks.separation.predictor import load
from s2s.tasks.separation.predictor.offer import SeparationOptions
from s2s.tasks.separation.predictor.pair import compose_pair
from s2s.tasks.separation.processor import ProcessorConfig
from sample.cocktail_party.film import TalkerFilm
from sample.cocktail_party.talkers import make_talker
from sample.render import encode_film
from serving.models.notes import JobNotes

SPEC = TimeSpec(fps=25, sample_rate_hz=8000, duration_s=3)
SECONDS, WIDTH, HEIGHT = 10, 640, 360
ROUNDS = 3


def main() -> None:
    """Measure and print."""
    formatter = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--video", type=Path)
    parser.add_argument("--model", type=Path)
    chosen = parser.parse_args()
    start_sandbox()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = chosen.video or draw_pair(folder)
        model = chosen.model or save_untrained(folder / "model")
        print_steps(video, model)
        print_following(video)


def print_steps(video: Path, model: Path) -> None:
    """What each step of a job takes."""
    predictor, options, rows = load(model, MediaLimits()), SeparationOptions(), []
    made = Made()
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            folder, notes = Path(name), JobNotes()
            (folder / "upload").write_bytes(video.read_bytes())
            upload = Upload(folder / "upload", "video", folder)
            started_s = time.monotonic()
            item = predictor.prepare(upload, options, notes)
            with notes.step("model"):
                (output,) = predictor.predict([item])
            made = predictor.finish(upload, options, output, notes)
            rows.append({**notes.seconds, "all": time.monotonic() - started_s})
    seconds, faces = made.document["duration_s"], len(made.document["faces"])
    print(f"{seconds} s, {faces} faces; medians of {ROUNDS}:")
    for step in rows[0]:
        print(f"  {step:6} {statistics.median(row[step] for row in rows):6.2f} s")


def print_following(video: Path) -> None:
    """What it takes to follow faces against detecting them in every picture."""
    frames = list(islice(stream_frames(video, SPEC.fps, WIDTH), 100))
    detector, mesh = FaceDetector(), FaceMesh()

    def detect_all() -> None:
        for frame_HWC in frames:
            picture = Image.fromarray(frame_HWC)
            for face in detector(frame_HWC):
                mesh(picture, region_of_detection(face))

    followed = cpu_of(lambda: track_faces(frames, SPEC.fps))
    detected = cpu_of(detect_all)
    print(
        f"a picture: followed {10 * followed:.1f} ms, detected anew {10 * detected:.1f} ms of CPU: "
        f"{detected / followed:.1f}×"
    )


def cpu_of(work: Callable[[], object]) -> float:
    """CPU seconds of some work, the median of three times."""
    taken = []
    for _ in range(ROUNDS):
        before_s = time.process_time()
        work()
        taken.append(time.process_time() - before_s)
    return statistics.median(taken)


class Part(TalkerFilm):
    """The first seconds of a talker, over and over."""

    def frames(self) -> Iterator[np.ndarray]:
        """Its pictures."""
        pictures = list(islice(super().frames(), SECONDS * self.fps // 2))
        yield from [*pictures, *pictures[::-1]]

    def samples(self) -> np.ndarray:
        """Its sound."""
        return np.resize(super().samples(), SECONDS * self.sample_rate_hz)


def draw_pair(folder: Path) -> Path:
    """Two drawn talkers side by side, in the size that is measured."""
    clips = folder / "left.mp4", folder / "right.mp4"
    for index, clip in zip((1, 6), clips, strict=True):
        encode_film(Part(make_talker(0, index)), clip)
    compose_pair(*clips, folder / "pair.mp4")
    video = folder / "video.mp4"
    fitted = f"scale={WIDTH}:-2,pad={WIDTH}:{HEIGHT}:0:(oh-ih)/2"
    encoding = ["-vf", fitted, "-c:v", "libx264", "-preset", "veryfast", "-c:a", "copy"]
    run_ffmpeg(["-i", str(folder / "pair.mp4"), *encoding, str(video)], "video")
    return video


def save_untrained(folder: Path) -> Path:
    """The smallest audio-visual model, with random weights."""
    # Not above: what reads files is a copy of a process that imports this, and has not that memory.
    import torch  # noqa: PLC0415

    from s2s.model_directory import ModelDescription, save_model  # noqa: PLC0415
    from s2s.tasks.separation.network import (  # noqa: PLC0415
        SeparatorConfig,
        make_separator,
        shape_of,
    )
    from s2s.tasks.separation.network.directory import (  # noqa: PLC0415
        TASK,
        ModelConfig,
    )

    network = SeparatorConfig(
        kind="audio_visual",
        sample_rate_hz=SPEC.sample_rate_hz,
        fps=SPEC.fps,
        lips=LIPS,
        speakers=2,
        shape=shape_of("audio_visual", "tiny"),
    )
    processor = ProcessorConfig(spec=SPEC, faces="mesh", max_gap_s=0.5)
    config = ModelConfig(network=network, processor=processor.model_dump(mode="json"), window_s=2)
    torch.manual_seed(0)
    folder.mkdir()
    description = ModelDescription(
        task=TASK,
        recipe="none",
        version="none",
        spec=SPEC,
        config=config.model_dump(mode="json"),
    )
    save_model(folder, make_separator(network), description)
    return folder


if __name__ == "__main__":
    main()
