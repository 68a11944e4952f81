/* internal.h - what the files of the registry client share; nobody else includes it. */
#ifndef SLUICE_REGISTRY_INTERNAL_H
#define SLUICE_REGISTRY_INTERNAL_H

#include <curl/curl.h>
#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"
#include "registry/registry.h"

#define SR_ANSWER_MAX ((size_t)16 << 20) /* bytes of one answer */
#define SR_REFS_MAX 1000                 /* schemas that one schema imports, in all */
#define SR_SCOPE 32                      /* bytes that name registry and credentials */

struct sr_url {
    char *base;    /* without credentials and trailing slash */
    char *userpwd; /* NULL: none */
};

struct sr_oauth { /* a client credentials grant */
    const char *endpoint, *id, *secret, *scope;
    int64_t early_ms; /* renewed so long before its end */
    char *header;     /* "Authorization: Bearer ...", NULL: none yet */
    int64_t ends_ms;
};

enum sr_strategy { SR_TOPIC_NAME, SR_RECORD_NAME, SR_TOPIC_RECORD_NAME };

/* One converter's client. Strings of the config are borrowed. Owner: the converter's thread. */
struct sluice_sr {
    const struct sluice_host *host;
    struct sluice_task *task; /* NULL: nobody to tell */
    const struct sluice_conf *conf;
    enum sluice_sr_type type;
    bool key, auto_register, use_latest, latest_strict, id_strict, normalize;
    int32_t use_id; /* -1: none */
    int64_t latest_ttl_ms;
    enum sr_strategy strategy;
    struct sr_url *urls;
    size_t urls_n, url; /* url: the one that answered last */
    char *bearer;       /* a fixed "Authorization: Bearer ..." */
    struct sr_oauth oauth;
    struct curl_slist *headers; /* of every request */
    CURL *curl;                 /* made at the first request */
    struct sluice_buf answer, path, subject;
    bool too_long;    /* the answer under way passed SR_ANSWER_MAX */
    int64_t woken_ms; /* since when the task is wanted elsewhere; 0: it is not */
    bool troubled;
    unsigned char scope[SR_SCOPE];
};

/* ---- auth.c ---- */
/* Reads URLs and credentials from the config, names the scope. */
bool sr_auth_read(struct sluice_sr *sr, struct sluice_err *err);
/* Checks what the config says of stores of keys and certificates. */
bool sr_tls_check(const struct sluice_sr *sr, struct sluice_err *err);
/* Credentials, TLS and proxy of the handle. */
void sr_handle_set(const struct sluice_sr *sr, CURL *curl);

/* ---- http.c ---- */
/* One request until it is answered: what names the purpose ("cannot ..."), path begins with "/".
 * OK: *out is the answer. FAIL: refused, *code is the registry's error code. RETRY: not reached. */
enum sluice_verdict sr_call(struct sluice_sr *sr, const char *what, const char *path,
                            const char *body, json_t **out, int *code, struct sluice_err *err);
void sr_http_close(struct sluice_sr *sr);

/* ---- cache.c ---- */
/* What stands in the process's cache under scope and key, held; NULL: nothing, or older than
 * ttl_ms (-1: any age). Any thread. */
const struct sluice_sr_schema *sr_cache_get(const struct sluice_sr *sr, const char *key, size_t len,
                                            int64_t ttl_ms);
/* Keeps it (its own hold). Any thread. */
void sr_cache_put(const struct sluice_sr *sr, const char *key, size_t len,
                  const struct sluice_sr_schema *schema);
/* Forgets everything. Any thread. */
void sluice_sr_cache_clear(void);

/* A new schema, held once; everything is copied. */
struct sluice_sr_schema *sr_schema_new(enum sluice_sr_type type, int32_t id, int32_t version,
                                       const char *subject, const struct sluice_sr_text *text);

#endif
