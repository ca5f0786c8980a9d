"""What docs/mlflow.md says Cairn serves is what the running server says.

    UPDATE=1 python -m unittest test_endpoints     writes the tables anew
"""

import json
import os
import re
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from cairn import ROOT, Place, Service

DOC = ROOT / "docs/mlflow.md"
ENDPOINTS = Path(__file__).with_name("endpoints.txt")
OPERATORS = {
    "=": "= {v}", "!=": "!= {v}", "<, <=, >, >=": "> {v}", "LIKE, ILIKE": "LIKE {v}", "IN": "IN ({v})", "NOT IN": "NOT IN ({v})",
    "IS NULL": "IS NULL", "IS NOT NULL": "IS NOT NULL",
}  # fmt: skip
FIELDS = {
    "runs": ("POST", "runs/search", ["metrics.a", "params.a", "tags.a", "run_id", "run_name", "status", "user_id", "artifact_uri", "start_time", "end_time",
                                     "dataset.name", "dataset.digest", "dataset.context"]),
    "experiments": ("POST", "experiments/search", ["name", "creation_time", "last_update_time", "tags.a"]),
    "registered models": ("GET", "registered-models/search", ["name", "tags.a"]),
    "model versions": ("GET", "model-versions/search", ["name", "run_id", "source_path", "version_number", "tags.a"]),
    "logged models": ("POST", "logged-models/search", ["name", "model_id", "model_type", "status", "source_run_id", "creation_timestamp",
                                                       "last_updated_timestamp", "metrics.a", "params.a", "tags.a"]),
}  # fmt: skip
NUMBERS = {"metrics.a", "start_time", "end_time", "creation_time", "last_update_time", "version_number", "creation_timestamp", "last_updated_timestamp"}


def ask(url, method, path, body=None):
    data = None if method == "GET" else json.dumps(body or {}).encode()
    request = urllib.request.Request(url + path, data=data, headers={"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")


def code(text):
    try:
        return json.loads(text).get("error_code")
    except json.JSONDecodeError:
        return None


def endpoints(url):
    served, missing = {}, {}
    for line in ENDPOINTS.read_text().splitlines():
        _, _, _, method, path, *rest = (line.split() + [""] * 6)[:8]
        version = rest[0] or "2.0"
        path = path if path.startswith("/") else "/" + path
        real = re.sub(r"<[^>]*>|\{[^}]*\}", "x", path)
        status, text = ask(url, method, f"/api/{version}{real}")
        group = path.split("/")[2]
        place = missing if code(text) == "ENDPOINT_NOT_FOUND" or (status == 404 and code(text) is None) else served
        name = re.sub(r"<path:([^>]*)>", r"{\1}", path).removeprefix("/mlflow/").removeprefix("/")
        place.setdefault(group, []).append(f"{method} `{name}`")
        if status >= 500:
            raise AssertionError(f"{method} {path} answers {status}: a client would try again for minutes")
    return served, missing


def operators(url):
    rows = []
    for entity, (method, path, fields) in FIELDS.items():
        for field in fields:
            value = "1" if field in NUMBERS else "'x'"
            row = []
            for form in OPERATORS.values():
                wanted = f"{field} {form.format(v=value)}"
                if method == "GET":
                    status, _ = ask(url, method, f"/api/2.0/mlflow/{path}?{urllib.parse.urlencode({'filter': wanted})}")
                else:
                    status, _ = ask(url, method, f"/api/2.0/mlflow/{path}", {"filter": wanted, "experiment_ids": ["0"]})
                row.append("yes" if status == 200 else "–")
            rows.append(f"| {entity} | `{field}` | " + " | ".join(row) + " |")
    return rows


def tables(url):
    served, missing = endpoints(url)
    list_of = lambda found: [f"| {group} | {', '.join(sorted(names))} |" for group, names in sorted(found.items())]
    lines = ["| served | |", "|---|---|", *list_of(served), "", "| not served: 404 `ENDPOINT_NOT_FOUND`, with a hint | |", "|---|---|", *list_of(missing), ""]
    lines += ["| search | field | " + " | ".join(f"`{name}`" for name in OPERATORS) + " |", "|" + "---|" * (len(OPERATORS) + 2), *operators(url)]
    return "\n".join(lines)


class Tables(unittest.TestCase):
    def test_the_page_says_what_the_server_does(self):
        place = Place()
        service = Service(place)
        try:
            made = tables(service.url)
        finally:
            service.kill()
            place.close()
        page = DOC.read_text()
        start, end = "<!-- made by tests/peers/test_endpoints.py -->\n", "\n<!-- end -->"
        before, rest = page.split(start)
        written, after = rest.split(end)
        if os.environ.get("UPDATE"):
            DOC.write_text(before + start + made + end + after)
        else:
            self.assertEqual(written, made, "run UPDATE=1 python -m unittest test_endpoints in tests/peers")


if __name__ == "__main__":
    unittest.main()
