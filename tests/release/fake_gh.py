"""A `gh` for tests, as a real executable: it keeps what it is told on disk, and shows it again.

It knows the commands and options that the maker's tool uses and refuses any other, as the real one
refuses what it does not know. `faults.json` beside it says what goes wrong, by the first two words of
a command: `fail` (exit 1, nothing done) or `lie` (exit 0, nothing done).
"""

import json
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent
STATE, CALLS, FAULTS = HOME / "github.json", HOME / "calls.jsonl", HOME / "faults.json"
OPTIONS = {
    "auth status": {},
    "label list": {"--repo": 1, "--limit": 1, "--json": 1},
    "label create": {"--repo": 1, "--color": 1, "--description": 1},
    "issue list": {"--repo": 1, "--state": 1, "--limit": 1, "--json": 1},
    "issue view": {"--repo": 1, "--json": 1},
    "issue create": {"--repo": 1, "--title": 1, "--body-file": 1, "--label": 1},
    "issue edit": {"--repo": 1, "--title": 1, "--body-file": 1, "--add-label": 1},
    "issue comment": {"--repo": 1, "--body-file": 1},
    "release view": {"--repo": 1, "--json": 1},
    "release edit": {"--repo": 1, "--title": 1, "--notes-file": 1, "--latest": 0},
    "run list": {"--repo": 1, "--workflow": 1, "--limit": 1, "--json": 1},
    "run view": {"--repo": 1, "--log": 0},
}
CHANGING = {"label create", "issue create", "issue edit", "issue comment", "release edit"}


def main(argv):
    with CALLS.open("a") as calls:
        calls.write(json.dumps(argv) + "\n")
    if argv[:1] == ["api"]:
        return api(argv[1])
    name, (words, options) = " ".join(argv[:2]), parsed(argv)
    fault = json.loads(FAULTS.read_text()).get(name) if FAULTS.exists() else None
    if fault == "fail":
        return failed("HTTP 502: Bad Gateway (token ghp_" + "x" * 36 + ")")
    if fault == "lie" and name in CHANGING:
        return 0
    state = json.loads(STATE.read_text())
    if name != "auth status" and options.get("--repo") != state["repository"]:
        return failed("Could not resolve to a Repository with that name")
    answer = globals()[name.replace(" ", "_")](state, words, options)
    if name in CHANGING:
        temporary = STATE.with_suffix(".new")
        temporary.write_text(json.dumps(state))
        temporary.rename(STATE)
    if answer is not None:
        print(answer if isinstance(answer, str) else json.dumps(answer))
    return 0 if answer is not False else 1


def parsed(argv):
    known, words, options, rest = OPTIONS[" ".join(argv[:2])], [], {}, argv[2:]
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            words.append(word)
        elif word not in known:
            sys.exit(f"unknown flag: {word}")
        elif not known[word]:
            options[word] = True
        elif word == "--label":
            options.setdefault(word, []).append(rest.pop(0))
        else:
            options[word] = rest.pop(0)
    return words, options


def failed(text):
    print(text, file=sys.stderr)
    return 1


def picked(thing, options):
    return {name: thing[name] for name in options["--json"].split(",")}


def api(path):
    state = json.loads(STATE.read_text())
    where = f"repos/{state['repository']}/releases"
    if path == f"{where}/latest":
        if state["latest"] is None:
            return failed("gh: Not Found (HTTP 404)")
        print(json.dumps({"tag_name": state["latest"]}))
    elif path == f"{where}?per_page=100":
        print(json.dumps([{"tag_name": tag, **r["api"]} for tag, r in state["releases"].items()]))
    else:
        return failed("gh: Not Found (HTTP 404)")
    return 0


def auth_status(state, words, options):
    return "Logged in" if state["signed_in"] else False


def label_list(state, words, options):
    return [{"name": name} for name in state["labels"]]


def label_create(state, words, options):
    if words[0] in state["labels"]:
        sys.exit(failed(f"label with name {words[0]!r} already exists; use `--force` to update"))
    state["labels"].append(words[0])


def issue_list(state, words, options):
    found = [i for i in state["issues"] if options["--state"] == "all" or i["state"] == "OPEN"]
    return [picked(issue, options) for issue in reversed(found)][: int(options["--limit"])]


def issue_view(state, words, options):
    return picked(numbered(state, words), options)


def numbered(state, words):
    for issue in state["issues"]:
        if str(issue["number"]) == words[0]:
            return issue
    sys.exit(failed("Could not resolve to an issue"))


def labelled(state, names):
    for name in names:
        if name not in state["labels"]:
            sys.exit(failed(f"could not add label: {name!r} not found"))
    return [{"name": name} for name in names]


def issue_create(state, words, options):
    number = 1 + len(state["issues"])
    url = f"https://example.org/{state['repository']}/issues/{number}"
    state["issues"].append(
        {
            "number": number,
            "title": options["--title"],
            "url": url,
            "body": crlf(options["--body-file"]),
            "labels": labelled(state, options.get("--label", [])),
            "state": "OPEN",
            "comments": [],
            "createdAt": "2026-11-20T00:00:00Z",
            "reactionGroups": [],
        }
    )
    return url


def issue_edit(state, words, options):
    issue = numbered(state, words)
    issue["title"] = options["--title"]
    issue["body"] = crlf(options["--body-file"])
    there = {label["name"] for label in issue["labels"]} | set(options["--add-label"].split(","))
    issue["labels"] = labelled(state, sorted(there))


def issue_comment(state, words, options):
    numbered(state, words)["comments"].append({"body": crlf(options["--body-file"])})


def crlf(path):
    """GitHub's own line ends, and nothing around the text."""
    return Path(path).read_text().strip().replace("\n", "\r\n")


def tagged(state, words):
    if words[0] not in state["releases"]:
        sys.exit(failed("release not found"))
    return state["releases"][words[0]]


def release_view(state, words, options):
    return picked({"tagName": words[0], **tagged(state, words)}, options)


def release_edit(state, words, options):
    release = tagged(state, words)
    if "--latest" in options:
        state["latest"] = words[0]
    if "--notes-file" in options:
        release["body"] = crlf(options["--notes-file"])
    if "--title" in options:
        release["name"] = options["--title"]


def run_list(state, words, options):
    return [picked(run, options) for run in state["runs"]][: int(options["--limit"])]


def run_view(state, words, options):
    return state["logs"].get(words[0]) or sys.exit(failed("run not found"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
