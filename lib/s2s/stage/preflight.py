"""Checks of what a stage needs, before it works: a line each, with the remedy where one fails."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel
from rich.markup import escape

from s2s.dataset import version_names
from s2s.errors import S2SError, SettingsError, StageError
from s2s.layout import extractors_key, model_config_key
from s2s.logs import console
from s2s.memory_limit import memory_limit_bytes
from s2s.settings import Settings
from s2s.stage.buckets import prepared_bucket, shared_bucket
from s2s.stage.node import find_node, is_other_node

__all__ = ["Finding", "preflight"]

_LEAST_FREE_GB = 0.5
_LEAST_MEMORY_MIB = {"feature_extraction": 600, "training": 600}
"""What a stage with torch takes before its first clip, measured; others begin with 100."""
_READ, _WRITE, _PROGRAM, _SMALL_PROGRAM = "read", "write", "program", "small program"
_NEEDS_OF_MEDIA = {
    "collection": {_READ, _SMALL_PROGRAM},
    "preprocessing": {_READ, _WRITE, _PROGRAM},
    "validation": {_READ},
    "feature_extraction": {_READ},
    "serving": {_READ, _WRITE, _PROGRAM},
}
_WEIGHTS = re.compile(r"(file|bucket|package):(.+)")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what it is.
        told: how it is.
        remedy: what to do; empty where all is well.
    """

    name: str
    told: str
    remedy: str = ""


def preflight(settings: Settings, stage: str) -> None:
    """Look at bucket, disks, codecs, weights, cluster and nodes; print a line for each.

    What alone lacks has none: the error says it.

    Args:
        settings: the run's settings.
        stage: what of it the stage needs.

    Raises:
        StageError: if something lacks, with all that does.
    """
    findings = list(_findings(settings, stage))
    lacking = [f"{one.name}: {one.told}. {one.remedy}" for one in findings if one.remedy]
    for one in findings:
        if one.remedy and len(lacking) == 1:
            continue
        mark = "[red]lacks[/]" if one.remedy else "[dim]ok   [/]"
        told = f"{one.name}: {one.told}" + (f". {one.remedy}" if one.remedy else "")
        console.print(f"{mark} {escape(told)}", style="" if one.remedy else "dim", soft_wrap=True)
    if lacking:
        raise StageError(f"{stage} cannot start: " + "; ".join(lacking))


def _findings(settings: Settings, stage: str) -> Iterator[Finding]:
    checks: list[Callable[[Settings, str], Finding | None]] = [
        _bucket,
        _disk,
        _memory,
        _codecs,
        _weights,
        _cluster,
        _nodes,
    ]
    for check in checks:
        found = check(settings, stage)
        if found is not None:
            yield found


def _bucket(settings: Settings, stage: str) -> Finding:
    url = settings.bucket_url
    name = "bucket and credentials" if url.startswith("gs://") else "bucket"
    writes = stage != "serving" and not (stage == "training" and is_other_node())
    try:
        if stage != "collection":  # the first stage makes a new one
            shared_bucket(url).check()
        if writes:
            prepared_bucket(url)
    except S2SError as error:
        return _lacking(name, error, "Check --bucket, or S2S_BUCKET")
    # Whether an account may write to Google's shows at its first write.
    is_written = writes and url.startswith("file://")
    return Finding(name, f"{url} answers" + ", and can be written to" * is_written)


def _lacking(name: str, error: S2SError, otherwise: str) -> Finding:
    """What an error says, with its remedy: the last sentence, where there are several."""
    message, separator, remedy = str(error).rpartition(". ")
    return Finding(name, message, remedy) if separator else Finding(name, str(error), otherwise)


def _disk(settings: Settings, _stage: str) -> Finding:
    folder = settings.work_dir.absolute()
    while not folder.exists():
        folder = folder.parent
    free_gb = shutil.disk_usage(folder).free / 1e9
    told = f"{free_gb:.1f} GB free for {settings.work_dir}"
    if free_gb < _LEAST_FREE_GB:
        return Finding("disk", told, "Free some space, or choose another --work-dir (S2S_HOME)")
    return Finding("disk", told)


