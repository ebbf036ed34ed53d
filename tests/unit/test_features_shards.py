"""Shards come back as they were written, in windows, and tell what they are."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as random_arrays
from pydantic import ValidationError
from safetensors.numpy import load_file, save_file

from s2s.errors import ModelError
from s2s.features.arrays import Array, ArrayError, ArraySpec
from s2s.features.shards import CHECKSUM, HEADER, ShardHeader, ShardReader, write_shard
from s2s.settings import FEATURES
from s2s.tasks.generation.settings import GenerationRecipe

RECIPE = GenerationRecipe.model_validate({"name": "r", "collection": {"catalog": "c.csv"}})
STREAM = ArraySpec(name="mel", shape=(8,), rate_hz=100)
FRAMES = ArraySpec(name="frames", shape=(None, None, 3), dtype="uint8", rate_hz=8)
JPEGS = ArraySpec(name="jpegs", is_bytes=True, rate_hz=8)
LABEL = ArraySpec(name="label", dtype="int64")
DTYPES = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")
FLOATS = ("float16", "float32", "float64")


def make_clip(length: int = 10) -> dict[str, Array]:
    rng = np.random.default_rng(length)
    return {
        "mel": rng.normal(size=(4 * length, 8)).astype(np.float32),
        "frames": rng.integers(0, 256, (length, 5, 2 + length, 3), dtype=np.uint8),
        "jpegs": [rng.integers(0, 256, 1 + n * n, dtype=np.uint8) for n in range(length)],
        "label": np.array([length]),
    }


def write(
    path: Path,
    clips: dict[str, dict[str, Array]],
    specs: tuple[ArraySpec, ...] = (STREAM, FRAMES, JPEGS, LABEL),
) -> Path:
    header = ShardHeader(
        recipe="r",
        settings=RECIPE.named_settings(FEATURES),
        arrays=specs,
        clips=dict.fromkeys(clips, "checksums"),
    )
    write_shard(path, header, clips)
    return path


@pytest.fixture
def shard(tmp_path: Path) -> ShardReader:
    return ShardReader(write(tmp_path / "s.safetensors", {"-a": make_clip(10), "b": make_clip(7)}))


def test_windows_of_every_kind_of_array_come_back(shard: ShardReader):
    clip = make_clip(10)
    assert list(shard.header.clips) == ["-a", "b"]
    assert shard.header.arrays == (STREAM, FRAMES, JPEGS, LABEL)
    window = shard.read("-a", "mel", 8, 20)
    assert window.dtype == np.float16
    np.testing.assert_allclose(window, np.asarray(clip["mel"])[8:20], atol=2e-3)
    np.testing.assert_array_equal(shard.read("-a", "frames", 3, 5), clip["frames"][3:5])
    assert shard.shape("-a", "frames") == (10, 5, 12, 3)
    assert shard.shape("b", "frames") == (7, 5, 9, 3)
    np.testing.assert_array_equal(shard.read("b", "label"), [7])
    found = shard.read_bytes("-a", "jpegs", 4, 6)
    assert [piece.tobytes() for piece in found] == [p.tobytes() for p in clip["jpegs"][4:6]]


def test_lengths_are_of_the_kind_that_was_stored(shard: ShardReader):
    lengths = {name: shard.length("b", name) for name in ("mel", "frames", "jpegs", "label")}
    assert lengths == {"mel": 28, "frames": 7, "jpegs": 7, "label": 1}


@given(
    start=st.integers(-12, 12) | st.none(),
    stop=st.integers(-12, 12) | st.none(),
)
def test_any_part_of_byte_strings_is_that_of_a_list(
    tmp_path_factory: pytest.TempPathFactory, start: int | None, stop: int | None
):
    path = tmp_path_factory.getbasetemp() / "bytes.safetensors"
    clip = make_clip(7)
    if not path.is_file():
        write(path, {"a": clip})
    found = ShardReader(path).read_bytes("a", "jpegs", start or 0, stop)
    wanted = list(clip["jpegs"])[start or 0 : stop]
    assert [piece.tobytes() for piece in found] == [piece.tobytes() for piece in wanted]


@given(data=st.data())
def test_every_type_and_shape_comes_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    dtype = data.draw(st.sampled_from([*DTYPES, *FLOATS]))
    shape = data.draw(st.lists(st.integers(1, 4), max_size=3).map(tuple))
    length = data.draw(st.integers(1, 5))
    finite = {"allow_nan": False, "allow_infinity": False} if dtype in FLOATS else None
    array = data.draw(random_arrays(dtype, (length, *shape), elements=finite))
    spec = ArraySpec.model_validate({"name": "x", "shape": shape, "dtype": dtype})
    path = tmp_path_factory.mktemp("shard") / "s.safetensors"
    reader = ShardReader(write(path, {"a": {"x": array}}, (spec,))).check(RECIPE)
    np.testing.assert_array_equal(reader.read("a", "x"), array)
    assert reader.read("a", "x").dtype == array.dtype


def test_it_travels_to_other_processes(shard: ShardReader):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(shard.length, ("-a", "jpegs")) == 10


def test_a_shard_without_clips_is_a_shard(tmp_path: Path):
    shard = ShardReader(write(tmp_path / "s.safetensors", {}))
    assert shard.check(RECIPE).header.clips == {}


@pytest.mark.parametrize(
    ("spec", "array", "message"),
    [
        (STREAM, np.full((3, 8), np.nan), "mel holds NaN or infinity"),
        (STREAM, np.full((3, 8), 70_000.0), "mel holds NaN or infinity"),  # above float16
        (STREAM, np.zeros((0, 8)), r"mel has shape \(0, 8\), but \(T, 8\) is needed"),
        (STREAM, np.zeros((3, 7)), r"mel has shape \(3, 7\), but \(T, 8\) is needed"),
        (STREAM, np.zeros(8), r"mel has shape \(8,\)"),
        (FRAMES, np.zeros((2, 0, 4, 3), np.uint8), r"frames has shape .* \(T, any, any, 3\)"),
        (FRAMES, np.zeros((2, 4, 4, 4), np.uint8), r"frames has shape \(2, 4, 4, 4\)"),
        (
            FRAMES,
            np.zeros((2, 4, 4, 3), np.float32),
            "frames: float32 values do not fit into uint8",
        ),
        (FRAMES, np.full((2, 4, 4, 3), 256), "frames: int64 values do not fit into uint8"),
        (LABEL, np.array([], np.int64), r"label has shape \(0,\)"),
        (JPEGS, [], "jpegs is no array of byte strings, or has none"),
        (JPEGS, [np.zeros(0, np.uint8)], "jpegs: where its byte strings begin and end"),
        (JPEGS, [np.zeros(3, np.int16)], "jpegs: each instant must be a uint8 array"),
        (JPEGS, [np.zeros((3, 3), np.uint8)], "jpegs: each instant must be a uint8 array"),
    ],
)
def test_what_is_not_what_its_spec_says_is_never_written(
    tmp_path: Path, spec: ArraySpec, array: Array, message: str
):
    path = tmp_path / "s.safetensors"
    with pytest.raises(ArrayError, match=f"^a/{message}"):
        write(path, {"a": {spec.name: array}}, (spec,))
    assert not path.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"name": "x", "dtype": "complex64"},
        {"name": "X"},
        {"name": "x", "shape": (0,)},
        {"name": "x", "rate_hz": 0},
        {"name": "x", "is_bytes": True, "shape": (3,)},
        {"name": "x", "is_bytes": True, "dtype": "int8"},
    ],
)
def test_a_spec_that_cannot_be_is_refused(values: dict[str, object]):
    with pytest.raises(ValidationError):
        ArraySpec.model_validate(values)


def damage(path: Path, change: dict[str, np.ndarray | None]) -> Path:
    """Write a shard again with other tensors under its header; None leaves one out."""
    header = ShardReader(path).header
    tensors = {name: values.copy() for name, values in load_file(path).items()}
    for name, values in change.items():
        tensors.pop(name)
        if values is not None:
            tensors[name] = values
    save_file(tensors, path, metadata={HEADER: header.model_dump_json()})
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a/mel": np.full((3, 8), np.nan, np.float16)}, "a/mel holds NaN or infinity"),
        ({"a/mel": np.zeros((3, 5), np.float16)}, r"a/mel has shape \(3, 5\)"),
        ({"a/mel": np.zeros((3, 8), np.float32)}, "a/mel has dtype float32, but float16"),
        ({"a/mel": None}, "a/mel: "),
        ({"a/jpegs.offsets": None}, "a/jpegs: "),
        ({"a/jpegs.offsets": np.array([0, 5, 3])}, "a/jpegs: where its byte strings"),
        ({"a/jpegs.offsets": np.array([0, 10**9])}, "a/jpegs: where its byte strings"),
        ({"a/jpegs": np.zeros(4, np.uint8)}, "a/jpegs: where its byte strings"),
    ],
)
def test_damage_is_found(tmp_path: Path, change: dict[str, np.ndarray | None], message: str):
    path = damage(write(tmp_path / "s.safetensors", {"a": make_clip()}), change)
    with pytest.raises(ModelError, match=f"{message}.*delete the shard and run feature_extraction"):
        ShardReader(path).check(RECIPE)


def test_numbers_that_are_others_than_were_written_are_found(tmp_path: Path):
    path = write(tmp_path / "s.safetensors", {"a": make_clip(), "b": make_clip()})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle] ^= 1  # of a picture: any number will do there
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"gs://x/s: its checksum is not .* delete the shard and"):
        ShardReader(path, "gs://x/s").check(RECIPE)


def test_a_shard_of_before_checksums_is_read(tmp_path: Path):
    path = damage(write(tmp_path / "s.safetensors", {"a": make_clip()}), {CHECKSUM: None})
    shard = ShardReader(path).check(RECIPE)
    np.testing.assert_array_equal(shard.read("a", "label"), [10])


def test_equal_shards_have_equal_bytes(tmp_path: Path):
    paths = [write(tmp_path / name, {"a": make_clip()}) for name in ("one", "other")]
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("keep", [0, 4, 100, -3])
def test_a_shard_that_is_cut_off_is_told(tmp_path: Path, keep: int):
    path = write(tmp_path / "s.safetensors", {"a": make_clip()})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"s\.safetensors: not a feature shard.*delete it"):
        ShardReader(path)
    with pytest.raises(ModelError, match=r"gs://x/s: not a feature shard.*delete it"):
        ShardReader(path, "gs://x/s")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "other"}, "its recipe is r"),
        ({"spec": {"fps": 20}}, r"made with spec\.fps 25, but 20 is needed"),
        ({"feature_extraction": {"colour_grid": 3}}, r"feature_extraction\.colour_grid 4, but 3"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, change: dict[str, object], message: str):
    shard = ShardReader(write(tmp_path / "s.safetensors", {"a": make_clip()}))
    other = GenerationRecipe.model_validate(RECIPE.model_dump() | change)
    with pytest.raises(ModelError, match=message):
        shard.check(other)


def test_what_features_do_not_depend_on_may_differ(shard: ShardReader):
    change = {"feature_extraction": {"clips_per_shard": 3}, "spec": {"duration_s": 3}}
    other = GenerationRecipe.model_validate(RECIPE.model_dump() | change)
    assert shard.check(other) is shard


def test_an_array_that_is_not_there_is_told(shard: ShardReader):
    with pytest.raises(ModelError, match="has no array sound, only mel, frames, jpegs, label"):
        shard.read("-a", "sound")
    with pytest.raises(ModelError, match="jpegs holds byte strings"):
        shard.read("-a", "jpegs")
    with pytest.raises(ModelError, match="frames holds no byte strings"):
        shard.read_bytes("-a", "frames")


@pytest.mark.parametrize("content", [b"", b"not a shard at all", b"\xff" * 100])
def test_another_file_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "s.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a feature shard"):
        ShardReader(path)


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(ModelError, match=r"none\.safetensors"):
        ShardReader(tmp_path / "none.safetensors")
