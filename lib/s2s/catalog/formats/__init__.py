"""Formats of catalogs: those that data sets publish, tables of your own, and which a file is in."""

from s2s.catalog.formats.detection import choose_format, is_label_table
from s2s.catalog.formats.published.audioset import read_label_table
from s2s.catalog.formats.published.vas import VIDEO_FOLDERS, name_in_folder
from s2s.catalog.formats.rows import CatalogFormat, make_clip
from s2s.catalog.formats.table import FormatOptions

__all__ = [
    "VIDEO_FOLDERS",
    "CatalogFormat",
    "FormatOptions",
    "choose_format",
    "is_label_table",
    "make_clip",
    "name_in_folder",
    "read_label_table",
]
