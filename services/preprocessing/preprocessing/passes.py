"""One ffmpeg pass: a stretch of a source is decoded once, for all clips in it and all their files.

All files are exact: frame k is the one on screen k / fps after the asked start, and sample 0 of
the sound is the asked start. The sound is as long as the picture.
"""

from collections.abc import Sequence
from pathlib import Path

from preprocessing.damage import MAX_DAMAGE
from preprocessing.plan import Cut
from preprocessing.span import Span
from s2s.media import input_args, run_ffmpeg
from s2s.settings import Recipe

__all__ = ["run_pass"]

# Decoding starts so long before a clip: the frame on screen at its start began earlier.
_RUN_UP_S = 1.0
_AFTER_S = 1.0
# Reproducible bytes: two runs that race write the same object.
_BITEXACT = ["-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"]
_PCM = ["-c:a", "pcm_s16le", "-flags:a", "+bitexact", *_BITEXACT, "-f", "wav"]
# What `superfast` leaves out that costs little and saves much: looking ahead.
_LEAN = ["-preset", "superfast", "-x264-params", "rc-lookahead=10:mbtree=1:weightp=1"]
_TONE_MAP = (
    "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,"
    "zscale=t=bt709:m=bt709:r=tv"
)


def run_pass(source: Path, span: Span, cuts: Sequence[Cut], recipe: Recipe) -> bool:
    """Write the files of clips that lie close together.

    For each, an mp4: H.264 at a constant rate, square pixels, 4:2:0 with 8 bits in standard
    dynamic range; AAC, mono, at the rate of the wav, so that both hold the same sound. The wavs:
    mono, 16 bits. The poster, where it is asked for: JPEG.

    Args:
        source: the file.
        span: what there is of it.
        cuts: the clips.
        recipe: rates, size and quality.

    Returns:
        whether nothing of the source seemed damaged.

    Raises:
        MediaError: `corrupt` if ffmpeg fails, `timeout` if it takes too long.
    """
    first_s = max(0.0, min(cut.start_s for cut in cuts) - _RUN_UP_S)
    last_s = max(cut.start_s + cut.n_frames / recipe.spec.fps for cut in cuts) + _AFTER_S
    seek = ["-ss", f"{first_s:.6f}", "-t", f"{last_s - first_s:.6f}"]
    graph = [
        *_pictures(span, cuts, recipe, first_s),
        *(_sounds(cuts, recipe, first_s) if span.has_sound else _silences(cuts, recipe)),
    ]
    # One thread each: sources are what is worked on in parallel.
    args = [
        *[
            "-max_error_rate",
            str(MAX_DAMAGE),
            "-filter_threads",
            "1",
            "-filter_complex_threads",
            "1",
        ],
        *input_args(source, "-threads", "1", *seek),
        *["-filter_complex", ";".join(graph)],
    ]
    for at, cut in enumerate(cuts):
        args += _outputs(at, cut, recipe)
    return not run_ffmpeg(args, name=cuts[0].files.clip_id)


def _outputs(at: int, cut: Cut, recipe: Recipe) -> list[str]:
    quality, files = recipe.preprocessing, cut.files
    args = [
        *["-map", f"[p{at}]", "-c:v", "libx264"],
        *(_LEAN if quality.preset == "lean" else ["-preset", quality.preset]),
        *["-crf", str(quality.crf), "-threads:v", "1", "-flags:v", "+bitexact"],
        *["-map", f"[m{at}]", "-c:a", "aac", "-b:a", "96k", "-flags:a", "+bitexact"],
        *[*_BITEXACT, "-movflags", "+faststart", "-f", "mp4", _url(files.video)],
        *["-map", f"[w{at}]", *_PCM, _url(files.sound)],
    ]
    for rate_hz in quality.more_wav_hz:
        args += ["-map", f"[w{at}r{rate_hz}]", *_PCM, _url(files.sound_at(rate_hz))]
    if quality.poster:
        args += ["-map", f"[j{at}]", "-c:v", "mjpeg", "-q:v", "3", "-threads:v", "1"]
        args += ["-frames:v", "1", "-update", "1", *_BITEXACT, "-f", "image2", _url(files.poster)]
    return args


