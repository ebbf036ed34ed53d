"""Playlists that call themselves videos read no other file and no address."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from s2s.errors import MediaError
from s2s.media import input_args, probe, read_audio, read_frames, run_ffmpeg


@pytest.fixture
def counting_site() -> Iterator[tuple[str, list[str]]]:
    """A site that notes what is asked of it."""
    hits: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_error(404)

        def log_message(self, *_args: object, **_kwargs: object) -> None:
            """Nothing on stderr."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", hits
    server.shutdown()
    thread.join()
    server.server_close()


def playlists(url: str, secret: Path) -> dict[str, str]:
    return {
        "hls-file": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n",
        "hls-http": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}/a.ts\n#EXT-X-ENDLIST\n",
        "concat-file": f"ffconcat version 1.0\nfile '{secret}'\n",
        "concat-http": f"ffconcat version 1.0\nfile '{url}/a.mp4'\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
        f"<Period><AdaptationSet><Representation><BaseURL>{url}/a.mp4</BaseURL>"
        "</Representation></AdaptationSet></Period></MPD>",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    }


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A real video that a playlist could point to."""
    path = tmp_path / "secret.ts"
    run_ffmpeg(["-f", "lavfi", "-i", "testsrc=s=64x48:d=1", str(path)], "secret")
    return path


@pytest.mark.parametrize(
    "kind", ["hls-file", "hls-http", "concat-file", "concat-http", "dash", "sdp"]
)
def test_playlists_are_refused(
    kind: str, tmp_path: Path, secret: Path, counting_site: tuple[str, list[str]]
):
    url, hits = counting_site
    path = tmp_path / "upload.mp4"
    path.write_text(playlists(url, secret)[kind])
    for action in (
        lambda: probe(path),
        lambda: read_frames(path, 25),
        lambda: read_audio(path, 16_000),
        lambda: run_ffmpeg([*input_args(path), str(tmp_path / "out.mp4")], "upload", 20),
    ):
        with pytest.raises(MediaError):
            action()
    assert hits == []
    assert not (tmp_path / "out.mp4").exists()
