"""The command `evaluate` on small data set versions: every system is measured, and can be heard."""

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from dataset_fixtures import MakeSettings, MakeVersion, settings_in, store_version
from playwright.sync_api import sync_playwright

from feature_extraction.stage import run as extract_features
from launcher.pages.evaluation import write_evaluation_report
from s2s.dataset import Split, read_version
from s2s.errors import ModelError
from s2s.layout import evaluation_prefix
from s2s.logs import counted
from s2s.media import probe, read_audio
from s2s.settings import Settings
from s2s.storage import open_bucket
from s2s.tasks.contract import Material
from s2s.tasks.generation.predictor.predictor import GenerationPredictor
from s2s.tasks.generation.systems.regression import fetch_regression
from s2s.workspace import workspace
from training.evaluation.thorough import evaluate_model
from training.stage import run as train

AXE = Path(__file__).parents[1] / "vendor" / "axe-core" / "axe.min.js"
AUTOPLAY = "--autoplay-policy=no-user-gesture-required"
PLAYED = """video => new Promise((done, fail) => {
  video.onended = () => done(video.webkitAudioDecodedByteCount);
  video.onerror = () => fail(video.error.message);
  video.play().catch(fail);
})"""
TINY: dict[str, Any] = {
    "width": 16,
    "depth": 1,
    "heads": 1,
    "window_s": 0.8,
    "batch_size": 2,
    "max_steps": 3,
    "sampling_steps": 2,
    "held_out_clips": 1,
    "accelerator": "cpu",
}
EVALUATION: dict[str, Any] = {
    "seeds_per_clip": 2,
    "intervals": 20,
    "worst": 1,
    "examples": 1,
    "groups": {"highs": ["high"], "lows": ["lo*"]},
    "targets": [
        {"figure": "onset_f1", "system": "real", "must_be": "at_least", "bound": 1},
        {
            "figure": "stft",
            "system": "silence",
            "group": "lows",
            "must_be": "below",
            "bound": 1,
            "of": "real_mel",
        },
    ],
}
SYSTEMS = {
    "real",
    "real_mel",
    "model",
    "regression",
    "nearest",
    "random_clip",
    "random_alike",
    "silence",
    "delayed",
    "picture",
}
LENGTHS: dict[Split, tuple[float, ...]] = {
    "train": (4.0, 3.6),
    "val": (1.0,),
    "test": (4.0, 1.0, 0.5, 4.0),
}


Evaluated = tuple[Settings, dict[str, Any]]


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    folder = tmp_path_factory.mktemp("evaluated")
    settings = settings_in(folder, training=TINY, evaluation=EVALUATION, spec={"duration_s": 4})
    store_version(folder, settings, LENGTHS)
    extract_features(settings)
    train(settings)
    with workspace(settings.work_dir / "evaluation") as of_another_run:
        (of_another_run / "answer.wav").touch()
        content = evaluate_model(settings)
        assert (of_another_run / "answer.wav").exists(), "each run has files of its own"
    assert list((settings.work_dir / "evaluation").iterdir()) == [], "and leaves none"
    return settings, content


def test_every_system_is_measured_and_examples_can_be_heard(evaluated: Evaluated, tmp_path: Path):
    trained, content = evaluated
    assert set(content["groups"]) == {"all", "highs", "lows"}
    everything = content["groups"]["all"]
    assert (everything["n_clips"], everything["n_sources"]) == (4, 4)
    assert set(everything["systems"]) == SYSTEMS == set(trained.recipe.evaluation.SYSTEMS)
    real, model = (everything["systems"][name] for name in ("real", "model"))
    assert real["onset_f1"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert real["frechet"]["value"] == pytest.approx(0, abs=1e-6)
    assert model["diversity"]["value"] > 0
    assert real["diversity"] is None
    assert model["stft"]["low"] <= model["stft"]["value"] <= model["stft"]["high"]
    assert [row["is_met"] for row in content["targets"]] == [True, False]
    assert content["by_others"]["note"].startswith("not computed")

    bucket = open_bucket(trained.bucket_url)
    prefix = evaluation_prefix(trained.recipe, "dataset_v1")
    assert json.loads(bucket.read(f"{prefix}evaluation.json")) == content
    for example in content["examples"]:
        stem = f"{prefix}examples/{example['clip_id']}"
        bucket.download(f"{stem}.mp4", tmp_path / "example.mp4")
        bucket.download(f"{stem}.regression.wav", tmp_path / "example.wav")
        assert probe(tmp_path / "example.mp4").audio_codec == "aac"
        assert len(read_audio(tmp_path / "example.wav", 16_000)) > 0

    page = write_evaluation_report(bucket, trained.recipe, content, tmp_path).read_text()
    assert page.count("data:video/mp4") == 2 * len(content["examples"])
    assert page.count("data:audio/wav") == 4 * len(content["examples"])
    assert "not computed" in page
    assert "missed" in page
    assert "(1.00–1.00)" in page, "intervals"
    assert "https://" not in page

    # Another evaluation finds the regression: it could not train one.
    for name in ("model.safetensors", "config.json"):
        bucket.fetch(content["model"] + name, tmp_path / "model" / name)
    version = read_version(bucket, trained.recipe, "dataset_v1")
    material = Material(
        trained.recipe, tmp_path, bucket, version, {}, tmp_path / "model", cast("Any", None)
    )
    model = GenerationPredictor.load(tmp_path / "model")
    regression = fetch_regression(material, model)
    config = regression.config
    assert (config.sampling_steps, config.guidance) == (1, 1.0)
    seen = np.random.default_rng(0).normal(size=(20, config.network.condition_dim))
    one, other = (regression.mel(seen.astype(np.float32), seed=seed) for seed in (0, 1))
    assert torch.allclose(one, other, atol=1e-4), "it draws nothing"


@pytest.mark.browser
def test_the_page_in_a_browser(evaluated: Evaluated, tmp_path: Path, chromium: str):
    trained, content = evaluated
    bucket = open_bucket(trained.bucket_url)
    path = write_evaluation_report(bucket, trained.recipe, content, tmp_path / "reports")
    alone = path.rename(tmp_path / "mailed.html")
    said: list[str] = []
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-dev-shm-usage", AUTOPLAY],
        )
        page = browser.new_page(viewport={"width": 360, "height": 800})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(alone.as_uri())
        for number, part in enumerate(content["groups"].values(), start=1):
            table = page.locator(f"#group-{number} ~ div")
            assert table.locator("tbody tr").count() == len(SYSTEMS)
            told = f"{counted(part['n_clips'], 'clip')} of {counted(part['n_sources'], 'source')}"
            assert told in table.inner_text()
        assert page.locator("#targets ~ div tbody td").all_inner_texts()[1::2] == ["met", "missed"]
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        wider = "table => table.parentElement.scrollWidth > table.parentElement.clientWidth"
        assert not any(table.evaluate(wider) for table in page.locator("table").all()), (
            "none is cut"
        )
        assert page.locator("video").first.evaluate(PLAYED) > 0, "the generated sound plays"
        page.evaluate(AXE.read_text())
        assert page.evaluate("axe.run()")["violations"] == []
        browser.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", alone.as_uri()))] == []


def test_without_a_model_there_is_nothing_to_evaluate(
    make_settings_of: MakeSettings, make_version: MakeVersion
):
    settings = make_settings_of(training=TINY)
    make_version(settings, {"train": (1.0,), "test": (1.0,)})
    extract_features(settings)
    with pytest.raises(ModelError, match=r"no model of recipe \S+ of dataset_v\d with .*s2s run"):
        evaluate_model(settings)
