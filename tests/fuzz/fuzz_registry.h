/* fuzz_registry.h - one input as what a schema registry, or its token endpoint, answers to every
 * question; see fuzz_registry.c. The registry is a thread that serves one connection at a time on
 * loopback; what is asked of the subject "refused" is refused with these bytes. */
#ifndef SLUICE_TESTS_FUZZ_REGISTRY_H
#define SLUICE_TESTS_FUZZ_REGISTRY_H

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/props.h"
#include "base/utf8.h"
#include "registry/internal.h"

static struct fuzz_registry { /* constant while the thread runs */
    int listen_fd;
    pthread_t thread;
    const void *answer;
    size_t len;
    char url[64], token_url[80];
    bool oauth;
} fuzz_server;

/* ---- the registry ---- */

static bool fuzz_send(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n <= 0) return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* One request; false: the client is gone. Each of its lines is one that the client means to send,
 * whatever the answers before held. */
static bool fuzz_serve_one(int fd)
{
    char in[16384];
    size_t have = 0, need = 0;
    while (!need || have < need) {
        ssize_t n = read(fd, in + have, sizeof in - 1 - have);
        if (n <= 0) return false;
        have += (size_t)n;
        in[have] = '\0';
        const char *end = strstr(in, "\r\n\r\n"), *field = strstr(in, "\r\nContent-Length:");
        if (!need && end)
            need =
                (size_t)(end + 4 - in) + (field && field < end ? strtoul(field + 17, NULL, 10) : 0);
        assert(need < sizeof in);
    }
    assert(have == need);
    assert(!strstr(in, "\nInjected:"));
    char head[128];
    snprintf(head, sizeof head, "HTTP/1.1 %s X\r\nContent-Length: %zu\r\n\r\n",
             strstr(in, "refused") ? "409" : "200", fuzz_server.len);
    return fuzz_send(fd, head, strlen(head)) && fuzz_send(fd, fuzz_server.answer, fuzz_server.len);
}

static void *fuzz_serve(void *arg)
{
    int fd, on = 1;
    while ((fd = accept(fuzz_server.listen_fd, NULL, NULL)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        while (fuzz_serve_one(fd)) continue;
        close(fd);
    }
    return arg;
}

static void fuzz_server_start(const void *data, size_t len)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *to = (struct sockaddr *)&addr;
    socklen_t size = sizeof addr;
    struct fuzz_registry *self = &fuzz_server;
    self->answer = data;
    self->len = len;
    self->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int bad = bind(self->listen_fd, to, size) || listen(self->listen_fd, 4) ||
              getsockname(self->listen_fd, to, &size);
    assert(!bad);
    snprintf(self->url, sizeof self->url, "http://127.0.0.1:%d", ntohs(addr.sin_port));
    snprintf(self->token_url, sizeof self->token_url, "http://127.0.0.1:%d/token",
             ntohs(addr.sin_port));
    bad = pthread_create(&self->thread, NULL, fuzz_serve, NULL);
    assert(!bad);
}

static void fuzz_server_stop(void)
{
    shutdown(fuzz_server.listen_fd, SHUT_RDWR);
    pthread_join(fuzz_server.thread, NULL);
    close(fuzz_server.listen_fd);
}

/* ---- a host of defaults ---- */

static const char *fuzz_sr_str(const struct sluice_conf *conf, const char *key)
{
    (void)conf;
    if (strcmp(key, "value.subject.name.strategy") == 0) return "TopicNameStrategy";
    if (!fuzz_server.oauth) return NULL;
    if (strcmp(key, "bearer.auth.credentials.source") == 0) return "OAUTHBEARER";
    if (strcmp(key, "bearer.auth.issuer.endpoint.url") == 0) return fuzz_server.token_url;
    return strncmp(key, "bearer.auth.client.", 19) == 0 ? "c" : NULL;
}

static int64_t fuzz_sr_num(const struct sluice_conf *conf, const char *key)
{
    (void)conf;
    if (strstr(key, ".timeout.ms")) return 10000;
    return strcmp(key, "use.schema.id") == 0 || strstr(key, "ttl") ? -1 : 0;
}

static bool fuzz_sr_flag(const struct sluice_conf *conf, const char *key)
{
    (void)conf;
    return strcmp(key, "auto.register.schemas") == 0;
}

