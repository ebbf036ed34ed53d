"""Catalogs: the lists of clips that public data sets publish, and what the bucket holds of them."""

from s2s.catalog.catalog import Catalog, DistinctNames, RowProblem, read_rows
from s2s.catalog.formats import (
    VIDEO_FOLDERS,
    CatalogFormat,
    FormatOptions,
    choose_format,
    is_label_table,
    make_clip,
    name_in_folder,
    read_label_table,
)
from s2s.catalog.labels import LabelIds, read_label_ids, update_label_ids
from s2s.catalog.selection import nothing_selected, select_clips
from s2s.catalog.splits import check_splits, known_split
from s2s.catalog.stored import (
    StoredFile,
    StoredSources,
    catalog_lines,
    section_name,
    store_catalog,
    store_source_paths,
    stored_catalog,
    stored_sources,
)

__all__ = [
    "VIDEO_FOLDERS",
    "Catalog",
    "CatalogFormat",
    "DistinctNames",
    "FormatOptions",
    "LabelIds",
    "RowProblem",
    "StoredFile",
    "StoredSources",
    "catalog_lines",
    "check_splits",
    "choose_format",
    "is_label_table",
    "known_split",
    "make_clip",
    "name_in_folder",
    "nothing_selected",
    "read_label_ids",
    "read_label_table",
    "read_rows",
    "section_name",
    "select_clips",
    "store_catalog",
    "store_source_paths",
    "stored_catalog",
    "stored_sources",
    "update_label_ids",
]