def _memory(_settings: Settings, stage: str) -> Finding | None:
    """A container whose limit the system would end the stage at without a word, with status 137."""
    limit_bytes, least_mib = memory_limit_bytes(), _LEAST_MEMORY_MIB.get(stage)
    if limit_bytes is None or least_mib is None or limit_bytes >= least_mib << 20:
        return None
    told = f"{limit_bytes >> 20} MiB, this container's limit; torch alone takes {least_mib}"
    return Finding("memory", told, "Give it more (mem_limit, S2S_TRAINING_MEMORY with compose)")


def _codecs(_settings: Settings, stage: str) -> Finding | None:
    needs = _NEEDS_OF_MEDIA.get(stage)
    if not needs:
        return None
    from s2s.media.codecs import (  # noqa: PLC0415 - slow to import
        DECODERS,
        ENCODERS,
        ffmpeg_problem,
        missing_codecs,
    )

    lacking = missing_codecs(
        DECODERS if _READ in needs else (), ENCODERS if _WRITE in needs else ()
    )
    for program, small in ((_PROGRAM, False), (_SMALL_PROGRAM, True)):
        if program in needs and (problem := ffmpeg_problem(small=small)):
            lacking.append(problem)
    if lacking:
        remedy = f"Install what services/{stage}/requirements.txt names, or use its image"
        return Finding("codecs", f"missing: {', '.join(lacking)}", remedy)
    return Finding("codecs", "all there")


def _weights(settings: Settings, stage: str) -> Finding | None:
    """Networks that were trained elsewhere, which feature extraction takes from where they are."""
    recipe = settings.recipe
    if stage != "feature_extraction" or not recipe.feature_extraction.needs_weights:
        return None
    try:
        bucket = shared_bucket(settings.bucket_url)
        if bucket.exists(extractors_key(recipe)):
            return Finding("weights", "in the bucket, where an earlier run left them")
        for setting, source in _named_weights(recipe.feature_extraction):
            match = _WEIGHTS.fullmatch(source)
            if match and not _is_there(match[1], match[2], settings):
                put = "Install it" if match[1] == "package" else "Put it there"
                remedy = f"{put}, or change feature_extraction.{setting} in the recipe"
                return Finding("weights", f"{source} is not there", remedy)
    except S2SError:
        return None  # the bucket's own line says it
    return Finding("weights", "where the recipe says")


def _named_weights(section: BaseModel) -> Iterator[tuple[str, str]]:
    """Settings `<network>_weights` of the networks that a recipe chooses."""
    fields = type(section).model_fields
    for setting in fields:
        network = setting.removesuffix("_weights")
        is_chosen = network in fields and getattr(section, network) != fields[network].default
        if setting != network and is_chosen:
            yield setting, str(getattr(section, setting))


def _is_there(place: str, name: str, settings: Settings) -> bool:
    if place == "file":
        return (settings.recipe_path.parent / name).is_file()
    if place == "bucket":
        return shared_bucket(settings.bucket_url).exists(name)
    package, _, file = name.partition("/")
    package = package.replace("-", "_")  # as it is imported
    spec = find_spec(package) if package.isidentifier() else None
    folders = (spec and spec.submodule_search_locations) or ()
    # Which file it is, where the recipe leaves that open, is seen where it is read.
    return any((Path(folder) / file).is_file() for folder in folders) if file else bool(folders)


def _cluster(settings: Settings, stage: str) -> Finding | None:
    if settings.engine != "ray":
        return None
    from s2s.engine import check_engine  # noqa: PLC0415

    uses_gpu = stage == "feature_extraction" and settings.recipe.feature_extraction.needs_weights
    try:
        return Finding("cluster", check_engine("ray", settings.gpus if uses_gpu else 0.0))
    except S2SError as error:
        return _lacking("cluster", error, "Choose another with RAY_ADDRESS, or the engine local")


def _nodes(settings: Settings, stage: str) -> Finding | None:
    """Which of a training's nodes this machine is, while there is something to train."""
    if stage != "training":
        return None
    recipe = settings.recipe
    try:
        node = find_node(recipe.training.nodes)
    except SettingsError as error:
        try:
            bucket = shared_bucket(settings.bucket_url)
            versions = version_names(bucket, recipe)
            if versions and bucket.exists(model_config_key(recipe, versions[-1])):
                return None
        except S2SError:
            return None  # the bucket's own line says it
        message, _, remedy = str(error).partition(". ")
        return Finding("nodes", message, remedy)
    return None if node.count == 1 else Finding("nodes", f"this is {node}")
