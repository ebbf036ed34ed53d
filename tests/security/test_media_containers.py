"""Every container that is opened reads the one file that it is given; the others are refused."""

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
import pytest
from av.error import FFmpegError

from s2s.errors import MediaError
from s2s.media import (
    VIDEO_TYPES,
    MediaLimits,
    check_upload,
    input_args,
    probe,
    read_frames,
    run_ffmpeg,
)
from s2s.media.guard.containers import FORMATS

IN_ACCESS, IN_OPEN, IN_NONBLOCK = 0x1, 0x20, 0o4000
LAVFI = ["-f", "lavfi", "-i", "testsrc=s=64x48:d=1:r=25", "-f", "lavfi", "-i", "sine=d=1"]
MPEG2 = ["-c:v", "mpeg2video"]
# By the demuxer's name, how a file of the kind is made; what ffmpeg cannot write is taken as noise.
MADE = {
    "mov": ["a.mov"],
    "matroska": ["a.mkv"],
    "avi": ["a.avi"],
    "mpeg": ["-f", "vob", "a.mpg"],
    "mpegvideo": ["-an", *MPEG2, "-f", "mpeg2video", "a.m2v"],
    "mpegts": ["a.ts"],
    "flv": ["-c:v", "flv1", "-ar", "44100", "a.flv"],
    "asf": ["a.wmv"],
    "ogg": ["-c:v", "libtheora", "-c:a", "libvorbis", "a.ogv"],
    "nut": ["a.nut"],
    "mxf": [*MPEG2, "-c:a", "pcm_s16le", "-ar", "48000", "a.mxf"],
    "ivf": ["-an", "-c:v", "libvpx", "a.ivf"],
    "rm": ["-c:v", "rv10", "-c:a", "ac3", "-s", "128x96", "a.rm"],
    "gxf": [*MPEG2, "-s", "720x576", "-c:a", "pcm_s16le", "-ar", "48000", "a.gxf"],
    "dv": ["-an", "-s", "720x576", "-pix_fmt", "yuv420p", "a.dv"],
    "wtv": [*MPEG2, "-c:a", "mp2", "a.wtv"],
    "yuv4mpegpipe": ["-an", "-pix_fmt", "yuv420p", "a.y4m"],
    "wav": ["-vn", "a.wav"],
    "w64": ["-vn", "a.w64"],
    "aiff": ["-vn", "a.aiff"],
    "au": ["-vn", "a.au"],
    "caf": ["-vn", "a.caf"],
    "flac": ["-vn", "a.flac"],
    "mp3": ["-vn", "a.mp3"],
    "aac": ["-vn", "-c:a", "aac", "-f", "adts", "a.aac"],
    "ac3": ["-vn", "-c:a", "ac3", "a.ac3"],
    "eac3": ["-vn", "-c:a", "eac3", "a.eac3"],
    "amr": [],
}
ALIASES = {"mp4", "m4a", "3gp", "3g2", "mj2", "webm"}
# What demuxers look for beside a file: further parts, an index, a list of what is in it.
SIBLINGS = ["idx", "sub", "m00", "M00", "ts", "m3u8", "mpd", "ifo", "cue", "srt", "ass", "mp4"]