static const char *const *fuzz_sr_list(const struct sluice_conf *conf, const char *key)
{
    static const char *const urls[] = {fuzz_server.url, NULL};
    (void)conf, (void)key;
    return urls;
}

static bool fuzz_sr_entry(const struct sluice_conf *conf, size_t i, const char **key,
                          const char **value)
{
    (void)conf, (void)i, (void)key, (void)value;
    return false;
}

/* ---- questions ---- */

/* What registry.h says of an answer; missing_ok: as sluice_sr_lookup(). Takes the schema. */
static void fuzz_answered(const struct sluice_sr *sr, enum sluice_verdict v, bool missing_ok,
                          const struct sluice_sr_schema *schema, const struct sluice_err *err)
{
    if (v != SLUICE_OK) {
        assert(!schema);
        assert(err->msg[0] && sluice_utf8_valid(err->msg, strlen(err->msg)));
        return;
    }
    assert(schema || missing_ok);
    if (!schema) return;
    assert(schema->id > 0 && schema->version >= 0 && schema->type == sr->type);
    assert(strlen(schema->text) == schema->len && sluice_utf8_valid(schema->text, schema->len));
    assert(schema->refs_n <= SR_REFS_MAX);
    for (size_t i = 0; i < schema->refs_n; i++)
        assert(schema->refs[i].name && schema->refs[i].subject && schema->refs[i].version >= 0);
    sluice_sr_schema_free(schema);
}

static void fuzz_refs(struct sluice_sr *sr, const struct sluice_sr_schema *schema)
{
    struct sluice_sr_refs refs;
    struct sluice_err err = {""};
    if (sluice_sr_refs(sr, schema, &refs, &err) == SLUICE_OK) {
        assert(refs.n <= SR_REFS_MAX);
        sluice_sr_refs_free(&refs);
    } else {
        assert(err.msg[0] && sluice_utf8_valid(err.msg, strlen(err.msg)) && refs.n == 0);
    }
}

static void fuzz_questions(enum sluice_sr_type type, bool oauth)
{
    static const struct sluice_host host = {.size = sizeof host,
                                            .str = fuzz_sr_str,
                                            .num = fuzz_sr_num,
                                            .flag = fuzz_sr_flag,
                                            .list = fuzz_sr_list,
                                            .entry = fuzz_sr_entry};
    const struct sluice_sr_text text = {"\"int\"", 5, NULL, 0};
    const struct sluice_sr_schema *out = NULL;
    struct sluice_err err = {""};
    fuzz_server.oauth = oauth;
    struct sluice_sr *sr = sluice_sr_new(NULL, &host, NULL, type, &err);
    assert(sr);
    enum sluice_verdict v = sluice_sr_by_version(sr, "s", 0, &out, &err);
    if (v == SLUICE_OK) fuzz_refs(sr, out);
    fuzz_answered(sr, v, false, out, &err);
    if (type == SLUICE_SR_AVRO) {
        v = sluice_sr_by_id(sr, 7, "s", &out, &err);
        fuzz_answered(sr, v, false, out, &err);
        v = sluice_sr_for_writing(sr, "s", &text, &out, &err);
        fuzz_answered(sr, v, false, out, &err);
        v = sluice_sr_register(sr, "s", &text, &out, &err);
        fuzz_answered(sr, v, false, out, &err);
        v = sluice_sr_lookup(sr, "refused", &text, &out, &err);
        fuzz_answered(sr, v, true, out, &err);
        v = sluice_sr_by_id(sr, 8, "refused", &out, &err);
        fuzz_answered(sr, v, false, out, &err);
    }
    sluice_sr_free(sr);
    sluice_sr_cache_clear();
}

static void fuzz_registry(const void *data, size_t len)
{
    fuzz_server_start(data, len);
    fuzz_questions(SLUICE_SR_AVRO, false);
    fuzz_questions(SLUICE_SR_PROTOBUF, false);
    fuzz_questions(SLUICE_SR_JSON, false);
    fuzz_questions(SLUICE_SR_AVRO, true);
    fuzz_server_stop();
}

__attribute__((unused)) static bool fuzz_registry_file(const char *path)
{
    size_t len;
    char *data = sluice_file_read(path, (size_t)8 << 20, &len, NULL);
    if (!data) return false;
    fuzz_registry(data, len);
    free(data);
    return true;
}

#endif
