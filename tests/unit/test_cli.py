"""The shared options, and how a command ends."""

import errno
import io
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

import launcher.__main__
from s2s.cli import RUN_OPTIONS, find_recipe, guarded, make_settings, report_table, stage_app
from s2s.cli.commands import _for_this_place
from s2s.errors import SettingsError, StageError
from s2s.layout import manifest_key
from s2s.logs import console
from s2s.manifest import write_manifest
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.stage import StageReport
from s2s.storage import DirectoryBucket

ROOT = Path(__file__).parents[2]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text("{name: small, collection: {catalog: a.csv}}")
    return path


@pytest.fixture(autouse=True)
def no_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stage needs is looked at elsewhere: here nothing works, and no bucket is there."""
    monkeypatch.setattr("s2s.cli.commands.preflight", lambda *_: None)


def report(**counts: int) -> StageReport:
    named = {name.replace("__", ":"): n for name, n in counts.items()}
    return StageReport(stage="unit", recipe="small", counts=named, seconds=1, bytes_written=0)


def test_the_environment_places_sources(recipe: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("S2S_SOURCE_URL", "http://elsewhere/{source_id}")
    collection = make_settings(recipe, limit=3).recipe.collection
    assert (collection.source_url, collection.limit) == ("http://elsewhere/{source_id}", 3)


def test_a_source_url_without_a_place_for_the_id_is_refused(
    recipe: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("S2S_SOURCE_URL", "http://elsewhere/")
    with pytest.raises(SettingsError, match="source_id"):
        make_settings(recipe)


@pytest.mark.parametrize(
    ("raised", "status"), [(StageError("full [disk]"), 1), (KeyboardInterrupt(), 130)]
)
def test_how_commands_end(raised: BaseException, status: int, capsys: Capture):
    def command() -> int:
        raise raised

    assert guarded(command) == status
    assert str(raised) in capsys.readouterr().err


@pytest.mark.parametrize(("stop", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    ("goes_on", "told"),
    [
        (True, "interrupted: what is stored stays; run again to go on"),
        (False, "interrupted: nothing is kept to go on from; run again to begin anew"),
    ],
)
def test_signals_stop_a_command(
    stop: signal.Signals, status: int, *, goes_on: bool, told: str, capsys: Capture
):
    tidied_up = []

    def command() -> int:
        try:
            signal.raise_signal(stop)
        finally:
            tidied_up.append(stop)
        return 0

    # A shell's background jobs ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert guarded(command, goes_on=goes_on) == status
    finally:
        signal.signal(signal.SIGINT, before)
    assert told in capsys.readouterr().err
    assert tidied_up == [stop]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_who_ignores_sigterm_goes_on_ignoring_it():
    def command() -> int:
        signal.raise_signal(signal.SIGTERM)
        return 7

    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert guarded(command) == 7
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(("arguments", "status"), [([], 0), (["--strict"], 1)])
def test_failed_clips_fail_the_run_only_when_asked(recipe: Path, arguments: list[str], status: int):
    app = stage_app("unit", "Test.", lambda _: report(ok=1, failed__gone=2), "strict")
    assert CliRunner().invoke(app, [str(recipe), *arguments]).exit_code == status


@pytest.mark.parametrize("counts", [{"failed__gone": 2}, {"skipped__no_source": 1}, {}])
def test_a_run_in_which_no_clip_came_through_fails(
    recipe: Path, tmp_path: Path, counts: dict[str, int]
):
    rows = [
        Outcome(clip_id="a", status=Status.FAILED, reason=Reason.GONE, message="a: taken down"),
        Outcome(clip_id="b", status=Status.FAILED, reason=Reason.GONE, message="b: taken down"),
    ]
    bucket = DirectoryBucket(tmp_path / "bucket")
    bucket.prepare()
    write_manifest(bucket, manifest_key(make_settings(recipe).recipe, "unit"), rows)
    app = stage_app("unit", "Test.", lambda _: report(**counts))
    result = CliRunner().invoke(app, [str(recipe), "--bucket", bucket.url])
    assert result.exit_code == 1, result.output


def test_options_reach_the_stage(recipe: Path):
    seen: list[Settings] = []

    def run(settings: Settings) -> StageReport:
        seen.append(settings)
        return report(ok=1)

    arguments = [str(recipe), "--bucket", "gs://b", "--limit", "7", "--workers", "3"]
    result = CliRunner().invoke(stage_app("unit", "Test.", run, *RUN_OPTIONS), arguments)
    assert result.exit_code == 0, result.output
    assert (seen[0].bucket_url, seen[0].n_workers) == ("gs://b", 3)
    assert seen[0].recipe.collection.limit == 7


@pytest.mark.parametrize(
    ("stage", "options"),
    [
        ("collection", {"engine", "workers", "strict", "retry_failed", "limit"}),
        ("preprocessing", {"engine", "workers", "strict", "retry_failed", "limit"}),
        ("validation", {"engine", "workers", "strict", "retry_failed", "limit"}),
        ("feature_extraction", {"engine", "workers", "gpus", "strict", "retry_failed"}),
        ("training", set[str]()),
        ("serving", {"strict", "retry_failed"}),
    ],
)
def test_a_stage_takes_the_options_that_it_goes_by(stage: str, options: set[str]):
    command: Any = typer.main.get_command(import_module(f"{stage}.cli").app)
    command = getattr(command, "commands", {stage: command})[stage]
    assert {option.name for option in command.params} & set(RUN_OPTIONS) == options


def test_the_number_of_clips_is_no_option_of_what_takes_a_version_whole(recipe: Path):
    result = CliRunner().invoke(
        launcher.__main__.app, ["feature_extraction", str(recipe), "--limit", "1"]
    )
    assert (result.exit_code, "No such option: --limit" in result.output) == (2, True)


def run_unit(*arguments: str, **environment: str) -> tuple[int, str, list[Settings]]:
    """Exit status and output of a stage's command, and the settings that the stage got."""
    seen: list[Settings] = []

    def run(settings: Settings) -> StageReport:
        seen.append(settings)
        return report(ok=1)

    result = CliRunner(env=environment).invoke(stage_app("unit", "Test.", run), arguments)
    return result.exit_code, result.output, seen


