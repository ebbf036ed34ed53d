"""Options of the command `serve`."""

from pathlib import Path
from typing import Annotated

import typer

from s2s.cli import find_recipe, no_recipe

__all__ = [
    "ConnectionsOption",
    "HostOption",
    "JobsOption",
    "KeepOption",
    "KeysOption",
    "ModelsOption",
    "NamesOption",
    "OpenOption",
    "PortOption",
    "ProxiesOption",
    "QueueOption",
    "RateOption",
    "RecipesArgument",
    "WaitOption",
]

RecipesArgument = Annotated[
    list[Path],
    typer.Argument(
        envvar="S2S_RECIPE",
        default_factory=no_recipe,
        show_default=False,
        parser=find_recipe,
        metavar="RECIPE",
        help="Whose models are offered: YAML files, names of those in recipes/, or URLs.",
    ),
]
HostOption = Annotated[str, typer.Option(help="Address to listen on.")]
PortOption = Annotated[
    int,
    typer.Option(envvar="PORT", help="Port to listen on; 0 for a free one.", min=0, max=65535),
]
ModelsOption = Annotated[
    list[Path] | None,
    typer.Option(
        help="A model directory, with one recipe; may be named several times. By default, the "
        "bucket's newest of each recipe."
    ),
]
KeysOption = Annotated[
    Path | None,
    typer.Option(
        help="A file of keys' hashes: only these may use the API. Read again when it changes."
    ),
]
OpenOption = Annotated[
    bool, typer.Option("--open", help="Let everybody in who reaches another host than this.")
]
NamesOption = Annotated[
    list[str] | None,
    typer.Option(
        help="A host name that the server is called by; repeatable. Needed without "
        "--keys only, for other names than the machine's."
    ),
]
ProxiesOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Address or network of proxies whose X-Forwarded-For is believed; repeatable."
    ),
]
ConnectionsOption = Annotated[
    int, typer.Option(help="Connections at a time; a quarter of them of one address.", min=4)
]
RateOption = Annotated[
    int, typer.Option(help="Uploads a minute of each key or address; 0 for no limit.", min=0)
]
WaitOption = Annotated[
    bool, typer.Option("--wait", help="Wait for a model that is not trained yet.")
]
QueueOption = Annotated[
    int,
    typer.Option(
        help="Jobs that may wait, three quarters of them of one key or address; more get 429.",
        min=1,
    ),
]
KeepOption = Annotated[float, typer.Option(help="Results are kept so long.", min=0.01)]
JobsOption = Annotated[
    str,
    typer.Option(
        envvar="S2S_JOBS",
        show_default=False,
        help="A database that several servers share their jobs in: postgresql:// and behind it "
        "USER:PASSWORD@HOST/NAME. By default, a file in the work directory.",
    ),
]
