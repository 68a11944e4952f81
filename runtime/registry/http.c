/* http.c - one request to a registry until it is answered.
 *
 * Each round asks the URLs in turn, beginning with the one that answered last; there are
 * max.retries + 1 rounds, with a wait between that doubles. A task that is wanted elsewhere (its
 * wake fd stays readable: it is to stop, as a rule) gets out after WOKEN_MS. Owner: the converter's
 * thread. */
#include <assert.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "registry/internal.h"

#define WOKEN_MS 2000
#define SLICE_MS 100
#define CODE_BYTES 32 /* of an error's text, for its code */

/* Whether the task has been wanted elsewhere for a while. */
static bool hurry(struct sluice_sr *sr)
{
    int fd = sr->task && sr->host->wake_fd ? sr->host->wake_fd(sr->task) : -1;
    struct pollfd wake = {.fd = fd, .events = POLLIN};
    if (fd < 0 || poll(&wake, 1, 0) <= 0) {
        sr->woken_ms = 0;
        return false;
    }
    if (!sr->woken_ms) sr->woken_ms = sluice_now_ms();
    return sluice_now_ms() - sr->woken_ms >= WOKEN_MS;
}

/* False: the task is wanted elsewhere. */
static bool pause_ms(struct sluice_sr *sr, int64_t ms)
{
    for (int64_t until = sluice_now_ms() + ms, left = ms; left > 0;
         left = until - sluice_now_ms()) {
        if (hurry(sr)) return false;
        poll(NULL, 0, left < SLICE_MS ? (int)left : SLICE_MS);
    }
    return true;
}

static void trouble(struct sluice_sr *sr, const char *what)
{
    if (!sr->task || !sr->host->trouble || (!what && !sr->troubled)) return;
    sr->host->trouble(sr->task, what);
    sr->troubled = what != NULL;
}

/* ---- one exchange ---- */

static size_t receive(char *data, size_t size, size_t n, void *arg)
{
    struct sluice_sr *sr = arg;
    if (sluice_buf_add(&sr->answer, data, size * n)) return size * n;
    sr->too_long = true;
    return 0;
}

static int progress(void *arg, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
                    curl_off_t ulnow)
{
    (void)dltotal, (void)dlnow, (void)ultotal, (void)ulnow;
    return hurry(arg);
}

static CURL *handle(struct sluice_sr *sr)
{
    if (sr->curl) return sr->curl;
    CURL *curl = curl_easy_init();
    if (!curl) return NULL;
    int64_t connect_ms = sr->host->num(sr->conf, "http.connect.timeout.ms");
    int64_t read_ms = sr->host->num(sr->conf, "http.read.timeout.ms");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, sr);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, sr);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(connect_ms + read_ms));
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "sluice/" SLUICE_VERSION);
    sr_handle_set(sr, curl);
    sr->curl = curl;
    return curl;
}

void sr_http_close(struct sluice_sr *sr)
{
    if (sr->curl) curl_easy_cleanup(sr->curl);
    sr->curl = NULL;
}

/* Sends; the answer is in sr->answer. The status, 0: none came (why). */
static long exchange(struct sluice_sr *sr, const char *url, const char *userpwd,
                     struct curl_slist *headers, const char *body, char why[CURL_ERROR_SIZE])
{
    CURL *curl = handle(sr);
    if (!curl) {
        snprintf(why, CURL_ERROR_SIZE, "libcurl gave no handle");
        return 0;
    }
    why[0] = '\0';
    sluice_buf_clear(&sr->answer);
    sr->too_long = false;
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERPWD, userpwd);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    }
    CURLcode code = curl_easy_perform(curl);
    long status = 0;
    if (code == CURLE_OK) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    else if (sr->too_long)
        snprintf(why, CURL_ERROR_SIZE, "the answer is longer than %zu bytes", SR_ANSWER_MAX);
    else if (code == CURLE_ABORTED_BY_CALLBACK)
        snprintf(why, CURL_ERROR_SIZE, "given up, as the task is wanted");
    else if (!why[0]) snprintf(why, CURL_ERROR_SIZE, "%s", curl_easy_strerror(code));
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    return status;
}

/* ---- bearer tokens ---- */

/* Whether it can stand in a header: anything else would end the line there. */
static bool token_valid(const char *token)
{
    if (!token || !*token) return false;
    for (; *token; token++) {
        if (*token <= ' ' || *token > '~') return false;
    }
    return true;
}

static bool token_parse(struct sluice_sr *sr)
{
    json_t *json = json_loadb(sr->answer.data ? sr->answer.data : "", sr->answer.len, 0, NULL);
    const char *token = json_string_value(json_object_get(json, "access_token"));
    bool ok = token_valid(token);
    json_int_t expires_s = json_integer_value(json_object_get(json, "expires_in"));
    if (ok) {
        free(sr->oauth.header);
        sr->oauth.header = sluice_xasprintf("Authorization: Bearer %s", token);
        if (expires_s <= 0 || expires_s > INT32_MAX) expires_s = 60;
        int64_t lives_ms = (int64_t)expires_s * 1000;
        int64_t early_ms = sr->oauth.early_ms < lives_ms / 2 ? sr->oauth.early_ms : lives_ms / 2;
        sr->oauth.ends_ms = sluice_now_ms() + lives_ms - early_ms;
    }
    json_decref(json);
    return ok;
}

