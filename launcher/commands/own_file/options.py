"""Options that commands on a file of the user's own share."""

from pathlib import Path
from typing import Annotated

import typer

from s2s.cli import find_recipe

__all__ = ["ModelOption", "ModelRecipeOption"]

ModelRecipeOption = Annotated[
    Path | None,
    typer.Option(
        "--recipe",
        help="Whose model is used; by default that of the task's sample recipe.",
        parser=find_recipe,
        metavar="RECIPE",
    ),
]
ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "--model-path",
        help="A model directory; by default the bucket's newest of the recipe.",
    ),
]
