"""Parameters of addresses: one that a route does not know is an error, not a wish unheard."""

from fastapi import Request
from fastapi.routing import APIRoute

from serving.problems import invalid_fields, unknown_name

__all__ = ["check_query"]

_CHECKED = "/v1/"


def check_query(request: Request) -> None:
    """Make sure that a route of the API knows the parameters that it is asked with, each once.

    Pages take any, as links to them carry what others have put there.

    Raises:
        Problem: 422 if it does not.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not route.path.startswith(_CHECKED):
        return
    known = [parameter.alias for parameter in route.dependant.query_params]
    given = [name for name, _ in request.query_params.multi_items()]
    wrong = [
        {"loc": ("query", name), "msg": unknown_name("parameter", name, known)}
        for name in dict.fromkeys(given)
        if name not in known
    ]
    wrong += [
        {"loc": ("query", name), "msg": "is given more than once"}
        for name in known
        if given.count(name) > 1
    ]
    if wrong:
        raise invalid_fields(wrong)
