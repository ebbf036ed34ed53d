"""Splits of catalogs: how they are spelled, and which of ours each is."""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, cast

from s2s.errors import CatalogError

__all__ = ["check_splits", "known_split"]

Split = Literal["train", "val", "test"]

_SPELLINGS: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training", "trn", "balancedtrain", "unbalancedtrain"),
    "val": ("val", "valid", "validate", "validation", "validating", "dev", "devel", "development"),
    "test": ("test", "testing", "tst", "eval", "evaluate", "evaluation", "heldout", "holdout"),
}
_OURS: dict[str, Split] = {
    spelling: split for split, spellings in _SPELLINGS.items() for spelling in spellings
}
_BETWEEN_WORDS = re.compile(r"[\s_.-]+")
_WHAT_IT_IS = re.compile(r"(set|split|data|list|files|videos|clips|segments)$")


def known_split(text: str | None, names: Mapping[str, str] | None = None) -> Split | None:
    """Which of our splits a catalog's is: `Testing`, `test_set` and `EVAL` are `test`.

    Args:
        text: as the catalog spells it, in any case.
        names: `collection.split_names` of the recipe: ours by theirs; it goes before what is known.

    Returns:
        None where there is no split, or it is not known.
    """
    folded = (text or "").strip().casefold()
    told = {theirs.strip().casefold(): ours for theirs, ours in (names or {}).items()}
    if folded in told:
        return cast(Split, told[folded])
    joined = _BETWEEN_WORDS.sub("", folded)
    return _OURS.get(joined) or _OURS.get(_WHAT_IT_IS.sub("", joined))


def check_splits(found: Iterable[str | None], names: Mapping[str, str], catalog: str) -> None:
    """Make sure that all splits of a catalog that is to keep them are known.

    Args:
        found: as the catalog spells them.
        names: `collection.split_names` of the recipe.
        catalog: its name, for the message.

    Raises:
        CatalogError: if one is not known.
    """
    spelled = sorted({text for text in found if text})
    unknown = [text for text in spelled if known_split(text, names) is None]
    if unknown:
        example = ", ".join(f"{text!r}: …" for text in unknown[:3])
        raise CatalogError(
            f"catalog {catalog}: its splits are to be kept (validation.keep_catalog_split), and "
            f"it is not known what {', '.join(map(repr, unknown))} is. Found: "
            f"{', '.join(map(repr, spelled))}. Say in the recipe, with train, val or test in "
            f"place of each …: collection.split_names: {{{example}}}"
        )
