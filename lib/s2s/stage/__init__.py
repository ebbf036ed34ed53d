"""What every stage does: check, list what is pending, map one function over it, report."""

from s2s.stage.buckets import prepared_bucket, shared_bucket
from s2s.stage.models import no_model
from s2s.stage.preflight import preflight
from s2s.stage.reports import StageReport, check_came_through, finish
from s2s.stage.work import Work, fan_out, left_alone

__all__ = [
    "StageReport",
    "Work",
    "check_came_through",
    "fan_out",
    "finish",
    "left_alone",
    "no_model",
    "preflight",
    "prepared_bucket",
    "shared_bucket",
]
