"""A schema registry behind TLS and a password: a front that checks both, before the real registry."""
import base64
import http.server as web
import json
import ssl
import subprocess
import threading

from harness import equal, http, seconds, wait_for
from test_avro import datagen, file_sink, lines

USER = "ada:s3cret-of-the-registry"


def certificate(t):
    """A key and a certificate for localhost that nobody signed but itself."""
    key, cert = t.directory / "key.pem", t.directory / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key,
                    "-out", cert, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, capture_output=True)
    return key, cert


def front(t, key, cert):
    """(URL, [Authorization of each request]); hands on what carries the right password."""
    wanted, seen, behind = "Basic " + base64.b64encode(USER.encode()).decode(), [], t.registry.url

    class Front(web.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def answer(self):
            seen.append(self.headers.get("Authorization"))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            if seen[-1] != wanted:
                status, text = 401, '{"error_code":40101,"message":"who are you"}'
            else:
                status, answer = http(self.command, behind + self.path, body,
                                      {"Content-Type": "application/json"})
                text = answer if isinstance(answer, str) else json.dumps(answer)
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_PUT = answer

    server = web.ThreadingHTTPServer(("127.0.0.1", 0), Front)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    t.cleanup(server.shutdown)
    return f"https://localhost:{server.server_address[1]}", seen


@seconds(240)
def test_registry_behind_tls_and_a_password(t):
    key, cert = certificate(t)
    url, seen = front(t, key, cert)
    secure = {"value.converter.schema.registry.ssl.truststore.type": "PEM",
              "value.converter.schema.registry.ssl.truststore.location": str(cert),
              "value.converter.basic.auth.credentials.source": "USER_INFO",
              "value.converter.basic.auth.user.info": USER}
    topic = t.topic("orders")
    worker = t.sluice(connectors={f"{topic}-in": datagen(topic, url, 50, **secure),
                                  f"{topic}-out": file_sink(t, topic, url, **secure)})
    wait_for("50 lines", lambda: len(lines(t)) >= 50, 60)
    assert seen and all(seen), seen
    equal(worker.stop(), 0, "exit code")
    assert USER.split(":")[1] not in worker.log_text(), "the password stands in the log"


@seconds(240)
def test_registry_that_is_not_trusted_or_does_not_trust(t):
    key, cert = certificate(t)
    url, seen = front(t, key, cert)
    worker, topic = t.sluice(), t.topic("orders")
    name = f"{topic}-in"
    worker.rest.create(name, datagen(topic, url, 50))
    text = worker.rest.wait_failed(name, 120)
    assert "certificate" in text.lower() and url.split("//")[1] in text, text
    equal(seen, [], "requests that came through")
    worker.rest.create(name, datagen(topic, url, 50, **{
        "value.converter.schema.registry.ssl.truststore.type": "PEM",
        "value.converter.schema.registry.ssl.truststore.location": str(cert)}))
    wait_for("another refusal", lambda: "who are you" in worker.rest.trace(name), 120)
    equal(t.kafka.count(topic), 0, "records")
