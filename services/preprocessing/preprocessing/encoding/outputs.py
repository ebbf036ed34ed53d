"""What ffmpeg makes of the frames of a clip: shape and colours, and the files."""

from pathlib import Path

from preprocessing.encoding.greys import GREY_PX
from preprocessing.plan import Cut
from preprocessing.span import Span
from s2s.settings import Recipe

__all__ = ["output_args", "shape_filters"]

# Reproducible bytes: two runs that race write the same object.
_BITEXACT = ["-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"]
# What `superfast` leaves out that costs little and saves much: looking ahead.
_LEAN = ["-preset", "superfast", "-x264-params", "rc-lookahead=10:mbtree=1:weightp=1"]
_TONE_MAP = (
    "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,"
    "zscale=t=bt709:m=bt709:r=tv"
)


def shape_filters(span: Span, recipe: Recipe) -> list[str]:
    """Filters that make a picture what the recipe says.

    Args:
        span: what there is of the source.
        recipe: size, and what becomes of a high dynamic range.
    """
    shrink = f"min(1,{recipe.preprocessing.short_side_px}/min(iw*sar,ih))"
    return [
        f"scale=w='max(2,2*round(iw*sar*{shrink}/2))':h='max(2,2*round(ih*{shrink}/2))'"
        + ("" if span.is_hdr else ":out_range=tv"),
        *([_TONE_MAP] if span.is_hdr else []),
        "setsar=1",
        "format=yuv420p",
    ]


def output_args(at: int, cut: Cut, recipe: Recipe) -> tuple[list[str], list[str]]:
    """How a filtered picture goes to a clip's files.

    Args:
        at: number of the clip in its pass; its wav is the input after that.
        cut: the clip; its frames at seams are written as small grey pictures, too.
        recipe: quality, and whether there is a poster.

    Returns:
        what comes behind the picture's filters, as parts of a filter graph, the first of them
        going on where the picture is; and arguments for the outputs.
    """
    quality, files = recipe.preprocessing, cut.files
    chosen = "+".join(f"eq(n,{number})" for number in cut.seams)
    size = f"{GREY_PX}:{GREY_PX}"
    branches = f",split={3 if quality.poster else 2}[p{at}][c{at}]"
    chains = [
        branches + (f"[f{at}]" if quality.poster else ""),
        f"[c{at}]select='{chosen}',scale={size}:flags=area:out_range=pc,format=gray[s{at}]",
    ]
    args = [
        *["-map", f"[p{at}]", "-c:v", "libx264"],
        *(_LEAN if quality.preset == "lean" else ["-preset", quality.preset]),
        *["-crf", str(quality.crf), "-threads:v", "1", "-flags:v", "+bitexact"],
        *["-map", f"{at + 1}:a:0", "-c:a", "aac", "-b:a", "96k", "-flags:a", "+bitexact"],
        *[*_BITEXACT, "-movflags", "+faststart", "-f", "mp4", _url(files.video)],
        *["-map", f"[s{at}]", "-fps_mode", "passthrough", "-f", "rawvideo", _url(files.seams)],
    ]
    if quality.poster:
        chains.append(f"[f{at}]trim=end_frame=1,scale=out_range=pc,format=yuvj420p[j{at}]")
        args += ["-map", f"[j{at}]", "-c:v", "mjpeg", "-q:v", "3", "-threads:v", "1"]
        args += ["-frames:v", "1", "-update", "1", *_BITEXACT, "-f", "image2", _url(files.poster)]
    return chains, args


def _url(path: Path) -> str:
    return f"file:{path.absolute()}"