/* A token that is still good in sr->oauth.header. False: why. */
static bool token_fetch(struct sluice_sr *sr, char why[CURL_ERROR_SIZE])
{
    struct sr_oauth *oauth = &sr->oauth;
    if (!oauth->endpoint || (oauth->header && sluice_now_ms() < oauth->ends_ms)) return true;
    CURL *curl = handle(sr);
    char *scope = curl && oauth->scope ? curl_easy_escape(curl, oauth->scope, 0) : NULL;
    char *body = sluice_xasprintf("grant_type=client_credentials%s%s", scope ? "&scope=" : "",
                                  scope ? scope : "");
    char *userpwd = sluice_xasprintf("%s:%s", oauth->id, oauth->secret);
    long status = exchange(sr, oauth->endpoint, userpwd, NULL, body, why);
    bool ok = status == 200 && token_parse(sr);
    if (!ok && status)
        snprintf(why, CURL_ERROR_SIZE, "no token from bearer.auth.issuer.endpoint.url: HTTP %ld",
                 status);
    curl_free(scope);
    free(body);
    free(userpwd);
    return ok;
}

/* ---- answers ---- */

static bool passing(long status)
{
    return status == 0 || status == 408 || status == 425 || status == 429 || status >= 500;
}

/* The registry's words about an answer that is no success. */
static void refusal(struct sluice_sr *sr, long status, int *code, char *text, size_t size)
{
    json_t *json = json_loadb(sr->answer.data ? sr->answer.data : "", sr->answer.len, 0, NULL);
    const char *message = json_string_value(json_object_get(json, "message"));
    json_t *number = json_object_get(json, "error_code");
    *code = json_is_integer(number) ? (int)json_integer_value(number) : (int)status;
    if (message) {
        int fits = (int)sluice_utf8_cut(message, strlen(message), size - CODE_BYTES);
        snprintf(text, size, "%.*s; error code: %d", fits, message, *code);
    } else {
        snprintf(text, size, "HTTP status %ld without a message", status);
    }
    json_decref(json);
}

/* One URL. *status 0 and text: not reached. True: *out. */
static bool ask(struct sluice_sr *sr, const struct sr_url *to, const char *path, const char *body,
                json_t **out, long *status, int *code, char *text, size_t size)
{
    char why[CURL_ERROR_SIZE];
    *status = 0;
    if (!token_fetch(sr, why)) {
        snprintf(text, size, "%s", why);
        return false;
    }
    char *url = sluice_xasprintf("%s%s", to->base, path);
    const char *bearer = sr->oauth.header ? sr->oauth.header : sr->bearer;
    struct curl_slist auth = {.data = (char *)bearer, .next = sr->headers};
    *status =
        exchange(sr, url, bearer ? NULL : to->userpwd, bearer ? &auth : sr->headers, body, why);
    free(url);
    if (*status == 0) {
        snprintf(text, size, "%s", why);
    } else if (*status >= 200 && *status < 300) {
        json_error_t error;
        *out = json_loadb(sr->answer.data ? sr->answer.data : "", sr->answer.len, JSON_DECODE_ANY,
                          &error);
        if (*out) return true;
        /* It may quote a piece of the answer. */
        bool whole = sluice_utf8_valid(error.text, strlen(error.text));
        snprintf(text, size, "the answer is no JSON: %s", whole ? error.text : "invalid bytes");
    } else {
        refusal(sr, *status, code, text, size);
        if (*status == 401) sr->oauth.ends_ms = 0; /* the next call gets a new token */
    }
    return false;
}

enum sluice_verdict sr_call(struct sluice_sr *sr, const char *what, const char *path,
                            const char *body, json_t **out, int *code, struct sluice_err *err)
{
    int64_t retries = sr->host->num(sr->conf, "max.retries");
    int64_t wait_ms = sr->host->num(sr->conf, "retries.wait.ms");
    int64_t wait_max_ms = sr->host->num(sr->conf, "retries.max.wait.ms");
    char text[768];
    const char *base = "";
    assert(sr->urls_n > 0);
    *code = 0;
    *out = NULL;
    for (int64_t round = 0;; round++) {
        for (size_t i = 0; i < sr->urls_n; i++) {
            size_t n = (sr->url + i) % sr->urls_n;
            long status;
            base = sr->urls[n].base;
            if (ask(sr, &sr->urls[n], path, body, out, &status, code, text, sizeof text)) {
                sr->url = n;
                trouble(sr, NULL);
                return SLUICE_OK;
            }
            if (!passing(status)) {
                trouble(sr, NULL);
                return sluice_fail(err, "%s: %s", what, text);
            }
        }
        if (round >= retries || hurry(sr)) break;
        if (wait_ms > wait_max_ms) wait_ms = wait_max_ms;
        char line[1024];
        snprintf(line, sizeof line, "schema registry %s: %s; next try in %lld ms", base, text,
                 (long long)wait_ms);
        trouble(sr, line);
        if (!pause_ms(sr, wait_ms)) break;
        wait_ms *= 2;
    }
    sluice_err_set(err, "%s: schema registry %s: %s; check schema.registry.url and the registry",
                   what, base, text);
    return SLUICE_RETRY;
}
