"""Catalogs: the lists of clips that public data sets publish, and what the bucket holds of them."""

from s2s.catalog.catalog import Catalog, RowProblem, read_catalog
from s2s.catalog.stored import StoredSources, stored_catalog, stored_sources

__all__ = [
    "Catalog",
    "RowProblem",
    "StoredSources",
    "read_catalog",
    "stored_catalog",
    "stored_sources",
]
