"""The stage in steps: `-d`, `-c` and `-u`, each for itself, by way of the work folder."""

from preprocessing.steps.own_folder import Steps, run_steps

__all__ = ["Steps", "run_steps"]
