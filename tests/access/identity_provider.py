"""An identity provider for tests: keys that sign tokens, and the address that publishes them.

    with IdentityProvider(authority, tmp_path) as provider:
        provider.rotate("k1")
        start_server(flags=provider.flags(), environment=provider.environment())
        token = provider.token(sub="alice")
"""

import http.server
import json
import ssl
import threading
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

ISSUER = "https://login.example.org"
AUDIENCE = "hangar"


class SigningKey:
    def __init__(self, key_id):
        self.key_id = key_id
        self._key = ec.generate_private_key(ec.SECP256R1())

    def jwk(self):
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
        return {**public, "kid": self.key_id, "use": "sig", "alg": "ES256"}

    def token(self, **claims):
        claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 600, **claims}
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self.key_id})


def key_set(*keys):
    return json.dumps({"keys": [key.jwk() for key in keys]})


class IdentityProvider:
    """Publishes `body` over HTTPS, and counts how often it was asked."""

    def __init__(self, authority, pair):
        self.body = "no keys yet"
        self.asked = 0
        self._authority = authority
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                provider.asked += 1
                body = provider.body.encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self):
        return f"https://127.0.0.1:{self._server.server_address[1]}/keys"

    def environment(self):
        return {"SSL_CERT_FILE": str(self._authority.path)}


def flags(keys):
    """A server's, whose provider publishes its keys at a file or an address."""
    return ["--jwks", str(keys), "--jwt-issuer", ISSUER, "--jwt-audience", AUDIENCE]
