"""A recipe's section `validation`: which clips are usable, and how they are split."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from s2s.settings.section import Section, matching

__all__ = ["CheckSettings", "ValidationSettings"]


class CheckSettings(Section):
    """Limits on usable clips; results of checks are stored for these settings.

    Attributes:
        max_clipped_share: share of samples at full scale, above which the sound is clipped.
        min_fps: slower pictures are refused.
        min_side_px: smaller pictures are refused.
        min_brightness: a picture of which no frame is as bright on average is black; luma,
            of which black is 16 and white 235.
        min_motion: a picture is frozen if no pixel ever changes by more than this; 0..255,
            -1 to take still pictures.
        max_av_offset_s: picture and sound may begin, and may end, so far apart.
    """

    max_clipped_share: float = Field(default=0.1, gt=0, le=1)
    min_fps: float = Field(default=5.0, ge=0)
    min_side_px: int = Field(default=16, ge=1)
    min_brightness: float = Field(default=20.0, ge=0, le=255)
    min_motion: float = Field(default=2.0, ge=-1, le=255)
    max_av_offset_s: float = Field(default=0.5, gt=0)


class ValidationSettings(Section):
    """Which clips are usable, and how they are split.

    Attributes:
        train: share of the sources that is for training.
        val: share for validation; the rest is for testing.
        test: share for testing, only to have it checked; None for the rest.
        folds: sources that are not for testing are dealt to so many folds, for cross validation;
            0 for none.
        keep_catalog_split: sources that the catalog has for testing or validation stay there; the
            shares are for the others.
        min_loudness_dbfs: a clip whose loudest sample stays below is silent.
        known_labels: a clip with a label that is none of these is refused; all are known if empty.
        checks: what else a clip must be.
        fix: what becomes of clips that are of no use, and of all but one of those that are alike:
            `none` only keeps those alike in one split, `drop` leaves them out and removes their
            cut files, `quarantine` moves these aside. Sources are never touched.
        remote_mode: how DVC's remote has the clips: `content_addressed` copies each once,
            `version_aware` names the versions that a bucket with object versioning keeps of them,
            so that nothing is copied; `auto` takes the latter where it can be had.
        git_remote: a git repository that versions are pushed to as well; none when empty.
    """

    train: float = Field(default=0.7, gt=0, le=1)
    val: float = Field(default=0.2, ge=0, lt=1)
    test: float | None = Field(default=None, ge=0, lt=1)
    folds: int = Field(default=0, ge=0, le=100)
    keep_catalog_split: bool = False
    min_loudness_dbfs: float = Field(default=-60.0, lt=0)
    known_labels: tuple[str, ...] = ()
    checks: CheckSettings = CheckSettings()
    fix: Literal["none", "drop", "quarantine"] = "none"
    remote_mode: Literal["auto", "content_addressed", "version_aware"] = "auto"
    git_remote: Annotated[
        str, matching(r"([^-].*)?", "a repository's URL or path, which does not begin with -")
    ] = ""

    @model_validator(mode="after")
    def _check_ratios(self) -> Self:
        total = self.train + self.val + (self.test or 0)
        if total > 1 + 1e-9:
            raise ValueError(
                f"train {self.train}, val {self.val} and test {self.test or 0} add up to more "
                "than 1: what is left of 1 is for testing"
            )
        if self.test is not None and total < 1 - 1e-9:
            raise ValueError(
                f"train {self.train}, val {self.val} and test {self.test} add up to {total:g}, "
                "not to 1: leave test out, and it gets the rest"
            )
        if self.folds == 1:
            raise ValueError("folds 1: one fold is no cross validation, use 2 or more, or 0")
        return self
