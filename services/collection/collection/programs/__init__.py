"""What yt-dlp starts: ffmpeg, and QuickJS for a player's JavaScript."""

from collection.programs.preparation import check_programs
from collection.programs.scripts import Programs

__all__ = ["Programs", "check_programs"]
