"""All pairs of real talkers of GRID, separated by a model with their real faces.

    python benchmarks/separation_grid.py MODEL [--audio-only MODEL] [--clips FOLDER]

MODEL is a model directory, as a training writes it. The talkers are the clips of a folder, one
talker each (`clips/grid` of the real clips that tests use, S2S_TEST_DATA, unless told). Every face
is found and followed by the extractor that the pipeline uses. Two voices are mixed at the same
loudness, over the time that both clips have.

Of each voice: SI-SDR improvement over the mixture with the faces; the same by sound alone, where
an oracle says which output is whose (of the model's own first part, or of another model that was
trained without faces); whether the output is nearer to the face's own voice than to the other.
Beside that: how many pairs of the clean voices a matcher pairs rightly that nobody trained.
Run by hand: it needs a trained model.
"""

import argparse
import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import torch
from measuring import ROOT
from torch import nn

from s2s.features.arrays import Array, ClipMedia
from s2s.media import read_audio, read_frames
from s2s.spec import TimeSpec
from s2s.tasks.separation.extractors.faces import MeshFaces
from s2s.tasks.separation.network.directory import load_model
from s2s.tasks.separation.objective.losses import si_sdr_db
from s2s.tasks.separation.predictor.matching import assign_voices, fit_of
from s2s.tasks.separation.processor import ProcessorConfig
from s2s.tasks.separation.settings import SeparationFeatureSettings

LEVEL = 0.05
ENDINGS = (".mpg", ".mp4", ".avi", ".mov", ".mkv", ".webm")


@dataclass(frozen=True)
class Pair:
    """What came of two talkers.

    Attributes:
        names: of their clips.
        with_faces_db: SI-SDR improvement of each voice.
        sound_alone_db: the same without faces, the better way round; none without such outputs.
        is_right: whether each output is nearer to its face's own voice.
        is_matched: whether lips and loudness alone tell whose the clean voices are.
    """

    names: tuple[str, str]
    with_faces_db: Sequence[float]
    sound_alone_db: Sequence[float]
    is_right: Sequence[bool]
    is_matched: bool


def read_talker(path: Path, extractor: MeshFaces, spec: TimeSpec) -> Mapping[str, Array]:
    """A clip's voice and lips, as feature extraction stores them."""
    frames_THWC = read_frames(path, spec.fps)
    return extractor(ClipMedia(frames_THWC, read_audio(path, spec.sample_rate_hz)))


def measure_pair(
    names: tuple[str, str],
    talkers: Sequence[Mapping[str, Array]],
    network: nn.Module,
    deaf_to_faces: nn.Module | None,
    spec: TimeSpec,
) -> Pair:
    """Mix two talkers, separate them, and compare."""
    pictures = min(len(talker["lips"]) for talker in talkers)
    voices_SN = torch.stack(
        [_levelled(talker["voice"][: spec.samples(pictures)]) for talker in talkers]
    )
    lips_1STD = torch.from_numpy(
        np.stack([talker["lips"][:pictures] for talker in talkers]).astype(np.float32)
    )[None]
    seen_1ST = torch.from_numpy(np.stack([talker["seen"][:pictures] for talker in talkers]))[None]
    mixture_1N = voices_SN.sum(dim=0, keepdim=True)
    found_SN, heard_KN = _separate(network, mixture_1N, lips_1STD, seen_1ST)
    if deaf_to_faces is not None:
        heard_KN, _ = _separate(deaf_to_faces, mixture_1N, lips_1STD, seen_1ST)
    before_S = si_sdr_db(mixture_1N.expand_as(voices_SN), voices_SN)
    own_S, other_S = si_sdr_db(found_SN, voices_SN), si_sdr_db(found_SN, voices_SN.flip(0))
    return Pair(
        names=names,
        with_faces_db=(own_S - before_S).tolist(),
        sound_alone_db=_better_way_round(heard_KN, voices_SN, before_S),
        is_right=(own_S > other_S).tolist(),
        is_matched=_is_matched(lips_1STD[0], seen_1ST[0], voices_SN),
    )


