/* The REST server over real sockets, with the standalone herder on the fake worker behind it. */
#include "rest_test.h"

#include "base/log.h"
#include "plugin/version_range.h"
#include "rest/jobs.h"

/* ---- what HTTP asks for ---- */

TEST(what_no_resource_answers)
{
    struct fixture f;
    setup(&f);
    CHECK_INT(get(&f, "/nope"), 404);
    CHECK_STR(body_of(), "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}");
    CHECK(!strstr(heard, "Content-Type"));
    CHECK_INT(get(&f, "/connectors/a/tasks/x/status"), 404);
    CHECK_HAS(body_of(), "HTTP 404 Not Found");
    CHECK_INT(get(&f, "/a/b/c/d/e/f/g/h/i/j/k"), 404);
    CHECK_INT(call(&f, "DELETE", "/connectors", "", NULL), 405);
    CHECK_HAS(heard, "\r\nAllow: GET,HEAD,POST,OPTIONS\r\n");
    CHECK_STR(body_of(), "{\"error_code\":405,\"message\":\"HTTP 405 Method Not Allowed\"}");
    CHECK_INT(call(&f, "GET", "/connectors", "Accept: text/html\r\n", NULL), 406);
    CHECK_HAS(body_of(), "HTTP 406 Not Acceptable");
    CHECK_INT(call(&f, "GET", "/connectors", "Accept: text/html, */*;q=0.1\r\n", NULL), 200);
    CHECK_INT(call(&f, "POST", "/connectors", "Content-Type: text/plain\r\n", "{}"), 415);
    CHECK_HAS(body_of(), "HTTP 415 Unsupported Media Type");
    CHECK_INT(get(&f, "/connectors/%zz"), 400);
    CHECK_INT(get(&f, "/connectors/%00"), 400);
    CHECK_INT(get(&f, "/connectors/%ff"), 400);
    CHECK_INT(get(&f, "/connectors?expand=%q"), 400);
    teardown(&f);
}

TEST(head_options_and_slashes)
{
    struct fixture f;
    setup(&f);
    CHECK_INT(call(&f, "HEAD", "/connectors", "", NULL), 200);
    CHECK_HAS(heard, "\r\nContent-Length: 2\r\n");
    CHECK_STR(body_of(), "");
    CHECK_INT(call(&f, "OPTIONS", "/connectors/a/config", "", NULL), 200);
    CHECK_HAS(heard, "\r\nAllow: GET,HEAD,PATCH,PUT,OPTIONS\r\n");
    CHECK_HAS(heard, "\r\nContent-Type: text/plain\r\n");
    CHECK_INT(get(&f, "/connectors/"), 200);
    CHECK_STR(body_of(), "[]");
    CHECK_INT(get(&f, "http://elsewhere/connectors"), 200);
    CHECK_INT(get(&f, "/"), 200);
    CHECK_HAS(body_of(), "\"kafka_cluster_id\":\"cluster-1\"}");
    teardown(&f);
}

TEST(bodies_are_bounded)
{
    struct fixture f;
    setup(&f);
    size_t size = SLUICE_BODY_MAX + 100;
    char *big = sluice_xmalloc(size + 1);
    memset(big, ' ', size);
    big[size] = '\0';
    CHECK_INT(call(&f, "POST", "/connectors", JSON, big), 413);
    CHECK_STR(body_of(), "{\"error_code\":413,\"message\":\"HTTP 413 Request Entity Too Large\"}");
    int fd = dial(&f); /* without a length it is noticed underway */
    const char *head = "POST /connectors HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" JSON
                       "Transfer-Encoding: chunked\r\n\r\n";
    char chunk[32];
    snprintf(chunk, sizeof chunk, "%zx\r\n", size);
    say(fd, head, strlen(head));
    say(fd, chunk, strlen(chunk));
    say(fd, big, size);
    say(fd, "\r\n0\r\n\r\n", 7);
    CHECK_INT(took(hear(fd)), 413);
    CHECK_INT(call(&f, "POST", "/connectors", JSON "Expect: 100-continue\r\n", big), 413);
    memcpy(big, "{\"a\":\"", 6); /* just fitting is taken, and then no JSON */
    big[SLUICE_BODY_MAX] = '\0';
    CHECK_INT(call(&f, "POST", "/connectors", JSON, big), 500);
    free(big);
    teardown(&f);
}

