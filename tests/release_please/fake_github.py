"""A small GitHub on loopback: what release-please's own client asks of it, over a real repository.

REST and GraphQL. A pull request is merged by squashing, as a person does it on the page. What it does
not know is answered with 501 and kept in `unknown`, so that no test passes on an unanswered question.
"""

import base64
import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.release_please.origin import Origin

Answer = tuple[int, Any]
REPOSITORY = "/repos/example/waiaas"


class GitHub:
    """`pulls` and `releases` are what the API would show; newest last."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.pulls: list[dict[str, Any]] = []
        self.releases: list[dict[str, Any]] = []
        self.comments: list[tuple[int, str]] = []
        self.unknown: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def labels(self, number: int) -> list[str]:
        return [label["name"] for label in self._pull(number)["labels"]]

    def open_pulls(self) -> list[dict[str, Any]]:
        return [pull for pull in self.pulls if pull["state"] == "open"]

    def merge(self, number: int) -> str:
        """Squash the pull request into one commit on its base; returns that commit."""
        pull = self._pull(number)
        head = self.origin.commit_of(pull["head"]["ref"])
        base = self.origin.commit_of(pull["base"]["ref"])
        assert self.origin.parents(head) == [base], "the pull request is behind its base"
        message = f"{pull['title']} (#{number})\n"
        commit = self.origin.make_commit(self.origin.tree_of(head), [base], message)
        self.origin.set_ref(f"refs/heads/{pull['base']['ref']}", commit)
        pull |= {"state": "closed", "merged_at": "2026-11-21T00:00:00Z", "merge_commit_sha": commit}
        return commit

    def answer(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> Answer:
        """What the API says to one request."""
        if (method, path) == ("POST", "/graphql"):
            return 200, {"data": {"repository": self._graphql(body["query"], body["variables"])}}
        for verb, pattern, act in _ROUTES:
            match = re.fullmatch(REPOSITORY + pattern, path)
            if verb == method and match:
                try:
                    return act(self, query | body, *map(unquote, match.groups()))
                except KeyError as missing:
                    return 404, {"message": f"Not Found: {missing}"}
        return 501, {"message": f"unknown: {method} {path}"}

    # --- repository, objects, references ------------------------------------------------------------

    def _repository(self, _: dict[str, Any]) -> Answer:
        return 200, {"default_branch": "main"}

    def _tree(self, _: dict[str, Any], name: str) -> Answer:
        return 200, {"sha": name, "tree": self.origin.entries(name), "truncated": False}

    def _blob(self, _: dict[str, Any], sha: str) -> Answer:
        content = base64.b64encode(self.origin.blob(sha).encode()).decode()
        return 200, {"sha": sha, "content": content, "encoding": "base64"}

    def _commit(self, _: dict[str, Any], name: str) -> Answer:
        sha = self.origin.commit_of(name)
        return 200, {"sha": sha, "tree": {"sha": self.origin.tree_of(sha)}}

    def _files(self, _: dict[str, Any], name: str) -> Answer:
        return 200, {"files": [{"filename": path} for path in self.origin.changed(name)]}

    def _branch(self, _: dict[str, Any], name: str) -> Answer:
        return 200, {"name": name, "commit": {"sha": self.origin.commit_of(f"refs/heads/{name}")}}

    def _ref(self, _: dict[str, Any], name: str) -> Answer:
        return 200, {"ref": f"refs/{name}", "object": {"sha": self.origin.commit_of(f"refs/{name}")}}

    def _tags(self, _: dict[str, Any]) -> Answer:
        return 200, [{"name": n, "commit": {"sha": sha}} for n, sha in self.origin.refs("tags").items()]

    def _make_ref(self, wanted: dict[str, Any]) -> Answer:
        if wanted["ref"].removeprefix("refs/heads/") in self.origin.refs("heads"):
            return 422, {"message": "Reference already exists"}
        self.origin.set_ref(wanted["ref"], wanted["sha"])
        return 201, {"ref": wanted["ref"], "object": {"sha": wanted["sha"]}, "url": "none"}

    def _move_ref(self, wanted: dict[str, Any], name: str) -> Answer:
        self.origin.set_ref(f"refs/{name}", wanted["sha"])
        return 200, {"ref": f"refs/{name}", "object": {"sha": wanted["sha"]}}

    def _make_tree(self, wanted: dict[str, Any]) -> Answer:
        return 201, {"sha": self.origin.make_tree(wanted["base_tree"], wanted["tree"])}

    def _make_commit(self, wanted: dict[str, Any]) -> Answer:
        sha = self.origin.make_commit(wanted["tree"], wanted["parents"], wanted["message"])
        return 201, {"sha": sha, "url": "none"}

    # --- pull requests ------------------------------------------------------------------------------

    def _pull(self, number: int | str) -> dict[str, Any]:
        for pull in self.pulls:
            if pull["number"] == int(number):
                return pull
        raise KeyError(number)

    def _list_pulls(self, wanted: dict[str, Any]) -> Answer:
        found = [
            pull
            for pull in reversed(self.pulls)
            if pull["state"] == wanted.get("state", "open")
            and wanted.get("base", pull["base"]["ref"]) == pull["base"]["ref"]
            and wanted.get("head", pull["head"]["label"]) == pull["head"]["label"]
        ]
        return 200, found if wanted.get("page", "1") == "1" else []

    def _open_pull(self, wanted: dict[str, Any]) -> Answer:
        number = len(self.pulls) + 1
        head = {"label": wanted["head"], "ref": wanted["head"].partition(":")[2]}
        pull = {
            "number": number,
            "state": "open",
            "title": wanted["title"],
            "body": wanted["body"],
            "head": head,
            "base": {"ref": wanted["base"]},
            "labels": [],
            "merged_at": None,
            "merge_commit_sha": None,
            "html_url": f"{self.url}/pull/{number}",
        }
        self.pulls.append(pull)
        return 201, pull

    def _one_pull(self, _: dict[str, Any], number: str) -> Answer:
        return 200, self._pull(number)

    def _edit_pull(self, wanted: dict[str, Any], number: str) -> Answer:
        pull = self._pull(number)
        pull |= {key: wanted[key] for key in ("title", "body", "state") if key in wanted}
        return 200, pull

    def _add_labels(self, wanted: dict[str, Any], number: str) -> Answer:
        labels = self._pull(number)["labels"]
        labels.extend({"name": name} for name in wanted["labels"] if {"name": name} not in labels)
        return 200, labels

    def _remove_label(self, _: dict[str, Any], number: str, name: str) -> Answer:
        labels = self._pull(number)["labels"]
        if {"name": name} not in labels:
            raise KeyError(name)
        labels.remove({"name": name})
        return 200, labels

    def _comment(self, wanted: dict[str, Any], number: str) -> Answer:
        self.comments.append((int(number), wanted["body"]))
        return 201, {"html_url": "none"}

    # --- releases -----------------------------------------------------------------------------------

    def _release(self, wanted: dict[str, Any]) -> Answer:
        tag = wanted["tag_name"]
        if tag in self.origin.refs("tags"):
            return 422, {"message": "Validation Failed", "errors": [{"code": "already_exists"}]}
        self.origin.set_ref(f"refs/tags/{tag}", self.origin.commit_of(wanted["target_commitish"]))
        release = wanted | {"id": len(self.releases) + 1, "html_url": f"{self.url}/releases/{tag}"}
        self.releases.append(release | {"upload_url": "none"})
        return 201, self.releases[-1]

    # --- GraphQL ------------------------------------------------------------------------------------

    def _graphql(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        name = query.split("(")[0].removeprefix("query ").strip()
        if name == "releases":
            return {"releases": _page([self._release_node(made) for made in reversed(self.releases)])}
        if name == "pullRequestsSince":
            commits = self.origin.history(variables["targetBranch"])
            start = int(variables.get("cursor") or 0)
            nodes = [self._commit_node(sha) for sha in commits[start : start + variables["num"]]]
            more = start + len(nodes)
            page = {"hasNextPage": more < len(commits), "endCursor": str(more)}
            return {"ref": {"target": {"history": {"nodes": nodes, "pageInfo": page}}}}
        self.unknown.append(f"GraphQL {name}")
        return {}

    def _release_node(self, release: dict[str, Any]) -> dict[str, Any]:
        tag = release["tag_name"]
        return {
            "name": release["name"],
            "tag": {"name": tag},
            "tagCommit": {"oid": self.origin.commit_of(f"refs/tags/{tag}")},
            "url": release["html_url"],
            "description": release["body"],
            "isDraft": release["draft"],
        }

    def _commit_node(self, sha: str) -> dict[str, Any]:
        merged = [pull for pull in self.pulls if pull["merge_commit_sha"] == sha]
        author = {"name": "someone", "email": "someone@example.org", "user": None}
        return {
            "sha": sha,
            "message": self.origin.message(sha),
            "author": author,
            "associatedPullRequests": {"nodes": [self._pull_node(pull) for pull in merged]},
        }

    def _pull_node(self, pull: dict[str, Any]) -> dict[str, Any]:
        return {
            "number": pull["number"],
            "title": pull["title"],
            "baseRefName": pull["base"]["ref"],
            "headRefName": pull["head"]["ref"],
            "labels": {"nodes": pull["labels"]},
            "body": pull["body"],
            "mergeCommit": {"oid": pull["merge_commit_sha"]},
            "files": _page([{"path": path} for path in self.origin.changed(pull["merge_commit_sha"])]),
        }


def _page(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"nodes": nodes, "pageInfo": {"hasNextPage": False, "endCursor": None}}


_ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", "", GitHub._repository),
    ("GET", "/git/trees/([^/]+)", GitHub._tree),
    ("GET", "/git/blobs/([^/]+)", GitHub._blob),
    ("GET", "/git/commits/([^/]+)", GitHub._commit),
    ("GET", "/git/ref/(.+)", GitHub._ref),
    ("GET", "/commits/([^/]+)", GitHub._files),
    ("GET", "/branches/(.+)", GitHub._branch),
    ("GET", "/tags", GitHub._tags),
    ("POST", "/git/refs", GitHub._make_ref),
    ("PATCH", "/git/refs/(.+)", GitHub._move_ref),
    ("POST", "/git/trees", GitHub._make_tree),
    ("POST", "/git/commits", GitHub._make_commit),
    ("GET", "/pulls", GitHub._list_pulls),
    ("POST", "/pulls", GitHub._open_pull),
    ("GET", "/pulls/([0-9]+)", GitHub._one_pull),
    ("PATCH", "/pulls/([0-9]+)", GitHub._edit_pull),
    ("POST", "/issues/([0-9]+)/labels", GitHub._add_labels),
    ("DELETE", "/issues/([0-9]+)/labels/([^/]+)", GitHub._remove_label),
    ("POST", "/issues/([0-9]+)/comments", GitHub._comment),
    ("POST", "/releases", GitHub._release),
)


def _handler(github: GitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            status, document = github.answer(self.command, parts.path, query, body)
            if status == 501:
                github.unknown.append(f"{self.command} {self.path}")
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            self.do_GET()

        def do_PATCH(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    return Handler