def _url(path: Path) -> str:
    return f"file:{path.absolute()}"


def _pictures(span: Span, cuts: Sequence[Cut], recipe: Recipe, first_s: float) -> list[str]:
    fps, has_poster = recipe.spec.fps, recipe.preprocessing.poster
    shrink = f"min(1,{recipe.preprocessing.short_side_px}/min(iw*sar,ih))"
    chains = [f"[0:v:0]split={len(cuts)}" + "".join(f"[v{at}]" for at in range(len(cuts)))]
    for at, cut in enumerate(cuts):
        start_s = cut.start_s - first_s
        end_s = start_s + cut.n_frames / fps + _AFTER_S
        steps = [
            f"trim=start={max(0.0, start_s - _RUN_UP_S):.6f}:end={end_s:.6f}",
            f"fps={fps}:start_time={start_s:.6f}",
            "setpts=PTS-STARTPTS",
            f"trim=end_frame={cut.n_frames}",
            f"scale=w='max(2,2*round(iw*sar*{shrink}/2))':h='max(2,2*round(ih*{shrink}/2))'"
            + ("" if span.is_hdr else ":out_range=tv"),
            *([_TONE_MAP] if span.is_hdr else []),
            "setsar=1",
            "format=yuv420p",
        ]
        chains.append(
            f"[v{at}]{','.join(steps)}" + (f",split[p{at}][f{at}]" if has_poster else f"[p{at}]")
        )
        if has_poster:
            chains.append(f"[f{at}]trim=end_frame=1,scale=out_range=pc,format=yuvj420p[j{at}]")
    return chains


def _sounds(cuts: Sequence[Cut], recipe: Recipe, first_s: float) -> list[str]:
    rates = [recipe.spec.sample_rate_hz, *recipe.preprocessing.more_wav_hz]
    chains = [f"[0:a:0]asplit={len(rates)}" + "".join(f"[a{at}]" for at in range(len(rates)))]
    for at, rate_hz in enumerate(rates):
        parts = "".join(f"[a{at}c{k}]" for k in range(len(cuts)))
        chains.append(
            # Silence where the sound starts late or has a hole, so that it stays in its place;
            # of channels their mean, where ffmpeg would add them up.
            f"[a{at}]aresample={rate_hz}:async=1:first_pts=0:rematrix_maxval=1,"
            f"aformat=channel_layouts=mono,asplit={len(cuts)}{parts}"
        )
        for k, cut in enumerate(cuts):
            n_samples = round(cut.n_frames / recipe.spec.fps * rate_hz)
            steps = [
                f"atrim=start={cut.start_s - first_s:.6f}",
                "asetpts=PTS-STARTPTS",
                f"apad=whole_len={n_samples}",
                f"atrim=end_sample={n_samples}",
            ]
            chains.append(f"[a{at}c{k}]{','.join(steps)}{_sound_pads(at, k, rate_hz)}")
    return chains


def _silences(cuts: Sequence[Cut], recipe: Recipe) -> list[str]:
    rates = [recipe.spec.sample_rate_hz, *recipe.preprocessing.more_wav_hz]
    return [
        f"anullsrc=r={rate_hz}:cl=mono,"
        f"atrim=end_sample={round(cut.n_frames / recipe.spec.fps * rate_hz)}"
        f"{_sound_pads(at, k, rate_hz)}"
        for at, rate_hz in enumerate(rates)
        for k, cut in enumerate(cuts)
    ]


def _sound_pads(at: int, k: int, rate_hz: int) -> str:
    # The recipe's own rate is the mp4's too.
    return f",asplit[m{k}][w{k}]" if at == 0 else f"[w{k}r{rate_hz}]"
