"""Kinds of files that are opened, and what the others are called."""

import re
from pathlib import Path

__all__ = ["FORMATS", "PICTURE_FORMATS", "PROTOCOLS", "playlist_kind"]

# Demuxers that read the one file that they are given. A protocol whitelist alone does not stop a
# playlist (HLS, DASH, concat, SDP) that is named .mp4 from reading other local files.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegvideo,mpegts,flv,asf,ogg,"
    "nut,mxf,gxf,dv,rm,ivf,wtv,yuv4mpegpipe,"
    "wav,w64,aiff,au,caf,flac,mp3,aac,ac3,eac3,amr"
)
# Unlike image2, these read the one file that they are given and expand no pattern in its name.
PICTURE_FORMATS = "jpeg_pipe,png_pipe,webp_pipe"
PROTOCOLS = "file"

_HEAD_BYTES = 4096
_PLAYLISTS = {
    "hls": re.compile(rb"#EXTM3U"),
    "dash": re.compile(rb"<(\?xml|MPD).{0,3000}<MPD|<MPD", re.DOTALL),
    "concat": re.compile(rb"ffconcat"),
    "sdp": re.compile(rb"v=0\r?\n"),
}


def playlist_kind(path: Path) -> str:
    """What a file that lists other files is called; empty if it is none that is known."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((name for name, begins in _PLAYLISTS.items() if begins.match(head)), "")
