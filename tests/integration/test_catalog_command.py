"""`./s2s catalog` on published files, on files with problems, on two that disagree."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

import collection.stage as collection_stage
from launcher.commands.catalog import catalog
from s2s.cli import make_settings
from s2s.errors import CatalogError
from s2s.storage import DirectoryBucket

app = typer.Typer()
app.command()(catalog)


def show(*args: object) -> Result:
    return CliRunner().invoke(app, list(map(str, args)), env={"COLUMNS": "200"})


def lines_of(result: Result) -> dict[str, str]:
    """The table's rows by their first column; those without one are left out."""
    cells = [[cell.strip() for cell in line.split("│")] for line in result.output.splitlines()]
    return {row[1]: row[2] for row in cells if len(row) == 4 and row[1]}


@pytest.mark.parametrize(
    ("end_s", "together"), [(3, "3.0 s"), (59.96, "1.0 min"), (90, "1.5 min"), (7200, "2.0 h")]
)
def test_short_catalogs_have_a_length_too(tmp_path: Path, end_s: float, together: str):
    path = tmp_path / "short.csv"
    path.write_text(f"source_id,start_s,end_s\nabc,0,{end_s}\n")
    assert lines_of(show(path))["clips"] == f"1, {together} together"


@pytest.mark.parametrize(
    ("name", "layout", "expected"),
    [
        (
            "vggsound-test-head.csv",
            "vggsound",
            {
                "rows": "1,500",
                "sources": "1,491, 31 begin with a dash",
                "clips": "1,500, 4.2 h together",
                "splits": "test: 1,500",
                "labels": "306",
            },
        ),
        (
            "kinetics-400_val-head.csv",
            "kinetics",
            {
                "rows": "400",
                "sources": "400, 18 begin with a dash",
                "clips": "400, 1.1 h together",
                "splits": "val: 400",
                "labels": "9",
            },
        ),
        (
            "kinetics-400_val_8videos.csv",
            "kinetics",
            {"rows": "8", "sources": "8, 0 begin with a dash", "labels": "2"},
        ),
        (
            "avspeech_train-head.csv",
            "avspeech",
            {
                "rows": "299",
                "sources": "299, 2 begin with a dash",
                "splits": "without: 299",
                "labels": "0",
            },
        ),
        (
            "audioset_eval_segments-head.csv",
            "audioset",
            {"rows": "302", "sources": "302, 302 begin with a dash", "labels": "323"},
        ),
        (
            "audioset_class_labels_indices.csv",
            "audioset label table",
            {"rows": "527", "labels": "527"},
        ),
    ],
)
def test_published_files_are_shown(
    real_data: Path, name: str, layout: str, expected: dict[str, str]
):
    result = show(real_data / "catalogs" / name)
    assert result.exit_code == 0, result.output
    found = lines_of(result)
    assert found["format"] == layout
    assert {key: found[key] for key in expected} == expected
    assert found["problems"] == "0"


def test_audiosets_labels_are_shown_by_name(real_data: Path):
    folder = real_data / "catalogs"
    table = folder / "audioset_class_labels_indices.csv"
    result = show(folder / "audioset_eval_segments-head.csv", "--label-table", table)
    assert "89  Music" in result.output
    assert lines_of(result)["labels"] == "323"


def test_problems_are_shown_with_their_lines(tmp_path: Path):
    path = tmp_path / "mine.csv"
    rows = ["a,1,dog [red]", "no row", "a,1,dog [red]", *["bad"] * 30]
    path.write_text("\n".join(rows) + "\n")
    assert show(path).exit_code == 1, "most rows are in no format: which it is must be said"
    result = show(path, "--format", "vggsound")
    assert result.exit_code == 0
    assert lines_of(result)["problems"] == "32"
    assert "line 2: has 1 columns" in result.output
    assert "line 3: duplicate of line 1: a_00001000_00011000" in result.output
    assert "1  dog [red]" in result.output
    assert "and 12 more" in result.output


KINETICS = "label,youtube_id,time_start,time_end,split\n"


