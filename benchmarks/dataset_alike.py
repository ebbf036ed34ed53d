"""How many copies are found, and how many stills, of real clips; and how many are told wrongly.

Usage: python benchmarks/dataset_alike.py FOLDER [--clips 20]
Every clip of a folder of real ones is copied in each way that people copy videos; then each set of
clips and copies is searched as validation does. Stills of each kind are rendered from their frames.
"""

import argparse
import hashlib
import tempfile
from pathlib import Path

from s2s.dataset import DatasetClip
from s2s.errors import MediaError
from s2s.media import run_ffmpeg
from validation.alike.duplicates import alike_pairs
from validation.checks.picture import measure_picture
from validation.checks.sound import measure_sound

LENGTH_S, RATE_HZ = 6, 16_000
FINE = ["-crf", "20"]
# Name: where the copy starts, filters of its picture and of its sound, how it is encoded.
COPIES = {
    "another encoding": (0, "null", "anull", ["-crf", "34", "-b:a", "48k"]),
    "half the size": (0, "scale=iw/4*2:ih/4*2", "anull", FINE),
    "bars above and below": (0, "pad=iw:ih*4/3:0:(oh-ih)/2", "anull", FINE),
    "bars at the sides": (0, "pad=iw*4/3:ih:(ow-iw)/2:0", "anull", FINE),
    "mirrored": (0, "hflip", "anull", FINE),
    "cropped by 10 %": (0, "crop=iw*.9:ih*.9", "anull", FINE),
    "cropped by 20 %": (0, "crop=iw*.8:ih*.8", "anull", FINE),
    "mirrored, cropped by 10 %": (0, "crop=iw*.9:ih*.9,hflip", "anull", FINE),
    "a logo": (0, "drawbox=x=iw*.7:y=ih*.05:w=iw*.25:h=ih*.12:c=white:t=fill", "anull", FINE),
    "softer": (0, "null", "volume=0.3", FINE),
    "brighter": (0, "eq=brightness=0.08:contrast=1.2", "anull", FINE),
    "0.3 s later": (0.3, "null", "anull", FINE),
    "1 s later": (1, "null", "anull", FINE),
    "5 % faster": (0, "setpts=PTS/1.05", "atempo=1.05", FINE),
}
STILLS = {
    "a still": "null",
    "film grain": "noise=alls=20:allf=t",
    "a fade": "fade=in:0:40",
    "a slow pan": "scale=2*iw:2*ih,crop=iw/2:ih/2:x=t*16:y=t*8",
    "a slow zoom": (
        "scale=4*iw:-1,zoompan=z=1+on/1500:d=1:x=iw/2-iw/zoom/2:y=ih/2-ih/zoom/2:s=320x240"
    ),
}
DRAWN = {
    "an equaliser": "showfreqs=s=320x72:mode=bar:fscale=log:colors=white",
    "a wave form": "showwaves=s=320x72:mode=line:colors=white",
}
EVEN = "scale=trunc(iw/2)*2:trunc(ih/2)*2,format=yuv420p"


def encode(inputs: list[str], filters: str, encoding: list[str], output: Path) -> Path:
    """Run ffmpeg with a filter graph that makes [v] and [a]."""
    video = ["-c:v", "libx264", "-preset", "ultrafast", *encoding, "-c:a", "aac"]
    graph = ["-filter_complex", filters, "-map", "[v]", "-map", "[a]"]
    run_ffmpeg(
        [*inputs, *graph, *video, "-t", str(LENGTH_S), "-f", "mp4", str(output)], output.name
    )
    return output


