"""One address for the engines of a running `postern dev`, for containers, which cannot reach 127.0.0.1 of their host.

The engines have a port each, and the template declares one variable for all, POSTERN_AWS_ENDPOINT. A signed request says
in its credential scope for which service it is, so it is handed on by that. There is no engine for Secrets Manager: it is
answered from the secret files of the data directory. Only the engines' own key is let through.
"""
import http.client
import http.server
import json
import pathlib
import re
import threading
import urllib.parse

SCOPE = re.compile(r"AWS4-HMAC-SHA256 Credential=postern/\d{8}/[\w-]+/([\w-]+)/aws4_request")
# Of a connection, not of a request (RFC 9110 section 7.6.1); the length is written anew.
HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        scope = SCOPE.match(self.headers.get("Authorization", ""))
        body = self.body()
        if not scope:
            return self.send(403, [], b"unsigned, or not by the engines' key")
        service = scope.group(1)
        if service == "secretsmanager":
            return self.secret(json.loads(body))
        upstream = urllib.parse.urlsplit(self.server.endpoints[service])
        connection = http.client.HTTPConnection(upstream.netloc, timeout=30)
        # The host that was signed stays.
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        connection.request(self.command, self.path, body, headers)
        reply = connection.getresponse()
        octets = reply.read()
        # An answer to HEAD tells the length of what it does not bring.
        length = reply.getheader("Content-Length") if self.command == "HEAD" else len(octets)
        self.send(reply.status, [h for h in reply.getheaders() if h[0].lower() not in HOP], octets, length)
        connection.close()
        return None

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

    def body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        octets = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            octets += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return octets

    def secret(self, request):
        name = request["SecretId"]
        if name not in ("master", "operator"):
            return self.send(400, [], b'{"__type":"ResourceNotFoundException"}')
        text = (self.server.secrets / f"{name}.json").read_text()
        headers = [("Content-Type", "application/x-amz-json-1.1")]
        return self.send(200, headers, json.dumps({"Name": name, "SecretString": text}).encode())

    def send(self, status, headers, octets, length=None):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(length if length is not None else len(octets)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(octets)

    def log_message(self, *_):
        pass


def serve(data, address):
    """Serves the engines of a data directory on a port of `address`; gives the URL."""
    server = http.server.ThreadingHTTPServer((address, 0), Handler)
    server.endpoints = json.loads(pathlib.Path(data, "endpoints.json").read_text())
    server.secrets = pathlib.Path(data, "secrets")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://{address}:{server.server_address[1]}"
