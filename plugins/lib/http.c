/* http.c - see http.h. Each request is a call: an easy handle, its headers, its body and the answer
 * as it grows. Finished calls are kept and reused, so that the steady state allocates next to
 * nothing. Thread: the owner's. */
#include "http.h"

#include <assert.h>
#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "json_out.h"

struct call {
    struct call *next; /* in the idle or the active list */
    struct sluice_http *http;
    CURL *easy;
    struct curl_slist *headers;
    struct sluice_out packed; /* the compressed body */
    struct sluice_out answer;
    bool overflow; /* the answer passed its limit */
    bool again;    /* was already sent a second time */
    sluice_http_done *done;
    void *arg;
    char error[CURL_ERROR_SIZE];
};

struct sluice_http {
    CURLM *multi;
    char *user_agent;
    struct sluice_http_options options;
    struct call *idle, *active;
    size_t active_len;
    z_stream deflate;
    bool deflate_ready;
};

struct sluice_http *sluice_http_new(const struct sluice_http_options *options,
                                    struct sluice_err *err)
{
    struct sluice_http *http = calloc(1, sizeof *http);
    if (!http) abort();
    http->options = *options;
    http->user_agent = strdup(options->user_agent);
    if (!http->user_agent) abort();
    http->multi = curl_multi_init();
    if (!http->multi) {
        snprintf(err->msg, sizeof err->msg, "libcurl could not be set up");
        sluice_http_free(http);
        return NULL;
    }
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)options->connections);
    curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    return http;
}

static void free_calls(struct call *call)
{
    while (call) {
        struct call *next = call->next;
        curl_easy_cleanup(call->easy);
        curl_slist_free_all(call->headers);
        sluice_out_fini(&call->packed);
        sluice_out_fini(&call->answer);
        free(call);
        call = next;
    }
}

void sluice_http_free(struct sluice_http *http)
{
    if (!http) return;
    for (struct call *call = http->active; call; call = call->next)
        curl_multi_remove_handle(http->multi, call->easy);
    free_calls(http->active);
    free_calls(http->idle);
    if (http->multi) curl_multi_cleanup(http->multi);
    if (http->deflate_ready) deflateEnd(&http->deflate);
    free(http->user_agent);
    free(http);
}

size_t sluice_http_active(const struct sluice_http *http) { return http->active_len; }

static size_t take_answer(char *data, size_t size, size_t n, void *arg)
{
    struct call *call = arg;
    size_t len = size * n;
    if (len > call->http->options.answer_max_bytes - call->answer.len) {
        call->overflow = true;
        return 0;
    }
    sluice_out_put(&call->answer, data, len);
    return len;
}

static struct call *new_call(struct sluice_http *http)
{
    struct call *call = http->idle;
    if (call) {
        http->idle = call->next;
        curl_easy_reset(call->easy);
    } else {
        call = calloc(1, sizeof *call);
        if (!call) abort();
        call->easy = curl_easy_init();
        if (!call->easy) abort();
    }
    call->http = http;
    call->next = NULL;
    call->answer.len = call->packed.len = 0;
    call->overflow = call->again = false;
    call->error[0] = '\0';
    return call;
}

/* One large answer or body must not stay for ever. */
static void trim(struct sluice_out *out)
{
    if (out->cap > 1u << 20) sluice_out_fini(out);
}

static void recycle(struct sluice_http *http, struct call *call)
{
    curl_slist_free_all(call->headers);
    call->headers = NULL;
    trim(&call->answer);
    trim(&call->packed);
    call->next = http->idle;
    http->idle = call;
}

/* Fast compression: the aim is to save network, not to spend the CPU that was saved elsewhere. */
static bool compress_body(struct sluice_http *http, struct call *call, const void *body, size_t len)
{
    z_stream *z = &http->deflate;
    if (!http->deflate_ready) {
        if (deflateInit2(z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return false;
        http->deflate_ready = true;
    } else if (deflateReset(z) != Z_OK) {
        return false;
    }
    if (len > UINT32_MAX / 2) return false;
    uLong bound = deflateBound(z, len);
    z->next_in = (Bytef *)(uintptr_t)body;
    z->avail_in = (uInt)len;
    z->next_out = (Bytef *)sluice_out_room(&call->packed, bound);
    z->avail_out = (uInt)bound;
    if (deflate(z, Z_FINISH) != Z_STREAM_END) return false;
    call->packed.len = bound - z->avail_out;
    return true;
}

static void add_header(struct call *call, const char *header)
{
    struct curl_slist *list = curl_slist_append(call->headers, header);
    if (!list) abort();
    call->headers = list;
}

static void set_body(struct call *call, const struct sluice_http_request *request)
{
    const void *body = request->body;
    size_t len = request->len;
    if (request->gzip && len > 1024 && compress_body(call->http, call, body, len)) {
        body = call->packed.data;
        len = call->packed.len;
        add_header(call, "Content-Encoding: gzip");
    }
    add_header(call, "Expect:"); /* no round trip more before a large body */
    curl_easy_setopt(call->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, body);
}

static void set_options(struct call *call, const struct sluice_http_request *request)
{
    struct sluice_http *http = call->http;
    CURL *easy = call->easy;
    bool tls = strncmp(request->url, "https:", 6) == 0;
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, http->user_agent);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, http->options.timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, http->options.connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 128L * 1024);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     tls ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    if (tls) {
        curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L); /* rather share an HTTP/2 connection */
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    }
    for (const char *const *h = request->headers; h && *h; h++) add_header(call, *h);
    if (request->body) set_body(call, request);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
}

