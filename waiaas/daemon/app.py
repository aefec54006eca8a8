"""The application: `handle(Request) -> Response`. It knows no sockets."""

from waiaas.core.errors import WaiaasError
from waiaas.daemon import body, problem, routes
from waiaas.daemon.guard import HostGuard, TokenGuard
from waiaas.daemon.parts import Call, Parts
from waiaas.daemon.problem import Problem
from waiaas.daemon.reply import Response
from waiaas.daemon.routes import Match
from waiaas.daemon.schemas import SCHEMAS
from waiaas.daemon.wire import Refused, Request
from waiaas.host.sqlite import SqlUnavailable

UNKNOWN = "(unknown)"  # the route that is counted where there is none


class App:
    """`quick` answers what needs no waiting, in the server's own thread; `handle` everything."""

    def __init__(self, parts: Parts, hosts: HostGuard, token: TokenGuard) -> None:
        self._parts = parts
        self._hosts = hosts
        self._token = token

    def quick(self, request: Request, keep_alive: bool) -> bytes | None:
        """The whole response to a health poll if it is at hand, else None. Never waits."""
        if request.path != "/health" or request.method != "GET" or (keep_alive and not request.minor):
            return None
        answer = self._parts.probe.answer(keep_alive=keep_alive)
        if answer is not None:
            self._parts.metrics.quick += 1
        return answer

    def refuse(self, refused: Refused) -> Response:
        """The answer to bytes that are no request, or that nobody has room for."""
        self._parts.metrics.count(UNKNOWN, UNKNOWN, refused.status)
        return Problem(refused.status, refused.code, refused.detail).response()

    def handle(self, request: Request) -> Response:
        """Never raises."""
        match = routes.find(request.method, request.path)
        try:
            self._hosts.require(request)
            response = self._answer(match, request)
        except Problem as refused:
            response = refused.response()
        except WaiaasError as error:
            response = problem.from_error(error).response()
        except Exception as bug:  # noqa: BLE001 -- one request fails, the daemon goes on
            response = self._failed(request, bug)
        route = match.route.path if match.route else UNKNOWN
        method = request.method if match.route else UNKNOWN
        self._parts.metrics.count(method, route, response.status)
        self._parts.log.debug("request", method=method, route=route, status=response.status)
        return response

    def _answer(self, match: Match, request: Request) -> Response:
        route = match.route
        if route is None:
            raise _unmatched(match.allowed)
        if route.auth:
            self._token.require(request)
        call = Call(
            request,
            match.values,
            body.query_values(request, route.query) if route.auth else {},
            body.json_object(request, SCHEMAS[route.request]) if route.request else {},
            route.auth or self._token.allows(request),
        )
        return route.handler(self._parts, call)

    def _failed(self, request: Request, bug: Exception) -> Response:
        from traceback import extract_tb

        busy = isinstance(bug, SqlUnavailable)
        where = extract_tb(bug.__traceback__)[-1]
        self._parts.log.error(
            f"{request.method} failed: {bug}", kind=type(bug).__name__, at=f"{where.filename}:{where.lineno}"
        )
        if busy:
            return Problem(503, "database-unavailable", f"the database does not answer: {bug}").response()
        return Problem(500, "internal-error", "a bug in the daemon; its log says where").response()


def _unmatched(allowed: tuple[str, ...]) -> Problem:
    if not allowed:
        return Problem(404, "not-found", "there is no such route", "the routes are in /openapi.json")
    listed = ", ".join(allowed)
    return Problem(405, "method-not-allowed", f"this route takes {listed}", headers=[("Allow", listed)])
