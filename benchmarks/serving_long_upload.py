"""A long upload through the real server, with the recipes' own sizes: how long, how much memory?

    python benchmarks/serving_long_upload.py generation --seconds 300
    python benchmarks/serving_long_upload.py classification --seconds 300
    python benchmarks/serving_long_upload.py separation --seconds 300

The model has the time grid, the frames and the processor of the recipe silent_to_sound,
kinetics_actions or cocktail_party, with random weights; the video is small, and is rendered: for
separation, two drawn talkers over and over. So that two cores are done in minutes, generation looks
at a frame a second with `timm/vit_tiny_patch16_224`, which takes frames of the same size as the
recipe's network, and draws in one step; generation and classification have small networks behind,
separation the recipe's own. Prints a JSON object: the answer's status, seconds of each step, and
the most memory of the server with all of its processes beside what it had before.
"""

import argparse
import json
import re
import tempfile
import time
from pathlib import Path

import httpx
import torch
from pydantic import BaseModel
from separation_serving import SECONDS, draw_pair
from serving_attacks import Watch, memory_bytes
from serving_load import server

from s2s.media import run_ffmpeg
from s2s.model_directory import ModelDescription, save_model
from s2s.settings import Recipe
from s2s.storage import DirectoryBucket
from s2s.tasks.classification.network import ClassifierConfig, make_classifier
from s2s.tasks.classification.network.directory import ModelConfig as ClassifierModel
from s2s.tasks.classification.processor import ProcessorConfig
from s2s.tasks.classification.settings import ClassificationRecipe
from s2s.tasks.generation.extractors.weights import fetch_weights
from s2s.tasks.generation.network.directory import ModelConfig, save_bundle
from s2s.tasks.generation.network.transformer import MelTransformer, NetworkConfig
from s2s.tasks.generation.processor import open_processor
from s2s.tasks.generation.settings import GenerationRecipe
from s2s.tasks.recipes import load_recipe
from s2s.tasks.separation.extractors import LIPS
from s2s.tasks.separation.network import SeparatorConfig, make_separator, shape_of
from s2s.tasks.separation.network.directory import ModelConfig as SeparatorModel
from s2s.tasks.separation.processor import ProcessorConfig as FaceProcessorConfig
from s2s.tasks.separation.settings import SeparationRecipe
from s2s.tasks.values import EXTRACTOR_WEIGHTS_FILE

RECIPES = Path(__file__).parents[1] / "recipes"
SEMANTIC = "timm/vit_tiny_patch16_224"
_TIMING = re.compile(r"([\w-]+);dur=([\d.]+)")


def make_generation(folder: Path) -> None:
    """A model directory of recipes/silent_to_sound.yaml that has learned nothing."""
    recipe = load_recipe(RECIPES / "silent_to_sound.yaml")
    assert isinstance(recipe, GenerationRecipe)
    changes = {
        "semantic": SEMANTIC,
        "semantic_weights": "random",
        "semantic_every": recipe.spec.fps,
    }
    features = recipe.feature_extraction.model_copy(update=changes)
    weights = folder / EXTRACTOR_WEIGHTS_FILE
    fetch_weights(features, weights, RECIPES, DirectoryBucket(folder / "none"))
    network = NetworkConfig(
        token_dim=recipe.spec.token_dim,
        streams=open_processor(recipe.spec, features, weights).dims,
    )
    config = ModelConfig(
        recipe=recipe.name,
        version="none",
        spec=recipe.spec,
        features=features,
        network=network,
        mel_mean=-5.0,
        mel_std=2.0,
        window_frames=recipe.spec.frames(recipe.training.window_s),
    )
    save_bundle(folder, MelTransformer(network), config)


