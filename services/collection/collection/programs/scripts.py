"""Scripts by which yt-dlp starts programs, since it takes nothing but names and paths."""

import os
import shlex
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import certifi

from s2s.media import small_ffmpeg_path

__all__ = ["Programs"]

_QUICKJS = Path(__file__).with_name("quickjs_program.py")
# Options of an input come before it, and ffmpeg refuses those of TLS for one that has none.
_FFMPEG = """\
unset no_proxy NO_PROXY
before=
for argument do
    shift
    if [ "$before" = -i ]; then
        case $argument in
        [Hh][Tt][Tt][Pp][Ss]://*) set -- "$@" -tls_verify 1 -ca_file {authorities} ;;
        esac
        set -- "$@" -i "$argument"
    elif [ "$argument" != -i ]; then
        set -- "$@" "$argument"
    fi
    before=$argument
done
exec {ffmpeg} "$@"
"""


@dataclass(frozen=True)
class Programs:
    """A folder with the programs that yt-dlp may start.

    Attributes:
        folder: where they are; made by `write`.
    """

    folder: Path

    @property
    def qjs(self) -> Path:
        """QuickJS, as its own command."""
        return self.folder / "qjs"

    def write(self) -> None:
        """Make them, where they are not there or are of an installation that has moved.

        ffmpeg's own rule is to use no proxy for what the environment's `no_proxy` names, such as
        this machine; here it uses the one that it is given for every host. A site's certificate
        has to be signed by one of SSL_CERT_FILE, else of certifi, as yt-dlp itself asks.
        """
        authorities = os.environ.get("SSL_CERT_FILE") or certifi.where()
        ffmpeg = _FFMPEG.format(
            authorities=shlex.quote(authorities), ffmpeg=shlex.quote(str(small_ffmpeg_path()))
        )
        self._write(self.folder / "ffmpeg", ffmpeg)
        python = f"{shlex.quote(sys.executable)} -I {shlex.quote(str(_QUICKJS))}"
        self._write(self.qjs, f'exec {python} "$@"\n')

    def _write(self, script: Path, commands: str) -> None:
        text = f"#!/bin/sh\n{commands}"
        if script.is_file() and script.read_text() == text:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        staged = self.folder / f".{script.name}-{os.getpid()}-{threading.get_ident()}"
        staged.write_text(text)
        staged.chmod(0o755)
        staged.replace(script)
