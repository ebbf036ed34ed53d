"""What puts figures in their place: what others report of other data, and what lips alone tell."""

from dataclasses import dataclass

__all__ = ["LIPS_ALONE", "OTHERS", "Published"]


@dataclass(frozen=True)
class Published:
    """One system of others.

    Attributes:
        name: of the system.
        paper: authors and year.
        data: what it was measured on.
        figure: which figure, of which systems.
        value_db: in dB.
        is_checked: whether it was compared with what is said of it elsewhere.
    """

    name: str
    paper: str
    data: str
    figure: str
    value_db: float
    is_checked: bool = True


_LRS2 = "LRS2-2Mix, two speakers"
_AVSPEECH = "AVSpeech, two speakers"
_PAPER = "Ephrat et al. 2018"
OTHERS = (
    Published("Looking to Listen", _PAPER, _AVSPEECH, "SDRi", 10.3, is_checked=False),
    Published("Looking to Listen, audio only", _PAPER, _AVSPEECH, "SDRi", 8.6, is_checked=False),
    Published("Dolphin", "Li et al. 2025", _LRS2, "SI-SNRi", 16.8),
    Published("IIANet", "Li et al. 2024", _LRS2, "SI-SNRi", 16.0),
    Published("AV-MossFormer2", "Zhao et al. 2025", _LRS2, "SI-SNRi", 15.1),
    Published("RTFS-Net-12", "Pegg et al. 2024", _LRS2, "SI-SNRi", 14.9),
)

LIPS_ALONE = (
    "How much lips tell: a matcher that nobody trained, which compares how far a mouth is open "
    "with how loud a clean voice is, finds out which of two voices belongs to which of two faces "
    "in all pairs of the sample's 24 held-out talkers, and in 96 % of pairs of real ones (GRID). "
    "To choose the right speaker is the easy part; such a matcher separates nothing."
)