def _is_matched(lips_STD: torch.Tensor, seen_ST: torch.Tensor, voices_SN: torch.Tensor) -> bool:
    faces = zip(lips_STD.numpy(), seen_ST.numpy(), strict=True)
    fits = [[fit_of(*face, voice_N.numpy()) for voice_N in voices_SN] for face in faces]
    return assign_voices(np.array(fits)) == [0, 1]


def _levelled(voice_N: Array) -> torch.Tensor:
    samples_N = torch.from_numpy(np.asarray(voice_N, np.float32))
    return samples_N * LEVEL / samples_N.square().mean().sqrt().clamp(min=1e-6)


def _separate(
    network: nn.Module, mixture_1N: torch.Tensor, lips_1STD: torch.Tensor, seen_1ST: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Voices of the faces, and those that sound alone gives, where the network has such."""
    with torch.inference_mode():
        separate = getattr(network, "separate", None)
        if separate is not None:
            separated = separate(mixture_1N, lips_1STD, seen_1ST)
            return separated.voices_BSN[0], separated.heard_BKN[0]
        return network(mixture_1N, lips_1STD, seen_1ST)[0], None


def _better_way_round(
    heard_KN: torch.Tensor | None, voices_SN: torch.Tensor, before_S: torch.Tensor
) -> Sequence[float]:
    if heard_KN is None:
        return ()
    ways = [
        si_sdr_db(heard_KN[list(order)], voices_SN) - before_S
        for order in permutations(range(len(heard_KN)), len(voices_SN))
    ]
    return max(ways, key=lambda way_S: float(way_S.mean())).tolist()


def print_table(pairs: Sequence[Pair]) -> None:
    """A row a pair, and what they come to."""
    print("| talkers | with faces, SI-SDRi dB | sound alone, oracle | right speaker |")
    print("| --- | --- | --- | --- |")
    for pair in pairs:
        cells = (_decibels(pair.with_faces_db), _decibels(pair.sound_alone_db))
        print(
            f"| {' and '.join(pair.names)} | {cells[0]} | {cells[1]} | {sum(pair.is_right)} of 2 |"
        )
    faces = [value for pair in pairs for value in pair.with_faces_db]
    alone = [value for pair in pairs for value in pair.sound_alone_db]
    right = [value for pair in pairs for value in pair.is_right]
    print(f"{len(pairs)} pairs: mean SI-SDRi {statistics.mean(faces):.2f} dB with faces", end="")
    if alone:
        print(f", {statistics.mean(alone):.2f} dB by sound alone with an oracle's choice", end="")
        means = [
            (statistics.mean(pair.with_faces_db), statistics.mean(pair.sound_alone_db))
            for pair in pairs
        ]
        print(f"; faces are worse in {sum(one < other for one, other in means)} pairs", end="")
    print(f"; right speaker {100 * statistics.mean(right):.1f} %", end="")
    matched = statistics.mean(pair.is_matched for pair in pairs)
    print(f"; an untrained matcher pairs {100 * matched:.1f} % of clean voices rightly")


def _decibels(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in values) or "–"


def main() -> None:
    """Measure a model on all pairs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--audio-only", type=Path)
    shared = Path(os.environ.get("S2S_TEST_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--clips", type=Path, default=shared / "clips" / "grid")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    network, config, _ = load_model(asked.model)
    deaf_to_faces = load_model(asked.audio_only)[0] if asked.audio_only else None
    spec = ProcessorConfig.model_validate(config.processor).spec
    extractor = MeshFaces(spec, SeparationFeatureSettings(speech_check=False))
    paths = sorted(path for path in asked.clips.iterdir() if path.suffix.lower() in ENDINGS)
    talkers = {path.stem: read_talker(path, extractor, spec) for path in paths}
    pairs = [
        measure_pair((one, other), (talkers[one], talkers[other]), network, deaf_to_faces, spec)
        for one, other in combinations(talkers, 2)
    ]
    print_table(pairs)


if __name__ == "__main__":
    main()
