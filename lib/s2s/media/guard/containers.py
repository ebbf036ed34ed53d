"""Kinds of files that are opened, and what the others are called."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "FORMATS",
    "PICTURES",
    "PICTURE_FORMATS",
    "PICTURE_TYPES",
    "PROTOCOLS",
    "VIDEOS",
    "VIDEO_TYPES",
    "Family",
    "family_of",
    "playlist_kind",
    "type_of",
]


@dataclass(frozen=True)
class Family:
    """Files of one kind.

    Attributes:
        usual: what they are mostly called.
        seldom: what else they are called.
        demuxers: names of what reads them, and nothing but the one file that it is given.
        magic: how they begin.
    """

    usual: tuple[str, ...]
    seldom: tuple[str, ...]
    demuxers: tuple[str, ...]
    magic: re.Pattern[bytes]

    @property
    def extensions(self) -> tuple[str, ...]:
        """All that they are called."""
        return self.usual + self.seldom


def _family(usual: str, demuxers: str, magic: bytes, seldom: str = "") -> Family:
    begins = re.compile(magic, re.DOTALL)
    return Family(tuple(usual.split()), tuple(seldom.split()), tuple(demuxers.split()), begins)


# A protocol whitelist alone does not stop a playlist (HLS, DASH, concat, SDP) that is named .mp4
# from reading other local files.
VIDEOS = (
    _family(
        "mp4 mov m4v 3gp",
        "mov mp4 m4a 3gp 3g2 mj2",
        rb".{4}(ftyp|moov|mdat|wide|free|skip)",
        seldom="3g2",
    ),
    _family("webm mkv", "matroska webm", rb"\x1a\x45\xdf\xa3"),
    _family("avi", "avi", rb"RIFF.{4}AVI "),
    # Packets of 188 bytes; those of mts and m2ts have a time before each.
    _family("ts", "mpegts", rb"\x47.{187}\x47|.{4}\x47.{191}\x47", seldom="mts m2ts"),
    _family("flv", "flv", rb"FLV\x01"),
    _family("mpg", "mpeg mpegvideo", rb"\x00\x00\x01[\xb3\xba]", seldom="mpeg vob m2v"),
    _family("wmv", "asf", rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", seldom="asf"),
    _family("ogv", "ogg", rb"OggS"),
    _family("mxf", "mxf", rb"\x06\x0e\x2b\x34\x02\x05\x01\x01"),
    _family("dv", "dv", rb"\x1f\x07\x00"),
    _family("rm", "rm", rb"\.RMF"),
    _family("nut", "nut", rb"nut/multimedia container\x00"),
    _family("ivf", "ivf", rb"DKIF"),
    _family("gxf", "gxf", rb"\x00{4}\x01\xbc"),
    _family("wtv", "wtv", rb"\xb7\xd8\x00\x20\x37\x49\xda\x11"),
    _family("y4m", "yuv4mpegpipe", rb"YUV4MPEG2"),
)
"""Videos: those that stages read of sources are those that a server takes, too."""
# Unlike image2, these expand no pattern in a file's name.
PICTURES = (
    _family("jpeg jpg", "jpeg_pipe", rb"\xff\xd8\xff"),
    _family("png", "png_pipe", rb"\x89PNG\r\n\x1a\n"),
    _family("webp", "webp_pipe", rb"RIFF.{4}WEBP"),
)
_SOUNDS = "wav,w64,aiff,au,caf,flac,mp3,aac,ac3,eac3,amr"


def _demuxers(families: Iterable[Family]) -> str:
    return ",".join(name for family in families for name in family.demuxers)


FORMATS = f"{_demuxers(VIDEOS)},{_SOUNDS}"
PICTURE_FORMATS = _demuxers(PICTURES)
VIDEO_TYPES = tuple(name for family in VIDEOS for name in family.usual) + tuple(
    name for family in VIDEOS for name in family.seldom
)
PICTURE_TYPES = tuple(name for family in PICTURES for name in family.extensions)
PROTOCOLS = "file"

_MAGIC_BYTES = 512
# What tells types of a family apart: the brand of an mp4's (ISO/IEC 14496-12, section 4.3), the
# DocType of a Matroska's (RFC 8794, section 11.2.4), a time in front of each of a ts' packets.
_TYPES = {
    "mov": re.compile(rb".{4}(ftypqt  |moov|mdat|wide|free|skip)", re.DOTALL),
    "m4v": re.compile(rb".{4}ftypM4V", re.DOTALL),
    "3gp": re.compile(rb".{4}ftyp3gp", re.DOTALL),
    "3g2": re.compile(rb".{4}ftyp3g2", re.DOTALL),
    "webm": re.compile(rb"\x1a\x45\xdf\xa3.{1,60}?\x42\x82.{1,8}?webm", re.DOTALL),
    "mkv": re.compile(rb"\x1a\x45\xdf\xa3"),
    "m2ts": re.compile(rb".{4}\x47.{191}\x47", re.DOTALL),
    "m2v": re.compile(rb"\x00\x00\x01\xb3"),
}
_HEAD_BYTES = 4096
_PLAYLISTS = {
    "hls": re.compile(rb"#EXTM3U"),
    "dash": re.compile(rb"<(\?xml|MPD).{0,3000}<MPD|<MPD", re.DOTALL),
    "concat": re.compile(rb"ffconcat"),
    "sdp": re.compile(rb"v=0\r?\n"),
}


def family_of(path: Path, families: Iterable[Family]) -> Family | None:
    """Which of some kinds a file's first bytes say that it is."""
    with path.open("rb") as file:
        head = file.read(_MAGIC_BYTES)
    return next((family for family in families if family.magic.match(head)), None)


def type_of(path: Path) -> str:
    """What a file's first bytes say that it is, as an extension; empty if it is none that is read.

    Any of a family's names will do for it.
    """
    family = family_of(path, (*VIDEOS, *PICTURES))
    if family is None:
        return ""
    with path.open("rb") as file:
        head = file.read(_MAGIC_BYTES)
    told = (name for name, begins in _TYPES.items() if begins.match(head))
    return next((name for name in told if name in family.extensions), family.usual[0])


def playlist_kind(path: Path) -> str:
    """What a file that lists other files is called; empty if it is none that is known."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((name for name, begins in _PLAYLISTS.items() if begins.match(head)), "")
