/* rest.c - requests to the worker: which URL, who we are, what an error means.
 *
 * A worker answers 409, and to some reads 500, while its cluster moves work about: that passes, so
 * these are asked again for REBALANCE_MS. */
#include <assert.h>
#include <ctype.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/props.h"
#include "ctl/internal.h"

#define REQUEST_MS 95000 /* a worker answers within 90 s */
#define CONNECT_MS 5000  /* there may be another URL */
#define REBALANCE_MS 30000
#define FIRST_WAIT_MS 250
#define LONGEST_WAIT_MS 2000
#define PASSWORD_MAX 4096

/* ---- who we are, and whom we ask ---- */

static const char *given(struct ctl *ctl, enum ctl_option_id id, const char *variable)
{
    const char *value = ctl->args.values[id];
    if (!value) value = getenv(variable);
    return value && *value ? value : NULL;
}

static void urls_read(struct ctl *ctl, const char *text)
{
    while (*text) {
        text += strspn(text, ", \t");
        size_t len = strcspn(text, ",");
        const char *next = text + len;
        while (len && (text[len - 1] == '/' || isspace((unsigned char)text[len - 1]))) len--;
        if (len) {
            bool scheme = memmem(text, len, "://", 3) != NULL;
            ctl->urls = sluice_xrealloc(ctl->urls, (ctl->urls_n + 1) * sizeof *ctl->urls);
            ctl->urls[ctl->urls_n++] =
                sluice_xasprintf("%s%.*s", scheme ? "" : "http://", (int)len, text);
        }
        text = next;
    }
}

/* A line from the terminal, not echoed; NULL: none. The caller's. */
static char *prompt(const char *user)
{
    FILE *tty = fopen("/dev/tty", "r+e");
    struct termios before, quiet;
    char line[PASSWORD_MAX];
    char *password = NULL;
    if (!tty) return NULL;
    if (tcgetattr(fileno(tty), &before) == 0) {
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(fileno(tty), TCSAFLUSH, &quiet);
        fprintf(tty, "Password of %s: ", user);
        fflush(tty);
        if (fgets(line, sizeof line, tty)) password = sluice_xstrndup(line, strcspn(line, "\r\n"));
        tcsetattr(fileno(tty), TCSAFLUSH, &before);
        fputc('\n', tty);
        explicit_bzero(line, sizeof line);
    }
    fclose(tty);
    return password;
}

static char *password_of(struct ctl *ctl, const char *user)
{
    const char *file = ctl->args.values[CTL_PASSWORD_FILE], *variable = getenv("SLUICE_PASSWORD");
    struct sluice_err err = {{0}};
    if (file) {
        char *text = sluice_file_read(file, PASSWORD_MAX, NULL, &err);
        if (!text) ctl_error("--password-file: %s", err.msg);
        else text[strcspn(text, "\r\n")] = '\0';
        return text;
    }
    char *password = variable ? sluice_xstrdup(variable) : prompt(user);
    if (!password)
        ctl_error("user %s has no password: set SLUICE_PASSWORD or give --password-file", user);
    return password;
}

struct sluice_http_client *ctl_client_new(struct ctl *ctl, int64_t timeout_ms)
{
    struct sluice_http_options options = {
        .ca_file = given(ctl, CTL_CA, "SLUICE_CA"),
        .cert_file = given(ctl, CTL_CERT, "SLUICE_CERT"),
        .key_file = given(ctl, CTL_KEY, "SLUICE_KEY"),
        .key_password = getenv("SLUICE_KEY_PASSWORD"),
        .any_host = ctl_has(ctl, CTL_ANY_HOST),
        .user = given(ctl, CTL_USER, "SLUICE_USER"),
        .password = ctl->password,
        .connect_ms = timeout_ms < CONNECT_MS ? timeout_ms : CONNECT_MS,
        .timeout_ms = timeout_ms,
    };
    return sluice_http_client_new(&options);
}

