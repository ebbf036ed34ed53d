"""The page of a data set version: what one opens before training."""

from launcher.pages.dataset.report import dataset_metrics, write_dataset_report
from launcher.pages.dataset.shown import PageLimits

__all__ = ["PageLimits", "dataset_metrics", "write_dataset_report"]