TEST(broken_and_broken_off_requests_do_no_harm)
{
    struct fixture f;
    setup(&f);
    static const char *const texts[] = {
        "GARBAGE\r\n\r\n",
        "GET /connectors HTTP/1.1\r\nbroken header\r\n\r\n",
        "GET /connectors HTTP/9.9\r\n\r\n",
        "POST /connectors HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n{}",
        "POST /connectors HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET connectors HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "\0\0\0\0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int fd = dial(&f);
        say(fd, texts[i], strlen(texts[i]));
        shutdown(fd, SHUT_WR);
        int status = took(hear(fd));
        CHECK(status != 200 && status != 201);
    }
    int half = dial(&f); /* a body that never comes costs a connection for a while, nothing else */
    const char *part =
        "PUT /connectors/a/config HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{";
    say(half, part, strlen(part));
    char *headers = sluice_xmalloc(100001); /* more than a connection may hold */
    memset(headers, 'a', 100000);
    memcpy(headers, "X-A: ", 5);
    memcpy(headers + 99998, "\r\n", 3);
    int status = call(&f, "GET", "/connectors", headers, NULL);
    CHECK(status != 200);
    free(headers);
    CHECK_INT(get(&f, "/connectors"), 200);
    CHECK_STR(body_of(), "[]");
    close(half);
    teardown(&f);
}

TEST(a_connection_serves_many_requests)
{
    struct fixture f;
    setup(&f);
    int fd = dial(&f);
    const char *two = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
                      "GET /connectors HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    say(fd, two, strlen(two));
    CHECK_INT(took(hear(fd)), 200);
    CHECK_HAS(heard, "\"status\":\"healthy\"");
    CHECK_HAS(heard, "\r\n\r\n[]");
    teardown(&f);
}

/* ---- connectors ---- */

TEST(a_connectors_life_over_http)
{
    struct fixture f;
    setup(&f);
    CHECK_INT(call(&f, "POST", "/connectors", JSON,
                   "{\"name\":\" a/b \\u00fc\\t\",\"config\":" GOOD
                   ",\"initial_state\":\"running\"}"),
              201);
    CHECK_HAS(heard, "\r\nLocation: http://here:1/connectors/a%2Fb%20%C3%BC\r\n");
    CHECK_HAS(heard, "\r\nContent-Type: application/json\r\n");
    CHECK_STR(body_of(), "{\"name\":\"a/b ü\",\"config\":{\"connector.class\":\"FakeSource\","
                         "\"file\":\"/x\",\"tasks.max\":\"2\",\"name\":\"a/b ü\"},\"tasks\":["
                         "{\"connector\":\"a/b ü\",\"task\":0},{\"connector\":\"a/b ü\","
                         "\"task\":1}],\"type\":\"source\"}");
    CHECK_INT(get(&f, "/connectors/a%2Fb%20%C3%BC/config"), 200);
    CHECK_INT(get(&f, "/connectors/a%2fb+%C3%BC"), 404); /* '+' is a plus in a path */
    CHECK_INT(get(&f, "/connectors/a%2Fb%20%C3%BC/tasks/1/status"), 200);
    CHECK_HAS(body_of(), "{\"id\":1,\"state\":");
    CHECK_INT(put(&f, "/connectors/x/config", GOOD), 201);
    CHECK_HAS(heard, "\r\nLocation: http://here:1/connectors/x\r\n");
    CHECK_INT(put(&f, "/connectors/x/config", GOOD), 200);
    CHECK(!strstr(heard, "Location:"));
    CHECK_INT(call(&f, "PATCH", "/connectors/x/config", JSON, "{\"tasks.max\":1}"), 200);
    CHECK_HAS(body_of(), "\"tasks\":[{\"connector\":\"x\",\"task\":0}]");
    CHECK_INT(get(&f, "/connectors?expand=info&expand=nonsense&expand=status"), 200);
    CHECK_HAS(body_of(), "\"x\":{\"status\":{");
    CHECK_INT(call(&f, "PUT", "/connectors/x/pause", "", NULL), 202);
    CHECK_STR(body_of(), "");
    CHECK_INT(call(&f, "PUT", "/connectors/x/resume", JSON, ""), 202);
    CHECK_INT(call(&f, "POST", "/connectors/x/restart?includeTasks=true", "", NULL), 202);
    CHECK_INT(call(&f, "POST", "/connectors/x/restart", "", NULL), 204);
    CHECK_INT(call(&f, "POST", "/connectors/x/tasks/0/restart", "", NULL), 204);
    CHECK_INT(call(&f, "PUT", "/connectors/x/stop", "", NULL), 204);
    CHECK_INT(get(&f, "/connectors/x/offsets"), 200);
    CHECK_INT(call(&f, "DELETE", "/connectors/x/offsets", "", NULL), 200);
    CHECK_INT(call(&f, "DELETE", "/connectors/x", "", NULL), 204);
    CHECK_INT(call(&f, "DELETE", "/connectors/x", "", NULL), 404);
    CHECK_STR(body_of(), "{\"error_code\":404,\"message\":\"Connector x not found\"}");
    teardown(&f);
}