bool sluice_http_start(struct sluice_http *http, const struct sluice_http_request *request,
                       struct sluice_err *err)
{
    struct call *call = new_call(http);
    call->done = request->done;
    call->arg = request->arg;
    set_options(call, request);
    CURLMcode code = curl_multi_add_handle(http->multi, call->easy);
    if (code != CURLM_OK) {
        snprintf(err->msg, sizeof err->msg, "%s %s could not be started: %s", request->method,
                 request->url, curl_multi_strerror(code));
        recycle(http, call);
        return false;
    }
    call->next = http->active;
    http->active = call;
    http->active_len++;
    return true;
}

/* A kept-alive connection that the server closed meanwhile says nothing about the server: the same
 * request goes out once more, at once, on another connection. libcurl does that itself where
 * it saw the end before it wrote; this is for the rest. */
static bool stale(struct call *call, CURLcode code)
{
    long connects = 1;
    curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connects);
    return connects == 0 && !call->again && call->answer.len == 0 &&
           (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING);
}

static void unlink_call(struct sluice_http *http, struct call *call)
{
    struct call **at = &http->active;
    while (*at != call) {
        assert(*at); /* every call that curl reports stands in the list */
        at = &(*at)->next;
    }
    *at = call->next;
    http->active_len--;
}

static void finish(struct sluice_http *http, struct call *call, CURLcode code)
{
    curl_multi_remove_handle(http->multi, call->easy);
    if (code != CURLE_OK && stale(call, code)) {
        call->again = true;
        curl_easy_setopt(call->easy, CURLOPT_FRESH_CONNECT, 1L);
        if (curl_multi_add_handle(http->multi, call->easy) == CURLM_OK) return;
    }
    unlink_call(http, call);
    sluice_out_terminate(&call->answer);
    struct sluice_http_answer answer = {.body = call->answer.data, .len = call->answer.len};
    curl_off_t retry_after = 0;
    if (code == CURLE_OK) {
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &answer.status);
        curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry_after);
        answer.retry_after_s = retry_after;
    } else if (call->overflow) {
        answer.error = "the answer is longer than allowed";
    } else {
        answer.error = call->error[0] ? call->error : curl_easy_strerror(code);
    }
    call->done(call->arg, &answer);
    recycle(http, call);
}

static bool drain(struct sluice_http *http, bool *finished, struct sluice_err *err)
{
    int running = 0, left = 0;
    CURLMcode code = curl_multi_perform(http->multi, &running);
    if (code != CURLM_OK) {
        snprintf(err->msg, sizeof err->msg, "libcurl: %s", curl_multi_strerror(code));
        return false;
    }
    struct CURLMsg *msg;
    while ((msg = curl_multi_info_read(http->multi, &left))) {
        if (msg->msg != CURLMSG_DONE) continue;
        struct call *call = NULL;
        CURLcode result = msg->data.result;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        finish(http, call, result);
        *finished = true;
    }
    return true;
}

bool sluice_http_run(struct sluice_http *http, int wait_ms, int wake_fd, struct sluice_err *err)
{
    bool finished = false;
    if (!drain(http, &finished, err)) return false;
    if (finished || wait_ms <= 0) return true;
    struct curl_waitfd extra = {.fd = wake_fd, .events = CURL_WAIT_POLLIN};
    CURLMcode code = curl_multi_poll(http->multi, &extra, wake_fd >= 0 ? 1 : 0, wait_ms, NULL);
    if (code != CURLM_OK) {
        snprintf(err->msg, sizeof err->msg, "libcurl: %s", curl_multi_strerror(code));
        return false;
    }
    return drain(http, &finished, err);
}
