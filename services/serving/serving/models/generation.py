"""The generation model, served: a video goes in, the same video comes out with sound."""

from collections.abc import Callable
from pathlib import Path

from s2s.media import PICTURE_TYPES, VIDEO_TYPES, MediaLimits
from s2s.tasks.generation.predictor.answer import GenerationOptions
from serving.models.contract import Predictor, ServedModel

__all__ = ["generation_model", "load_generator"]


def generation_model(name: str, load: Callable[[], Predictor], max_batch: int = 8) -> ServedModel:
    """How a model that makes sound is offered."""
    return ServedModel(
        name=name,
        task="generation",
        route="generations",
        title="Sound for a silent video",
        options=GenerationOptions,
        types=(*VIDEO_TYPES, *PICTURE_TYPES),
        load=load,
        max_batch=max_batch,
    )


def load_generator(folder: Path, limits: MediaLimits) -> Predictor:
    """Load a model directory; to be called in the thread that will use it.

    Raises:
        ModelError: if it does not hold a model that fits.
    """
    from s2s.tasks.generation.predictor.served import Generator  # noqa: PLC0415 - imports torch, which takes seconds

    return Generator.load(folder, limits)
