"""What a version says of itself, for people: where it is from, what is in it, what made it.

These files are in git, beside what DVC tracks, so that they can be read before anything is pulled.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version as version_of

import numpy as np
import yaml

from s2s.dataset import SPLITS, DatasetClip
from s2s.logs import counted
from s2s.settings import Recipe
from validation.release.remote import RemoteMode

__all__ = ["describe", "statistics_of"]

_NO_LOUDNESS_DBFS = -190.0  # softer than any sample is
_TOOLS = ("av", "dvc", "dvc-gs", "numpy")
_TEXT = """\
# Data set of the recipe `{name}`

{counts}

| | |
| --- | --- |
| catalog | `{catalog}` (CRC-32C `{catalog_crc32c}`), as collected; `recipe.yaml` has all settings |
| licence | {licence} |
| labels | {n_labels} |
| picture | {duration_s:.0f} s in all, {megabytes:.1f} MB |
| DVC's remote | {remote} |
| made with | {tools} |

Clips were decoded to their ends; not in are those that are {left_out}. {not_checked}All clips of a
source, and those that were found to look and sound alike, are in one split. The videos belong to
those who made them: the licence of a catalog covers its list, not the videos.
"""


def describe(
    recipe: Recipe,
    clips: Mapping[str, Iterable[DatasetClip]],
    catalog: tuple[str, str],
    mode: RemoteMode,
) -> dict[str, str]:
    """Files by name: the datasheet, statistics and the recipe.

    Args:
        recipe: what made the version.
        clips: what it holds, by split.
        catalog: key of the catalog, and its CRC-32C.
        mode: how DVC's remote has the clips.
    """
    statistics = statistics_of(clips)
    counts = ", ".join(
        f"{counted(statistics[split]['clips'], 'clip')} of "
        f"{counted(statistics[split]['sources'], 'source')} in {split}"
        for split in SPLITS
    )
    datasheet = _TEXT.format(
        name=recipe.name,
        counts=counts[:1].upper() + counts[1:] + ".",
        catalog=catalog[0],
        catalog_crc32c=catalog[1],
        licence=recipe.licence or "not given",
        n_labels=len({label for split in SPLITS for row in clips[split] for label in row.labels}),
        duration_s=sum(statistics[split]["duration_s"]["sum"] for split in SPLITS),
        megabytes=sum(statistics[split]["bytes"]["sum"] for split in SPLITS) / 1e6,
        remote=mode.meaning,
        **_checked(recipe),
        tools=", ".join(f"{tool} {version_of(tool)}" for tool in _TOOLS),
    )
    return {
        "datasheet.md": datasheet,
        "statistics.json": json.dumps(statistics, indent=1, ensure_ascii=False) + "\n",
        "recipe.yaml": yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False),
    }


def _checked(recipe: Recipe) -> dict[str, str]:
    """What clips were checked for, and what this recipe turned off, in words."""
    section, limits = recipe.validation, recipe.validation.checks
    silent = "silent"
    if recipe.preprocessing.no_audio == "silent":
        silent += " (those without a sound track are in)"
    is_on = {
        silent: section.min_loudness_dbfs > _NO_LOUDNESS_DBFS,
        "clipped": limits.max_clipped_share < 1,
        "frozen": limits.min_motion >= 0,
        "black": limits.min_brightness > 0,
        "slower than is asked for": limits.min_fps > 0,
        "smaller than is asked for": limits.min_side_px > 1,
    }
    out = ["damaged", "too short", *(name for name, on in is_on.items() if on)]
    off = [name for name, on in is_on.items() if not on]
    told = f"This recipe does not check whether clips are {_listed(off, 'or')}. " if off else ""
    return {"left_out": _listed(out, "or"), "not_checked": told}


def _listed(words: list[str], joint: str) -> str:
    return f" {joint} ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def statistics_of(clips: Mapping[str, Iterable[DatasetClip]]) -> dict[str, dict]:
    """Counts, and how lengths, sizes and loudness are spread, by split."""
    result: dict[str, dict] = {}
    for split in SPLITS:
        rows = list(clips[split])
        result[split] = {
            "clips": len(rows),
            "sources": len({row.source_id for row in rows}),
            "labels": dict(sorted(Counter(name for row in rows for name in row.labels).items())),
            "duration_s": _spread([row.duration_s for row in rows]),
            "bytes": _spread([row.size + row.wav_size for row in rows]),
            "loudness_dbfs": _spread([row.loudness_dbfs for row in rows]),
        }
    return result


def _spread(values: list[float]) -> dict[str, float]:
    if not values:
        return {"sum": 0.0}
    quarters = np.percentile(values, [0, 25, 50, 75, 100]).round(3).tolist()
    names = ("min", "q1", "median", "q3", "max")
    return {"sum": round(sum(values), 3)} | dict(zip(names, quarters, strict=True))
