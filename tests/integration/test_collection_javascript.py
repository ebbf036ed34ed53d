"""JavaScript of a player, solved by yt-dlp itself with its scripts and our QuickJS."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from yt_dlp import YoutubeDL
from yt_dlp.extractor.youtube.jsc.provider import (
    JsChallengeRequest,
    JsChallengeType,
    NChallengeInput,
    SigChallengeInput,
)

from collection import download as downloads
from collection.download import DownloadOptions
from collection.programs import Programs
from s2s.settings import CollectionSettings
from tests.integration.faulty_site import FaultySite

# Where a site's player lies, and what yt-dlp's scripts look for in it: a maker of URLs, of which
# some method changes the parameter n.
PLAYER_PATH = "s/player/0a1b2c3d/player_ias.vflset/en_US/base.js"
PLAYER = """
var _player = {}; (function(g) {
  var window = this;
  var Url = function() { this.values = {} };
  Url.prototype = {
    set: function(name, value) { this.values[name] = value },
    get: function(name) { return this.values[name] },
    clone: function() { return this },
    solve: function() { this.values.n = (this.values.n || "").split("").reverse().join("") }
  };
  g.make = function(url, name, signature) {
    var made = new Url();
    made.set("alr", "yes");
    if (signature) made.set(name, decodeURIComponent(signature).slice(2));
    return made
  };
})(_player);
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[FaultySite]:
    folder = tmp_path / "site"
    folder.mkdir()
    with FaultySite(folder).running() as site:
        yield site


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    made = Programs(tmp_path / "programs")
    made.write()
    return made


def run(programs: Programs, tmp_path: Path, script: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "script.js"
    file.write_text(script, encoding="utf-8")
    return subprocess.run(
        [str(programs.qjs), "--script", str(file)], capture_output=True, text=True, check=False
    )


def test_challenges_of_a_player_are_solved_as_downloads_have_it(tmp_path: Path, site: FaultySite):
    player = site.directory / PLAYER_PATH
    player.parent.mkdir(parents=True)
    player.write_text(PLAYER)
    url = f"{site.url.rsplit('/', 1)[0]}/{PLAYER_PATH}"
    options = DownloadOptions(tmp_path / "state", CollectionSettings(catalog="c"))
    ours = downloads._params(options, in_sections=False)
    with YoutubeDL({"quiet": True, "js_runtimes": ours["js_runtimes"]}) as client:
        youtube: Any = client.get_info_extractor("Youtube")
        youtube.initialize()
        asked = [
            JsChallengeRequest(JsChallengeType.N, NChallengeInput(url, ["abc"])),
            JsChallengeRequest(JsChallengeType.SIG, SigChallengeInput(url, ["12345"])),
        ]
        solved = {
            request.type: answer.output.results
            for request, answer in youtube._jsc_director.bulk_solve(asked)
        }
    assert solved == {JsChallengeType.N: {"abc": "cba"}, JsChallengeType.SIG: {"12345": "345"}}


def test_what_is_said_comes_out_whole(programs: Programs, tmp_path: Path):
    done = run(programs, tmp_path, "console.log('ä', 1); console.log('x'.repeat(3e6).length)")
    assert (done.returncode, done.stdout, done.stderr) == (0, "ä 1\n3000000\n", "")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("nowhere()", "nowhere is not defined"),
        ("(", "SyntaxError"),
        ("let all = []; for (;;) all.push('x'.repeat(1 << 20) + all.length)", "out of memory"),
        ("const f = () => f() + 1; f()", "stack"),
    ],
)
def test_a_script_that_fails_says_why(
    programs: Programs, tmp_path: Path, script: str, message: str
):
    done = run(programs, tmp_path, script)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr


@pytest.mark.parametrize("name", ["require", "process", "Deno", "std", "os", "fetch", "setTimeout"])
def test_a_script_reaches_nothing_outside(programs: Programs, tmp_path: Path, name: str):
    assert run(programs, tmp_path, f"console.log(typeof {name})").stdout == "undefined\n"
