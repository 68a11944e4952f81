/* routes.c - matching requests against route tables, with the refusals that JAX-RS gives. */
#include "rest/routes.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"

/* ---- percent encoding ---- */

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool sluice_percent_decode(char *text, bool plus)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from == '%') {
            int high = hex(from[1]), low = high < 0 ? -1 : hex(from[2]);
            if (low < 0 || (high == 0 && low == 0)) return false;
            *to++ = (char)(high * 16 + low);
            from += 2;
        } else {
            *to++ = plus && *from == '+' ? ' ' : *from;
        }
    }
    *to = '\0';
    return true;
}

char *sluice_percent_encode(const char *name)
{
    static const char digits[] = "0123456789ABCDEF", plain[] = "-._~!$&'()*+,;=:@";
    char *text = sluice_xmalloc(3 * strlen(name) + 1), *to = text;
    for (const char *c = name; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        bool letter = (byte | 32) >= 'a' && (byte | 32) <= 'z' && byte < 0x80;
        if (letter || (byte >= '0' && byte <= '9') || strchr(plain, byte)) {
            *to++ = *c;
        } else {
            *to++ = '%';
            *to++ = digits[byte >> 4];
            *to++ = digits[byte & 15];
        }
    }
    *to = '\0';
    return text;
}

static void add_expand(struct sluice_request *req, const char *value)
{
    char *all = req->expand ? sluice_xasprintf("%s,%s", req->expand, value) : sluice_xstrdup(value);
    free(req->expand);
    req->expand = all;
}

bool sluice_query_parse(struct sluice_request *req, const char *text)
{
    bool ok = true;
    while (ok && *text) {
        size_t len = strcspn(text, "&");
        char *name = sluice_xstrndup(text, len);
        char *value = strchr(name, '=');
        if (value) *value++ = '\0';
        else value = name + strlen(name);
        ok = sluice_percent_decode(value, true) && sluice_percent_decode(name, true);
        if (ok && *name) {
            sluice_map_set(&req->query, name, value);
            if (strcmp(name, "expand") == 0) add_expand(req, value);
        }
        free(name);
        text += len + (text[len] == '&');
    }
    return ok;
}

void sluice_request_fini(struct sluice_request *req)
{
    sluice_map_fini(&req->query);
    free(req->method);
    free(req->path);
    free(req->raw_path);
    free(req->raw_query);
    free(req->expand);
    free(req->body);
    free(req->accept);
    free(req->content_type);
    free(req->host);
    if (req->authorization) explicit_bzero(req->authorization, strlen(req->authorization));
    free(req->authorization);
    free(req->origin);
    free(req->asked_method);
    free(req->signature);
    free(req->signature_method);
    memset(req, 0, sizeof *req);
}

/* ---- matching ---- */

/* Cuts the path at its slashes; "/connectors/" is "/connectors". -1: deeper than any route. */
static int cut(char *path, char *segments[SLUICE_ROUTE_SEGMENTS])
{
    int n = 0;
    while (*path == '/') {
        *path++ = '\0';
        if (!*path) break;
        if (n == SLUICE_ROUTE_SEGMENTS) return -1;
        segments[n++] = path;
        path += strcspn(path, "/");
    }
    return n;
}

static bool matches(const char *pattern, char *const *segments, int n, struct sluice_request *req)
{
    req->params_n = 0;
    int i = 0;
    for (; *pattern == '/' && pattern[1]; i++) {
        pattern++;
        size_t len = strcspn(pattern, "/");
        if (i >= n) return false;
        if (len == 2 && pattern[0] == '{') {
            assert(req->params_n < SLUICE_ROUTE_PARAMS);
            req->params[req->params_n++] = segments[i];
        } else if (strlen(segments[i]) != len || strncmp(segments[i], pattern, len) != 0) {
            return false;
        }
        pattern += len;
    }
    return i == n;
}

/* Whether a header of media ranges takes or names JSON. */
static bool names_json(const char *header, bool wildcards)
{
    if (strcasestr(header, "application/json") || strcasestr(header, "+json")) return true;
    return wildcards && (strstr(header, "*/*") || strcasestr(header, "application/*"));
}

static void refuse(struct sluice_answer *answer, int status, const char *reason)
{
    sluice_answer_error(answer, status, "HTTP %d %s", status, reason);
    answer->unmatched = true;
}

/* The methods of a path into the request: "GET,HEAD,OPTIONS". */
static const char *allow_text(struct sluice_request *req, const bool has[5])
{
    static const char *const names[5] = {"DELETE", "GET,HEAD", "PATCH", "POST", "PUT"};
    size_t len = 0;
    for (unsigned i = 0; i < 5; i++) {
        if (!has[i]) continue;
        len += (size_t)snprintf(req->allow + len, sizeof req->allow - len, "%s,", names[i]);
        assert(len < sizeof req->allow);
    }
    snprintf(req->allow + len, sizeof req->allow - len, "OPTIONS");
    return req->allow;
}

static void note_method(const char *method, bool has[5])
{
    static const char *const names[5] = {"DELETE", "GET", "PATCH", "POST", "PUT"};
    for (unsigned i = 0; i < 5; i++) has[i] |= strcmp(method, names[i]) == 0;
}

static bool acceptable(const struct sluice_route *route, const struct sluice_request *req,
                       struct sluice_answer *answer)
{
    bool carries = req->body && !(route->flags & SLUICE_ROUTE_BARE);
    if (carries && req->content_type && !names_json(req->content_type, false)) {
        refuse(answer, 415, "Unsupported Media Type");
        return false;
    }
    bool json = !(route->flags & SLUICE_ROUTE_TEXT);
    if (json && req->accept && *req->accept && !names_json(req->accept, true)) {
        refuse(answer, 406, "Not Acceptable");
        return false;
    }
    return true;
}

const struct sluice_route *sluice_route_find(const struct sluice_route_table *tables, size_t n,
                                             struct sluice_request *req, void **arg,
                                             struct sluice_answer *answer)
{
    char *segments[SLUICE_ROUTE_SEGMENTS];
    bool has[5] = {false}, any = false;
    int depth = cut(req->path, segments);
    for (int i = 0; i < depth; i++) {
        if (!sluice_percent_decode(segments[i], false) ||
            !sluice_utf8_valid(segments[i], strlen(segments[i]))) {
            refuse(answer, 400, "Bad Request");
            return NULL;
        }
    }
    for (size_t t = 0; depth >= 0 && t < n; t++) {
        for (const struct sluice_route *route = tables[t].routes; route->method; route++) {
            if (!matches(route->path, segments, depth, req)) continue;
            any = true;
            note_method(route->method, has);
            if (strcmp(route->method, req->method) != 0) continue;
            *arg = tables[t].arg;
            return acceptable(route, req, answer) ? route : NULL;
        }
    }
    if (!any) {
        refuse(answer, 404, "Not Found");
    } else if (strcmp(req->method, "OPTIONS") == 0) {
        const char *allow = allow_text(req, has);
        sluice_answer_text(answer, 200, "text/plain", sluice_xstrdup(allow));
        answer->allow = allow;
    } else {
        refuse(answer, 405, "Method Not Allowed");
        answer->allow = allow_text(req, has);
    }
    return NULL;
}
