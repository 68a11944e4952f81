/* forward.c - see forward.h. */
#include "rest/forward.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/client.h"
#include "rest/tls.h"

#define RETRY_MS 10000 /* a dead leader is noticed within session.timeout.ms, mostly */
#define RETRY_PAUSE_MS 250
#define CONNECT_MS 3000
#define ANSWER_MS 90000
#define HEADERS_N 6

struct sluice_forwarder {
    struct sluice_http_client *client;
    _Atomic bool closing;
};

struct sluice_forwarder *sluice_forwarder_new(const struct sluice_tls *tls)
{
    struct sluice_forwarder *forwarder = sluice_xcalloc(1, sizeof *forwarder);
    struct sluice_http_options options = {.connect_ms = CONNECT_MS, .timeout_ms = ANSWER_MS};
    if (tls) {
        options.ca_file = sluice_tls_ca_path(tls);
        options.cert_file = options.key_file = sluice_tls_key_path(tls);
        options.any_host = !sluice_tls_checks_host(tls);
    }
    forwarder->client = sluice_http_client_new(&options);
    return forwarder;
}

void sluice_forwarder_close(struct sluice_forwarder *forwarder)
{
    if (forwarder) atomic_store(&forwarder->closing, true);
}

void sluice_forwarder_free(struct sluice_forwarder *forwarder)
{
    if (!forwarder) return;
    sluice_http_client_free(forwarder->client);
    free(forwarder);
}

/* ---- the request as it is sent on ---- */

/* What came over the wire, with every byte that has no business in a URL escaped. */
static void add_raw(struct sluice_buf *buf, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        bool plain = byte > ' ' && byte < 0x7F && !strchr("\"<>\\^`{|}#", byte);
        if (plain) sluice_buf_add(buf, text + i, 1);
        else sluice_buf_addf(buf, "%%%02X", byte);
    }
}

static bool is_forward(const char *pair, size_t len)
{
    static const char name[] = "forward";
    return len >= sizeof name - 1 && strncmp(pair, name, sizeof name - 1) == 0 &&
           (len == sizeof name - 1 || pair[sizeof name - 1] == '=');
}

char *sluice_forward_url(const char *base, const struct sluice_request *req)
{
    struct sluice_buf url;
    sluice_buf_init(&url, SLUICE_BUF_MAX);
    size_t len = strlen(base);
    while (len && base[len - 1] == '/') len--; /* Java's workers end theirs with one */
    sluice_buf_add(&url, base, len);
    add_raw(&url, req->raw_path, strlen(req->raw_path));
    sluice_buf_addf(&url, "?");
    for (const char *pair = req->raw_query ? req->raw_query : ""; *pair;) {
        size_t n = strcspn(pair, "&");
        if (n && !is_forward(pair, n)) {
            add_raw(&url, pair, n);
            sluice_buf_addf(&url, "&");
        }
        pair += n + (pair[n] == '&');
    }
    sluice_buf_addf(&url, "forward=%s", sluice_map_get(&req->query, "forward") ? "false" : "true");
    char *text = sluice_xstrdup(sluice_buf_str(&url));
    sluice_buf_fini(&url);
    return text;
}

static void add_header(const char *headers[HEADERS_N], size_t *n, const char *name,
                       const char *value)
{
    if (!value) return;
    assert(*n + 1 < HEADERS_N);
    headers[(*n)++] = sluice_xasprintf("%s: %s", name, value);
}

/* ---- one hop ---- */

/* The other worker's answer as our own. */
static void pass_back(struct sluice_http_response *response, struct sluice_answer *answer)
{
    if (response->status == 204 || response->body_len == 0) {
        sluice_answer_json(answer, response->status, NULL);
        return;
    }
    json_t *body = json_loadb(response->body, response->body_len,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, NULL);
    const char *name = json_string_value(json_object_get(body, "name"));
    bool failed = response->status >= 400 && !json_object_get(body, "error_code");
    if (failed && response->status == 401) { /* as basic auth says it: no JSON */
        sluice_answer_text(answer, 401, "text/plain", sluice_xstrdup(response->body));
    } else if (!body || failed || response->status < 200 ||
               (response->status >= 300 && response->status < 400)) {
        sluice_answer_error(answer, 500,
                            "Unexpected status code when handling forwarded request: %d",
                            response->status);
    } else {
        char *created = response->status == 201 && name ? sluice_xstrdup(name) : NULL;
        sluice_answer_json(answer, response->status, body);
        answer->created = created;
        body = NULL;
    }
    json_decref(body);
}

/* False: the worker was not reached, and the answer says so; it may be asked again. */
static bool hop(struct sluice_forwarder *forwarder, const char *base,
                const struct sluice_request *req, struct sluice_answer *answer)
{
    const char *headers[HEADERS_N] = {"Accept: application/json"};
    size_t n = 1;
    add_header(headers, &n, "Authorization", req->authorization);
    if (req->body) add_header(headers, &n, "Content-Type", "application/json");
    add_header(headers, &n, "X-Connect-Authorization", req->signature);
    add_header(headers, &n, "X-Connect-Request-Signature-Algorithm", req->signature_method);
    char *url = sluice_forward_url(base, req);
    struct sluice_http_request request = {.method = req->method,
                                          .url = url,
                                          .headers = headers,
                                          .body = req->body,
                                          .body_len = req->body_len};
    struct sluice_http_response response = {0};
    struct sluice_err err = {{0}};
    bool sent = false;
    sluice_log(SLUICE_DEBUG, NULL, -1, "forwarding %s %s to %s", req->method, req->raw_path, base);
    bool ok = sluice_http_do(forwarder->client, &request, &response, &sent, &err);
    if (ok) {
        pass_back(&response, answer);
    } else {
        sluice_log(SLUICE_WARN, NULL, -1, "forwarding %s %s to %s failed: %s", req->method,
                   req->raw_path, base, err.msg);
        sluice_answer_error(answer, 500, "IO Error trying to forward REST request: %s", err.msg);
    }
    sluice_http_response_fini(&response);
    for (size_t i = 1; i < n; i++) {
        explicit_bzero((char *)headers[i], strlen(headers[i])); /* credentials */
        free((char *)headers[i]);
    }
    free(url);
    return ok || sent;
}

void sluice_forward(struct sluice_forwarder *forwarder, const struct sluice_route *route, void *arg,
                    const struct sluice_request *req, struct sluice_answer *answer)
{
    const char *hops = sluice_map_get(&req->query, "forward");
    bool may = forwarder && (!hops || strcasecmp(hops, "true") == 0);
    int64_t until_ms = 0;
    for (;;) {
        route->handle(arg, req, answer);
        /* after a hop that failed, a 409 says that the group is still finding another leader */
        bool settling = until_ms && !answer->forward && answer->status == 409;
        if (!answer->forward && !settling) return;
        if (answer->forward) {
            char *base = answer->forward;
            answer->forward = NULL;
            sluice_answer_fini(answer);
            bool over = true;
            if (may) over = hop(forwarder, base, req, answer);
            else
                sluice_answer_error(answer, 409,
                                    "Cannot complete request because of a conflicting "
                                    "operation (e.g. worker rebalance)");
            free(base);
            if (over) return;
        }
        int64_t now = sluice_now_ms();
        if (!until_ms) until_ms = now + RETRY_MS;
        if (now >= until_ms || atomic_load(&forwarder->closing)) return;
        sluice_answer_fini(answer);
        nanosleep(&(struct timespec){0, RETRY_PAUSE_MS * 1000000L}, NULL);
    }
}
