"""HTTP itself, loggers, and what only workers may ask of each other."""
import json

from conformance.context import case

TYPE = {"Content-Type": "application/json"}


def step(c, what, method, path, body=None, headers=None):
    """Status, type and JSON of a request as it is."""
    status, given, text = c.raw(method, path, body, headers)
    c.note(what, [status, given["Content-Type"], json.loads(text) if text.startswith("{") else text])


@case()
def unmatched(c):  # 67
    step(c, "no such path", "GET", "/nope")
    step(c, "no such path below a connector", "GET", "/connectors/x/nope")
    step(c, "no such method", "DELETE", "/connectors")
    step(c, "no such method", "POST", "/connectors/x/config", b"{}", TYPE)
    step(c, "not JSON wanted", "GET", "/connectors", headers={"Accept": "text/html"})
    step(c, "not JSON sent", "POST", "/connectors", b"x", {"Content-Type": "text/plain"})
    step(c, "former path", "GET", "/connectors/x/tasks-config")
    status, given, text = c.raw("HEAD", "/connectors")
    c.note("HEAD", [status, given["Content-Type"], text])
    for path in "/connectors", "/connectors/x", "/connectors/x/config", "/connectors/x/offsets":
        status, given, _ = c.raw("OPTIONS", path)
        c.note(f"OPTIONS {path}", [status, given["Content-Type"],
                                   sorted(given["Allow"].replace(" ", "").split(","))])


@case()
def locations(c):
    name, config = c.connector("a b+é"), c.source()
    path = "/connectors/" + __import__("urllib.parse").parse.quote(name)
    c.call("POST", "/connectors", {"name": name, "config": config}, drop=["tasks"])
    c.until("GET", f"{path}/status", lambda body: [t["state"] for t in body.get("tasks", ())] == ["RUNNING"])
    c.call("GET", path + "/config")


@case()
def internal_requests(c):  # 46
    for name in "nobody", "x":
        step(c, "unsigned tasks", "POST", f"/connectors/{name}/tasks", b"[]", TYPE)
        step(c, "unsigned fence", "PUT", f"/connectors/{name}/fence")
        signed = {**TYPE, "X-Connect-Authorization": "aGVsbG8=",
                  "X-Connect-Request-Signature-Algorithm": "HmacSHA256"}
        step(c, "badly signed tasks", "POST", f"/connectors/{name}/tasks", b"[]", signed)


@case({"client.id": "loggers"})  # of a worker of its own: levels are the worker's
def loggers(c):  # 51
    root = lambda all: {"root": all["root"]}
    c.call("GET", "/admin/loggers", keep=root)
    c.call("GET", "/admin/loggers/root")
    c.call("GET", "/admin/loggers/no.such.logger")
    c.call("PUT", "/admin/loggers/some.logger", {"level": "DEBUG"})
    c.call("GET", "/admin/loggers/some.logger")
    first = c.ask("GET", "/admin/loggers/some.logger")[2]
    c.call("PUT", "/admin/loggers/some.logger", {"level": "debug"})
    c.note("unchanged by the same level", c.ask("GET", "/admin/loggers/some.logger")[2] == first)
    c.call("PUT", "/admin/loggers/some.logger", {"level": "WARN"}, scope="worker")
    c.call("PUT", "/admin/loggers/some.logger", {"level": "ERROR"}, scope="nobody")
    c.call("GET", "/admin/loggers/some.logger")
    c.call("PUT", "/admin/loggers/some.logger", {})
    c.call("PUT", "/admin/loggers/some.logger", {"level": "zz"})
    c.call("PUT", "/admin/loggers/some.logger", {"level": "zz"}, scope="cluster")
    c.call("PUT", "/admin/loggers/other.logger", {"level": "INFO"}, scope="cluster")
    c.until("GET", "/admin/loggers/other.logger", lambda body: body.get("level") == "INFO")


@case({"admin.listeners": ""})
def no_admin(c):
    step(c, "loggers without admin.listeners", "GET", "/admin/loggers")


@case({"access.control.allow.origin": "http://example.com", "access.control.allow.methods": "GET,PUT",
       "response.http.headers.config": "add X-Some: thing"})
def extra_headers(c):
    status, given, _ = c.raw("GET", "/connectors", headers={"Origin": "http://example.com"})
    c.note("of an allowed origin", [status, given["Access-Control-Allow-Origin"], given["X-Some"]])
    status, given, _ = c.raw("GET", "/connectors", headers={"Origin": "http://elsewhere.com"})
    c.note("of another origin", [status, given["Access-Control-Allow-Origin"], given["X-Some"]])
