"""A version's past: when each version was made, and the settings that made it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from s2s.dataset import SPLITS, DatasetIndex, version_names
from s2s.errors import ObjectNotFoundError, VersionError
from s2s.layout import dataset_index_key
from s2s.settings import Recipe
from s2s.storage import Bucket
from s2s.workspace import scratch
from validation.release.programs import git

__all__ = ["History", "PastVersion", "clone_commands", "read_history"]


@dataclass(frozen=True)
class PastVersion:
    """A version in the list of all.

    Attributes:
        name: `dataset_vN`.
        made: when, "2026-11-28 13:00 UTC"; empty where git does not say.
        counts: clips of each split.
    """

    name: str
    made: str
    counts: dict[str, int]

    @property
    def clips(self) -> int:
        """Clips in all."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class History:
    """What is known of a version's past.

    Attributes:
        versions: all of the recipe's versions, the newest first.
        made: when the version was made; empty where git does not say.
        settings: the recipe that made it, as YAML; empty where git does not say.
        datasheet: what git says of it, Markdown.
        note: why git does not say; empty where it does.
    """

    versions: list[PastVersion] = field(default_factory=list)
    made: str = ""
    settings: str = ""
    datasheet: str = ""
    note: str = ""


def read_history(bucket: Bucket, recipe: Recipe, version: str) -> History:
    """Read the indexes of all versions, and the git bundle of the newest."""
    indexes = [
        DatasetIndex.model_validate_json(bucket.read(dataset_index_key(recipe, name)))
        for name in version_names(bucket, recipe)
    ]
    told: dict[str, str] = {}
    settings = datasheet = note = ""
    bundle = indexes[-1].bundle if indexes else ""
    if not bundle:
        note = "The version has no git bundle, so when it was made is not known."
    else:
        try:
            told, settings, datasheet = _from_git(bucket, bundle, version)
        except (VersionError, ObjectNotFoundError) as error:
            note = f"When it was made is not known: {error}"
    versions = [
        PastVersion(
            index.version,
            told.get(index.version, ""),
            {split: index.counts.get(split, 0) for split in SPLITS},
        )
        for index in reversed(indexes)
    ]
    return History(versions, told.get(version, ""), settings, datasheet, note)


def clone_commands(bucket: Bucket, version: str, bundle: str) -> str:
    """How to get the version with git and DVC alone; empty where it has no bundle."""
    if not bundle:
        return ""
    name = bundle.rpartition("/")[2]
    if bucket.url.startswith("gs://"):
        first = f"gcloud storage cp {bucket.url}/{bundle} ."
    else:
        first = f"cp '{bucket.url.removeprefix('file://')}/{bundle}' ."
    return "\n".join(
        [first, f"git clone -b main {name} data", "cd data", f"git checkout {version}", "dvc pull"]
    )


def _from_git(bucket: Bucket, bundle: str, version: str) -> tuple[dict[str, str], str, str]:
    """When each version was made, and a version's recipe.yaml and datasheet.md."""
    with scratch() as folder:
        bucket.download(bundle, folder / "history.bundle")
        git(folder, "clone", "--quiet", "--bare", "history.bundle", "history.git")
        repository = folder / "history.git"
        tags = git(
            repository, "for-each-ref", "--format=%(refname:short) %(creatordate:unix)", "refs/tags"
        )
        made = {
            name: f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d %H:%M} UTC"
            for name, _, seconds in (line.partition(" ") for line in tags.splitlines())
        }
        names = git(repository, "ls-tree", "--name-only", version).splitlines()
        texts = [
            git(repository, "show", f"{version}:{name}") if name in names else ""
            for name in ("recipe.yaml", "datasheet.md")
        ]
    return made, texts[0], texts[1]