bool ctl_connect(struct ctl *ctl)
{
    int64_t timeout_ms;
    const char *user = given(ctl, CTL_USER, "SLUICE_USER");
    const char *urls = given(ctl, CTL_URL, "SLUICE_URL");
    if (!ctl_seconds(ctl, CTL_REQUEST_TIMEOUT, REQUEST_MS, &timeout_ms)) return false;
    urls_read(ctl, urls ? urls : "http://localhost:8083");
    if (ctl->urls_n == 0) {
        ctl_error("--url names no worker; give one like http://localhost:8083");
        return false;
    }
    if (user && strchr(user, ':')) {
        ctl_error("--user is a name only: everybody sees a command line; put the password into "
                  "SLUICE_PASSWORD or a file for --password-file");
        return false;
    }
    if (user) ctl->password = password_of(ctl, user);
    if (user && !ctl->password) return false;
    ctl->client = ctl_client_new(ctl, timeout_ms);
    return true;
}

void ctl_disconnect(struct ctl *ctl)
{
    sluice_http_client_free(ctl->client);
    if (ctl->password) explicit_bzero(ctl->password, strlen(ctl->password));
    free(ctl->password);
    for (size_t i = 0; i < ctl->urls_n; i++) free(ctl->urls[i]);
    free(ctl->urls);
    json_decref(ctl->secrets);
    json_decref(ctl->context);
}

/* ---- paths ---- */

char *ctl_encoded(const char *name)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    for (const unsigned char *c = (const unsigned char *)name; *c; c++) {
        if (isalnum(*c) || strchr("-._~", *c)) sluice_buf_add(&buf, c, 1);
        else sluice_buf_addf(&buf, "%%%02X", *c);
    }
    char *encoded = sluice_xstrdup(sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
    return encoded;
}

static char *path_of(const char *base, const char *name, const char *suffix)
{
    char *encoded = ctl_encoded(name), *path = sluice_xasprintf("%s%s%s", base, encoded, suffix);
    free(encoded);
    return path;
}

char *ctl_connector_path(const char *name, const char *suffix)
{
    return path_of("/connectors/", name, suffix);
}

char *ctl_plugin_path(const char *name, const char *suffix)
{
    return path_of("/connector-plugins/", name, suffix);
}

/* ---- answers ---- */

void ctl_answer_fini(struct ctl_answer *answer)
{
    json_decref(answer->body);
    free(answer->text);
    free(answer->type);
    *answer = (struct ctl_answer){0};
}

static const char *words_of(const struct ctl_answer *answer)
{
    return json_string_value(json_object_get(answer->body, "message"));
}

/* Without the class of Java's exception in front, which says nothing to a user. */
static const char *without_class(const char *text)
{
    size_t len = strcspn(text, ": ");
    bool dotted = memchr(text, '.', len) != NULL;
    if (dotted && strncmp(text + len, ": ", 2) == 0 && len > 9 &&
        (memcmp(text + len - 9, "Exception", 9) == 0 || memcmp(text + len - 5, "Error", 5) == 0))
        return text + len + 2;
    return text;
}

char *ctl_message(const struct ctl_answer *answer)
{
    const char *text = words_of(answer);
    if (!text || !*text) {
        const char *hint = answer->status == 401   ? "; it wants --user and SLUICE_PASSWORD"
                           : answer->status == 404 ? "; is this a Connect worker's address?"
                                                   : "";
        return sluice_xasprintf("HTTP status %d without a message%s", answer->status, hint);
    }
    text = without_class(text);
    const char *end = strstr(text, "\nYou can also find the above list of errors");
    return sluice_xstrndup(text, end ? (size_t)(end - text) : strlen(text));
}

void ctl_refused(const char *what, const struct ctl_answer *answer)
{
    char *message = ctl_message(answer);
    bool later = answer->status == 409 && !strstr(message, "already exists");
    bool running = strstr(message, "must be in the STOPPED state") != NULL;
    const char *hint = answer->status == 401 && words_of(answer)
                           ? "\nGive --user NAME, and its password in SLUICE_PASSWORD."
                       : later   ? "\nThe cluster is moving work about; try again in a moment."
                       : running ? "\nStop it first: sluice ctl stop NAME --wait"
                                 : "";
    ctl_error("%s: %s%s", what, message, hint);
    free(message);
}

/* ---- asking ---- */

