/* offset_store.c - the interface of offset stores; what is kept in memory, over an optional file.
 * A topic's own part is offset_topic.c. Keys that do not parse are carried along untouched.
 * Thread: any; one mutex, held while a file is written, so that puts are atomic and in order. */
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

struct undo {
    size_t item;
    char *value;
    size_t value_len;
};

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
    struct sluice_offset_store *store = arg;
    struct sluice_offset_item *item = sluice_offset_items_add(&store->all, key, key_len);
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

struct sluice_offset_store *sluice_offset_topic_new(struct sluice_log_writer *writer,
                                                    const char *topic)
{
    struct sluice_offset_store *store = store_new(NULL);
    assert(writer && topic);
    store->topic = sluice_xstrdup(topic);
    store->writer = writer;
    return store;
}

void sluice_offset_store_free(struct sluice_offset_store *store)
{
    if (!store) return;
    sluice_offset_items_fini(&store->all);
    free(store->path);
    free(store->topic);
    pthread_mutex_destroy(&store->mutex);
    free(store);
}

const char *sluice_offset_topic_name(const struct sluice_offset_store *store)
{
    return store->topic;
}

/* ---- reading ---- */

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
    struct sluice_value canonical;
    *found = false;
    if (!sluice_offset_canonical(partition, batch, &canonical, err)) return false;
    sluice_lock(&store->mutex);
    const struct sluice_offset_item *item =
        sluice_offset_items_find(&store->all, connector, &canonical);
    bool ok = !item || read_value(item, batch, offset, found, err);
    sluice_unlock(&store->mutex);
    return ok;
}

struct list {
    struct sluice_offset_item **items;
    size_t n, cap;
};

static void collect(void *arg, struct sluice_offset_item *item)
{
    struct list *list = arg;
    list->items = sluice_xgrow(list->items, list->n, &list->cap, sizeof *list->items);
    list->items[list->n++] = item;
}

bool sluice_offset_list(struct sluice_offset_store *store, const char *connector,
                        struct sluice_batch *batch, struct sluice_offset_entry **entries, size_t *n,
                        struct sluice_err *err)
{
    struct list list = {0};
    bool ok = true;
    *n = 0;
    sluice_lock(&store->mutex);
    sluice_offset_items_each(&store->all, connector, NULL, collect, &list);
    *entries = sluice_batch_alloc(batch, (list.n + 1) * sizeof **entries);
    for (size_t i = list.n; ok && i-- > 0;) { /* chains are newest first */
        struct sluice_offset_item *item = list.items[i];
        struct sluice_value *pair = sluice_batch_alloc(batch, 2 * sizeof *pair);
        bool found;
        if (sluice_offset_items_find(&store->all, connector, &item->partition) != item) continue;
        pair[0] = sluice_value_copy(&batch->arena, &item->partition);
        ok = read_value(item, batch, &pair[1], &found, err);
        if (ok && found) (*entries)[(*n)++] = (struct sluice_offset_entry){&pair[0], &pair[1]};
    }
    sluice_unlock(&store->mutex);
    free(list.items);
    return ok;
}

/* ---- writing ---- */

bool sluice_offset_encode(struct sluice_offset_store *store, const char *connector,
                          const struct sluice_offset_entry *entry, struct sluice_buf *key,
                          struct sluice_buf *value, struct sluice_err *err)
{
    struct sluice_value canonical;
    struct sluice_batch batch;
    sluice_batch_init(&batch);
    sluice_buf_clear(key);
    sluice_buf_clear(value);
    bool ok = sluice_offset_canonical(entry->partition, &batch, &canonical, err);
    sluice_lock(&store->mutex);
    const struct sluice_offset_item *item =
        ok ? sluice_offset_items_find(&store->all, connector, &canonical) : NULL;
    if (item && !sluice_buf_reserve(key, item->key_len, err)) ok = false;
    if (ok && item) sluice_buf_add(key, item->key, item->key_len);
    sluice_unlock(&store->mutex);
    if (ok && !item) ok = sluice_offset_make_key(key, connector, entry->partition, err);
    if (ok && entry->offset) ok = sluice_json_value(value, entry->offset, err);
    sluice_batch_fini(&batch);
    return ok;
}

/* Puts the new value into the entry's item; the old one goes to undo. */
static bool stage(struct sluice_offset_store *store, const char *connector,
                  const struct sluice_offset_entry *entry, struct undo *undo,
                  struct sluice_err *err)
{
    struct sluice_value canonical;
    struct sluice_batch batch;
    struct sluice_buf buf;
    bool ok = false;
    sluice_batch_init(&batch);
    sluice_buf_init(&buf, SLUICE_OFFSET_KEY_MAX);
    if (!sluice_offset_canonical(entry->partition, &batch, &canonical, err)) goto out;
    struct sluice_offset_item *item = sluice_offset_items_find(&store->all, connector, &canonical);
    if (!item) {
        if (!sluice_offset_make_key(&buf, connector, entry->partition, err)) goto out;
        item = sluice_offset_items_add(&store->all, buf.data, buf.len);
        assert(item->connector);
        sluice_buf_clear(&buf);
    }
    if (entry->offset && !sluice_json_value(&buf, entry->offset, err)) goto out;
    *undo = (struct undo){(size_t)(item - store->all.items), item->value, item->value_len};
    item->value = entry->offset ? sluice_xstrndup(buf.data, buf.len) : NULL;
    item->value_len = entry->offset ? buf.len : 0;
    ok = true;
out:
    sluice_buf_fini(&buf);
    sluice_batch_fini(&batch);
    return ok;
}

static bool put_here(struct sluice_offset_store *store, const char *connector,
                     const struct sluice_offset_entry *entries, size_t n, struct sluice_err *err)
{
    struct undo *undo = sluice_xcalloc(n ? n : 1, sizeof *undo);
    size_t staged = 0;
    bool ok = true;
    sluice_lock(&store->mutex);
    while (ok && staged < n) {
        ok = stage(store, connector, &entries[staged], &undo[staged], err);
        if (ok) staged++;
    }
    if (ok && store->path)
        ok = sluice_offset_file_save(store->path, store->all.items, store->all.n, err);
    while (staged > 0) { /* newest first, as one partition may stand twice in entries */
        struct undo *u = &undo[--staged];
        struct sluice_offset_item *item = &store->all.items[u->item];
        free(ok ? u->value : item->value);
        if (ok) continue;
        item->value = u->value;
        item->value_len = u->value_len;
    }
    sluice_unlock(&store->mutex);
    free(undo);
    return ok;
}

bool sluice_offset_put(struct sluice_offset_store *store, const char *connector,
                       const struct sluice_offset_entry *entries, size_t n, struct sluice_err *err)
{
    return store->topic ? sluice_offset_topic_put(store, connector, entries, n, err)
                        : put_here(store, connector, entries, n, err);
}

bool sluice_offset_put_start(struct sluice_offset_store *store, const char *connector,
                             const struct sluice_offset_entry *entries, size_t n,
                             sluice_offset_done *done, void *arg, struct sluice_err *err)
{
    assert(done);
    if (store->topic)
        return sluice_offset_topic_put_start(store, connector, entries, n, done, arg, err);
    if (!put_here(store, connector, entries, n, err)) return false;
    done(arg, NULL);
    return true;
}

enum sluice_verdict sluice_offset_refresh(struct sluice_offset_store *store, int64_t timeout_ms,
                                          struct sluice_err *err)
{
    if (!store->topic) return SLUICE_OK;
    assert(store->reader);
    return sluice_log_reader_catch_up(store->reader, store->topic, timeout_ms, err);
}
