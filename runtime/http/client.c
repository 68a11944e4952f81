/* client.c - blocking requests over a few libcurl handles that keep their connections.
 *
 * A request takes the handle that was given back last, or a new one, so that there are as many as
 * requests at a time, and at most IDLE_MAX of them wait. No proxy and no redirect is followed: who
 * asks names the worker, and what it answers is for the caller to judge. */
#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/thread.h"
#include "http/client.h"

#define IDLE_MAX 8
#define CONNECTIONS_MAX 8L /* that a handle keeps open */
#define CONNECT_MS 10000
#define TIMEOUT_MS 90000
#define BODY_MAX ((size_t)64 << 20)
#define PEM_HEAD 4096 /* bytes in which a PEM file shows that it is one */

struct sluice_http_client {
    char *ca_file, *cert_file, *key_file, *key_password, *user, *password;
    bool any_host;
    long connect_ms, timeout_ms;
    size_t body_max;
    pthread_mutex_t mutex; /* of what follows */
    CURL *idle[IDLE_MAX];
    size_t idle_n;
};

/* ---- clients ---- */

struct sluice_http_client *sluice_http_client_new(const struct sluice_http_options *options)
{
    struct sluice_http_client *client = sluice_xcalloc(1, sizeof *client);
    assert(options->connect_ms >= 0 && options->timeout_ms >= 0);
    client->ca_file = sluice_xstrdup(options->ca_file);
    client->cert_file = sluice_xstrdup(options->cert_file);
    client->key_file = sluice_xstrdup(options->key_file);
    client->key_password = sluice_xstrdup(options->key_password);
    client->user = sluice_xstrdup(options->user);
    client->password = sluice_xstrdup(options->password);
    client->any_host = options->any_host;
    client->connect_ms = options->connect_ms ? (long)options->connect_ms : CONNECT_MS;
    client->timeout_ms = options->timeout_ms ? (long)options->timeout_ms : TIMEOUT_MS;
    client->body_max = options->body_max ? options->body_max : BODY_MAX;
    pthread_mutex_init(&client->mutex, NULL);
    return client;
}

static void free_secret(char *text)
{
    if (text) explicit_bzero(text, strlen(text));
    free(text);
}

void sluice_http_client_free(struct sluice_http_client *client)
{
    if (!client) return;
    for (size_t i = 0; i < client->idle_n; i++) curl_easy_cleanup(client->idle[i]);
    pthread_mutex_destroy(&client->mutex);
    free(client->ca_file);
    free(client->cert_file);
    free(client->key_file);
    free_secret(client->key_password);
    free(client->user);
    free_secret(client->password);
    free(client);
}

/* ---- handles ---- */

/* A file that cannot be opened counts as PEM: libcurl says what is wrong with it. */
static bool is_pem(const char *path)
{
    char head[PEM_HEAD];
    FILE *file = fopen(path, "re");
    if (!file) return true;
    size_t n = fread(head, 1, sizeof head, file);
    fclose(file);
    return memmem(head, n, "-----BEGIN", 10) != NULL;
}

static void set_tls(const struct sluice_http_client *client, CURL *curl)
{
    if (client->ca_file) curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca_file);
    if (client->any_host) curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    if (!client->cert_file) return;
    bool pem = is_pem(client->cert_file);
    curl_easy_setopt(curl, CURLOPT_SSLCERTTYPE, pem ? "PEM" : "P12");
    curl_easy_setopt(curl, CURLOPT_SSLCERT, client->cert_file);
    if (client->key_file) curl_easy_setopt(curl, CURLOPT_SSLKEY, client->key_file);
    else if (pem) curl_easy_setopt(curl, CURLOPT_SSLKEY, client->cert_file);
    if (client->key_password) curl_easy_setopt(curl, CURLOPT_KEYPASSWD, client->key_password);
}

static CURL *handle_new(const struct sluice_http_client *client)
{
    CURL *curl = curl_easy_init();
    if (!curl) return NULL;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* not the environment's either */
    curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, CONNECTIONS_MAX);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, client->connect_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, client->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "sluice/" SLUICE_VERSION);
    if (client->user) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERNAME, client->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, client->password ? client->password : "");
    }
    set_tls(client, curl);
    return curl;
}

static CURL *handle_take(struct sluice_http_client *client)
{
    sluice_lock(&client->mutex);
    CURL *curl = client->idle_n ? client->idle[--client->idle_n] : NULL;
    sluice_unlock(&client->mutex);
    return curl ? curl : handle_new(client);
}

static void handle_give(struct sluice_http_client *client, CURL *curl)
{
    sluice_lock(&client->mutex);
    assert(client->idle_n <= IDLE_MAX);
    bool keep = client->idle_n < IDLE_MAX;
    if (keep) client->idle[client->idle_n++] = curl;
    sluice_unlock(&client->mutex);
    if (!keep) curl_easy_cleanup(curl);
}

