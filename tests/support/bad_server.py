"""A local web server that serves one file and misbehaves on request, one behaviour per request."""

import contextlib
import gzip
import hashlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STALL_S = 3.0


@dataclass
class Served:
    """The served content, the remaining behaviours (one is used per request) and the received requests."""

    content: bytes
    behaviours: list[str] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    address: str = ""

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:8]}"'


@contextlib.contextmanager
def serve(content: bytes, *behaviours: str) -> Iterator[Served]:
    """Serve `content` at every path below `address`."""
    served = Served(content, list(behaviours))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.requests.append({"path": self.path, **dict(self.headers)})
            behaviour = served.behaviours.pop(0) if served.behaviours else "well"
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                _answer(self, served, behaviour)
            self.close_connection = True

        def end_headers(self) -> None:
            self.send_header("Connection", "close")
            super().end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    served.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(handler: BaseHTTPRequestHandler, served: Served, behaviour: str) -> None:
    content, start = served.content, 0
    asked = handler.headers.get("Range")
    if asked and behaviour != "ignores ranges" and handler.headers.get("If-Range") in (None, served.tag):
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
    match behaviour.split():
        case ["status", code]:
            _head(handler, served, int(code), 5)
            handler.wfile.write(b"fault")
            return
        case ["redirect"]:
            handler.send_response(302)
            handler.send_header("Location", f"{served.address}/elsewhere{handler.path}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        case ["circle"]:
            served.behaviours.insert(0, "circle")
            handler.send_response(302)
            handler.send_header("Location", handler.path)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        case ["page"]:
            _head(handler, served, 200, 13, kind="text/html; charset=utf-8")
            handler.wfile.write(b"<html></html>")
            return
        case ["compressed"]:
            content = gzip.compress(bytes(10**6))
            handler.send_response(200)
            handler.send_header("Content-Encoding", "gzip")
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)
            return
        case ["endless"]:
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(content)
            return
        case ["silent"]:
            time.sleep(STALL_S)
            return
    if start >= len(content):
        handler.send_response(416)
        handler.send_header("Content-Range", f"bytes */{len(content)}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    _send(handler, served, behaviour, start)


def _send(handler: BaseHTTPRequestHandler, served: Served, behaviour: str, start: int) -> None:
    rest = served.content[start:]
    length, extra = len(rest), {}
    if behaviour == "promises more":
        length += 1000
    if behaviour == "promises less":
        length -= 100
    if start:
        first = start + 7 if behaviour == "another part" else start
        extra = {"Content-Range": f"bytes {first}-{len(served.content) - 1}/{start + length}"}
    _head(handler, served, 206 if start else 200, length, tag=behaviour != "no tag", **extra)
    half = len(rest) // 2
    if behaviour in ("truncates", "stalls", "no tag"):
        handler.wfile.write(rest[:half])
        handler.wfile.flush()
        if behaviour == "stalls":
            time.sleep(STALL_S)
        return
    handler.wfile.write(rest[: length if behaviour == "promises less" else None])


def _head(
    handler: BaseHTTPRequestHandler,
    served: Served,
    status: int,
    length: int,
    kind: str = "application/octet-stream",
    tag: bool = True,
    **extra: str,
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(length))
    if tag:
        handler.send_header("ETag", served.tag)
    for name, value in extra.items():
        handler.send_header(name, value)
    handler.end_headers()
