"""Answers of a model that are stored beside it, so that no clip is asked about twice.

They are for the weights that gave them: where the model was trained anew, it is asked again.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from s2s.layout import evaluation_prefix
from s2s.model_directory import WEIGHTS_FILE
from s2s.tasks.contract import Example, Material, System
from s2s.workspace import scratch

__all__ = ["kept_answers"]

log = logging.getLogger(__name__)

_FILE = "answers.safetensors"

Answers = dict[str, np.ndarray]
"""Answers by system and clip, as `SYSTEM/CLIP_ID`."""


@contextmanager
def kept_answers(
    material: Material,
    systems: Mapping[str, System],
    on_read: Callable[[int], None] = lambda _: None,
) -> Iterator[dict[str, System]]:
    """Systems that know what they answered before; new answers are stored in the end.

    Args:
        material: of the model; `folder` has its weights.
        systems: by name. Those whose answers are not kept stay as they are.
        on_read: told how many answers are stored already.

    Raises:
        BucketUnavailableError: if the bucket does not answer or is full.
    """
    if not any(system.is_kept for system in systems.values()):
        on_read(0)
        yield dict(systems)
        return
    key = evaluation_prefix(material.recipe, material.version.name) + _FILE
    made_of = _checksum(material.folder / WEIGHTS_FILE)
    with scratch() as folder:
        known = _read(material, key, folder / _FILE, made_of)
        n_known = len(known)
        on_read(n_known)
        yield {
            name: replace(system, answer=_asked_once(name, system, known))
            if system.is_kept
            else system
            for name, system in systems.items()
        }
        if len(known) > n_known:
            save_file(known, folder / "more.safetensors", {"weights": made_of})
            material.bucket.upload(folder / "more.safetensors", key, overwrite=True)


def _asked_once(name: str, system: System, known: Answers) -> Callable[[Example], np.ndarray]:
    def answer(example: Example) -> np.ndarray:
        place = f"{name}/{example.listed.clip_id}"
        if place not in known:
            known[place] = np.asarray(system.answer(example))
        return known[place]

    return answer


def _read(material: Material, key: str, path: Path, made_of: str) -> Answers:
    """Stored answers; none where there are none, they are damaged, or of other weights."""
    if not material.bucket.exists(key):
        return {}
    material.bucket.fetch(key, path)
    try:
        with safe_open(path, "numpy") as file:
            if (file.metadata() or {}).get("weights") != made_of:
                return {}
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError) as error:
        log.warning("%s is damaged (%s): the model is asked again", key, error)
        return {}


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
