"""Writes `google.json`: the provider's arguments of the resources that infra/terraform uses.

The whole schema is 130 MB and comes from PyPI's `cdktn-provider-google`, which states the version
of the provider that it was made from. Run this after a new kind of resource or another provider:

    pip install --no-deps --target /tmp/provider cdktn-provider-google
    python infra/schema/extract.py /tmp/provider
"""

import gzip
import json
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
TERRAFORM = FOLDER.parent / "terraform"
_ARGUMENT = re.compile(r"/providers/hashicorp/google/([\d.]+)/docs/resources/\w+#(\w+)")
_MEMBERS_OF_ALL = {"count", "dependsOn", "forEach", "lifecycle", "provider"}
_MEMBERS_OF_ALL |= {"connection", "provisioners"}


def main(packages: Path) -> None:
    """Extract the schema of every kind of resource that the files name.

    Args:
        packages: the folder that the package was installed into.
    """
    types = _types(packages)
    text = "\n".join(path.read_text() for path in sorted(TERRAFORM.rglob("*.tf")))
    kinds = sorted(set(re.findall(r'^resource "(\w+)"', text, re.MULTILINE)))
    versions: set[str] = set()
    resources = {kind: _block(types, _config_of(types, kind), versions) for kind in kinds}
    (version,) = versions
    content = {"provider": "hashicorp/google", "version": version, "resources": resources}
    (FOLDER / "google.json").write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def _types(packages: Path) -> dict[str, Any]:
    (archive,) = packages.glob("cdktn_provider_google/_jsii/*.tgz")
    with tarfile.open(archive) as files:
        member = files.extractfile("package/.jsii")
        if member is None:
            sys.exit(f"{archive}: has no schema; is this another package?")
        content = json.load(member)
        if content["schema"] == "jsii/file-redirect":
            member = files.extractfile(f"package/{content['filename']}")
            content = json.loads(gzip.decompress(member.read() if member else b""))
    return content["types"]


def _config_of(types: dict[str, Any], kind: str) -> str:
    folder = re.sub(r"_(\w)", lambda match: match[1].upper(), kind.removeprefix("google_"))
    wanted = f".{folder}.{folder}Config".lower()
    found = [name for name in types if name.lower().endswith(wanted)]
    if len(found) != 1:
        sys.exit(f"{kind}: the provider has no such resource")
    return found[0]


def _block(types: dict[str, Any], name: str, versions: set[str]) -> dict[str, Any]:
    arguments = {}
    for member in types[name].get("properties", []):
        match = _ARGUMENT.search(json.dumps(member.get("docs", {})))
        if match is None or member["name"] in _MEMBERS_OF_ALL:
            continue
        versions.add(match[1])
        inner = [one for one in _references(member["type"]) if one in types]
        inner = [one for one in inner if types[one]["kind"] == "interface"]
        argument: dict[str, Any] = {"required": not member.get("optional", False)}
        if inner:
            argument["block"] = _block(types, inner[0], versions)
        arguments[match[2]] = argument
    return arguments


def _references(kind: Any) -> list[str]:
    """Names of all types that a member's type is put together from."""
    if isinstance(kind, dict):
        own = [kind["fqn"]] if "fqn" in kind else []
        return own + [name for value in kind.values() for name in _references(value)]
    if isinstance(kind, list):
        return [name for value in kind for name in _references(value)]
    return []


if __name__ == "__main__":
    main(Path(sys.argv[1]))
