"""HTTPS, client certificates, passwords, CORS and headers of a whole worker, as its properties say."""
import base64
import json
import ssl
import subprocess
import urllib.error
import urllib.request

from harness import equal, free_port, wait_for


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


def certificate(directory, name, authority=None):
    """(certificate, key) of name for 127.0.0.1; signed by the pair authority, or by itself."""
    cert, key = directory / f"{name}.crt", directory / f"{name}.key"
    signed = ["-CA", authority[0], "-CAkey", authority[1]] if authority else []
    more = ["-addext", "subjectAltName=IP:127.0.0.1"] if authority else []
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2,
            "-keyout", key, "-out", cert, "-subj", f"/CN={name}", *more, *signed)
    return cert, key


def one_line(path):
    return path.read_text().replace("\n", " ").strip()


def store(directory, name, password, pair=None, trust=None):
    """A PKCS#12 store of a key with its certificate, or of a certificate that is trusted."""
    path = directory / f"{name}.p12"
    what = ["-in", pair[0], "-inkey", pair[1]] if pair else ["-nokeys", "-in", trust]
    openssl("pkcs12", "-export", "-out", path, "-passout", f"pass:{password}", *what)
    return path


def ask(url, context=None, method="GET", body=None, headers=None):
    """(status, headers, text)."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {}, method=method)
    if data:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def trusting(authority, pair=None):
    context = ssl.create_default_context(cafile=str(authority))
    if pair:
        context.load_cert_chain(*map(str, pair))
    return context


def listening(worker, url, context):
    def probe():
        assert worker.process.poll() is None, worker.log_text()[-2000:]
        return ask(url + "/health", context)[0] in (200, 401)

    wait_for("the listener", probe, 20)


def test_https_beside_http(t):
    authority = certificate(t.directory, "authority")
    pair = certificate(t.directory, "worker", authority)
    worker = t.sluice(start=False)
    secure = free_port()
    worker.worker["listeners"] = f"http://127.0.0.1:{worker.port},https://127.0.0.1:{secure}"
    worker.worker["rest.advertised.listener"] = "https"
    worker.worker["listeners.https.ssl.keystore.type"] = "PEM"
    worker.worker["listeners.https.ssl.keystore.certificate.chain"] = one_line(pair[0])
    worker.worker["listeners.https.ssl.keystore.key"] = one_line(pair[1])
    worker.start()
    context = trusting(authority[0])
    status, _, text = ask(f"https://127.0.0.1:{secure}/connectors", context)
    equal((status, text), (200, "[]"))
    config = {"connector.class": "FileStreamSource", "file": str(t.file("in", "a\n")), "topic": t.topic()}
    status, headers, _ = ask(f"https://127.0.0.1:{secure}/connectors/c/config", context, "PUT", config)
    equal((status, headers["Location"]), (201, f"https://127.0.0.1:{secure}/connectors/c"))
    worker.rest.wait_running("c")  # over http
    equal(worker.rest.status("c")["connector"]["worker_id"], f"127.0.0.1:{secure}")
    try:
        ask(f"https://127.0.0.1:{secure}/")
        raise AssertionError("a certificate of nobody was trusted")
    except urllib.error.URLError as error:
        assert "certificate verify failed" in str(error), error
    equal(worker.stop(), 0)
    assert one_line(pair[1])[60:100] not in worker.log_text()


def test_client_certificates_and_passwords(t):
    authority, stranger = certificate(t.directory, "authority"), certificate(t.directory, "stranger")
    pair = certificate(t.directory, "worker", authority)
    client = certificate(t.directory, "client", authority)
    users = t.file("users.properties", "alice=wonder:land\n")
    jaas = t.file("jaas.conf", "KafkaConnect {\n  org.apache.kafka.connect.rest.basic.auth.extension."
                  f'PropertyFileLoginModule required\n  file="{users}";\n}};\n')
    worker = t.sluice(start=False, env={"KAFKA_OPTS": f"-Djava.security.auth.login.config={jaas}"})
    url = f"https://127.0.0.1:{worker.port}"
    worker.worker.update({
        "listeners": url, "ssl.client.auth": "required", "ssl.keystore.type": "PKCS12",
        "ssl.keystore.location": store(t.directory, "key", "pass1", pair=pair),
        "ssl.keystore.password": "pass1",
        "ssl.truststore.type": "PEM", "ssl.truststore.location": authority[0],
        "ssl.enabled.protocols": "TLSv1.3",
        "rest.extension.classes":
            "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension",
        "access.control.allow.origin": "https://ui.example", "access.control.allow.methods": "GET,PUT",
        "response.http.headers.config": '"set Cache-Control: no-store, private", add X-Worker: one'})
    worker.start(wait=False)
    context = trusting(authority[0], client)
    listening(worker, url, context)
    for wrong in trusting(authority[0]), trusting(authority[0], stranger):
        try:
            ask(url + "/connectors", wrong)
            raise AssertionError("a client without the right certificate was served")
        except (urllib.error.URLError, OSError):
            pass
    status, headers, text = ask(url + "/connectors", context)
    equal((status, text), (401, "User cannot access the resource."))
    equal(headers["X-Worker"], "one")
    basic = base64.b64encode(b"alice:wonder:land").decode()
    status, headers, text = ask(url + "/connectors", context, headers={
        "Authorization": f"Basic {basic}", "Origin": "https://ui.example"})
    equal((status, text), (200, "[]"))
    equal(headers["Access-Control-Allow-Origin"], "https://ui.example")
    equal(headers["Cache-Control"], "no-store, private")
    equal(worker.stop(), 0)
    for secret in "wonder:land", basic, "pass1":
        assert secret not in worker.log_text(), secret


def test_listeners_that_cannot_be(t):
    """Each ends the start with exit code 2 and a sentence."""
    directory = t.directory
    (directory / "old.jks").write_bytes(b"\xfe\xed\xfe\xed\0\0\0\2")
    for props, sentence in [
            ({"listeners": "https://127.0.0.1:0"}, "needs a certificate"),
            ({"listeners": "https://127.0.0.1:0", "ssl.keystore.location": directory / "old.jks"},
             "keytool -importkeystore"),
            ({"rest.extension.classes": "com.example.Audit"}, "com.example.Audit, which is not known"),
            ({"rest.extension.classes": "BasicAuthSecurityRestExtension"}, "needs a JAAS file"),
            ({"response.http.headers.config": "put A: b"}, "Invalid header config action"),
            ({"rest.advertised.listener": "https"}, "listeners names no https://")]:
        worker = t.sluice(props, start=False)
        worker.start(wait=False)
        equal(worker.wait_exit(), 2, str(props))
        assert sentence in worker.log_text(), worker.log_text()[-1500:]


def test_a_cluster_forwards_over_http_and_https(t):
    """Two workers of one group, one of them behind HTTPS that asks for certificates, both behind a
    password: what either is asked for is done, whoever leads."""
    authority = certificate(t.directory, "authority")
    pair = certificate(t.directory, "worker", authority)
    both = t.file("worker.pem", pair[0].read_text() + pair[1].read_text())
    users = t.file("users", "alice=wonder\n")
    jaas = t.file("jaas.conf", f'KafkaConnect {{ PropertyFileLoginModule required file="{users}"; }};')
    plain, secure = workers = t.cluster(2, start=False)
    for worker in workers:
        worker.worker.update({
            "ssl.keystore.type": "PEM", "ssl.keystore.location": both, "ssl.truststore.type": "PEM",
            "ssl.truststore.location": authority[0], "ssl.client.auth": "required",
            "rest.extension.classes": "BasicAuthSecurityRestExtension",
            "java.security.auth.login.config": jaas})
    secure.worker["listeners"] = f"https://127.0.0.1:{secure.port}"
    context = trusting(authority[0], pair)
    urls = f"http://127.0.0.1:{plain.port}", f"https://127.0.0.1:{secure.port}"
    basic = {"Authorization": "Basic " + base64.b64encode(b"alice:wonder").decode()}

    def call(url, method, path, body=None, headers=basic):
        return ask(url + path, context if url.startswith("https") else None, method, body, headers)

    for worker in workers:
        worker.start(wait=False)
    for url, worker in zip(urls, workers):
        wait_for("a healthy worker", lambda: call(url, "GET", "/health")[0] == 200, 40)
    for i, url in enumerate(urls):
        name, locations = f"c{i}", set()
        config = {"connector.class": "FileStreamSource", "file": str(t.file(name, "a\n")),
                  "topic": t.topic(name)}

        def created():
            status, headers, text = call(url, "PUT", f"/connectors/{name}/config", config)
            assert status in (200, 201, 409), f"{status} {text}"  # 409: the group settles, it may be there
            locations.update([headers["Location"]] if status == 201 else [])
            return status != 409

        wait_for("a new connector", created, 40)
        assert locations <= {f"{url}/connectors/{name}"}, locations
        equal(call(url, "PUT", f"/connectors/{name}/config", config, {})[0], 401)
    for url in urls:
        for name in "c0", "c1":
            def running():
                status, _, text = call(url, "GET", f"/connectors/{name}/status")
                return status == 200 and [x["state"] for x in json.loads(text)["tasks"]] == ["RUNNING"]

            wait_for(f"{name} RUNNING", running, 40)
            wait_for("a restart", lambda: call(url, "POST", f"/connectors/{name}/tasks/0/restart")[0] == 204, 40)
    # signed instead of a password: 400 without a signature, whether the connector is there or not
    for url in urls:
        for name in "c0", "nobody":
            equal(call(url, "POST", f"/connectors/{name}/tasks", [], {})[0], 400, f"{url} {name}")
            wrong = {"X-Connect-Authorization": "c2ln",
                     "X-Connect-Request-Signature-Algorithm": "HmacSHA256"}
            equal(call(url, "POST", f"/connectors/{name}/tasks", [], wrong)[0], 403, f"{url} {name}")
            equal(call(url, "PUT", f"/connectors/{name}/fence", None, {})[0], 400, f"{url} {name}")
    for i, url in enumerate(urls):  # each over the other one
        wait_for("the end of a connector",
                 lambda: call(url, "DELETE", f"/connectors/c{1 - i}")[0] in (204, 404), 40)
    for worker in workers:
        equal(worker.stop(), 0)
        assert "wonder" not in worker.log_text()
