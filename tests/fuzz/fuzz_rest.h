/* fuzz_rest.h - one input through a parser of runtime/rest. Its first byte says which:
 *   r  a request: "METHOD target\n" and a body, through the routes, with a herder that takes all
 *   j  a JAAS file
 *   h  response.http.headers.config
 *   c  access.control.allow.origin, a line break, an Origin
 *   p  certificates and key in the properties
 *   s  ssl.enabled.protocols, a line break, ssl.cipher.suites
 *   u  a query behind the path of a request that is passed on */
#ifndef SLUICE_TESTS_FUZZ_REST_H
#define SLUICE_TESTS_FUZZ_REST_H

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/props.h"
#include "fuzz/fuzz_rest_herder.h"
#include "rest/access.h"
#include "rest/extra_headers.h"
#include "rest/forward.h"
#include "rest/rest.h"
#include "rest/tls.h"

/* ---- the parsers ---- */

static char *fuzz_rest_line(const char **at)
{
    size_t len = strcspn(*at, "\n");
    char *line = sluice_xstrndup(*at, len);
    *at += len + ((*at)[len] == '\n');
    return line;
}

/* text: "METHOD target\nbody"; size: of all of it, because a body may hold NUL. */
static void fuzz_rest_request(const char *text, size_t size)
{
    struct sluice_herder herder = {&fuzz_rest_ops};
    struct sluice_rest rest = {.herder = &herder};
    struct sluice_route_table tables[] = {{sluice_connector_routes, &rest},
                                          {sluice_openapi_routes, &rest}};
    struct sluice_request req = {0};
    struct sluice_answer answer = {0};
    const char *at = text;
    char *line = fuzz_rest_line(&at), *target = strchr(line, ' ');
    if (target) *target++ = '\0';
    else target = line + strlen(line);
    char *query = strchr(target, '?');
    if (query) *query++ = '\0';
    req.method = sluice_xstrdup(line);
    req.path = sluice_xstrdup(*target == '/' ? target : "/");
    req.raw_path = sluice_xstrdup(req.path);
    bool ok = !query || sluice_query_parse(&req, query);
    size_t left = size - (size_t)(at - text);
    if (left) {
        req.body = sluice_xmalloc(left + 1);
        memcpy(req.body, at, left);
        req.body[left] = '\0';
        req.body_len = left;
    }
    void *arg;
    const struct sluice_route *route =
        ok ? sluice_route_find(tables, 2, &req, &arg, &answer) : NULL;
    if (route) route->handle(arg, &req, &answer);
    assert(!ok || answer.status >= 200);
    if (answer.status >= 400) {
        const char *why = json_string_value(json_object_get(answer.body, "message"));
        assert(why && *why);
    }
    sluice_answer_fini(&answer);
    sluice_request_fini(&req);
    free(line);
}

static void fuzz_rest_jaas(const char *text)
{
    struct sluice_map options = {0};
    struct sluice_err err = {{0}};
    char *module = NULL;
    bool ok = sluice_jaas_entry(text, "KafkaConnect", &module, &options, &err);
    assert(ok ? module && *module : !module && err.msg[0]);
    free(module);
    sluice_map_fini(&options);
}

static void fuzz_rest_header(void *arg, bool set, const char *name, const char *value)
{
    (void)set;
    assert(*name && !strpbrk(name, " \r\n:") && !strpbrk(value, "\r\n"));
    ++*(int *)arg;
}

static void fuzz_rest_headers(const char *key, const char *value, const char *origin)
{
    struct sluice_map props = {0};
    struct sluice_err err = {{0}};
    struct sluice_request req = {
        .method = (char *)"OPTIONS", .origin = (char *)origin, .asked_method = (char *)"PUT"};
    sluice_map_set(&props, key, value);
    struct sluice_extra_headers *extra = sluice_extra_headers_new(&props, &err);
    assert(extra || err.msg[0]);
    int n = 0;
    if (extra) sluice_extra_headers_each(extra, &req, fuzz_rest_header, &n);
    assert(n <= 64 + 5);
    sluice_extra_headers_free(extra);
    sluice_map_fini(&props);
}

static void fuzz_rest_pem(const char *text)
{
    struct sluice_map props = {0};
    struct sluice_err err = {{0}};
    sluice_map_set(&props, "ssl.keystore.type", "PEM");
    sluice_map_set(&props, "ssl.keystore.certificate.chain", text);
    sluice_map_set(&props, "ssl.keystore.key", text);
    sluice_map_set(&props, "ssl.truststore.certificates", text);
    struct sluice_tls *tls = sluice_tls_new(&props, "listeners.https.", &err);
    assert(tls || err.msg[0]);
    sluice_tls_free(tls);
    sluice_map_fini(&props);
}

static void fuzz_rest_url(const char *query)
{
    struct sluice_request req = {.raw_path = (char *)"/connectors",
                                 .raw_query = sluice_xstrdup(query)};
    char *url = sluice_forward_url("http://h:1/", &req);
    for (const char *c = url; *c; c++) assert(*c > ' ' && *c < 0x7F);
    size_t len = strlen(url);
    assert(len > 12 && strcmp(url + len - 12, "forward=true") == 0);
    free(url);
    free(req.raw_query);
}

static void fuzz_rest(const void *data, size_t len)
{
    if (len == 0) return;
    char *text = malloc(len); /* so that reading behind it is seen */
    memcpy(text, (const char *)data + 1, len - 1);
    text[len - 1] = '\0';
    const char *at = text;
    sluice_log_level(SLUICE_ERROR);
    switch (*(const char *)data) {
    case 'r': fuzz_rest_request(text, len - 1); break;
    case 'j': fuzz_rest_jaas(text); break;
    case 'h': fuzz_rest_headers("response.http.headers.config", text, NULL); break;
    case 'p': fuzz_rest_pem(text); break;
    case 'u': fuzz_rest_url(text); break;
    case 'c':
    case 's': {
        char *first = fuzz_rest_line(&at);
        struct sluice_err err = {{0}};
        if (*(const char *)data == 'c') {
            fuzz_rest_headers("access.control.allow.origin", first, at);
        } else {
            char *words = sluice_tls_priorities(first, *at ? at : NULL, &err);
            assert(words || err.msg[0]);
            free(words);
        }
        free(first);
        break;
    }
    default: break;
    }
    free(text);
}

__attribute__((unused)) static bool fuzz_rest_file(const char *path)
{
    size_t len;
    char *data = sluice_file_read(path, (size_t)8 << 20, &len, NULL);
    if (!data) return false;
    fuzz_rest(data, len);
    free(data);
    return true;
}

#endif
