"""What is stored of a clip: frames, decoded once, and log-mel."""

from s2s.tasks.classification.extractors.frames import JpegFrames, RawFrames

__all__ = ["JpegFrames", "RawFrames"]
