"""Every argument of every resource, held against the schema of the provider.

`infra/schema/google.json` is what infra/schema/extract.py took from the provider's schema.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import pytest
from hcl2.utils import SerializationOptions

INFRA = Path(__file__).resolve().parents[2] / "infra"
FILES = sorted((INFRA / "terraform").rglob("*.tf"))
SCHEMA = json.loads((INFRA / "schema" / "google.json").read_text())
OF_EVERY_RESOURCE = {"count", "for_each", "depends_on", "lifecycle", "provider"}


def resources(text: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Kind, name and body of every resource of a file."""
    options = SerializationOptions(with_comments=False, explicit_blocks=False)
    for entry in hcl2.loads(text, serialization_options=options).get("resource", []):
        for kind, named in entry.items():
            for name, body in named.items():
                yield kind.strip('"'), name.strip('"'), body


def problems(text: str) -> list[str]:
    """What the provider would refuse in a file."""
    found = []
    for kind, name, body in resources(text):
        if kind not in SCHEMA["resources"]:
            found.append(f"{kind}.{name}: not in infra/schema/google.json: run extract.py")
            continue
        own = {key: value for key, value in body.items() if key not in OF_EVERY_RESOURCE}
        found += [f"{kind}.{name}: {one}" for one in refused(own, SCHEMA["resources"][kind])]
    return found


def refused(body: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    """Arguments that do not exist, that are missing, or that are a block and should be a value."""
    given = {key.strip('"'): value for key, value in body.items()}
    for dynamic in given.pop("dynamic", []):
        for name, block in dynamic.items():
            given.setdefault(name.strip('"'), []).extend(block["content"])
    for name, value in given.items():
        if name not in schema:
            yield f"there is no argument {name!r}"
        elif "block" in schema[name]:
            blocks = value if isinstance(value, list) else [value]
            if not all(isinstance(block, dict) for block in blocks):
                yield f"{name!r} is a block"
                continue
            for block in blocks:
                yield from (f"{name}: {one}" for one in refused(block, schema[name]["block"]))
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            yield f"{name!r} is not a block"
    yield from (
        f"{name!r} is missing"
        for name, argument in schema.items()
        if argument["required"] and name not in given
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_provider_takes_every_argument(path: Path):
    assert problems(path.read_text()) == []


def test_schema_is_that_of_the_pinned_provider():
    for path in FILES:
        for pin in re.findall(r'hashicorp/google"\s+version = "~> ([\d.]+)"', path.read_text()):
            assert SCHEMA["version"].startswith(f"{pin}.")


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("public_access_prevention", "public_acces_prevention", "no argument"),
        ("matches_prefix", "match_prefix", "lifecycle_rule: condition: there is no argument"),
        ("location = var.region", "", "'location' is missing"),
        (
            'resource "google_storage_bucket" "data"',
            'resource "google_bucket" "data"',
            "extract.py",
        ),
        ("versioning {", "versioning_rule {", "no argument 'versioning_rule'"),
        ("force_destroy               = false", "force_destroy {\n}", "is not a block"),
    ],
)
def test_typo_is_found(right: str, wrong: str, problem: str):
    text = (INFRA / "terraform" / "bucket.tf").read_text()
    assert right in text
    assert any(problem in one for one in problems(text.replace(right, wrong)))


def test_typo_in_a_dynamic_block_is_found():
    text = (INFRA / "terraform" / "serving.tf").read_text()
    assert any(
        "node_selector: there is no argument 'acelerator'" in one
        for one in problems(text.replace("accelerator =", "acelerator ="))
    )
