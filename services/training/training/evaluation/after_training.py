"""The figures that a training reports: a few, in seconds; `thorough` has all."""

from typing import Any

from s2s.tasks.contract import Material, Predictor
from s2s.tasks.loading import Task
from training.evaluation.content import clip_rows, described, plain_figures
from training.evaluation.measured import measure

__all__ = ["measure_model"]


def measure_model(
    task: Task, material: Material, predictor: Predictor, count: int
) -> dict[str, Any]:
    """Measure a model, and the baselines that take seconds only, on held-out clips.

    Args:
        task: the model's.
        material: training clips and held-out clips.
        predictor: the model.
        count: clips, at most.

    Returns:
        the content of `metrics.json`: figures of each system, also by group, and a row a clip.
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
