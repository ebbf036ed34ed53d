"""The sounds that sentences are made of, with what is heard and what is seen of each.

Formants of vowels are the means of men in Peterson and Barney, "Control Methods Used in a Study of
the Vowels" (1952), table II; those of consonants are the places that formants point to, after
Klatt, "Software for a cascade/parallel formant synthesizer" (1980), tables II and III.
"""

from dataclasses import dataclass

__all__ = ["ENDS", "PAUSE", "STARTS", "VOWELS", "Segment"]


@dataclass(frozen=True)
class Segment:
    """A stretch of speech whose targets do not change.

    Attributes:
        seconds: how long it is at an ordinary tempo.
        formants_hz: the three that tell sounds apart.
        voice: how loud the voice is, 0..1.
        breath: how loud noise through the whole tract is, 0..1.
        hiss: how loud noise at the teeth or the palate is, 0..1.
        hiss_hz: where its middle is.
        hiss_width_hz: how wide it is.
        opening: of the lips, 0..1.
        spread: of their corners, -1 rounded to 1 wide.
        press: how much they are drawn in, 0..1.
    """

    seconds: float
    formants_hz: tuple[float, float, float]
    voice: float = 0.0
    breath: float = 0.0
    hiss: float = 0.0
    hiss_hz: float = 3000.0
    hiss_width_hz: float = 1500.0
    opening: float = 0.0
    spread: float = 0.0
    press: float = 0.0


Phone = tuple[Segment, ...]
Seen = tuple[float, float, float]
"""Opening, spread and press of the lips."""


def _vowel(formants: tuple[float, float, float], opening: float, spread: float) -> Phone:
    return (Segment(0.115, formants, voice=1.0, opening=opening, spread=spread),)


def _sonorant(formants: tuple[float, float, float], voice: float, lips: Seen) -> Phone:
    opening, spread, press = lips
    return (Segment(0.07, formants, voice=voice, opening=opening, spread=spread, press=press),)


def _stop(
    formants: tuple[float, float, float], burst: tuple[float, float], lips: Seen, *, voiced: bool
) -> Phone:
    """A closure, its burst, and breath behind it where the voice starts late."""
    hiss_hz, hiss_width_hz = burst
    opening, spread, press = lips
    seen = {"opening": opening, "spread": spread, "press": press}
    low = (220.0, formants[1], formants[2])
    closed = Segment(0.055, low, voice=0.12 if voiced else 0.0, **seen)
    opened = Segment(
        0.012,
        formants,
        voice=0.3 if voiced else 0.0,
        hiss=0.5,
        hiss_hz=hiss_hz,
        hiss_width_hz=hiss_width_hz,
        **seen,
    )
    late = Segment(0.03, formants, breath=0.45, opening=max(opening, 0.2), spread=spread)
    return (closed, opened) if voiced else (closed, opened, late)


def _fricative(
    formants: tuple[float, float, float],
    noise: tuple[float, float, float],
    lips: Seen,
    *,
    voiced: bool,
) -> Phone:
    hiss, hiss_hz, hiss_width_hz = noise
    opening, spread, press = lips
    return (
        Segment(
            0.09 if voiced else 0.11,
            formants,
            voice=0.3 if voiced else 0.0,
            hiss=0.6 * hiss if voiced else hiss,
            hiss_hz=hiss_hz,
            hiss_width_hz=hiss_width_hz,
            opening=opening,
            spread=spread,
            press=press,
        ),
    )


VOWELS: dict[str, Phone] = {
    "i": _vowel((270, 2290, 3010), 0.32, 0.8),
    "I": _vowel((390, 1990, 2550), 0.4, 0.5),
    "E": _vowel((530, 1840, 2480), 0.6, 0.45),
    "ae": _vowel((660, 1720, 2410), 0.85, 0.5),
    "a": _vowel((730, 1090, 2440), 1.0, 0.0),
    "O": _vowel((570, 840, 2410), 0.75, -0.6),
    "U": _vowel((440, 1020, 2240), 0.4, -0.6),
    "u": _vowel((300, 870, 2240), 0.25, -1.0),
    "V": _vowel((640, 1190, 2390), 0.7, 0.0),
    "er": _vowel((490, 1350, 1690), 0.42, -0.4),
}
STARTS: dict[str, Phone] = {
    "p": _stop((400, 900, 2200), (900, 900), (0.0, 0.0, 1.0), voiced=False),
    "b": _stop((350, 900, 2200), (900, 900), (0.0, 0.0, 1.0), voiced=True),
    "t": _stop((400, 1700, 2700), (4200, 1500), (0.2, 0.2, 0.0), voiced=False),
    "d": _stop((350, 1700, 2700), (3800, 1500), (0.2, 0.2, 0.0), voiced=True),
    "k": _stop((350, 1900, 2500), (1900, 700), (0.28, 0.0, 0.0), voiced=False),
    "g": _stop((300, 1900, 2500), (1900, 700), (0.28, 0.0, 0.0), voiced=True),
    "f": _fricative((340, 1100, 2080), (0.22, 4500, 3500), (0.07, 0.2, 0.6), voiced=False),
    "v": _fricative((300, 1100, 2080), (0.2, 4500, 3500), (0.07, 0.2, 0.6), voiced=True),
    "s": _fricative((320, 1390, 2530), (0.5, 5600, 1600), (0.15, 0.5, 0.0), voiced=False),
    "z": _fricative((280, 1390, 2530), (0.45, 5600, 1600), (0.15, 0.5, 0.0), voiced=True),
    "S": _fricative((300, 1840, 2750), (0.6, 2900, 900), (0.28, -0.8, 0.0), voiced=False),
    "m": _sonorant((270, 1100, 2200), 0.45, (0.0, 0.0, 0.9)),
    "n": _sonorant((270, 1600, 2600), 0.45, (0.2, 0.2, 0.0)),
    "l": _sonorant((340, 1050, 2880), 0.6, (0.35, 0.1, 0.0)),
    "r": _sonorant((330, 1060, 1380), 0.6, (0.25, -0.6, 0.0)),
    "w": _sonorant((290, 610, 2150), 0.6, (0.12, -1.0, 0.0)),
    "y": _sonorant((260, 2070, 3020), 0.6, (0.25, 0.7, 0.0)),
    "h": (Segment(0.06, (500, 1500, 2500), breath=0.5, opening=0.45),),
}
ENDS = ("n", "m", "l", "s", "t", "k", "f", "z", "d", "r")
"""What a syllable may end with."""
PAUSE = Segment(0.2, (480, 1450, 2450), opening=0.05)
