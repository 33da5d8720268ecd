"""A stand-in for the model hub: the parts of its HTTP API that huggingface_hub uses to look at and fetch a file.

GET  /api/models/OWNER/REPO[/revision/REV]   the commit, the files with LFS sizes and SHA-256, the licence
HEAD /OWNER/REPO/resolve/REV/FILE            ETag, X-Linked-Etag, X-Linked-Size, X-Repo-Commit
GET  the same                                the bytes, from where Range says
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

BLOCK = 65_536


@dataclass
class Repo:
    """A repository: its files, and how it behaves. `sha256` replaces the true checksum of a file."""

    files: dict[str, bytes]
    licence: dict[str, str] = field(default_factory=lambda: {"license": "apache-2.0"})
    commit: str = "c" * 40
    gated: bool = False
    sha256: dict[str, str] = field(default_factory=dict)
    without_lfs: bool = False

    def checksum(self, name: str) -> str:
        return self.sha256.get(name) or hashlib.sha256(self.files[name]).hexdigest()


class StandInHub:
    """Serves `repos` on a free port of this machine; keeps what was asked of it.

    `drop_after`: bytes of a file after which the connection is cut, once for each number in the list.
    `status`: answer everything with it. `broken`: files are answered with 503 (after a drop, as a hub that is down).
    `elsewhere`: files are redirected to a store under another host name, as the hub does.
    """

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.drop_after: list[int] = []
        self.down_after_drop = True
        self.broken = False
        self.status = 0
        self.elsewhere = False
        self.requests: list[tuple[str, str, str]] = []
        """Method, path and Range of each request."""
        self.hosts: list[str] = []
        self.tokens: list[str] = []
        self.served = 0
        """Bytes of files that were sent."""
        self._server = _Server(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def ranges(self) -> list[str]:
        """Range headers of the downloads, in their order; empty for a whole file."""
        return [asked for method, path, asked in self.requests if method == "GET" and "/resolve/" in path]

    @contextmanager
    def running(self) -> Iterator[StandInHub]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that left in the middle is part of the tests."""


def _handler(hub: StandInHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def log_message(self, format: str, *arguments: object) -> None:
            """Silence."""

        def _answer(self, *, body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.requests.append((self.command, path, self.headers.get("Range", "")))
            hub.hosts.append(self.headers["Host"].partition(":")[0])
            hub.tokens.append(self.headers.get("Authorization", ""))
            if hub.status:
                self._refuse(hub.status, "")
            elif path.startswith("/api/models/"):
                self._model(path.removeprefix("/api/models/"))
            elif "/resolve/" in path:
                repo, _, rest = path.strip("/").partition("/resolve/")
                self._file(repo, rest.partition("/")[2], body=body)
            else:
                self._refuse(404, "")

        def _refuse(self, status: int, code: str, message: str = "") -> None:
            self.send_response(status)
            if code:
                self.send_header("X-Error-Code", code)
            if message:
                self.send_header("X-Error-Message", message)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _found(self, name: str) -> Repo | None:
            repo = hub.repos.get(name)
            if repo is None:
                self._refuse(401 if not hub.tokens[-1] else 404, "RepoNotFound", "Repository not found")
            elif repo.gated and not hub.tokens[-1]:
                self._refuse(401, "GatedRepo", f"Access to model {name} is restricted.")
                return None
            elif repo.gated and hub.tokens[-1] != "Bearer hf_good":
                self._refuse(403, "GatedRepo", f"Access to model {name} is restricted.")
                return None
            return repo

        def _model(self, path: str) -> None:
            name, _, revision = path.partition("/revision/")
            if (repo := self._found(name)) is None:
                return
            if revision not in ("", "main", repo.commit):
                self._refuse(404, "RevisionNotFound", "Invalid rev id")
                return
            siblings: list[dict[str, object]] = []
            for file, data in repo.files.items():
                sibling: dict[str, object] = {"rfilename": file, "size": len(data), "blobId": "b" * 40}
                if not repo.without_lfs:
                    sibling["lfs"] = {"size": len(data), "sha256": repo.checksum(file), "pointerSize": 134}
                siblings.append(sibling)
            tags = [f"license:{repo.licence['license']}"] if "license" in repo.licence else []
            answer = {"id": name, "modelId": name, "sha": repo.commit, "siblings": siblings, "tags": tags}
            self._send(json.dumps({**answer, "cardData": repo.licence}).encode())

        def _send(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _file(self, name: str, file: str, *, body: bool) -> None:
            if (repo := self._found(name)) is None:
                return
            if hub.broken:
                self._refuse(503, "")
                return
            if hub.elsewhere and not self.headers["Host"].startswith("localhost"):
                self.send_response(302)
                self.send_header("Location", f"{hub.url.replace('127.0.0.1', 'localhost')}{self.path}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if file not in repo.files:
                self._refuse(404, "EntryNotFound", "Entry not found")
                return
            data, start = repo.files[file], 0
            if asked := self.headers.get("Range"):
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(data) - start))
            self.send_header("ETag", f'"{repo.checksum(file)}"')
            self.send_header("X-Linked-Etag", f'"{repo.checksum(file)}"')
            self.send_header("X-Linked-Size", str(len(data)))
            self.send_header("X-Repo-Commit", repo.commit)
            self.send_header("Accept-Ranges", "bytes")
            self.end_headers()
            if body:
                self._write(data, start)

        def _write(self, data: bytes, start: int) -> None:
            end = hub.drop_after.pop(0) if hub.drop_after else len(data)
            for at in range(start, end, BLOCK):
                block = data[at : min(at + BLOCK, end)]
                self.wfile.write(block)
                hub.served += len(block)
            if end < len(data):
                hub.broken = hub.down_after_drop
                self.close_connection = True

    return Handler
