"""The service: an HTTP server, its application and its background workers.

    bytes -> server (one thread, all sockets) -> wire (bytes to Request, pure)
          -> app.quick: health and liveness, answered from memory in the same thread
          -> pool (a fixed number of threads) -> app.handle(Request) -> Response -> server

One thread owns every socket and waits in a selector, so that an idle or dribbling connection costs a
few hundred bytes and no thread, and deadlines are sums over a monotonic clock instead of hopes about
socket timeouts (facts: HTTP capacity). It never waits for anything else: whatever may touch the disk
runs in the pool, but for the answer about health, which is refreshed there once a second and served
from memory. So `/health` answers while every worker thread is busy.

`app` knows no sockets and `wire` no application; `routes` is the one table of what exists, from which
dispatch, 405, and the OpenAPI document derive. `serve.Service` starts and stops it all in order.
"""
