"""What a training says of its model: a few figures, in seconds; `thorough` says more."""

from typing import Any

from s2s.tasks.contract import Material, Predictor, Task
from training.evaluation.content import clip_rows, described, plain_figures
from training.evaluation.measured import measure

__all__ = ["measure_model"]


def measure_model(
    task: Task, material: Material, predictor: Predictor, count: int
) -> dict[str, Any]:
    """Measure a model, and what takes no more than a moment, on held-out clips.

    Args:
        task: what it learned.
        material: what it was trained on, and the clips that it was not.
        predictor: the model.
        count: clips, at most.

    Returns:
        what `metrics.json` says: figures of each system, of each group too, a row for each clip.
    """
    figures = [figure for figure in task.figures if figure.after_training]
    systems = task.make_systems(material, predictor, thorough=False)
    judge = task.make_judge(material, predictor, thorough=False)
    measurement = measure(material, systems, judge, count)
    return {
        "recipe": material.recipe.name,
        "version": material.version.name,
        "seed": material.recipe.seed,
        **described(measurement, figures),
        **plain_figures(measurement, figures),
        "clips": clip_rows(measurement, judge),
    }