def test_the_recipe_is_that_of_the_environment_unless_one_is_named(recipe: Path, tmp_path: Path):
    other = tmp_path / "other.yaml"
    other.write_text("{name: other, seed: 7, collection: {catalog: a.csv}}")
    assert run_unit(S2S_RECIPE=str(recipe))[2][0].recipe_path == recipe
    assert run_unit(str(other), S2S_RECIPE=str(recipe))[2][0].recipe.seed == 7
    for environment in ({}, {"S2S_RECIPE": ""}):
        status, said, _ = run_unit(**environment)
        assert (status, "name one, or set S2S_RECIPE" in said) == (2, True)
    said = CliRunner().invoke(launcher.__main__.app, ["serve"], env={"S2S_RECIPE": ""}).output
    assert "name one, or set S2S_RECIPE" in said


def test_a_recipe_is_named_as_it_is_in_recipes(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "at" / "recipes").mkdir(parents=True)
    (tmp_path / "at" / "recipes" / "short.name.yaml").write_text(recipe.read_text())
    monkeypatch.chdir(tmp_path / "at")
    assert run_unit("short.name")[2][0].recipe_path == Path("recipes/short.name.yaml")
    assert run_unit(f"file://{recipe}")[2][0].recipe_path == recipe


def test_a_recipe_that_is_nowhere_is_named():
    status, said, _ = run_unit("no_such_recipe")
    assert status == 1, said
    assert "no_such_recipe" in said
    assert "there are: cocktail_party" in " ".join(said.split())


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        ("kinetics_action.sample", "kinetics_actions.sample"),
        ("silent_to_sound.smok", "silent_to_sound.smoke"),
        ("recipes/kinetics_action.sample.yaml", "kinetics_actions.sample.yaml"),
    ],
)
def test_a_recipe_whose_name_is_nearly_right_is_told(
    named: str, meant: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(ROOT)
    status, said, _ = run_unit(named)
    assert status == 1, said
    assert f"is {meant} meant?" in " ".join(said.split())


@pytest.mark.parametrize("is_bad", [False, True])
def test_a_recipe_named_by_a_url_is_called_so(is_bad: bool, tmp_path: Path):
    path = tmp_path / "wrong.yaml"
    if is_bad:
        path.write_text("{name: wrong, colour: red}")
    status, said, _ = run_unit(f"file://{path}")
    assert status == 1
    assert "".join(said.split()).count(f"file://{path}".replace(" ", "")) == 1
    assert "file://file://" not in said


def test_recipes_are_not_listed_twice(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    status, said, _ = run_unit(f"file://{ROOT}/recipes/X")
    assert status == 1
    assert said.count("vggsound_contest.sample") == 1
    assert "README" not in said


def test_a_file_beside_is_told_too(recipe: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(recipe.parent)
    status, said, _ = run_unit("small2")
    assert (status, "is small.yaml meant?" in " ".join(said.split())) == (1, True)


def test_a_recipe_of_the_project_is_found_by_its_name_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    path = ROOT / "recipes" / "silent_to_sound.sample.yaml"
    assert run_unit("silent_to_sound.sample")[2][0].recipe_path == path
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / path.name).write_text(path.read_text())
    assert find_recipe("silent_to_sound.sample") == Path("recipes") / path.name


def test_the_table_of_a_large_run_fits_80_columns():
    large = report(
        ok=123456,
        failed__start_past_end=123456,
        failed__low_frame_rate=7,
        skipped__upstream_failed=123456,
    )
    large = large.model_copy(
        update={"stage": "feature_extraction", "seconds": 86400, "bytes_written": 10**12}
    )
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(report_table([large], "a recipe with a long name: 86400 s"))
    text = console.export_text()
    assert "…" not in text
    for whole in ("feature_extraction", "123456 start_past_end", "123456 upstream_failed"):
        assert whole in text
    assert {"123456", "123463", "86400.0", "1000000.0"} <= set(text.replace("│", " ").split())


def test_the_table_has_every_reason():
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(report_table([report(ok=5, failed__gone=2, failed__network=1)]))
    text = console.export_text()
    assert "2 gone" in text
    assert "1 network" in text


def test_a_full_disk_is_one_error_that_does_not_blame_the_bucket():
    def command() -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "/work/tmp/catalog.jsonl")

    with console.capture() as captured:
        assert guarded(command) == 1
    said = " ".join(captured.get().split())
    assert "this machine has no room left on its disk (/work/tmp/catalog.jsonl)" in said
    assert "bucket" not in said


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOTDIR])
def test_a_place_that_cannot_be_written_is_one_error_that_names_it(number: int):
    def command() -> int:
        raise OSError(number, "not here", "/work/models")

    with console.capture() as captured:
        assert guarded(command) == 1
    said = " ".join(captured.get().split())
    assert "error: /work/models: not here. Choose another --work-dir (S2S_HOME) or --bucket" in said


