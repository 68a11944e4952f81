/* offsets.c - the offsets operations of the standalone herder, and topics, which it does not track.
 * Thread: any. Writing holds the herder's lock, so that nobody resumes the connector meanwhile. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/json_text.h"
#include "herder/standalone.h"
#include "store/offset_store.h"

void standalone_topics(struct sluice_herder *base, const char *name, struct sluice_answer *answer)
{
    (void)base;
    (void)name;
    sluice_answer_error(answer, 403, "Topic tracking is disabled.");
}

void standalone_reset_topics(struct sluice_herder *base, const char *name,
                             struct sluice_answer *answer)
{
    standalone_topics(base, name, answer);
}

/* A value of the store as jansson's. NULL: it is no JSON of ours. */
static json_t *to_json(const struct sluice_value *value)
{
    if (!value) return json_null();
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    json_t *json = NULL;
    if (sluice_json_value(&buf, value, NULL))
        json = json_loadb(buf.data, buf.len, JSON_DECODE_ANY, NULL);
    sluice_buf_fini(&buf);
    return json;
}

static bool from_json(struct sluice_batch *batch, const json_t *json, struct sluice_value **out,
                      struct sluice_err *err)
{
    char *text = sluice_json_text(json);
    size_t len = strlen(text);
    char *kept = sluice_batch_alloc(batch, len + 1); /* strings borrow from it */
    memcpy(kept, text, len + 1);
    free(text);
    *out = sluice_batch_alloc(batch, sizeof **out);
    return sluice_json_parse(batch, kept, len, *out, NULL, err);
}

static json_t *entries_json(const struct sluice_offset_entry *entries, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_object();
        json_object_set_new(one, "partition", to_json(entries[i].partition));
        json_object_set_new(one, "offset", to_json(entries[i].offset));
        json_array_append_new(list, one);
    }
    return list;
}

/* What the offsets operations need of a connector, looked up once. */
static bool find_source(struct standalone *herder, const char *name, bool to_alter,
                        struct sluice_answer *answer)
{
    const struct connector *conn = standalone_find(herder, name);
    if (!conn) {
        sluice_answer_error(answer, 404, "Connector %s not found", name);
    } else if (to_alter && (conn->target != SLUICE_TARGET_STOPPED || conn->slots_n)) {
        sluice_answer_error(answer, 400,
                            "Connectors must be in the STOPPED state before their offsets can be "
                            "modified. This can be done for the specified connector by issuing a "
                            "'PUT' request to the '/connectors/%s/stop' endpoint",
                            name);
    } else if (conn->plugin->kind != SLUICE_KIND_SOURCE) {
        sluice_answer_error(answer, 500,
                            "The offsets of sink connectors are those of their consumer group: "
                            "look at and change group connect-%s with kafka-consumer-groups.sh",
                            name);
    } else {
        return true;
    }
    return false;
}

void standalone_offsets(struct sluice_herder *base, const char *name, struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    bool found = find_source(herder, name, false, answer);
    sluice_unlock(&herder->lock);
    if (!found) return;
    struct sluice_err err = {{0}};
    struct sluice_batch batch;
    sluice_batch_init(&batch);
    struct sluice_offset_entry *entries;
    size_t n;
    if (sluice_offset_list(herder->offsets, name, &batch, &entries, &n, &err)) {
        json_t *body = json_object();
        json_object_set_new(body, "offsets", entries_json(entries, n));
        sluice_answer_json(answer, 200, body);
    } else {
        sluice_answer_error(answer, 500, "reading the offsets of %s failed: %s", name, err.msg);
    }
    sluice_batch_fini(&batch);
}

/* The request's entries; false: answer is the 400. */
static bool read_changes(struct sluice_batch *batch, const json_t *changes,
                         struct sluice_offset_entry *entries, struct sluice_answer *answer)
{
    struct sluice_err err = {{0}};
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *change = json_array_get(changes, i);
        const json_t *partition = json_object_get(change, "partition");
        const json_t *offset = json_object_get(change, "offset");
        if (!json_is_object(partition)) {
            sluice_answer_error(answer, 400,
                                "The partition for a source connector offset cannot be null or "
                                "missing");
            return false;
        }
        struct sluice_value *key = NULL, *value = NULL;
        bool ok = from_json(batch, partition, &key, &err) &&
                  (!json_is_object(offset) || from_json(batch, offset, &value, &err));
        if (!ok) {
            sluice_answer_error(answer, 400, "offset %zu of the request: %s", i, err.msg);
            return false;
        }
        entries[i] = (struct sluice_offset_entry){key, value};
    }
    return true;
}

/* The lock is held and the connector is stopped. changes NULL: every partition is forgotten. */
static void write_changes(struct standalone *herder, const char *name, const json_t *changes,
                          struct sluice_answer *answer)
{
    struct sluice_err err = {{0}};
    struct sluice_batch batch;
    sluice_batch_init(&batch);
    struct sluice_offset_entry *entries = NULL;
    size_t n = json_array_size(changes);
    bool ok = true;
    if (changes) {
        entries = sluice_batch_alloc(&batch, n * sizeof *entries);
        if (!read_changes(&batch, changes, entries, answer)) goto out;
    } else {
        ok = sluice_offset_list(herder->offsets, name, &batch, &entries, &n, &err);
        for (size_t i = 0; ok && i < n; i++) entries[i].offset = NULL;
    }
    if (!ok || !sluice_offset_put(herder->offsets, name, entries, n, &err)) {
        sluice_answer_error(answer, 500, "writing the offsets of %s failed: %s", name, err.msg);
        goto out;
    }
    const char *verb = changes ? "altered" : "reset";
    char *text = sluice_xasprintf(
        "The Connect framework-managed offsets for this connector have been %s successfully. "
        "However, if this connector manages offsets externally, they will need to be manually %s "
        "in the system that the connector uses.",
        verb, verb);
    json_t *body = json_object();
    json_object_set_new(body, "message", json_string(text));
    free(text);
    sluice_answer_json(answer, 200, body);
    sluice_log(SLUICE_INFO, name, -1, "offsets %s: %zu partitions", verb, n);
out:
    sluice_batch_fini(&batch);
}

void standalone_alter_offsets(struct sluice_herder *base, const char *name, const json_t *changes,
                              struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    if (find_source(herder, name, true, answer)) {
        /* tasks that still drain would write their offsets over these */
        bool none_left = standalone_settle(herder, name);
        if (!none_left) {
            sluice_answer_error(answer, 500,
                                "Failed to modify offsets for connector %s because a zombie source "
                                "task of it did not stop and may still write offsets; try again "
                                "later or restart the worker",
                                name);
        } else if (find_source(herder, name, true, answer)) { /* it may have changed meanwhile */
            write_changes(herder, name, changes, answer);
        }
    }
    sluice_unlock(&herder->lock);
}