@contextmanager
def watched(folder: Path) -> Iterator[set[str]]:
    """Names of files in a folder that were opened or read by any process."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.inotify_init1(IN_NONBLOCK)
    if handle < 0 or libc.inotify_add_watch(handle, os.fsencode(folder), IN_OPEN | IN_ACCESS) < 0:
        pytest.skip("this system cannot watch files")
    names: set[str] = set()
    try:
        yield names
    finally:
        data = b""
        while True:
            try:
                data += os.read(handle, 1 << 16)
            except BlockingIOError:
                break
        os.close(handle)
        at = 0
        while at < len(data):
            _, _, _, length = struct.unpack_from("iIII", data, at)
            names.add(data[at + 16 : at + 16 + length].rstrip(b"\0").decode())
            at += 16 + length


def secrets(folder: Path) -> None:
    """Real videos that a file might lead to, by any name that it may have for them."""
    run_ffmpeg([*LAVFI, "-t", "0.2", str(folder / "secret.ts")], "secret")
    for suffix in SIBLINGS:
        (folder / f"a.{suffix}").write_bytes((folder / "secret.ts").read_bytes())


def test_every_container_that_is_opened_is_tried():
    assert set(FORMATS.split(",")) == set(MADE) | ALIASES


@pytest.mark.parametrize("demuxer", MADE)
def test_a_container_opens_no_second_file(demuxer: str, tmp_path: Path):
    """Neither a real file of the kind, nor a list of files that is read as one."""
    folder = tmp_path / "watched"
    folder.mkdir()
    secrets(folder)
    name = "a.file"
    if MADE[demuxer]:
        made = tmp_path / MADE[demuxer][-1]
        run_ffmpeg([*LAVFI, *MADE[demuxer][:-1], str(made)], demuxer)
        # References as such files have them: names of parts, of alternates, of what comes next.
        data = made.read_bytes()
    else:
        data = b"#!AMR\n" + bytes(range(256)) * 8
    (folder / name).write_bytes(data)
    listing = b"#EXTM3U\n#EXTINF:1,\nsecret.ts\nffconcat version 1.0\nfile 'secret.ts'\n"
    (folder / "b.file").write_bytes(listing + data[:1000] + listing)
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    with watched(folder) as names:
        for path in (folder / name, folder / "b.file"):
            for form in (None, demuxer):
                try:
                    with av.open(f"file:{path}", format=form, options=options) as file:
                        media = [*file.streams.video, *file.streams.audio]
                        for _, packet in zip(range(50), file.demux(media), strict=False):
                            packet.decode()
                except FFmpegError:
                    continue
            try:
                run_ffmpeg([*input_args(path), "-f", "null", "-"], "null")
            except MediaError:
                continue
    assert names <= {name, "b.file", ""}
    assert name in names


@pytest.mark.parametrize("demuxer", [name for name, made in MADE.items() if "-vn" not in made[:1]])
def test_every_container_with_a_picture_is_taken_as_an_upload(demuxer: str, tmp_path: Path):
    if not MADE[demuxer]:
        pytest.skip("ffmpeg cannot write it")
    made = tmp_path / MADE[demuxer][-1]
    run_ffmpeg([*LAVFI, *MADE[demuxer][:-1], str(made)], demuxer)
    assert check_upload(made, made.name, MediaLimits(), VIDEO_TYPES) == "video"


def test_a_movie_that_refers_to_another_file_does_not_read_it(tmp_path: Path):
    """QuickTime's data references name a file that the samples are in."""
    folder = tmp_path / "watched"
    folder.mkdir()
    secrets(folder)
    path = folder / "a.mov"
    run_ffmpeg([*LAVFI, str(path)], "mov")
    data = path.read_bytes()
    url = b"\x00\x00\x00\x0curl \x00\x00\x00\x01"
    at = data.index(url)
    # Not in this file (flags 0), but in another.
    target = b"secret.ts\0\0\0"
    reference = struct.pack(">I", 12 + len(target)) + b"url " + bytes(4) + target
    grown = bytearray(data[:at] + reference + data[at + len(url) :])
    for box in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        where = grown.rindex(box, 0, at) - 4
        (size,) = struct.unpack_from(">I", grown, where)
        struct.pack_into(">I", grown, where, size + len(reference) - len(url))
    path.write_bytes(grown)
    with watched(folder) as names:
        for action in (lambda: probe(path), lambda: read_frames(path, 25)):
            try:
                action()
            except MediaError:
                continue
        with suppress(MediaError):
            run_ffmpeg([*input_args(path), "-f", "null", "-"], "null")
    assert names <= {"a.mov", ""}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n", "hls"),
        (b"ffconcat version 1.0\nfile 'secret.ts'\n", "concat"),
        (b'<?xml version="1.0"?>\n<MPD type="static"><Period/></MPD>', "dash"),
        (b"\xef\xbb\xbf<MPD><Period/></MPD>", "dash"),
        (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nm=video 9 RTP/AVP 96\r\n", "sdp"),
        (b"DKIF\0\0", ""),
    ],
)
def test_what_is_refused_is_named(tmp_path: Path, content: bytes, kind: str):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError) as caught:
        probe(path)
    assert caught.value.reason == ("refused" if kind else "corrupt")
    assert f"kind {kind}" in caught.value.message or not kind


def test_a_container_that_is_not_opened_is_refused_by_name(tmp_path: Path):
    run_ffmpeg([*LAVFI, "-an", "-c:v", "gif", str(tmp_path / "a.gif")], "gif")
    with pytest.raises(MediaError, match="a file of kind gif is not opened") as caught:
        probe(tmp_path / "a.gif")
    assert caught.value.reason == "refused"