static void refused(const struct fixture *f, const char *method, const char *path, const char *body,
                    int status, const char *piece)
{
    CHECK_INT(call(f, method, path, JSON, body), status);
    CHECK_HAS(body_of(), piece);
}

TEST(bodies_of_the_wrong_shape)
{
    struct fixture f;
    setup(&f);
    refused(&f, "POST", "/connectors", "{", 500, "Unexpected character");
    refused(&f, "POST", "/connectors", NULL, 500, "No content to map");
    refused(&f, "POST", "/connectors", "[]", 500, "Cannot deserialize value");
    refused(&f, "POST", "/connectors", "{\"name\":\"a\"}", 500, "Cannot deserialize value");
    refused(&f, "POST", "/connectors", "{\"nam\":\"a\",\"config\":{}}", 500,
            "Unrecognized field \\\"nam\\\"");
    refused(&f, "POST", "/connectors", "{\"name\":\"a\",\"config\":{},\"initial_state\":\"UP\"}",
            500, "Cannot construct instance");
    refused(&f, "POST", "/connectors", "{\"name\":\"a\",\"config\":{\"k\":{}}}", 500,
            "the value of \\\"k\\\" must be");
    refused(&f, "PUT", "/connectors/a/config", "{\"k\":[1]}", 500, "Cannot deserialize value");
    refused(&f, "PUT", "/connectors/a/config", "{\"name\":\"b\",\"connector.class\":\"x\"}", 400,
            "Connector name configuration (b) doesn't match connector name in the URL (a)");
    refused(&f, "PATCH", "/connectors/a/offsets", "[]", 500, "Cannot deserialize value");
    refused(&f, "PATCH", "/connectors/a/offsets", "{\"key\":[]}", 500, "Unrecognized field");
    refused(&f, "PATCH", "/connectors/a/offsets", "{\"offsets\":{}}", 500,
            "Cannot deserialize value");
    refused(&f, "PATCH", "/connectors/a/offsets", "{\"offsets\":[123]}", 500,
            "Cannot construct instance");
    refused(&f, "PATCH", "/connectors/a/offsets", "{}", 400,
            "Partitions / offsets need to be provided for an alter offsets request");
    refused(&f, "PATCH", "/connectors/a/offsets", "{\"offsets\":[]}", 400, "need to be provided");
    refused(&f, "PATCH", "/connectors/a/offsets",
            "{\"offsets\":[{\"partition\":{},\"offset\":null}]}", 404, "Connector a not found");
    teardown(&f);
}

/* ---- requests that wait ---- */

TEST(validation_blocks_no_other_request)
{
    struct fixture f;
    setup(&f);
    int fds[20];
    fake_gate_shut();
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", i);
        fds[i] = put_waiting(&f, name);
    }
    CHECK(fake_gate_await(20)); /* nor each other */
    CHECK_INT(get(&f, "/connectors"), 200);
    CHECK_STR(body_of(), "[]");
    CHECK_INT(put(&f, "/connectors/a/config", GOOD), 201);
    CHECK(fake_gate_await(20)); /* still */
    fake_gate_open();
    for (int i = 0; i < 20; i++) CHECK_INT(took(hear(fds[i])), 201);
    teardown(&f);
}