def test_other_errors_of_the_system_stay_what_they_are():
    def command() -> int:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        guarded(command)


@pytest.mark.parametrize(
    "named", ["silent_to_sound.sample", Path("recipes/silent_to_sound.sample.yaml")]
)
def test_a_recipe_is_found_by_its_name_and_by_its_path(
    named: str | Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(ROOT)
    assert find_recipe(named) == Path("recipes/silent_to_sound.sample.yaml")


@pytest.mark.parametrize("command", ["generate", "classify", "separate"])
def test_commands_on_a_file_have_a_recipe_unless_one_is_named(command: str, tmp_path: Path):
    file = tmp_path / "clip.mp4"
    file.write_bytes(b"no video")
    given = [command, str(file), "--bucket", f"file://{tmp_path}", "--work-dir", str(tmp_path)]
    result = CliRunner().invoke(launcher.__main__.app, given)
    assert result.exit_code == 1
    assert not isinstance(result.exception, AttributeError)


@pytest.mark.parametrize("is_image", [False, True])
def test_a_remedy_says_where_its_command_is_when_it_is_not_there(is_image: bool):
    lines = [
        "import sys",
        # As in an image: services and the library, and no launcher.
        f"sys.path = [one for one in sys.path if not {is_image} or one != {str(ROOT)!r}]",
        "from s2s.cli import guarded",
        "from s2s.errors import StageError",
        "def fail():",
        "    raise StageError(\"no clip: './s2s status RECIPE' tells more\")",
        "sys.exit(guarded(fail))",
    ]
    told = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=ROOT / "docs",
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 1
    assert "'./s2s status RECIPE' tells more" in " ".join(told.stderr.split())
    assert ("outside of the container" in " ".join(told.stderr.split())) == is_image


def test_an_error_says_where_what_a_container_sees_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("S2S_MOUNTS", "/recipe=/home/me/mine\n/bucket=/home/me/b\n")
    for message, told in (
        ("file:///bucket: no object 'a'", " (/bucket is /home/me/b outside of the container)"),
        ("recipe /recipe/a.yaml: x", " (/recipe is /home/me/mine outside of the container)"),
        ("recipe /recipes/a.yaml: x", ""),
        ("gs://my/buckets/bucket: x", ""),
    ):
        assert _for_this_place(message) == message + told
