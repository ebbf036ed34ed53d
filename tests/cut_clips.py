"""A bucket as preprocessing leaves it: a catalog, and clips that ffmpeg made of test pictures."""

import random
from pathlib import Path

from s2s.catalog import catalog_lines
from s2s.layout import catalog_key, processed_prefix
from s2s.media import run_ffmpeg
from s2s.records import ClipRecord, build_clip_id
from s2s.storage import Bucket
from s2s.tasks.generation.settings import GenerationRecipe

CLIP_S = 2


def make_recipe(name: str = "tiny", **sections: dict[str, object]) -> GenerationRecipe:
    """A recipe for clips of two seconds, of sources named `<label><number>`."""
    content = {"name": name, "spec": {"duration_s": CLIP_S}, "collection": {"catalog": "c.csv"}}
    return GenerationRecipe.model_validate(content | sections)


def write_recipe(path: Path, recipe: GenerationRecipe) -> Path:
    """A recipe as a file; JSON is YAML."""
    path.write_text(recipe.model_dump_json())
    return path


def write_catalog(
    bucket: Bucket, recipe: GenerationRecipe, starts_s: dict[str, list[int]]
) -> list[str]:
    """A catalog as collection stores it; ids of its clips.

    Args:
        bucket: where to.
        recipe: whose.
        starts_s: start of each clip, by source; a source's label is its name without digits.
    """
    rows = [(source, start_s) for source, starts in starts_s.items() for start_s in starts]
    clips = [
        ClipRecord(
            source_id=source,
            start_s=start_s,
            end_s=start_s + CLIP_S,
            labels=(source.rstrip("0123456789"),),
        )
        for source, start_s in rows
    ]
    bucket.write(catalog_key(recipe), "".join(catalog_lines(clips)).encode(), overwrite=True)
    return [build_clip_id(source, start_s, start_s + CLIP_S) for source, start_s in rows]


def make_clip(
    folder: Path, name: str, *, hue: int = 0, volume: float = 0.5, duration_s: float = CLIP_S
) -> tuple[Path, Path]:
    """An mp4 and a wav of a test picture and a tone.

    Args:
        folder: where to.
        name: of both files.
        hue: makes pictures and sounds differ.
        volume: the tone's amplitude is an eighth of it.
        duration_s: their length.
    """
    video, sound = folder / f"{name}.mp4", folder / f"{name}.wav"
    colours = random.Random(hue)  # ffmpeg's own are others each time, whatever its seed
    named = ":".join(f"c{number}=0x{colours.randrange(1 << 24):06x}" for number in range(4))
    picture = f"gradients=s=64x48:r=25:d={duration_s}:seed={hue}:nb_colors=4:{named}:speed=0.03"
    tone = f"sine=f={440 + hue}:r=16000:d={duration_s},tremolo=f={2 + hue / 50},volume={volume}"
    run_ffmpeg(
        [
            *["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone],
            *["-map", "0:v", "-map", "1:a", "-c:v", "libx264", "-preset", "ultrafast"],
            *["-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4", str(video)],
            *["-map", "1:a", "-f", "wav", str(sound)],
        ],
        name,
    )
    return video, sound


def put_clips(bucket: Bucket, recipe: GenerationRecipe, folder: Path, clip_ids: list[str]) -> None:
    """Make clips, each with a hue of its own, unless they are in a folder; store them."""
    for number, clip_id in enumerate(clip_ids):
        video, sound = folder / f"{clip_id}.mp4", folder / f"{clip_id}.wav"
        if not video.exists():
            make_clip(folder, clip_id, hue=(number * 37) % 360)
        store_clip(bucket, recipe, clip_id, video, sound)


def store_clip(
    bucket: Bucket, recipe: GenerationRecipe, clip_id: str, video: Path, sound: Path
) -> None:
    """Store a clip's two files as preprocessing does, the mp4 last."""
    key = processed_prefix(recipe) + clip_id
    bucket.upload(sound, f"{key}.wav", overwrite=True)
    bucket.upload(video, f"{key}.mp4", overwrite=True)
