"""What the served OpenAPI description says, against what the worker answers."""
import json
import re

from harness import equal, raw_http, wait_for

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


class Schemas:
    """The part of JSON Schema that the description uses; an unknown keyword is an error, so that
    nothing is passed over."""

    KNOWN = {"$ref", "type", "properties", "required", "additionalProperties", "items", "enum", "anyOf",
             "description", "format", "default"}

    def __init__(self, root):
        self.root = root

    def follow(self, ref):
        at = self.root
        for part in ref.removeprefix("#/").split("/"):
            at = at[part]
        return at

    def faults(self, schema, value, where="$"):
        if "$ref" in schema:
            return self.faults(self.follow(schema["$ref"]), value, where)
        unknown = set(schema) - self.KNOWN
        assert not unknown, f"keywords that this test does not know: {unknown}"
        if "anyOf" in schema:
            tries = [self.faults(one, value, where) for one in schema["anyOf"]]
            return [] if [] in tries else [f"{where}: none of {tries}"]
        if "type" in schema and not any(self.is_a(value, t) for t in self.types(schema)):
            return [f"{where}: {value!r} is no {schema['type']}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{where}: {value!r} is none of {schema['enum']}"]
        if isinstance(value, dict):
            return self.of_object(schema, value, where)
        if isinstance(value, list) and "items" in schema:
            return [f for i, x in enumerate(value) for f in self.faults(schema["items"], x, f"{where}[{i}]")]
        return []

    @staticmethod
    def types(schema):
        return schema["type"] if isinstance(schema["type"], list) else [schema["type"]]

    @staticmethod
    def is_a(value, name):
        if name in ("integer", "number"):
            return isinstance(value, (int,) if name == "integer" else (int, float)) \
                and not isinstance(value, bool)
        return isinstance(value, TYPES[name])

    def of_object(self, schema, value, where):
        faults = [f"{where}: {k} is missing" for k in schema.get("required", []) if k not in value]
        more = schema.get("additionalProperties", True)
        for key, x in value.items():
            if key in schema.get("properties", {}):
                faults += self.faults(schema["properties"][key], x, f"{where}.{key}")
            elif more is False:
                faults.append(f"{where}: {key} is not described")
            elif isinstance(more, dict):
                faults += self.faults(more, x, f"{where}.{key}")
        return faults


