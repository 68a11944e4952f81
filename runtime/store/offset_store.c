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

void sluice_offset_records_fini(struct sluice_offset_records *records)
{
    for (size_t i = 0; i < records->n; i++) {
        free(records->items[i].key);
        free(records->items[i].value);
    }
    free(records->items);
    *records = (struct sluice_offset_records){0};
}

static void add_record(struct sluice_offset_records *records, const char *key, size_t key_len,
                       const char *value, size_t value_len)
{
    records->items =
        sluice_xgrow(records->items, records->n, &records->cap, sizeof *records->items);
    records->items[records->n++] = (struct sluice_offset_record){
        sluice_xstrndup(key, key_len), value ? sluice_xstrndup(value, value_len) : NULL, key_len,
        value ? value_len : 0};
}

/* All forms of the key that are known, the newest first. With the mutex held. */
static void collect_forms(struct sluice_offset_store *store, const char *connector,
                          const struct sluice_value *canonical, struct list *forms)
{
    sluice_offset_items_each(&store->all, connector, canonical, collect, forms);
    struct sluice_offset_item *best = sluice_offset_items_find(&store->all, connector, canonical);
    for (size_t i = 1; i < forms->n; i++) {
        if (forms->items[i] != best) continue;
        forms->items[i] = forms->items[0];
        forms->items[0] = best;
    }
}

bool sluice_offset_encode(struct sluice_offset_store *store, const char *connector,
                          const struct sluice_offset_entry *entry,
                          struct sluice_offset_records *records, struct sluice_err *err)
{
    struct sluice_value canonical;
    struct sluice_batch batch;
    struct sluice_buf key, value;
    struct list forms = {0};
    sluice_batch_init(&batch);
    sluice_buf_init(&key, SLUICE_OFFSET_KEY_MAX);
    sluice_buf_init(&value, SLUICE_OFFSET_VALUE_MAX);
    bool ok = sluice_offset_canonical(entry->partition, &batch, &canonical, err) &&
              sluice_offset_make_key(&key, connector, entry->partition, err) &&
              (!entry->offset || sluice_json_value(&value, entry->offset, err));
    const char *text = entry->offset ? value.data : NULL;
    sluice_lock(&store->mutex);
    if (ok) collect_forms(store, connector, &canonical, &forms);
    for (size_t i = 0; i < forms.n; i++) {
        const struct sluice_offset_item *form = forms.items[i];
        if (i == 0 || text || form->value)
            add_record(records, form->key, form->key_len, text, value.len);
    }
    sluice_unlock(&store->mutex);
    if (ok && forms.n == 0) add_record(records, key.data, key.len, text, value.len);
    free(forms.items);
    sluice_buf_fini(&key);
    sluice_buf_fini(&value);
    sluice_batch_fini(&batch);
    return ok;
}

struct undos {
    struct undo *items;
    size_t n, cap;
};

/* Puts the new value into the entry's items, of all forms of its key; old ones go to undos. */
static bool stage(struct sluice_offset_store *store, const char *connector,
                  const struct sluice_offset_entry *entry, struct undos *undos,
                  struct sluice_err *err)
{
    struct sluice_value canonical;
    struct sluice_batch batch;
    struct sluice_buf buf;
    struct list forms = {0};
    bool ok = false;
    sluice_batch_init(&batch);
    sluice_buf_init(&buf, SLUICE_OFFSET_KEY_MAX);
    if (!sluice_offset_canonical(entry->partition, &batch, &canonical, err)) goto out;
    collect_forms(store, connector, &canonical, &forms);
    if (forms.n == 0) {
        if (!sluice_offset_make_key(&buf, connector, entry->partition, err)) goto out;
        collect(&forms, sluice_offset_items_add(&store->all, buf.data, buf.len));
        assert(forms.items[0]->connector);
        sluice_buf_clear(&buf);
    }
    if (entry->offset && !sluice_json_value(&buf, entry->offset, err)) goto out;
    for (size_t i = 0; i < forms.n; i++) {
        struct sluice_offset_item *item = forms.items[i];
        undos->items = sluice_xgrow(undos->items, undos->n, &undos->cap, sizeof *undos->items);
        undos->items[undos->n++] =
            (struct undo){(size_t)(item - store->all.items), item->value, item->value_len};
        item->value = entry->offset ? sluice_xstrndup(buf.data, buf.len) : NULL;
        item->value_len = entry->offset ? buf.len : 0;
    }
    ok = true;
out:
    free(forms.items);
    sluice_buf_fini(&buf);
    sluice_batch_fini(&batch);
    return ok;
}

static bool put_here(struct sluice_offset_store *store, const char *connector,
                     const struct sluice_offset_entry *entries, size_t n, struct sluice_err *err)
{
    struct undos undos = {0};
    bool ok = true;
    sluice_lock(&store->mutex);
    for (size_t i = 0; ok && i < n; i++) ok = stage(store, connector, &entries[i], &undos, err);
    if (ok && store->path)
        ok = sluice_offset_file_save(store->path, store->all.items, store->all.n, err);
    while (undos.n > 0) { /* newest first, as one partition may stand twice in entries */
        struct undo *u = &undos.items[--undos.n];
        struct sluice_offset_item *item = &store->all.items[u->item];
        free(ok ? u->value : item->value);
        if (ok) continue;
        item->value = u->value;
        item->value_len = u->value_len;
    }
    sluice_unlock(&store->mutex);
    free(undos.items);
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