static bool is_there(void *f) { return get(f, "/connectors/s") == 200; }

TEST(a_request_that_takes_too_long_is_answered_for)
{
    struct fixture f;
    setup(&f);
    fake_gate_shut();
    sluice_server_timeout(f.server, 50);
    int fd = put_waiting(&f, "s");
    CHECK(fake_gate_await(1));
    CHECK_INT(took(hear(fd)), 500);
    CHECK_HAS(body_of(), "Request timed out. The worker is currently handling PUT "
                         "/connectors/{}/config, which began at 2");
    sluice_server_timeout(f.server, LONG_MS);
    CHECK_INT(get(&f, "/connectors/s"), 404);
    fake_gate_open();
    CHECK(harness_until(is_there, &f)); /* it was done nevertheless */
    teardown(&f);
}

TEST(clients_that_go_away_while_they_wait_do_no_harm)
{
    struct fixture f;
    setup(&f);
    fake_gate_shut();
    int fd = put_waiting(&f, "s");
    CHECK(fake_gate_await(1));
    close(fd);
    CHECK_INT(get(&f, "/connectors/s"), 404);
    fake_gate_open();
    CHECK(harness_until(is_there, &f));
    teardown(&f);
}

TEST(stop_tells_of_handlers_that_still_run)
{
    struct fixture f;
    setup(&f);
    fake_gate_shut();
    int fd = put_waiting(&f, "s");
    CHECK(fake_gate_await(1));
    CHECK(!sluice_server_stop(f.server, 50));
    CHECK_INT(took(hear(fd)), 503);
    fake_gate_open();
    teardown(&f);
}

static void count_up(void *n)
{
    fake_gate_pass();
    __atomic_fetch_add((int *)n, 1, __ATOMIC_SEQ_CST);
}

TEST(jobs_are_all_done_and_bounded)
{
    struct sluice_jobs *jobs = sluice_jobs_new(2);
    int n = 0, taken = 0;
    fake_gate_shut();
    for (int i = 0; i < 400; i++) taken += sluice_jobs_add(jobs, count_up, &n);
    CHECK(taken >= 256 && taken <= 258); /* those of the queue, and one a thread */
    CHECK(!sluice_jobs_drain(jobs, 1));
    CHECK(!sluice_jobs_add(jobs, count_up, &n));
    fake_gate_open();
    CHECK(sluice_jobs_drain(jobs, LONG_MS));
    CHECK_INT(n, taken);
    sluice_jobs_free(jobs);
}

/* ---- plugins, loggers, metrics ---- */