def test_lists_that_disagree_are_told_plainly(tmp_path: Path):
    table, names = tmp_path / "train.csv", tmp_path / "train.txt"
    table.write_text(KINETICS + "high kick,aaaaaaaaaaa,1,11,train\nyoga,bbbbbbbbbbb,2,12,train\n")
    names.write_text(
        "high jump/aaaaaaaaaaa_000001_000011.mp4\n"
        "ccccccccccc_000003_000013.mp4\n"
        "ddddddddddd_000003_000013.mp4\n"
    )
    result = show(table, names)
    assert result.exit_code == 0
    said = " ".join(result.output.split())
    assert "train.csv and train.txt disagree: 1 clip in both" in said
    assert "1 only in train.csv, 2 only in train.txt, 1 with other labels" in said
    names.write_text("aaaaaaaaaaa_000001_000011.mp4 0\nbbbbbbbbbbb_000002_000012.mp4 1\n")
    assert "agree: 2 clips in both" in show(table, names).output


def test_what_a_recipe_selects_is_written_in_the_same_format(tmp_path: Path):
    path, output, recipe = tmp_path / "k.csv", tmp_path / "out.csv", tmp_path / "r.yaml"
    path.write_text(KINETICS + '"high kick",aaaaaaaaaaa,1,11,train\nyoga,bbbbbbbbbbb,2,12,val\n')
    recipe.write_text("{name: r, collection: {catalog: k.csv, labels: ['*kick*']}}")
    result = show(path, "--recipe", recipe, "--output", output)
    assert result.exit_code == 0, result.output
    assert output.read_text() == KINETICS + '"high kick",aaaaaaaaaaa,1,11,train\n'
    assert show(path, "--output", output).exit_code == 0
    assert output.read_text() == path.read_text()
    refused = show(path, "--output", path)
    assert refused.exit_code == 1


@pytest.mark.parametrize(
    "args", [["none.csv"], ["k.csv", "--format", "avspeech2"], ["k.csv", "--format", "folder"]]
)
def test_what_cannot_be_shown_is_an_error_of_one_line(tmp_path: Path, args: list[str]):
    (tmp_path / "k.csv").write_text("a,1,dog\n")
    result = show(tmp_path / args[0], *args[1:])
    assert result.exit_code == 1
    assert not isinstance(result.exception, (TypeError, KeyError))


TABLES = {
    "start alone": ("source_id,start_s,labels\nabcdefghij1,1,dog\n", "{}", 1),
    "ids alone": ("Source_ID\nabcdefghij1\nabcdefghij2\n", "{}", 2),
    "named columns": (
        "audiocap_id,youtube_id,start_time,caption\n1,abcdefghij1,130,rain\n2,abcdefghij1,130,x\n",
        "{source_id: youtube_id, start_s: start_time, labels: caption}",
        1,
    ),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_recipe_asks_for_no_more_columns_than_collection_does(tmp_path: Path, kind: str):
    table, columns, n_clips = TABLES[kind]
    (tmp_path / "t.csv").write_text(table)
    recipe, output = tmp_path / "r.yaml", tmp_path / "out.csv"
    recipe.write_text(f"{{name: r, collection: {{catalog: t.csv, columns: {columns}}}}}")
    result = show(tmp_path / "t.csv", "--recipe", recipe, "--output", output)
    assert result.exit_code == 0, result.output
    assert lines_of(result)["clips"].startswith(f"{n_clips},")
    assert len(output.read_text().splitlines()) == n_clips + 1
    assert f"format   │ {lines_of(show('--recipe', recipe))['format']}" in result.output


def test_catalog_and_label_table_may_be_in_the_bucket(tmp_path: Path):
    bucket = DirectoryBucket(tmp_path / "bucket")
    bucket.write("lists/a.csv", b'abcdefghij1, 1.000, 11.000, "/m/1"\n')
    bucket.write("lists/labels.csv", b'index,mid,display_name\n0,/m/1,"Speech"\n')
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "{name: r, collection: {catalog: lists/a.csv, label_table: lists/labels.csv}}"
    )
    options = ["--bucket", bucket.url, "--work-dir", tmp_path / "work"]
    for args in (["--recipe", recipe], ["lists/a.csv", "--recipe", recipe]):
        result = show(*args, *options)
        assert result.exit_code == 0, result.output
        assert "1  Speech" in result.output
    assert not list((tmp_path / "work" / "tmp" / "catalog").iterdir())
    nowhere = show("lists/b.csv", "--bucket", f"file://{tmp_path / 'typo'}", *options[2:])
    assert nowhere.exit_code == 1
    assert not (tmp_path / "typo").exists(), "reading makes no bucket"


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("validation: {keep_catalog_split: true}", 1),
        ("validation: {keep_catalog_split: false}", 0),
        ("validation: {keep_catalog_split: true}, split_names", 0),
    ],
)
def test_splits_are_looked_at_as_collection_does(tmp_path: Path, settings: str, code: int):
    (tmp_path / "v.csv").write_text("abcdefghij1,1,dog,part 1\nabcdefghij2,1,dog,Testing\n")
    names = ", split_names: {Part 1: train}" if "split_names" in settings else ""
    recipe = tmp_path / "r.yaml"
    validation = settings.partition(", split_names")[0]
    recipe.write_text(f"{{name: r, collection: {{catalog: v.csv{names}}}, {validation}}}")
    assert show("--recipe", recipe).exit_code == code