static bool passing(const struct ctl_answer *answer)
{
    const char *text = words_of(answer);
    if (answer->status == 409) return !text || !strstr(text, "already exists");
    return answer->status == 500 && text && strstr(text, "a rebalance is expected");
}

static void answer_set(struct ctl_answer *answer, struct sluice_http_response *response)
{
    ctl_answer_fini(answer);
    answer->status = response->status;
    answer->text = response->body;
    answer->type = response->content_type;
    answer->body = json_loadb(response->body, response->body_len, JSON_DECODE_ANY, NULL);
    free(response->location);
}

static int tell_silence(struct ctl *ctl, const char *why)
{
    const char *hint = strstr(why, "certificate") ? "give --ca, or --cert and --key"
                       : ctl->urls_n > 1          ? "no other URL answers either"
                                         : "is the worker up? --url or SLUICE_URL says where it is";
    ctl_error("%s; %s", why, hint);
    return CTL_UNREACHABLE;
}

/* One round over the URLs. What may have reached a worker is only asked again when that does no
 * harm. */
static int ask_once(struct ctl *ctl, const struct sluice_http_request *draft, const char *path,
                    struct ctl_answer *answer)
{
    struct sluice_err err = {{0}};
    bool reads = strcmp(draft->method, "GET") == 0;
    assert(ctl->urls_n > 0 && ctl->url < ctl->urls_n);
    for (size_t i = 0; i < ctl->urls_n; i++) {
        size_t n = (ctl->url + i) % ctl->urls_n;
        char *url = sluice_xasprintf("%s%s", ctl->urls[n], path);
        struct sluice_http_request request = *draft;
        struct sluice_http_response response = {0};
        bool sent;
        request.url = url;
        bool ok = sluice_http_do(ctl->client, &request, &response, &sent, &err);
        free(url);
        if (ok) {
            ctl->url = n;
            answer_set(answer, &response);
            return CTL_OK;
        }
        if (sent && !reads) {
            ctl_error("%s; it may have been done or not: look before you try again", err.msg);
            return CTL_UNREACHABLE;
        }
    }
    return tell_silence(ctl, err.msg);
}

int ctl_ask(struct ctl *ctl, const char *method, const char *path, const json_t *body,
            struct ctl_answer *answer)
{
    static const char *const with_body[] = {"Content-Type: application/json",
                                            "Accept: application/json", NULL};
    static const char *const plain[] = {"Accept: */*", NULL};
    char *text = body ? sluice_json_text(body) : NULL;
    struct sluice_http_request draft = {.method = method,
                                        .headers = body ? with_body : plain,
                                        .body = text,
                                        .body_len = text ? strlen(text) : 0};
    int64_t wait_ms = FIRST_WAIT_MS, until_ms = sluice_now_ms() + REBALANCE_MS;
    int code;
    for (;;) {
        code = ask_once(ctl, &draft, path, answer);
        if (code != CTL_OK || !passing(answer) || sluice_now_ms() + wait_ms > until_ms) break;
        poll(NULL, 0, (int)wait_ms);
        wait_ms = wait_ms * 2 < LONGEST_WAIT_MS ? wait_ms * 2 : LONGEST_WAIT_MS;
    }
    free(text);
    return code;
}

int ctl_call(struct ctl *ctl, const char *method, const char *path, const json_t *body,
             struct ctl_answer *answer)
{
    int code = ctl_ask(ctl, method, path, body, answer);
    if (code != CTL_OK || answer->status < 300) return code;
    char *what = sluice_xasprintf("%s %s", method, path);
    ctl_refused(what, answer);
    free(what);
    return CTL_REFUSED;
}

int ctl_get(struct ctl *ctl, const char *path, json_type type, json_t **json)
{
    struct ctl_answer answer = {0};
    int code = ctl_call(ctl, "GET", path, NULL, &answer);
    if (code == CTL_OK && (!answer.body || json_typeof(answer.body) != type)) {
        ctl_error("GET %s: the answer is not what a Connect worker gives; is %s one?", path,
                  ctl->urls[ctl->url]);
        code = CTL_REFUSED;
    }
    *json = code == CTL_OK ? json_incref(answer.body) : NULL;
    ctl_answer_fini(&answer);
    return code;
}
