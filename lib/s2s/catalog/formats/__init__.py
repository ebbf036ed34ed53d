"""How data sets publish their catalogs: one module a format, and which of them a file is in."""

from s2s.catalog.formats.audioset import read_label_table
from s2s.catalog.formats.detection import choose_format, is_label_table
from s2s.catalog.formats.rows import CatalogFormat, make_clip
from s2s.catalog.formats.table import FormatOptions
from s2s.catalog.formats.vas import VIDEO_FOLDERS, name_in_folder

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