def make_classification(folder: Path) -> None:
    """A model directory of recipes/kinetics_actions.yaml that has learned nothing."""
    recipe = load_recipe(RECIPES / "kinetics_actions.yaml")
    assert isinstance(recipe, ClassificationRecipe)
    classes = tuple(f"class {n}" for n in range(700))
    network = ClassifierConfig(
        kind="cnn_3d",
        classes=len(classes),
        frames=recipe.training.frames,
        crop_px=recipe.training.crop_px,
        mel_bands=recipe.spec.n_mels,
    )
    processor = ProcessorConfig.of(recipe).model_dump(mode="json")
    config = ClassifierModel(network=network, processor=processor, classes=classes)
    save_model(folder, make_classifier(network), description_of(recipe, config))


def make_separation(folder: Path) -> None:
    """A model directory of recipes/cocktail_party.yaml that has learned nothing."""
    recipe = load_recipe(RECIPES / "cocktail_party.yaml")
    assert isinstance(recipe, SeparationRecipe)
    kind = recipe.training.model
    network = SeparatorConfig(
        kind=kind,
        sample_rate_hz=recipe.spec.sample_rate_hz,
        fps=recipe.spec.fps,
        lips=LIPS,
        speakers=2,
        shape=shape_of(kind, recipe.training.size),
    )
    processor = FaceProcessorConfig.of(recipe).model_dump(mode="json")
    config = SeparatorModel(network=network, processor=processor, window_s=recipe.training.window_s)
    save_model(folder, make_separator(network), description_of(recipe, config))


def description_of(recipe: Recipe, config: BaseModel) -> ModelDescription:
    """What stands around the config of a model that has learned nothing."""
    return ModelDescription(
        task=recipe.task,
        recipe=recipe.name,
        version="none",
        spec=recipe.spec,
        config=config.model_dump(mode="json"),
    )


def make_video(task: str, folder: Path, seconds: int) -> Path:
    """A small video of a test picture, or of two who talk."""
    video = folder / "long.mp4"
    if task == "separation":
        repeats = ["-stream_loop", str(-(-seconds // SECONDS) - 1)]
        source = [*repeats, "-i", str(draw_pair(folder)), "-t", str(seconds), "-c", "copy"]
    else:
        drawn = f"testsrc2=size=160x120:rate=25:duration={seconds}"
        source = ["-f", "lavfi", "-i", drawn, "-preset", "ultrafast"]
    run_ffmpeg([*source, str(video)], video.name)
    return video


MAKERS = {
    "generation": make_generation,
    "classification": make_classification,
    "separation": make_separation,
}


def ask(url: str, route: str, video: Path) -> httpx.Response:
    """Send a video, and wait for what is made of it."""
    data = {"steps": "1"} if route == "generations" else {}
    with video.open("rb") as file:
        return httpx.post(
            f"{url}/v1/{route}?wait=600", files={"video": file}, data=data, timeout=900
        )


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=MAKERS)
    parser.add_argument("--seconds", type=int, default=300)
    options = parser.parse_args()
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        model.mkdir()
        MAKERS[options.task](model)
        video = make_video(options.task, Path(folder), options.seconds)
        with server(model, options.task) as (url, process):
            offered = httpx.get(f"{url}/v1/models").json()["models"][0]
            watch, before = Watch(url, process), memory_bytes(process)
            started = time.monotonic()
            with watch.watching():
                answer = ask(url, offered["url"].rpartition("/")[2], video)
            took_s = time.monotonic() - started
    steps = _TIMING.findall(answer.headers.get("server-timing", ""))
    report = {
        "task": options.task,
        "status": answer.status_code,
        "upload_bytes": int(answer.request.headers["content-length"]),
        "answer_bytes": len(answer.content),
        "seconds": round(took_s, 1),
        "seconds_by_step": {step: round(float(ms) / 1000, 1) for step, ms in steps},
        "memory_mb": [round(size / 1e6) for size in (before, watch.most_bytes)],
        "healthz_worst_s": round(max(watch.latencies_s), 3),
    }
    print(json.dumps(report), flush=True)
    if not answer.is_success:
        print(answer.text)


if __name__ == "__main__":
    main()
