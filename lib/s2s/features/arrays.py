"""Clips as arrays: what extractors are given, and how what they give is described and stored.

Legend: T frames, H height, W width, N samples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from s2s.dataset import DatasetClip

__all__ = ["Array", "ArrayError", "ArraySpec", "ClipMedia"]

Array = np.ndarray | Sequence[np.ndarray]
"""One array of a clip: its first axis is time; of byte strings, a uint8 array an instant."""
_OFFSETS = ".offsets"


class ArrayError(ValueError):
    """An array is not what its spec says."""


@dataclass(frozen=True)
class ClipMedia:
    """A decoded clip, as a processor asks for it.

    Attributes:
        frames_THWC: pictures, uint8, RGB, one each 1/fps seconds, of the processor's size; none
            of them, (0, 0, 0, 3), where it asks for no pictures.
        samples_N: mono sound, float32 in -1..1, at the processor's rate; may be a little shorter
            or longer than the pictures last. Empty where it asks for no sound.
        listed: what the data set says of the clip, such as where its face is; None for media that
            are in no data set.
    """

    frames_THWC: np.ndarray
    samples_N: np.ndarray
    listed: DatasetClip | None = None


class ArraySpec(BaseModel):
    """Name, shape, dtype and rate of an array that every clip has.

    Its first axis is time, and holds at least one instant. Two examples: `shape=(112, 112, 3),
    dtype="uint8", rate_hz=8` are small pictures; `is_bytes=True, rate_hz=8` are JPEG files.

    Attributes:
        name: its name in a shard.
        shape: values at one instant, such as `(D,)`; None stands for a length that differs
            from clip to clip, such as the width of pictures. `()` for one number, and for bytes.
        dtype: how they are stored.
        rate_hz: instants a second; None where the first axis is not time.
        is_bytes: each instant is a string of bytes of any length, such as a JPEG file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    shape: tuple[int | None, ...] = ()
    dtype: Literal[
        "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64",
        "float16", "float32", "float64",
    ] = "float16"  # fmt: skip
    rate_hz: float | None = Field(default=None, gt=0)
    is_bytes: bool = False

    @model_validator(mode="before")
    @classmethod
    def _bytes_are_bytes(cls, content: Any) -> Any:
        if isinstance(content, dict) and content.get("is_bytes"):
            return {"dtype": "uint8", **content}
        return content

    @model_validator(mode="after")
    def _check_bytes(self) -> "ArraySpec":
        if self.is_bytes and (self.shape or self.dtype != "uint8"):
            raise ValueError("an array of bytes has dtype uint8, and no shape")
        if any(length is not None and length < 1 for length in self.shape):
            raise ValueError(f"shape {self.shape}: lengths are 1 or more")
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the tensors that it is stored as."""
        return (self.name, self.name + _OFFSETS) if self.is_bytes else (self.name,)

    def pack(self, array: Array) -> dict[str, np.ndarray]:
        """An array as it is stored: tensors by the names in `parts`.

        Raises:
            ArrayError: if it is not what the spec says: no instant, another shape, numbers that
                the dtype does not hold, or that are not finite.
        """
        if self.is_bytes:
            return self._pack_bytes(array)
        values = np.asarray(array)
        with np.errstate(over="ignore"):  # told below
            stored = np.ascontiguousarray(values, dtype=self.dtype)
        if not np.can_cast(values.dtype, self.dtype, "same_kind") or (
            stored.dtype.kind != "f" and not np.array_equal(stored, values)
        ):
            raise ArrayError(f"{self.name}: {values.dtype} values do not fit into {self.dtype}")
        return self.check({self.name: stored})

    def check(self, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Make sure that stored tensors are what the spec says.

        Args:
            tensors: by the names in `parts`.

        Raises:
            ArrayError: if they are not.
        """
        if self.is_bytes:
            self._check_offsets(tensors[self.name], tensors[self.name + _OFFSETS])
            return dict(tensors)
        (stored,) = tensors.values()
        fits = stored.ndim == 1 + len(self.shape) and all(
            length in (None, found)
            for length, found in zip(self.shape, stored.shape[1:], strict=True)
        )
        if not fits or not stored.size:
            wanted = ", ".join(["T", *("any" if n is None else str(n) for n in self.shape)])
            raise ArrayError(f"{self.name} has shape {stored.shape}, but ({wanted}) is needed")
        if stored.dtype != self.dtype:
            raise ArrayError(f"{self.name} has dtype {stored.dtype}, but {self.dtype} is needed")
        if stored.dtype.kind == "f" and not np.isfinite(stored).all():
            raise ArrayError(f"{self.name} holds NaN or infinity")
        return dict(tensors)

    def _pack_bytes(self, array: Array) -> dict[str, np.ndarray]:
        pieces = list(array)
        if any(piece.dtype != np.uint8 or piece.ndim != 1 for piece in pieces):
            raise ArrayError(f"{self.name}: each instant must be a uint8 array of one axis")
        offsets = np.cumsum([0, *map(len, pieces)], dtype=np.int64)
        values = np.concatenate(pieces) if pieces else np.empty(0, np.uint8)
        return self.check(dict(zip(self.parts, (values, offsets), strict=True)))

    def _check_offsets(self, values: np.ndarray, offsets: np.ndarray) -> None:
        if values.dtype != np.uint8 or values.ndim != 1 or offsets.ndim != 1 or len(offsets) < 2:
            raise ArrayError(f"{self.name} is no array of byte strings, or has none")
        if offsets[0] != 0 or offsets[-1] != len(values) or (np.diff(offsets) < 1).any():
            raise ArrayError(f"{self.name}: where its byte strings begin and end does not fit them")
