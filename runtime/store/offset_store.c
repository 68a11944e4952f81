/* offset_store.c - the entries of an offset store, in memory, over an optional way to persist them.
 *
 * An entry keeps the exact bytes of its key, so that what a Java worker wrote is rewritten under
 * the same bytes (Java looks keys up byte by byte), and beside them what the key says: connector
 * and partition, parsed once. Keys that do not parse are carried along untouched.
 * Thread: any; one mutex, held while persisting, so that puts are atomic and in order. */
#include "store/offset_store.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/thread.h"
#include "data/json_text.h"
#include "data/values.h"
#include "store/offset_entries.h"

#define KEY_MAX_BYTES ((size_t)1 << 20)

struct sluice_offset_store {
    pthread_mutex_t mutex;
    struct sluice_offset_item *items;
    size_t n, cap;
    char *path; /* NULL: memory only */
};

static bool parse_key(struct sluice_offset_item *item)
{
    struct sluice_err err;
    struct sluice_value v;
    sluice_batch_init(&item->parsed);
    if (!sluice_json_parse(&item->parsed, item->key, item->key_len, &v, NULL, &err)) return false;
    if (v.type != SLUICE_ARRAY || v.len != 2) return false;
    if (v.u.v[0].type != SLUICE_STRING || v.u.v[1].type != SLUICE_MAP) return false;
    item->connector = sluice_xstrndup(v.u.v[0].u.s, v.u.v[0].len);
    item->partition = v.u.v[1];
    return true;
}

static void item_fini(struct sluice_offset_item *item)
{
    free(item->key);
    free(item->value);
    free(item->connector);
    sluice_batch_fini(&item->parsed);
}

static struct sluice_offset_item *add_item(struct sluice_offset_store *store, const char *key,
                                           size_t key_len)
{
    store->items = sluice_xgrow(store->items, store->n, &store->cap, sizeof *store->items);
    struct sluice_offset_item *item = &store->items[store->n++];
    memset(item, 0, sizeof *item);
    item->key = sluice_xstrndup(key, key_len);
    item->key_len = key_len;
    parse_key(item); /* one that says nothing to us has no connector, and so is never found */
    return item;
}

static struct sluice_offset_store *store_new(const char *path)
{
    struct sluice_offset_store *store = sluice_xcalloc(1, sizeof *store);
    pthread_mutex_init(&store->mutex, NULL);
    store->path = sluice_xstrdup(path);
    return store;
}

struct sluice_offset_store *sluice_offset_memory_new(void) { return store_new(NULL); }

static void load_item(void *arg, const char *key, size_t key_len, const char *value,
                      size_t value_len)
{
    struct sluice_offset_item *item = add_item(arg, key, key_len);
    item->value = sluice_xstrndup(value, value_len);
    item->value_len = value_len;
}

struct sluice_offset_store *sluice_offset_file_new(const char *path, struct sluice_err *err)
{
    struct sluice_offset_store *store = store_new(path);
    if (sluice_offset_file_load(path, load_item, store, err)) return store;
    sluice_offset_store_free(store);
    return NULL;
}

void sluice_offset_store_free(struct sluice_offset_store *store)
{
    if (!store) return;
    for (size_t i = 0; i < store->n; i++) item_fini(&store->items[i]);
    free(store->items);
    free(store->path);
    pthread_mutex_destroy(&store->mutex);
    free(store);
}

static struct sluice_offset_item *find_item(struct sluice_offset_store *store,
                                            const char *connector,
                                            const struct sluice_value *partition)
{
    assert(partition->type == SLUICE_MAP);
    for (size_t i = 0; i < store->n; i++) {
        struct sluice_offset_item *item = &store->items[i];
        if (!item->connector || strcmp(item->connector, connector) != 0) continue;
        if (sluice_value_equal(&item->partition, partition)) return item;
    }
    return NULL;
}

/* Parses an item's value into the batch; a null or "null" one counts as none. */
static bool read_value(const struct sluice_offset_item *item, struct sluice_batch *batch,
                       struct sluice_value *offset, bool *found, struct sluice_err *err)
{
    *found = false;
    if (!item->value) return true;
    char *text = sluice_batch_alloc(batch, item->value_len + 1);
    memcpy(text, item->value, item->value_len);
    if (!sluice_json_parse(batch, text, item->value_len, offset, NULL, err))
        return sluice_err_wrap(err, "offset of connector %s is not JSON", item->connector);
    *found = offset->type == SLUICE_MAP;
    return true;
}

