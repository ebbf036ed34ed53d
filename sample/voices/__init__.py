"""Voices of a folder of sound files, S2S_VOICES, as films without a face."""

import os
from pathlib import Path

from sample.film import World
from sample.voices.film import VoiceFilm
from sample.voices.folder import list_voices
from sample.voices.rows import list_clips

__all__ = ["FOLDER_VARIABLE"]

FOLDER_VARIABLE = "S2S_VOICES"


def __getattr__(name: str) -> World:
    """`WORLD`, as the folder is now."""
    if name != "WORLD":
        raise AttributeError(name)
    chosen = os.environ.get(FOLDER_VARIABLE, "")
    voices = list_voices(Path(chosen)) if chosen else ()
    wrong = f"{FOLDER_VARIABLE} is not set"
    if chosen:
        wrong = f"{FOLDER_VARIABLE}={chosen}: no sound files that can be read are in there"
    return World(
        catalog_key="voices.csv",
        n_sources=len(voices),
        film=lambda seed, index: VoiceFilm(voices[index], seed),
        catalog_text=lambda films: list_clips(film.voice for film in films),
        most_sources=len(voices),
        missing="" if voices else f"{wrong}: set it to a folder of speech, such as LibriSpeech's",
    )