/* ---- one request ---- */

struct exchange {
    struct sluice_buf body;
    bool too_long;
    struct curl_slist *headers;
    char why[CURL_ERROR_SIZE];
};

static size_t receive(char *data, size_t size, size_t n, void *arg)
{
    struct exchange *exchange = arg;
    if (sluice_buf_add(&exchange->body, data, size * n)) return size * n;
    exchange->too_long = true;
    return 0;
}

static void header_add(struct exchange *exchange, const char *line)
{
    struct curl_slist *more = curl_slist_append(exchange->headers, line);
    if (more) exchange->headers = more; /* NULL: out of memory, and the next allocation aborts */
}

/* The caller's headers and no others: libcurl would wait for "100 Continue" and call any body a
 * form. */
static void set_headers(CURL *curl, const struct sluice_http_request *request,
                        struct exchange *exchange)
{
    bool typed = false;
    for (const char *const *h = request->headers; h && *h; h++) {
        assert(strchr(*h, ':') && !strpbrk(*h, "\r\n"));
        header_add(exchange, *h);
        typed |= strncasecmp(*h, "content-type:", 13) == 0;
    }
    header_add(exchange, "Expect:");
    if (!typed) header_add(exchange, "Content-Type:");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, exchange->headers);
}

/* Everything that another request may have set is set anew. */
static void set_request(CURL *curl, const struct sluice_http_request *request,
                        struct exchange *exchange)
{
    bool post = request->body || strcmp(request->method, "POST") == 0 ||
                strcmp(request->method, "PUT") == 0 || strcmp(request->method, "PATCH") == 0;
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange->why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    if (post) { /* without a body: Content-Length: 0 */
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body ? request->body : "");
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L); /* takes NOBODY back, too */
    }
    if (strcmp(request->method, "HEAD") == 0) curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    set_headers(curl, request, exchange);
}

static char *header_get(CURL *curl, const char *name)
{
    struct curl_header *header = NULL;
    if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) return NULL;
    return sluice_xstrdup(header->value);
}

static void answer_take(CURL *curl, struct exchange *exchange,
                        struct sluice_http_response *response)
{
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    response->status = (int)status;
    response->body_len = exchange->body.len;
    response->body = sluice_xmalloc(exchange->body.len + 1);
    if (exchange->body.len) memcpy(response->body, exchange->body.data, exchange->body.len);
    response->body[exchange->body.len] = '\0';
    response->content_type = header_get(curl, "Content-Type");
    response->location = header_get(curl, "Location");
}

/* A URL as people may see it: without user and password. */
static char *shown_url(const char *url)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t authority = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', authority);
    if (!at) return sluice_xstrdup(url);
    return sluice_xasprintf("%.*s%s", (int)(host - url), url, at + 1);
}

static void explain(const struct sluice_http_client *client, CURLcode code,
                    const struct sluice_http_request *request, const struct exchange *exchange,
                    struct sluice_err *err)
{
    char *url = shown_url(request->url);
    if (exchange->too_long)
        sluice_err_set(err, "%s %s: the answer is longer than %zu bytes", request->method, url,
                       client->body_max);
    else
        sluice_err_set(err, "%s %s: %s", request->method, url,
                       exchange->why[0] ? exchange->why : curl_easy_strerror(code));
    free(url);
}

bool sluice_http_do(struct sluice_http_client *client, const struct sluice_http_request *request,
                    struct sluice_http_response *response, bool *sent, struct sluice_err *err)
{
    assert(request->method && request->url && (request->body || request->body_len == 0));
    assert(!response->body);
    if (sent) *sent = false;
    CURL *curl = handle_take(client);
    if (!curl) return sluice_err_set(err, "%s: libcurl gave no handle", request->method);
    struct exchange exchange = {0};
    sluice_buf_init(&exchange.body, client->body_max);
    set_request(curl, request, &exchange);
    CURLcode code = curl_easy_perform(curl);
    long bytes = 0;
    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &bytes);
    if (sent) *sent = bytes > 0;
    if (code == CURLE_OK) answer_take(curl, &exchange, response);
    else explain(client, code, request, &exchange, err);
    /* These point into this frame or the caller's. */
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, NULL);
    curl_slist_free_all(exchange.headers);
    sluice_buf_fini(&exchange.body);
    handle_give(client, curl);
    return code == CURLE_OK;
}

void sluice_http_response_fini(struct sluice_http_response *response)
{
    free(response->body);
    free(response->content_type);
    free(response->location);
    *response = (struct sluice_http_response){0};
}