TEST(plugins_and_validate)
{
    struct fixture f;
    setup(&f);
    CHECK_INT(get(&f, "/connector-plugins"), 200);
    CHECK_STR(body_of(), "[{\"class\":\"org.example.FakeSourceConnector\",\"type\":\"source\","
                         "\"version\":\"1.2.3\"}]");
    CHECK_INT(get(&f, "/connector-plugins?connectorsOnly=false"), 200);
    CHECK_HAS(body_of(), "\"type\":\"converter\"");
    CHECK_INT(get(&f, "/connector-plugins/FakeSource/config"), 200);
    CHECK_HAS(body_of(), "[{\"name\":\"file\",\"type\":\"STRING\",\"required\":true,");
    CHECK_HAS(body_of(), "{\"name\":\"tasks.max\",\"type\":\"INT\"");
    CHECK_INT(get(&f, "/connector-plugins/FakeSource/config?version=%5B1.0,2.0)"), 200);
    CHECK_INT(get(&f, "/connector-plugins/FakeSource/config?version=1.0"), 400);
    CHECK_HAS(body_of(),
              "Plugin org.example.FakeSourceConnector not found that matches the version "
              "range [1.0,1.0], available versions: [1.2.3]");
    CHECK_INT(get(&f, "/connector-plugins/FakeSource/config?version=%5Ba"), 400);
    CHECK_HAS(body_of(), "Invalid version specification: [a");
    CHECK_INT(get(&f, "/connector-plugins/Nope/config"), 404);
    CHECK_HAS(body_of(), "Unknown plugin Nope.");
    CHECK_INT(put(&f, "/connector-plugins/FakeSource/config/validate",
                  "{\"connector.class\":\"FakeSource\",\"name\":\"a\",\"secret\":\"geheim\","
                  "\"words\":\" a , b\",\"tasks.max\":\"0\",\"odd\":null}"),
              200);
    CHECK(!strstr(heard, "geheim"));
    CHECK_HAS(body_of(),
              "{\"name\":\"FakeSource\",\"error_count\":3,\"groups\":[\"Common\",\"File\"]");
    CHECK_HAS(body_of(), "{\"name\":\"secret\",\"value\":\"[hidden]\",\"recommended_values\":[],"
                         "\"errors\":[],\"visible\":true}");
    CHECK_HAS(body_of(), "{\"name\":\"words\",\"value\":\"a,b\"");
    CHECK_HAS(body_of(), "{\"definition\":null,\"value\":{\"name\":\"odd\",\"value\":null,");
    CHECK_INT(
        put(&f, "/connector-plugins/Other/config/validate", "{\"connector.class\":\"FakeSource\"}"),
        400);
    CHECK_HAS(body_of(), "Included connector type FakeSource does not match request type Other");
    CHECK_INT(put(&f, "/connector-plugins/FakeSource/config/validate", "{}"), 500);
    CHECK_HAS(body_of(), "org.apache.kafka.connect.runtime.rest.errors.BadRequestException: "
                         "Connector config {} contains no connector type");
    teardown(&f);
}

