/* rest_test.h - a REST server over real sockets with a standalone herder on the fake worker behind
 * it, and a client that sends just what it is told to. Included by one test file each. */
#ifndef SLUICE_TESTS_REST_TEST_H
#define SLUICE_TESTS_REST_TEST_H

#include "harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_worker.h"
#include "herder/herder.h"
#include "rest/rest.h"
#include "rest/server.h"
#include "rest/windows.h"
#include "store/offset_store.h"

#define REST_TEST __attribute__((unused)) static
#define LONG_MS 60000 /* never waited for */

struct fixture {
    struct sluice_registry *registry;
    struct sluice_worker worker;
    struct sluice_offset_store *offsets;
    struct sluice_rest rest;
    struct sluice_server *server;
    int port;
};

REST_TEST void setup(struct fixture *f)
{
    struct sluice_err err = {{0}};
    f->registry = sluice_registry_new();
    CHECK(sluice_registry_add(f->registry, NULL, fake_plugins, &err));
    f->worker = (struct sluice_worker){f->registry, 200};
    f->offsets = fake_offsets = sluice_offset_memory_new();
    f->rest = (struct sluice_rest){.herder = sluice_standalone_new(&f->worker, f->offsets, &err),
                                   .worker = &f->worker,
                                   .started_ms = 1700000000123,
                                   .windows = sluice_windows_new()};
    struct sluice_route_table tables[] = {{sluice_root_routes, &f->rest},
                                          {sluice_connector_routes, &f->rest},
                                          {sluice_plugin_routes, &f->rest},
                                          {sluice_metrics_routes, &f->rest},
                                          {sluice_admin_routes, &f->rest}};
    f->server = sluice_server_new("http://127.0.0.1:0", tables, 5, &err);
    CHECK_STR(err.msg, "");
    CHECK(f->server != NULL);
    f->port = (int)strtol(strrchr(sluice_server_url(f->server), ':') + 1, NULL, 10);
    CHECK(f->port > 0);
    f->rest.herder->ops->ready(f->rest.herder);
}

REST_TEST void teardown(struct fixture *f)
{
    sluice_server_quiesce(f->server);
    CHECK(f->rest.herder->ops->stop(f->rest.herder, LONG_MS));
    CHECK(sluice_server_stop(f->server, LONG_MS));
    sluice_server_free(f->server);
    f->rest.herder->ops->free(f->rest.herder);
    sluice_offset_store_free(f->offsets);
    sluice_registry_free(f->registry);
    sluice_windows_free(f->rest.windows);
}

/* ---- a client ---- */

REST_TEST int dial(const struct fixture *f)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)f->port)};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval limit = {LONG_MS / 1000, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    CHECK_INT(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    return fd;
}

REST_TEST void say(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n <= 0) return; /* the server may have refused already */
        data += n;
        len -= (size_t)n;
    }
}

/* Everything until the server closes. */
REST_TEST char *hear(int fd)
{
    size_t len = 0, cap = 1 << 16;
    char *text = sluice_xmalloc(cap);
    for (ssize_t n; len < cap - 1 && (n = recv(fd, text + len, cap - 1 - len, 0)) > 0;)
        len += (size_t)n;
    text[len] = '\0';
    close(fd);
    return text;
}

REST_TEST char *heard; /* the last response; freed by the next */

REST_TEST int took(char *response)
{
    free(heard);
    heard = response;
    return strncmp(response, "HTTP/1.1 ", 9) == 0 ? (int)strtol(response + 9, NULL, 10) : 0;
}

/* headers: lines that end with \r\n, or "". body NULL: none. */
REST_TEST int call(const struct fixture *f, const char *method, const char *path,
                   const char *headers, const char *body)
{
    char length[64] = "";
    if (body) snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(body));
    char *request =
        sluice_xasprintf("%s %s HTTP/1.1\r\nHost: here:1\r\nConnection: close\r\n%s%s\r\n%s",
                         method, path, headers, length, body ? body : "");
    int fd = dial(f);
    say(fd, request, strlen(request));
    free(request);
    return took(hear(fd));
}

REST_TEST const char *body_of(void)
{
    const char *end = strstr(heard, "\r\n\r\n");
    return end ? end + 4 : "";
}

#define JSON "Content-Type: application/json\r\n"
#define GOOD "{\"connector.class\":\"FakeSource\",\"file\":\"/x\",\"tasks.max\":2}"

REST_TEST int put(const struct fixture *f, const char *path, const char *body)
{
    return call(f, "PUT", path, JSON, body);
}

/* PUT of a connector whose validation waits at the gate of fake_worker.h: the socket. */
REST_TEST int put_waiting(const struct fixture *f, const char *name)
{
    static const char config[] =
        "{\"connector.class\":\"FakeSource\",\"file\":\"/x\",\"fake.waits\":true}";
    char *request = sluice_xasprintf("PUT /connectors/%s/config HTTP/1.1\r\nHost: a\r\nConnection: "
                                     "close\r\n" JSON "Content-Length: %zu\r\n\r\n%s",
                                     name, sizeof config - 1, config);
    int fd = dial(f);
    say(fd, request, strlen(request));
    free(request);
    return fd;
}

REST_TEST int get(const struct fixture *f, const char *path)
{
    return call(f, "GET", path, "", NULL);
}

#endif
