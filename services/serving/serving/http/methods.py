"""HEAD on every GET route, and which methods a path has (RFC 9110, sections 9.3.2 and 10.2.1)."""

import re

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from serving.http.queries import check_query

__all__ = ["allowed_methods", "include_routes", "is_known_path"]


def include_routes(app: FastAPI, router: APIRouter) -> None:
    """Include a router; HEAD is answered wherever GET is, and uvicorn sends no body then."""
    routes = [route for route in router.routes if isinstance(route, APIRoute)]
    heads = APIRouter()
    for route in routes:
        methods = route.methods or set()
        if "GET" in methods:
            heads.add_api_route(
                route.path,
                route.endpoint,
                methods=["HEAD"],
                response_class=route.response_class,
                response_model_exclude_none=route.response_model_exclude_none,
                include_in_schema=False,
            )
            _known(app).append((route.path_regex, "HEAD"))
        _known(app).extend((route.path_regex, method) for method in methods)
    for every in (router, heads):
        app.include_router(every, dependencies=[Depends(check_query)])


def allowed_methods(app: FastAPI, path: str | None = None) -> list[str]:
    """The methods of a path, on whichever route; GET and HEAD for files and unknown paths.

    Args:
        app: has the routes.
        path: None for all methods of all paths.
    """
    found = {method for pattern, method in _known(app) if path is None or pattern.match(path)}
    return sorted(found or {"GET", "HEAD"})


def is_known_path(app: FastAPI, path: str) -> bool:
    """Whether there is a route of a path, whatever its methods."""
    return any(pattern.match(path) for pattern, _ in _known(app))


def _known(app: FastAPI) -> list[tuple[re.Pattern[str], str]]:
    if not hasattr(app.state, "methods"):
        app.state.methods = []
    return app.state.methods
