"""An OpenID provider on loopback: discovery, authorisation, tokens with PKCE, and userinfo, over real sockets."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT_ID, CLIENT_SECRET = "space-client", "space-secret-0123456789"


@dataclass
class OpenIdProvider:
    """Serves in a thread while the context is open. `subject` and `name` are who sits at the browser.

    `denies`: the person does not allow it. `claims` replace those of the next tokens.
    """

    subject: str = "maya"
    name: str = "maya-h"
    denies: bool = False
    expires_in: int = 3600
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)  # that were issued
    redirect_uris: list[str] = field(default_factory=list)

    def __enter__(self) -> OpenIdProvider:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.get(self)

            def do_POST(self) -> None:
                provider.post(self)

            def log_message(self, *_: object) -> None: ...

        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="openid")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def get(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "userinfo_endpoint": "userinfo"}
            reply(request, {"issuer": self.url, **{name: f"{self.url}/oauth/{path}" for name, path in names.items()}})
        elif parts.path == "/oauth/authorize":
            self.redirect_uris.append(asked["redirect_uri"])
            code = secrets.token_urlsafe(8)
            self._codes[code] = asked
            answer = {"error": "access_denied"} if self.denies else {"code": code}
            request.send_response(302)
            request.send_header("location", f"{asked['redirect_uri']}?{urlencode({**answer, 'state': asked['state']})}")
            request.end_headers()
        elif parts.path == "/oauth/userinfo":
            is_known = request.headers.get("authorization", "").removeprefix("Bearer ") in self.tokens
            person = {"sub": self.subject, "preferred_username": self.name, **self.userinfo}
            reply(request, person if is_known else {"error": "invalid_token"}, 200 if is_known else 401)
        else:
            reply(request, {}, 404)

    def post(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["content-length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self._codes.pop(form.get("code", ""), None)  # each code counts once
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode()
        is_good = (
            asked is not None
            and request.headers.get("authorization") == f"Basic {basic}"
            and challenge.rstrip("=") == asked["code_challenge"]
            and form["redirect_uri"] == asked["redirect_uri"]
        )
        if not is_good or asked is None:
            reply(request, {"error": "invalid_grant"}, 400)
            return
        self.tokens.append(f"oauth.token:{secrets.token_hex(12)}")
        claims = {"iss": self.url, "aud": CLIENT_ID, "sub": self.subject, "exp": time.time() + 600}
        claims |= {"nonce": asked["nonce"], **self.claims}
        told = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        tokens = {"access_token": self.tokens[-1], "token_type": "bearer", "expires_in": self.expires_in}
        reply(request, {**tokens, "id_token": f"e30.{told}.c2ln"})


def reply(request: BaseHTTPRequestHandler, body: dict[str, Any], status: int = 200) -> None:
    content = json.dumps(body).encode()
    request.send_response(status)
    request.send_header("content-type", "application/json")
    request.send_header("content-length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)
