"""`./s2s flops RECIPE`: what each approach costs, in a table of 80 columns."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from launcher.__main__ import app
from launcher.commands.flops import _in_parts

RECIPES = Path(__file__).parents[2] / "recipes"
APPROACHES = ("frame_average", "cnn_lstm", "cnn_3d", "video_transformer", "audio", "audio_visual")


def flops(recipe: Path, tmp_path: Path, *options: str, columns: str = "80") -> Result:
    command = ["flops", str(recipe), "--bucket", f"file://{tmp_path}/bucket", *options]
    return CliRunner().invoke(app, command, env={"COLUMNS": columns})


def rows_of(shown: str) -> dict[str, list[str]]:
    """Cells by approach, its star included."""
    found = re.findall(r"^│ ([a-z_0-9]+(?: \*)?) +│(.*)│$", shown, re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("│")] for name, cells in found}


def test_every_approach_has_a_row(tmp_path: Path):
    done = flops(RECIPES / "kinetics_actions.sample.yaml", tmp_path, "--classes", "8")
    assert done.exit_code == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    rows = rows_of(done.stdout)
    assert {name.removesuffix(" *") for name in rows} == set(APPROACHES[:4]), "it has no sound"
    assert [name for name in rows if name.endswith("*")] == ["cnn_3d *"]
    for backbone, parameters, gflops, views, together in rows.values():
        assert backbone == "tiny"
        assert 0.1 < float(parameters.removesuffix(" M")) < 2
        assert 0.01 < float(gflops) < 1
        assert (views, together) == ("1", gflops)
    assert not (tmp_path / "bucket").exists()


def test_views_multiply_and_published_figures_come_out(tmp_path: Path):
    done = flops(RECIPES / "kinetics_actions.yaml", tmp_path, "--own", "--classes", "400")
    assert done.exit_code == 0, done.stderr
    ((_, (backbone, parameters, gflops, views, together)),) = rows_of(done.stdout).items()
    assert backbone.startswith("torchvision/")
    # torchvision's table: 31.5 M parameters, 40.52 GFLOPs at 112 px, of which this has four times.
    assert float(parameters.removesuffix(" M")) == pytest.approx(31.5, abs=0.1)
    assert float(gflops.replace(",", "")) == pytest.approx(4 * 40.52, rel=0.02)
    assert views == "30"
    assert float(together.replace(",", "")) == pytest.approx(30 * 4 * 40.52, rel=0.02)


def test_no_network_is_listed_twice_and_names_are_whole_in_80_columns(tmp_path: Path):
    done = flops(RECIPES / "kinetics_actions.yaml", tmp_path, "--classes", "400")
    assert done.exit_code == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    rows = rows_of(done.stdout)
    assert {name.removesuffix(" *") for name in rows} == set(APPROACHES[:4])
    assert len({parameters for _, parameters, *_ in rows.values()}) == len(rows)
    cells = [line.split("│")[2].strip() for line in done.stdout.splitlines() if "│" in line]
    after = [cells[n + 1] for n, cell in enumerate(cells) if cell in {"timm/", "torchvision/"}]
    # What the recipe compares them by.
    assert after == ["resnet18", "resnet18", "r2plus1d_18", "mvit_v2_s"]


def test_what_hears_is_listed_where_the_recipe_has_sound(tmp_path: Path):
    done = flops(RECIPES / "vggsound_contest.sample.yaml", tmp_path, "--classes", "8")
    assert {name.removesuffix(" *") for name in rows_of(done.stdout)} == set(APPROACHES)


def test_what_is_not_compared_is_shown_small_rather_than_twice(tmp_path: Path):
    recipe = tmp_path / "volumes.yaml"
    recipe.write_text(
        "name: volumes\ntask: classification\ncollection: {catalog: c.csv}\n"
        "training: {model: cnn_3d, backbone: torchvision/r3d_18}\n"
    )
    rows = rows_of(flops(recipe, tmp_path, columns="120").stdout)
    assert rows["cnn_3d *"][0] == rows["audio_visual"][0] == "torchvision/r3d_18"
    assert rows["video_transformer"][0] == "tiny"


def test_a_long_name_of_a_backbone_is_broken_behind_a_sign():
    parts = ["timm/", "tf_", "mobilenetv3_", "small_minimal_", "100"]
    assert _in_parts("timm/tf_mobilenetv3_small_minimal_100").split("\n") == parts
    assert _in_parts("tiny") == "tiny"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("silent_to_sound.sample", None, "its task is generation"),
        (
            "small",
            "training: {backbone: torchvision/mvit_v2_s}",
            "does not take 16 frames of 112 x 112",
        ),
        ("unknown", "training: {backbone: torchvision/no_such_net}", "no_such_net cannot be made"),
    ],
)
def test_what_cannot_be_counted_is_told(tmp_path: Path, name: str, text: str | None, said: str):
    recipe = RECIPES / f"{name}.yaml"
    if text is not None:
        recipe = tmp_path / f"{name}.yaml"
        recipe.write_text(
            f"name: {name}\ntask: classification\ncollection: {{catalog: c.csv}}\n{text}\n"
        )
    done = flops(recipe, tmp_path)
    assert done.exit_code == 1
    assert said in " ".join(done.stderr.split())
