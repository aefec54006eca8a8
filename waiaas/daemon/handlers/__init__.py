"""One function a route: `(Parts, Call) -> Response`. What a call may hold was checked before."""
