"""The options that every command shares, and how a command ends."""

from s2s.cli.commands import (
    FAILURE_STATUS,
    end_stage,
    guarded,
    recipe_command,
    report_table,
    stage_app,
)
from s2s.cli.options import (
    DEFAULT_BUCKET,
    DEFAULT_WORK_DIR,
    STAGE_OPTIONS,
    BucketOption,
    EngineOption,
    LimitOption,
    RecipeArgument,
    RetryFailedOption,
    StrictOption,
    WorkDirOption,
    WorkersOption,
    check_output_folder,
    find_recipe,
    make_settings,
)

__all__ = [
    "DEFAULT_BUCKET",
    "DEFAULT_WORK_DIR",
    "FAILURE_STATUS",
    "STAGE_OPTIONS",
    "BucketOption",
    "EngineOption",
    "LimitOption",
    "RecipeArgument",
    "RetryFailedOption",
    "StrictOption",
    "WorkDirOption",
    "WorkersOption",
    "check_output_folder",
    "end_stage",
    "find_recipe",
    "guarded",
    "make_settings",
    "recipe_command",
    "report_table",
    "stage_app",
]
