"""A model as the API offers it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s2s.errors import SettingsError
from s2s.media import MediaLimits
from s2s.tasks.contract import Predictor
from s2s.tasks.values import Offer

__all__ = ["MAX_PICTURE_PIXELS", "MAX_PIXELS", "MAX_STREAMS", "Offered", "ServedModel"]

MAX_PIXELS = 4096 * 2304
# As many as telephones' cameras give, and some more.
MAX_PICTURE_PIXELS = 4096 * 4096
MAX_STREAMS = 8


@dataclass(frozen=True)
class ServedModel:
    """A model with its task's offer.

    Attributes:
        name: the model's name for clients.
        task: what it has learned, such as "generation".
        offer: route, form and tab of the task.
        load: makes its predictor, which reads files within limits; may take long.
        max_upload_bytes: of a request; None for the server's own limit.
        media: what a file may ask for; None for the server's own limits.
        page: folder of the task's `tab.html` and `tab.js`, where it has any.
        note: what its users should know; may be empty.
        example: a file of `page`, a video to try it with; empty for the server's own.
        own: its own values of options that are not chosen, as far as they are known.
    """

    name: str
    task: str
    offer: Offer
    load: Callable[[MediaLimits], Predictor]
    max_upload_bytes: int | None = None
    media: MediaLimits | None = None
    page: Path | None = None
    note: str = ""
    example: str = ""
    own: Mapping[str, Any] = field(default_factory=dict)


class Offered:
    """The models of one server, by name and by route; the first of a route is its default.

    Args:
        models: in the order in which they are offered.

    Raises:
        SettingsError: if two have one name, or two tasks one route.
    """

    def __init__(self, models: Iterable[ServedModel]) -> None:
        self.by_name: dict[str, ServedModel] = {}
        self.by_route: dict[str, list[ServedModel]] = {}
        for model in models:
            if model.name in self.by_name:
                raise SettingsError(
                    f"two models are named {model.name!r}: name each recipe and --model once, and "
                    "model directories differently"
                )
            beside = self.by_route.setdefault(model.offer.route, [])
            if beside and beside[0].task != model.task:
                raise SettingsError(
                    f"the tasks {beside[0].task} and {model.task} both offer the route "
                    f"{model.offer.route}: serve them apart, or name one of the routes differently"
                )
            beside.append(model)
            self.by_name[model.name] = model

    @property
    def pages(self) -> Mapping[str, Path]:
        """Folders of the tasks' parts of the page, by task."""
        return {
            model.task: model.page
            for model in self.by_name.values()
            if model.page is not None and (model.page / "tab.js").is_file()
        }

    def find(self, route: str, name: str) -> ServedModel | None:
        """A model of a route: of a job from before models had names, the first."""
        beside = self.by_route.get(route, [])
        if not name:
            return beside[0] if beside else None
        return next((model for model in beside if model.name == name), None)