@pytest.mark.parametrize(
    ("rows", "collection"),
    [
        ("abcdefghij1,1,dog\n", "labels: [cat]"),
        ("no,row,at,all,of,this\n", "format: vggsound"),
        ("train/dog/video_00001\nprueba/dog/video_00002\n", "format: vas"),
    ],
)
def test_a_catalog_that_collection_refuses_is_refused(tmp_path: Path, rows: str, collection: str):
    (tmp_path / "v.csv").write_text(rows)
    recipe = tmp_path / "r.yaml"
    keep = "validation: {keep_catalog_split: true}"
    recipe.write_text(f"{{name: r, collection: {{catalog: v.csv, {collection}}}, {keep}}}")
    result = show("--recipe", recipe)
    assert result.exit_code == 1, result.output
    with pytest.raises(CatalogError) as refused:
        collection_stage.run(make_settings(recipe, f"file://{tmp_path}/bucket", tmp_path / "work"))
    assert str(refused.value) in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("dog,test", "0 with other labels, 1 in other splits"),
        ("dog,", "0 with other labels, 1 in other splits"),
        ("cat,train", "1 with other labels, 0 in other splits"),
        (",train", "1 with other labels, 0 in other splits"),
        ("cat,test", "1 with other labels, 1 in other splits"),
        ("dog,Training", ""),
    ],
)
def test_other_labels_and_splits_of_a_clip_are_told(tmp_path: Path, cells: str, said: str):
    header, last = "source_id,labels,split\n", "b,dog,val\n"
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text(f"{header}a,dog,train\n{last}")
    second.write_text(f"{header}a,{cells}\n{last}")
    output = " ".join(show(first, second).output.split())
    assert said in output
    assert ("second.csv agree: 2 clips in both" in output) == (not said)


def test_a_list_without_labels_and_splits_agrees_with_one_that_has_them(tmp_path: Path):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("source_id,labels,split\na,dog,train\n")
    second.write_text("source_id\na\n")
    assert "agree: 1 clip in both" in show(first, second).output


def test_a_list_without_any_clip_fails(tmp_path: Path):
    path = tmp_path / "bad.csv"
    path.write_text("source_id,start_s\na,x\nb,y\n")
    assert show(path).exit_code == 1
    path.write_text("source_id,start_s\na,x\nb,2\n")
    assert show(path).exit_code == 0


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("gone/x.csv", "make the folder"),
        ("folder", "is a folder, name a file in it"),
        ("file/x.csv", "is a file, not a folder: name another place"),
    ],
)
def test_an_output_that_has_no_place_is_told(tmp_path: Path, output: str, said: str):
    path = tmp_path / "clips.csv"
    path.write_text("source_id\na\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    result = show(path, "--output", tmp_path / output)
    assert result.exit_code == 1
    told = " ".join(result.output.split())
    assert said in told
    assert "--work-dir" not in told


def test_a_split_that_is_no_text_is_a_bad_row(tmp_path: Path):
    path = tmp_path / "clips.jsonl"
    path.write_text(
        '{"source_id": "a", "split": ["train"]}\n{"source_id": "b", "split": "train"}\n'
    )
    output = show(path).output
    assert "split ['train'] is no text" in output
    assert "train: 1" in output


@pytest.mark.parametrize(
    ("row", "is_told"),
    [("c,1,ice cream truck, ice cream van", True), ('c,1,"truck, van",Eval', False)],
)
def test_a_label_without_quotes_is_told(tmp_path: Path, row: str, is_told: bool):
    path = tmp_path / "list.csv"
    path.write_text(f"a,1,dog,train\nb,1,dog,test\n{row}\n")
    output = show(path).output
    assert ("is no split that is known: a label with a comma needs quotes" in output) == is_told