bool sluice_offset_get(struct sluice_offset_store *store, const char *connector,
                       const struct sluice_value *partition, struct sluice_batch *batch,
                       struct sluice_value *offset, bool *found, struct sluice_err *err)
{
    *found = false;
    sluice_lock(&store->mutex);
    struct sluice_offset_item *item = find_item(store, connector, partition);
    bool ok = !item || read_value(item, batch, offset, found, err);
    sluice_unlock(&store->mutex);
    return ok;
}

static bool make_key(struct sluice_buf *buf, const char *connector,
                     const struct sluice_value *partition, struct sluice_err *err)
{
    return sluice_buf_adds(buf, "[") &&
           sluice_json_string(buf, connector, strlen(connector), err) &&
           sluice_buf_adds(buf, ",") && sluice_json_value(buf, partition, err) &&
           sluice_buf_adds(buf, "]");
}

/* Puts the new value into the entry's item; the old one goes to undo. */
static bool stage(struct sluice_offset_store *store, const char *connector,
                  const struct sluice_offset_entry *entry, struct sluice_offset_undo *undo,
                  struct sluice_err *err)
{
    struct sluice_buf buf;
    bool ok = false;
    sluice_buf_init(&buf, KEY_MAX_BYTES);
    struct sluice_offset_item *item = find_item(store, connector, entry->partition);
    if (!item) {
        if (!make_key(&buf, connector, entry->partition, err)) goto out;
        item = add_item(store, buf.data, buf.len);
        assert(item->connector);
        sluice_buf_clear(&buf);
    }
    if (entry->offset && !sluice_json_value(&buf, entry->offset, err)) goto out;
    *undo =
        (struct sluice_offset_undo){(size_t)(item - store->items), item->value, item->value_len};
    item->value = entry->offset ? sluice_xstrndup(buf.data, buf.len) : NULL;
    item->value_len = entry->offset ? buf.len : 0;
    ok = true;
out:
    sluice_buf_fini(&buf);
    return ok;
}

bool sluice_offset_put(struct sluice_offset_store *store, const char *connector,
                       const struct sluice_offset_entry *entries, size_t n, struct sluice_err *err)
{
    struct sluice_offset_undo *undo = sluice_xcalloc(n ? n : 1, sizeof *undo);
    size_t staged = 0;
    bool ok = true;
    sluice_lock(&store->mutex);
    while (ok && staged < n) {
        ok = stage(store, connector, &entries[staged], &undo[staged], err);
        if (ok) staged++;
    }
    if (ok && store->path) ok = sluice_offset_file_save(store->path, store->items, store->n, err);
    while (staged > 0) { /* newest first, as one partition may stand twice in entries */
        struct sluice_offset_undo *u = &undo[--staged];
        struct sluice_offset_item *item = &store->items[u->item];
        free(ok ? u->value : item->value);
        if (ok) continue;
        item->value = u->value;
        item->value_len = u->value_len;
    }
    sluice_unlock(&store->mutex);
    free(undo);
    return ok;
}

bool sluice_offset_list(struct sluice_offset_store *store, const char *connector,
                        struct sluice_batch *batch, struct sluice_offset_entry **entries, size_t *n,
                        struct sluice_err *err)
{
    bool ok = true;
    *n = 0;
    sluice_lock(&store->mutex);
    *entries = sluice_batch_alloc(batch, (store->n + 1) * sizeof **entries);
    for (size_t i = 0; ok && i < store->n; i++) {
        struct sluice_offset_item *item = &store->items[i];
        if (!item->connector || strcmp(item->connector, connector) != 0) continue;
        struct sluice_value *pair = sluice_batch_alloc(batch, 2 * sizeof *pair);
        bool found;
        pair[0] = sluice_value_copy(&batch->arena, &item->partition);
        ok = read_value(item, batch, &pair[1], &found, err);
        if (ok && found) (*entries)[(*n)++] = (struct sluice_offset_entry){&pair[0], &pair[1]};
    }
    sluice_unlock(&store->mutex);
    return ok;
}
