/* cache.c - what registries answered, for the whole process.
 *
 * A schema of an id never changes, nor does the id of a text within a subject, so that the tasks of
 * a worker ask once. Entries are found by a scope (registry and credentials) and a key; when the
 * cap is reached all of them go, which costs one request each. Any thread: one leaf mutex. */
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "registry/internal.h"

#define ENTRIES_MAX 8192
#define BYTES_MAX ((size_t)128 << 20)
#define BUCKETS 1024

struct entry {
    struct entry *next;
    uint64_t hash;
    const struct sluice_sr_schema *schema; /* held */
    int64_t at_ms;
    size_t len; /* of the key behind this struct: scope, then the caller's */
};

static struct {
    pthread_mutex_t mutex;
    struct entry *buckets[BUCKETS];
    size_t n, bytes;
} cache = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* ---- schemas ---- */

struct counted { /* one allocation; the texts stand behind it */
    struct sluice_sr_schema schema;
    atomic_uint holds;
    size_t bytes;
};

static char *copy(char **to, const char *s, size_t len)
{
    char *at = *to;
    memcpy(at, s, len);
    at[len] = '\0';
    *to = at + len + 1;
    return at;
}

struct sluice_sr_schema *sr_schema_new(enum sluice_sr_type type, int32_t id, int32_t version,
                                       const char *subject, const struct sluice_sr_text *text)
{
    size_t bytes = sizeof(struct counted) + text->refs_n * sizeof(struct sluice_sr_ref);
    bytes += text->len + 1 + (subject ? strlen(subject) + 1 : 0);
    for (size_t i = 0; i < text->refs_n; i++) {
        bytes += strlen(text->refs[i].name) + strlen(text->refs[i].subject) + 2;
    }
    struct counted *self = sluice_xcalloc(1, bytes);
    struct sluice_sr_ref *refs = (struct sluice_sr_ref *)(self + 1);
    char *to = (char *)(refs + text->refs_n);
    atomic_init(&self->holds, 1);
    self->bytes = bytes;
    self->schema.id = id;
    self->schema.version = version;
    self->schema.type = type;
    self->schema.text = copy(&to, text->text, text->len);
    self->schema.len = text->len;
    self->schema.refs = refs;
    self->schema.refs_n = text->refs_n;
    for (size_t i = 0; i < text->refs_n; i++) {
        refs[i].name = copy(&to, text->refs[i].name, strlen(text->refs[i].name));
        refs[i].subject = copy(&to, text->refs[i].subject, strlen(text->refs[i].subject));
        refs[i].version = text->refs[i].version;
    }
    if (subject) self->schema.subject = copy(&to, subject, strlen(subject));
    assert(to == (char *)self + bytes);
    return &self->schema;
}

const struct sluice_sr_schema *sluice_sr_schema_hold(const struct sluice_sr_schema *schema)
{
    struct counted *self = (struct counted *)schema;
    if (self) atomic_fetch_add_explicit(&self->holds, 1, memory_order_relaxed);
    return schema;
}

void sluice_sr_schema_free(const struct sluice_sr_schema *schema)
{
    struct counted *self = (struct counted *)schema;
    if (!self) return;
    unsigned before = atomic_fetch_sub_explicit(&self->holds, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before == 1) free(self);
}

/* ---- entries ---- */

static uint64_t hash_of(const unsigned char *scope, const char *key, size_t len)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    memcpy(&h, scope, sizeof h); /* a digest: as good a start as any */
    for (size_t i = 0; i < len; i++) h = (h ^ (unsigned char)key[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

static struct entry **find(const struct sluice_sr *sr, const char *key, size_t len, uint64_t hash)
{
    struct entry **at = &cache.buckets[hash % BUCKETS];
    for (; *at; at = &(*at)->next) {
        const char *bytes = (const char *)(*at + 1);
        if ((*at)->hash == hash && (*at)->len == SR_SCOPE + len &&
            memcmp(bytes, sr->scope, SR_SCOPE) == 0 && memcmp(bytes + SR_SCOPE, key, len) == 0)
            break;
    }
    return at;
}

static size_t weight(const struct entry *entry)
{
    return sizeof *entry + entry->len + ((const struct counted *)entry->schema)->bytes;
}

static void drop(struct entry **at)
{
    struct entry *entry = *at;
    *at = entry->next;
    assert(cache.n > 0 && cache.bytes >= weight(entry));
    cache.n--;
    cache.bytes -= weight(entry);
    sluice_sr_schema_free(entry->schema);
    free(entry);
}

static void clear(void)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (cache.buckets[i]) drop(&cache.buckets[i]);
    }
    assert(cache.n == 0 && cache.bytes == 0);
}

const struct sluice_sr_schema *sr_cache_get(const struct sluice_sr *sr, const char *key, size_t len,
                                            int64_t ttl_ms)
{
    const struct sluice_sr_schema *schema = NULL;
    sluice_lock(&cache.mutex);
    struct entry **at = find(sr, key, len, hash_of(sr->scope, key, len));
    if (*at && (ttl_ms < 0 || sluice_now_ms() - (*at)->at_ms < ttl_ms)) {
        schema = sluice_sr_schema_hold((*at)->schema);
    }
    sluice_unlock(&cache.mutex);
    return schema;
}

void sr_cache_put(const struct sluice_sr *sr, const char *key, size_t len,
                  const struct sluice_sr_schema *schema)
{
    struct entry *entry = sluice_xmalloc(sizeof *entry + SR_SCOPE + len);
    entry->hash = hash_of(sr->scope, key, len);
    entry->schema = sluice_sr_schema_hold(schema);
    entry->at_ms = sluice_now_ms();
    entry->len = SR_SCOPE + len;
    memcpy(entry + 1, sr->scope, SR_SCOPE);
    memcpy((char *)(entry + 1) + SR_SCOPE, key, len);
    sluice_lock(&cache.mutex);
    struct entry **at = find(sr, key, len, entry->hash);
    if (*at) drop(at);
    if (cache.n >= ENTRIES_MAX || cache.bytes + weight(entry) > BYTES_MAX) clear();
    at = &cache.buckets[entry->hash % BUCKETS];
    entry->next = *at;
    *at = entry;
    cache.n++;
    cache.bytes += weight(entry);
    sluice_unlock(&cache.mutex);
}

void sluice_sr_cache_clear(void)
{
    sluice_lock(&cache.mutex);
    clear();
    sluice_unlock(&cache.mutex);
}
