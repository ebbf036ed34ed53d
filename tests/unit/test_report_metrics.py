import json

import pytest
from memory_bucket import MemoryBucket

from launcher.pages.figures import read_metrics
from launcher.pages.page import capped_notice
from s2s.errors import ModelError
from s2s.tasks.generation.settings import GenerationRecipe

KEY = "models/x/metrics.json"


def test_a_model_without_figures_has_none():
    assert read_metrics(MemoryBucket(), KEY) is None


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"note": "x"}', json.dumps({"systems": 3}).encode()]
)
def test_what_is_no_metrics_is_refused_with_its_key(content: bytes):
    bucket = MemoryBucket()
    bucket.write(KEY, content)

    with pytest.raises(ModelError, match=KEY):
        read_metrics(bucket, KEY)


def test_groups_of_clips_have_tables_of_their_own():
    figures = {"onset_f1": 0.5, "class_kl": None}
    content = {
        "note": "Measured.",
        "n_clips": 3,
        "n_sources": 2,
        "titles": {"model": "the model itself"},
        "figures": {"onset_f1": {"title": "onset F1", "better": "more"}},
        "systems": {"model": figures, "real": {"onset_f1": 1.0}},
        "clips": [],
        "training": dict.fromkeys(
            ("n_train", "n_train_sources", "steps", "seconds", "parameters"), 1
        ),
    }
    bucket = MemoryBucket()
    bucket.write(KEY, json.dumps(content).encode())
    metrics = read_metrics(bucket, KEY)
    assert metrics is not None
    (table,) = metrics.tables
    assert (table.title, table.columns) == ("", ["onset F1"])
    rows = [(row.name, row.is_ours) for row in table.rows]
    assert rows == [("the model itself", True), ("real", False)]

    groups = {"impacts": {"n_clips": 2, "systems": {"model": {"onset_f1": 0.9}}}}
    bucket.write(KEY, json.dumps(content | {"groups": groups}).encode(), overwrite=True)
    metrics = read_metrics(bucket, KEY)
    assert metrics is not None
    (table,) = metrics.tables
    assert table.title == "Impacts, 2 clips"
    assert table.rows[0].cells[0].value == "0.900"


def test_what_time_has_ended_is_named():
    recipe = GenerationRecipe.model_validate(
        {"name": "x", "collection": {"catalog": "a.csv"}, "training": {"max_steps": 1800}}
    )
    whole = {"steps": 1800, "stopped_by": "max_steps"}
    assert capped_notice(recipe, whole) == ""
    cut = {"steps": 1154, "stopped_by": "max_minutes"}
    assert "training.max_minutes struck after 1,154 of 1,800 steps, so" in capped_notice(
        recipe, cut
    )

    # Of several objectives, whichever it was.
    vocoder = {"stopped_by": "max_minutes", "steps": 70}
    facts = {
        **whole,
        "stopped_by": "max_minutes",
        "objectives": {"vocoder": vocoder, "model": whole},
    }
    notice = capped_notice(recipe, facts)
    assert "max_minutes of the vocoder struck after 70 of its steps, so" in notice
    assert "1,800" not in notice
