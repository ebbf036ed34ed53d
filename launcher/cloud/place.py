"""Where a training may run: a region, and a machine with its accelerators."""

import re
from dataclasses import dataclass

from s2s.errors import SettingsError

__all__ = ["DEFAULT_PLACES", "Place"]

# Which accelerators Vertex AI has in which machines. Of those whose accelerators are part of the
# machine, the name says how many; n1 takes the number that is asked for.
_BUILT_IN = {
    r"g2-standard-(?:4|8|12|16|32)": ("NVIDIA_L4", 1),
    r"g2-standard-24": ("NVIDIA_L4", 2),
    r"g2-standard-48": ("NVIDIA_L4", 4),
    r"g2-standard-96": ("NVIDIA_L4", 8),
    r"a2-highgpu-(?P<n>1|2|4|8)g": ("NVIDIA_TESLA_A100", 0),
    r"a2-megagpu-(?P<n>16)g": ("NVIDIA_TESLA_A100", 0),
    r"a2-ultragpu-(?P<n>1|2|4|8)g": ("NVIDIA_A100_80GB", 0),
    r"a3-highgpu-(?P<n>1|2|4|8)g": ("NVIDIA_H100_80GB", 0),
    r"a3-megagpu-(?P<n>8)g": ("NVIDIA_H100_MEGA_80GB", 0),
    r"a3-ultragpu-(?P<n>8)g": ("NVIDIA_H200_141GB", 0),
}
_ATTACHED = ("NVIDIA_TESLA_T4", "NVIDIA_TESLA_V100", "NVIDIA_TESLA_P100", "NVIDIA_TESLA_P4")
_N1 = re.compile(r"n1-(standard|highmem|highcpu)-\d+")
_MACHINE = re.compile(r"[a-z]\d[a-z]?-[a-z0-9-]*\d[a-z]?")
_GPU_FAMILIES, _NEW_FAMILIES = {"g2", "a2", "a3"}, {"g4", "a4", "a4x"}
_REGION = re.compile(r"[a-z]+-[a-z]+\d+")
_FORM = (
    "REGION:MACHINE such as us-central1:g2-standard-8, or REGION:n1-standard-8:NVIDIA_TESLA_T4:1"
)


@dataclass(frozen=True)
class Place:
    """A region and a machine.

    Attributes:
        region: such as `us-central1`.
        machine: such as `g2-standard-8`.
        accelerator: as Vertex AI names it; empty for none.
        count: accelerators of the machine.
    """

    region: str
    machine: str
    accelerator: str = ""
    count: int = 0

    def __str__(self) -> str:
        gpus = f", {self.count} × {self.accelerator}" if self.accelerator else ", no GPU"
        return f"{self.region}, {self.machine}{gpus}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Read `REGION:MACHINE[:ACCELERATOR[:COUNT]]`; built-in accelerators need not be named.

        Raises:
            SettingsError: if it is not of this form, or the machine has no such accelerator.
        """
        region, _, rest = text.partition(":")
        machine, _, rest = rest.partition(":")
        accelerator, _, count = rest.partition(":")
        if not _REGION.fullmatch(region) or not _MACHINE.fullmatch(machine):
            raise SettingsError(f"--place {text!r}: write {_FORM}")
        if count and not re.fullmatch(r"[1-9]\d?", count):
            raise SettingsError(f"--place {text!r}: {count!r} is no number of accelerators")
        for pattern, (name, fixed) in _BUILT_IN.items():
            if match := re.fullmatch(pattern, machine):
                has = fixed or int(match["n"])
                if accelerator not in ("", name) or (count and int(count) != has):
                    raise SettingsError(f"--place {text!r}: {machine} comes with {has} × {name}")
                return cls(region, machine, name, has)
        cls._check_others(text, machine, accelerator)
        return cls(region, machine, accelerator, int(count or 1) if accelerator else 0)

    @staticmethod
    def _check_others(text: str, machine: str, accelerator: str) -> None:
        family = machine.partition("-")[0]
        if family in _GPU_FAMILIES:
            raise SettingsError(f"--place {text!r}: there is no machine {machine}; write {_FORM}")
        if family in _NEW_FAMILIES:
            if not accelerator:
                raise SettingsError(f"--place {text!r}: name the accelerators of {machine} too")
        elif accelerator and not _N1.fullmatch(machine):
            raise SettingsError(f"--place {text!r}: {machine} takes no {accelerator}")
        elif accelerator and accelerator not in _ATTACHED:
            raise SettingsError(f"--place {text!r}: n1 takes one of {', '.join(_ATTACHED)}")


DEFAULT_PLACES = (
    "us-central1:g2-standard-8",
    "us-east4:g2-standard-8",
    "europe-west4:g2-standard-8",
    "us-central1:a2-highgpu-1g",
)
"""Tried in this order unless others are named."""