def row_of(video: Path) -> DatasetClip:
    """A clip's row, of a source of its own."""
    sound = measure_sound(video, RATE_HZ)
    picture = measure_picture(video, [moment.at_s for moment in sound.moments])
    hashes = zip(picture.moment_hashes, sound.moments, strict=True)
    digest = hashlib.sha256(video.read_bytes()).hexdigest()
    return DatasetClip(
        clip_id=video.stem,
        source_id=video.stem,
        start_s=0,
        end_s=LENGTH_S,
        split="train",
        key="m",
        size=1,
        crc32c="AAAAAA==",
        sha256=digest,
        wav_key="w",
        wav_size=1,
        wav_crc32c="AAAAAA==",
        wav_sha256=digest,
        picture_hash=picture.hash,
        sound_hash=sound.hash,
        moment_hashes=" ".join(seen + heard.hash for seen, heard in hashes),
    )


def base_clips(folder: Path, most: int, scratch: Path) -> list[Path]:
    """Real clips with sound at one size, as preprocessing has them."""
    videos = (path for path in sorted(folder.rglob("*")) if path.is_file())
    found = []
    for number, video in enumerate(videos):
        output = scratch / f"{number:03d}.mp4"
        graph = f"[0:v]scale=-2:256,fps=25,{EVEN}[v];[0:a]anull[a]"
        try:
            encode(["-i", str(video)], graph, FINE, output)
            if measure_picture(output).duration_s > LENGTH_S / 2:
                found.append(output)
        except MediaError:
            continue  # no picture, no sound, or damaged: of no use here
        if len(found) == most:
            break
    return found


def measure_copies(videos: list[Path], scratch: Path) -> None:
    """Print, for each kind of copy, how many are found, and pairs that are none."""
    rows = [row_of(video) for video in videos]
    print(f"{len(rows)} clips; pairs among them that are told alike: {len(alike_pairs(rows))}")
    print(f"{'copy':28} found of  false alarms")
    for name, (start_s, picture, sound, encoding) in COPIES.items():
        copies = []
        for video in videos:
            output = scratch / f"{video.stem}-copy.mp4"
            inputs = ["-ss", str(start_s), "-i", str(video)]
            graph = f"[0:v]{picture},{EVEN}[v];[0:a]{sound}[a]"
            copies.append(row_of(encode(inputs, graph, encoding, output)))
        pairs = {(pair.first, pair.second) for pair in alike_pairs([*rows, *copies])}
        right = {(row.clip_id, copy.clip_id) for row, copy in zip(rows, copies, strict=True)}
        print(f"{name:28} {len(pairs & right):5} {len(right):2}  {len(pairs - right)}", flush=True)


def measure_stills(videos: list[Path], scratch: Path) -> None:
    """Print, for each kind of still, how many are found."""
    frame, output = scratch / "frame.png", scratch / "still.mp4"
    found = dict.fromkeys([*STILLS, *DRAWN], 0)
    for video in videos:
        run_ffmpeg(["-ss", "2", "-i", str(video), "-frames:v", "1", "-y", str(frame)], frame.name)
        inputs = ["-loop", "1", "-framerate", "25", "-i", str(frame), "-i", str(video)]
        size = "[0:v]scale=320:240,"
        for name, change in STILLS.items():
            graph = f"{size}{change},{EVEN}[v];[1:a]anull[a]"
            found[name] += measure_picture(encode(inputs, graph, FINE, output)).is_still
        for name, drawn in DRAWN.items():
            graph = f"{size}null[p];[1:a]asplit[a][b];[b]{drawn}[d];[p][d]overlay=0:H-h,{EVEN}[v]"
            found[name] += measure_picture(encode(inputs, graph, FINE, output)).is_still
    print(f"\n{'still':28} found of")
    for name, number in found.items():
        print(f"{name:28} {number:5} {len(videos):2}")


def main() -> None:
    """Copy, search, count."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        videos = base_clips(options.folder, options.clips, Path(scratch))
        measure_copies(videos, Path(scratch))
        measure_stills(videos[::3], Path(scratch))
        moving = sum(measure_picture(video).is_still for video in videos)
        print(f"moving clips told still: {moving} of {len(videos)}")


if __name__ == "__main__":
    main()