TEST(version_ranges)
{
    static const struct {
        const char *range, *shown; /* NULL: 4.1.0 is in it; "": it is no range */
    } cases[] = {{"4.1.0", NULL},
                 {"[4.1.0]", NULL},
                 {"[4.1.0,)", NULL},
                 {"(,9)", NULL},
                 {"[1.0,2.0],(4,5)", NULL},
                 {"4.1", NULL},
                 {"4.01.0", NULL},
                 {"(,)", NULL},
                 {" [4.1.0-beta , 4.1.0] ", NULL},
                 {"1.0", "[1.0,1.0]"},
                 {"(4.1.0,)", "(4.1.0,)"},
                 {"(,4.1.0)", "(,4.1.0)"},
                 {"", "[,]"},
                 {"x", "[x,x]"},
                 {"[5.0,),[1.0, 2.0]", "[5.0,),[1.0,2.0]"},
                 {"4.10", "[4.10,4.10]"},
                 {"[a", ""},
                 {"[1.0,2.0", ""},
                 {"[1.0]x", ""},
                 {"[[1.0]]", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sluice_err err = {{0}};
        char *shown;
        int in = sluice_version_in_range(cases[i].range, "4.1.0", &shown, &err);
        if (!cases[i].shown) CHECK_INT(in, 1);
        else if (!*cases[i].shown) CHECK_INT(in, -1);
        else CHECK_STR(shown ? shown : "", cases[i].shown);
        free(shown);
    }
}

TEST(loggers)
{
    struct fixture f;
    setup(&f);
    CHECK_INT(get(&f, "/admin/loggers"), 200);
    CHECK_HAS(body_of(), "\"root\":{\"level\":\"INFO\",\"last_modified\":null}");
    CHECK_HAS(body_of(),
              "\"org.example.FakeSourceConnector\":{\"level\":\"INFO\",\"last_modified\":"
              "null}");
    CHECK_HAS(body_of(), "\"sluice.rest\":{");
    CHECK_INT(get(&f, "/admin/loggers/a.b"), 404);
    CHECK_HAS(body_of(), "Logger a.b not found.");
    CHECK_INT(put(&f, "/admin/loggers/a.b", "{\"level\":\"debug\"}"), 200);
    CHECK_STR(body_of(), "[\"a.b\"]");
    CHECK(sluice_log_enabled(SLUICE_DEBUG));
    CHECK_INT(get(&f, "/admin/loggers/a.b"), 200);
    char *first = sluice_xstrdup(body_of());
    CHECK_HAS(first, "{\"level\":\"DEBUG\",\"last_modified\":1");
    usleep(5000);
    CHECK_INT(put(&f, "/admin/loggers/a.b", "{\"level\":\"DEBUG\"}"), 200);
    CHECK_STR(body_of(), "[]");
    get(&f, "/admin/loggers/a.b");
    CHECK_STR(body_of(), first); /* the same level again leaves the time */
    free(first);
    CHECK_INT(put(&f, "/admin/loggers/a", "{\"level\":\"WARN\"}"), 200);
    CHECK_STR(body_of(), "[\"a\",\"a.b\"]");
    CHECK(!sluice_log_enabled(SLUICE_DEBUG));
    CHECK_INT(put(&f, "/admin/loggers/sluice.rest?scope=worker", "{\"level\":\"OFF\"}"), 200);
    CHECK_STR(body_of(), "[\"sluice.rest\"]");
    CHECK_INT(put(&f, "/admin/loggers/root?scope=cluster", "{\"level\":\"INFO\"}"), 204);
    CHECK_INT(get(&f, "/admin/loggers/sluice.rest"), 200);
    CHECK_HAS(body_of(), "{\"level\":\"INFO\",\"last_modified\":1");
    CHECK_INT(put(&f, "/admin/loggers/a", "{}"), 400);
    CHECK_HAS(body_of(), "Desired 'level' parameter was not specified in request.");
    CHECK_INT(put(&f, "/admin/loggers/a", "{\"level\":\"zz\"}"), 404);
    CHECK_HAS(body_of(), "invalid log level 'zz'.");
    teardown(&f);
}

static bool runs_both(void *arg)
{
    get(arg, "/metrics");
    return strstr(heard, "\nkafka_connect_worker_metrics_connector_running_task_count{connector="
                         "\"q\\\"\\\\\"} 2\n") != NULL;
}

TEST(metrics_have_connects_names)
{
    struct fixture f;
    setup(&f);
    CHECK_INT(put(&f, "/connectors/q%22%5C/config", GOOD), 201);
    CHECK(harness_until(runs_both, &f));
    CHECK_HAS(heard, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    CHECK_HAS(heard, "\nkafka_connect_source_task_metrics_source_record_write_total{connector="
                     "\"q\\\"\\\\\",task=\"1\"} 7\n");
    CHECK_HAS(heard, "\nkafka_connect_worker_metrics_connector_count 1\n");
    CHECK_HAS(heard, "status=\"RUNNING\"} 1\n");
    CHECK_HAS(heard, "\nprocess_start_time_seconds 1700000000.123\n");
    CHECK_HAS(heard, "\nkafka_connect_source_task_metrics_source_record_poll_rate{connector="
                     "\"q\\\"\\\\\",task=\"1\"} ");
    CHECK_HAS(heard, "\nkafka_connect_connector_task_metrics_running_ratio{");
    CHECK(!strstr(heard, "sink_task_metrics"));
    CHECK_INT(call(&f, "GET", "/metrics", "Accept: text/plain\r\n", NULL), 200);
    teardown(&f);
}

TEST(listeners_that_are_wrong_say_so)
{
    struct sluice_err err = {{0}};
    struct sluice_route_table table = {sluice_root_routes, NULL};
    CHECK(!sluice_server_new("https://127.0.0.1:0", &table, 1, &err));
    CHECK_HAS(err.msg,
              "listener https://127.0.0.1:0 needs a certificate: set ssl.keystore.location");
    CHECK(!sluice_server_new("127.0.0.1:8083", &table, 1, &err));
    CHECK_HAS(err.msg, "does not begin with http:// or https://");
    CHECK(!sluice_server_new("http://127.0.0.1:99999", &table, 1, &err));
    CHECK_HAS(err.msg, "names no port");
    CHECK(!sluice_server_new(" , ", &table, 1, &err));
    CHECK_HAS(err.msg, "listeners is empty");
    struct sluice_server *server = sluice_server_new("http://127.0.0.1:0", &table, 1, &err);
    CHECK(server != NULL);
    CHECK(!sluice_server_new(sluice_server_url(server), &table, 1, &err));
    CHECK_HAS(err.msg, "another process has the port");
    CHECK(sluice_server_stop(server, LONG_MS));
    sluice_server_free(server);
}
