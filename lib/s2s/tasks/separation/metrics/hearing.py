"""Measures of others for how a voice sounds; their libraries are known here alone."""

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import torch
from pystoi import stoi
from scipy.signal import resample_poly
from torchmetrics.functional.audio import signal_distortion_ratio

__all__ = ["Ears"]

_DNSMOS_HZ = 16_000
_DNSMOS_PACKAGES = ("speechmos", "onnxruntime")
_LEAST_RMS = 1e-5


class Ears:
    """Listens closely.

    Args:
        sample_rate_hz: of what it listens to.
        closely: whether it takes its time; else it knows the rate only.
    """

    def __init__(self, sample_rate_hz: int, *, closely: bool) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._closely = closely
        self._dnsmos = _find_dnsmos() if closely else None

    @property
    def note(self) -> str:
        """What it cannot tell, for people."""
        missing = _missing_for_dnsmos()
        if self._closely and missing:
            return f"No DNSMOS: not installed: {' and '.join(missing)} (PyPI)."
        return ""

    def listen(
        self, found_N: np.ndarray, true_N: np.ndarray, mixture_N: np.ndarray
    ) -> dict[str, float | None]:
        """SDR (Vincent et al. 2006, with 512 taps), ESTOI (Jensen and Taal 2016), DNSMOS.

        Silence has none of these.
        """
        if not self._closely:
            return {}
        said: dict[str, float | None] = {
            "sdr_before_db": _sdr_db(mixture_N, true_N),
            "sdr_after_db": None,
        }
        if float(np.sqrt(np.mean(found_N * found_N))) < _LEAST_RMS:
            return said
        said["sdr_after_db"] = _sdr_db(found_N, true_N)
        said["estoi"] = float(stoi(true_N, found_N, self.sample_rate_hz, extended=True))
        if self._dnsmos is not None:
            said["dnsmos"] = self._dnsmos(found_N, self.sample_rate_hz)
        return said


def _sdr_db(found_N: np.ndarray, true_N: np.ndarray) -> float:
    found, true = (torch.from_numpy(np.asarray(x, np.float64)) for x in (found_N, true_N))
    return float(signal_distortion_ratio(found, true, load_diag=1e-9))


def _missing_for_dnsmos() -> list[str]:
    """What of the packages that DNSMOS needs beyond the lock files is not installed."""
    return [name for name in _DNSMOS_PACKAGES if find_spec(name) is None]


def _find_dnsmos() -> Callable[[np.ndarray, int], float] | None:
    """DNSMOS P.835 (Reddy et al. 2022), overall, where it is installed."""
    if _missing_for_dnsmos():
        return None
    # Is not installed everywhere.
    from speechmos import dnsmos  # noqa: PLC0415 # pyright: ignore[reportMissingImports]

    def listen(samples_N: np.ndarray, sample_rate_hz: int) -> float:
        at_rate = resample_poly(samples_N, _DNSMOS_HZ, sample_rate_hz)
        loudest = max(float(np.abs(at_rate).max()), 1e-9)
        return float(dnsmos.run(at_rate / max(1.0, loudest), _DNSMOS_HZ)["ovrl_mos"])

    return listen
