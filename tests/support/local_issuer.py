"""An OpenID Connect issuer on this machine: real keys, real signatures, its key set over real HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "foretype"


class LocalIssuer:
    """Serves discovery and key set from a thread. `keys` are those it publishes; `asked` counts requests by path."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.broken = False
        self._private: dict[str, Any] = {}
        self.published: list[dict[str, Any]] = []
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked[self.path] += 1
                answers = {
                    "/.well-known/openid-configuration": {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"},
                    "/keys": {"keys": issuer.published},
                }
                body = json.dumps(answers.get(self.path, {})).encode()
                self.send_response(500 if issuer.broken or self.path not in answers else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def new_key(self, kid: str, kind: str = "EC", **more: Any) -> None:
        """Make a key and publish it beside the others."""
        if kind == "EC":
            private: Any = ec.generate_private_key(ec.SECP256R1())
            public = json.loads(ECAlgorithm.to_jwk(private.public_key()))
        else:
            private = rsa.generate_private_key(65_537, 2_048)
            public = json.loads(RSAAlgorithm.to_jwk(private.public_key()))
        self._private[kid] = private
        self.published.append({**public, "kid": kid, **more})

    def withdraw(self, kid: str) -> None:
        self.published = [key for key in self.published if key["kid"] != kid]

    def token(self, kid: str, user: str = "ada", *, seconds: float = 600.0, **claims: Any) -> str:
        """A token signed with key `kid`; claims given as None are left out."""
        now = time.time()
        whole = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": user,
            "org": "acme",
            "iat": int(now),
            "exp": now + seconds,
            **claims,
        }
        private = self._private[kid]
        algorithm = "ES256" if isinstance(private, ec.EllipticCurvePrivateKey) else "RS256"
        present = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(present, private, algorithm, headers={"kid": kid})