class Described:
    """Requests whose answers are held against the description."""

    def __init__(self, worker):
        self.worker = worker
        self.document = json.loads(raw_http(worker.port, "GET", "/openapi.json")[2])
        self.schemas = Schemas(self.document)
        self.seen = set()

    def operation(self, method, path):
        path = path.split("?")[0]
        best = max((p for p in self.document["paths"]
                    if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", p), path)),
                   key=lambda p: -p.count("{"))
        return best, self.document["paths"][best][method.lower()]

    def __call__(self, method, path, status, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        got, answered, text = raw_http(self.worker.port, method, path, data, headers)
        where, operation = self.operation(method, path)
        self.seen.add((method, where))
        equal(got, status, f"{method} {path}: {text[:500]}")
        assert str(status) in operation["responses"], f"{method} {where} answers {status}"
        response = operation["responses"][str(status)]
        if "$ref" in response:
            response = self.schemas.follow(response["$ref"])
        for name in response.get("headers", {}):
            assert answered[name], f"{method} {path}: no {name}"
        if "content" not in response:
            equal(text, "", f"body of {method} {path}")
            return None
        media, content = next(iter(response["content"].items()))
        assert answered["Content-Type"].startswith(media), answered["Content-Type"]
        if media != "application/json":
            return text
        value = json.loads(text)
        equal(self.schemas.faults(content["schema"], value), [], f"{method} {path}")
        return value


def test_answers_are_as_described(t):
    worker = t.sluice()
    ask = Described(worker)
    path = t.file("in.txt", "a\nb\n")
    config = {"connector.class": "FileStreamSource", "file": str(path), "topic": t.topic(),
              "transforms": "h", "transforms.h.type":
              "org.apache.kafka.connect.transforms.HoistField$Value", "transforms.h.field": "line",
              "producer.override.linger.ms": "5", "tasks.max": 1}
    ask("GET", "/", 200)
    ask("GET", "/health", 200)
    ask("GET", "/openapi.json", 200)
    equal(ask("GET", "/connectors", 200), [])
    ask("POST", "/connectors", 201, {"name": "c", "config": config, "initial_state": "RUNNING"})
    ask("POST", "/connectors", 409, {"name": "c", "config": config})
    ask("POST", "/connectors", 400, {"name": "d", "config": {}})
    ask("POST", "/connectors", 500, [])
    ask("PUT", "/connectors/d/config", 201, {**config, "topic": t.topic("d")})
    ask("PUT", "/connectors/d/config", 200, {**config, "topic": t.topic("e")})
    ask("PATCH", "/connectors/d/config", 200, {"batch.size": 10, "producer.override.linger.ms": None})
    ask("PATCH", "/connectors/x/config", 404, {})
    worker.rest.wait_running("c")
    for one in "", "/config", "/status", "/tasks", "/topics", "/offsets":
        ask("GET", f"/connectors/c{one}", 200)
    for one in "", "/config", "/status", "/tasks", "/offsets":
        ask("GET", f"/connectors/x{one}", 404)
    assert set(ask("GET", "/connectors?expand=status&expand=info", 200)) == {"c", "d"}
    ask("GET", "/connectors/c/tasks/0/status", 200)
    ask("GET", "/connectors/c/tasks/9/status", 404)
    ask("GET", "/connectors/c/tasks/0/progress", 200)
    ask("GET", "/connectors/c/tasks/9/progress", 404)
    ask("POST", "/connectors/c/tasks/0/restart", 204)
    ask("POST", "/connectors/c/restart", 204)
    ask("POST", "/connectors/c/restart?includeTasks=true", 202)
    ask("PUT", "/connectors/c/topics/reset", 202)
    ask("PUT", "/connectors/c/pause", 202)
    ask("PUT", "/connectors/c/resume", 202)
    ask("PATCH", "/connectors/c/offsets", 400, {"offsets": []})
    ask("DELETE", "/connectors/c/offsets", 400)
    ask("PUT", "/connectors/c/stop", 204)
    partition = {"filename": str(path)}
    ask("PATCH", "/connectors/c/offsets", 200,
        {"offsets": [{"partition": partition, "offset": {"position": 2}}]})
    wait_for("the offset", lambda: ask("GET", "/connectors/c/offsets", 200)["offsets"])
    ask("DELETE", "/connectors/c/offsets", 200)
    ask("POST", "/connectors/c/tasks", 500, [])
    ask("PUT", "/connectors/c/fence", 500)
    for plugin in ask("GET", "/connector-plugins?connectorsOnly=false", 200):
        ask("GET", f"/connector-plugins/{plugin['class']}/config", 200)
    ask("GET", "/connector-plugins/nope/config", 404)
    infos = ask("PUT", "/connector-plugins/FileStreamSource/config/validate", 200,
                {**config, "tasks.max": "0", "name": "c"})
    equal(infos["error_count"], 1)
    ask("PUT", "/connector-plugins/FileStreamSource/config/validate", 500, {})
    ask("PUT", "/connector-plugins/FileStreamSink/config/validate", 400, config)
    ask("GET", "/admin/loggers", 200)
    ask("PUT", "/admin/loggers/x.y", 200, {"level": "WARN"})
    ask("PUT", "/admin/loggers/x.y?scope=cluster", 204, {"level": "INFO"})
    ask("PUT", "/admin/loggers/x.y", 404, {"level": "LOUD"})
    ask("PUT", "/admin/loggers/x.y", 400, {})
    ask("GET", "/admin/loggers/x.y", 200)
    ask("GET", "/admin/loggers/nope", 404)
    assert "kafka_connect_worker_metrics_task_count" in ask("GET", "/metrics", 200)
    ask("DELETE", "/connectors/c", 204)
    ask("DELETE", "/connectors/c", 404)
    every = {(m.upper(), p) for p, item in ask.document["paths"].items() for m in item}
    equal(every - ask.seen, set(), "operations that were not asked for")
