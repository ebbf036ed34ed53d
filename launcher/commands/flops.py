"""`./s2s flops RECIPE`: what a classifier costs: parameters, and operations a view and a clip."""

import re
from collections.abc import Sequence
from typing import Annotated, get_args

import typer
from rich.console import Console
from rich.table import Table

from s2s.cli import recipe_command
from s2s.dataset import latest_version, read_version
from s2s.errors import ModelError, SettingsError, VersionError
from s2s.logs import counted
from s2s.settings import Settings
from s2s.stage import shared_bucket
from s2s.tasks.classification.settings import ClassificationRecipe

__all__ = ["flops"]

_USUAL_CLASSES = 400
_TINY = "tiny"
_SEE_VOLUMES = {"cnn_3d", "video_transformer"}
"""With a backbone of torchvision they are that backbone, whichever of them is asked for."""
_UNKNOWN = "–"
_NARROW, _ANY_WIDTH = 14, 10_000


@recipe_command()
def flops(
    settings: Settings,
    *,
    own: Annotated[bool, typer.Option(help="The recipe's own approach alone.")] = False,
    classes: Annotated[
        int | None,
        typer.Option(min=1, help="Of so many classes; by default as the data set has, or 400."),
    ] = None,
) -> int:
    """Show what each approach to a recipe's classification costs: nothing is trained."""
    recipe = settings.recipe
    if not isinstance(recipe, ClassificationRecipe):
        raise SettingsError(
            f"recipe {recipe.name}: its task is {recipe.task}: flops are counted of classification"
        )
    classes = classes or _classes_of(settings)
    views = recipe.evaluation.views * recipe.evaluation.crops
    rows = []
    for changed in [recipe] if own else _approaches(recipe):
        is_own = changed.training.model == recipe.training.model
        name = f"{changed.training.model} *" if is_own else changed.training.model
        cost = _cost(changed, classes, views, is_own=is_own)
        rows.append((name, changed.training.backbone, *cost))
    console = Console()
    table = _table(recipe, classes, rows)
    wide = console.options.update(max_width=_ANY_WIDTH)
    if console.measure(table, options=wide).maximum > console.width:
        table = _table(recipe, classes, [(row[0], _in_parts(row[1]), *row[2:]) for row in rows])
    console.print(table)
    return 0


def _table(recipe: ClassificationRecipe, classes: int, rows: Sequence[Sequence[str]]) -> Table:
    title = f"{recipe.name}, {counted(classes, 'class', 'classes')}"
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.add_column("approach", no_wrap=True)
    table.add_column("backbone", overflow="fold")
    for name in ("parameters", "GFLOPs\na view", "views\na clip", "GFLOPs\na clip"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    training = recipe.training
    table.caption = (
        f"* the recipe's own. {counted(training.frames, 'frame')} of {training.crop_px} px; a "
        "multiplication with its addition counts as one operation."
    )
    if any(_UNKNOWN in row for row in rows):
        table.caption += f" {_UNKNOWN}: the backbone takes clips of another size."
    return table


def _in_parts(backbone: str) -> str:
    """A backbone's name in lines that a narrow column has room for, broken behind a sign."""
    lines = [""]
    for part in re.findall(r"[^/_.-]*[/_.-]?", backbone):
        if len(lines[-1] + part) > _NARROW or lines[-1].endswith("/"):
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _cost(
    recipe: ClassificationRecipe, classes: int, views: int, *, is_own: bool
) -> tuple[str, str, str, str]:
    """Parameters, operations a view, views, operations a clip: as they are shown."""
    import torch  # noqa: PLC0415 - slow

    from s2s.tasks.classification.network import make_classifier  # noqa: PLC0415
    from s2s.tasks.classification.network.shape import (  # noqa: PLC0415
        check_size,
        config_of,
        count_gflops,
    )

    config, mel_frames = config_of(recipe, classes), recipe.spec.mel_frames(recipe.spec.frames())
    with torch.device("meta"):
        network = make_classifier(config)
    parameters = f"{sum(part.numel() for part in network.parameters()) / 1e6:.2f} M"
    try:
        check_size(network, config, mel_frames)
    except ModelError:
        if is_own:
            raise
        # A backbone that is shown for comparison may want another size.
        return parameters, _UNKNOWN, str(views), _UNKNOWN
    gflops = count_gflops(network, config, mel_frames)
    return parameters, _digits(gflops), str(views), _digits(gflops * views)


def _digits(gflops: float) -> str:
    return f"{gflops:.3g}" if gflops < 100 else f"{gflops:,.0f}"


def _approaches(recipe: ClassificationRecipe) -> list[ClassificationRecipe]:
    """The recipe by every approach, with what it compares that by, its backbone, or a small one.

    No network comes twice under two names.
    """
    field = type(recipe.training).model_fields["model"]
    found = []
    for name in get_args(field.annotation):
        for backbone in _backbones(recipe, name):
            content = recipe.model_dump(mode="json")
            content["training"] |= {"model": name, "backbone": backbone, "weights": "random"}
            try:
                found.append(ClassificationRecipe.model_validate(content))
                break
            except ValueError:
                continue
    return found


def _backbones(recipe: ClassificationRecipe, model: str) -> Sequence[str]:
    """What an approach may be shown with, the best first."""
    own, approaches = recipe.training, recipe.comparison.approaches.values()
    if model == own.model:
        return (own.backbone,)
    compared = [
        str(one["backbone"])
        for one in approaches
        if one.get("model") == model and "backbone" in one
    ]
    sees = own.visual if own.model == "audio_visual" else own.model
    alike = [] if {model, sees} == _SEE_VOLUMES else [own.backbone]
    return (*compared, *alike, _TINY)


def _classes_of(settings: Settings) -> int:
    """Classes of the newest data set version; a usual number where there is none."""
    bucket = shared_bucket(settings.bucket_url)
    try:
        version = read_version(bucket, settings.recipe, latest_version(bucket, settings.recipe))
    except VersionError:
        return _USUAL_CLASSES
    labels = {label for clip in version.split("train") for label in clip.labels}
    return len(labels) or _USUAL_CLASSES
