/* offsets.c - see offsets.h. Connect's status codes and messages: REST.md. */
#include "herder/offsets.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/json_text.h"
#include "data/values.h"
#include "worker/connector_offsets.h"
#include "worker/offsets_admin.h"

#define BROKERS_MS 30000 /* for each request; a REST request has 90 s */

bool sluice_offsets_alterable(const char *connector, enum sluice_target target, int tasks_n,
                              struct sluice_answer *answer)
{
    if (target == SLUICE_TARGET_STOPPED && tasks_n == 0) return true;
    sluice_answer_error(answer, 400,
                        "Connectors must be in the STOPPED state before their offsets can be "
                        "modified. This can be done for the specified connector by issuing a "
                        "'PUT' request to the '/connectors/%s/stop' endpoint",
                        connector);
    return false;
}

/* ---- between the model's values and jansson's ---- */

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

static bool from_json(struct sluice_batch *batch, const json_t *json,
                      const struct sluice_value **out, struct sluice_err *err)
{
    char *text = sluice_json_text(json);
    size_t len = strlen(text);
    char *kept = sluice_batch_alloc(batch, len + 1); /* strings borrow from it */
    memcpy(kept, text, len + 1);
    free(text);
    struct sluice_value *value = sluice_batch_alloc(batch, sizeof *value);
    *out = value;
    return sluice_json_parse(batch, kept, len, value, NULL, err);
}

/* What a message says of a value: Java's String.valueOf(). Owned. */
static char *plain(const json_t *json)
{
    if (json_is_string(json)) return sluice_xstrdup(json_string_value(json));
    return json ? sluice_json_text(json) : sluice_xstrdup("null");
}

/* ---- looking ---- */

/* Where the source's offsets are, read to its end. NULL: err. */
static struct sluice_connector_offsets *store_of(const struct sluice_offsets_of *of,
                                                 struct sluice_err *err)
{
    struct sluice_map config = {0};
    struct sluice_connector_offsets *store = NULL;
    if (sluice_worker_resolve(of->worker, of->config, &config, err) &&
        sluice_connector_offsets_open(of->worker, of->connector, &config, BROKERS_MS, &store,
                                      err) == SLUICE_OK &&
        sluice_connector_offsets_refresh(store, BROKERS_MS, err) != SLUICE_OK) {
        sluice_connector_offsets_close(store);
        store = NULL;
    }
    sluice_map_fini(&config);
    return store;
}

static void list_source(const struct sluice_offsets_of *of, struct sluice_answer *answer)
{
    struct sluice_err err = {{0}};
    struct sluice_batch batch;
    struct sluice_offset_entry *entries;
    size_t n;
    sluice_batch_init(&batch);
    struct sluice_connector_offsets *store = store_of(of, &err);
    if (store && sluice_connector_offsets_list(store, &batch, &entries, &n, &err)) {
        json_t *list = json_array();
        for (size_t i = 0; i < n; i++) {
            json_t *one = json_object();
            json_object_set_new(one, "partition", to_json(entries[i].partition));
            json_object_set_new(one, "offset", to_json(entries[i].offset));
            json_array_append_new(list, one);
        }
        sluice_answer_json(answer, 200, json_pack("{s:o}", "offsets", list));
    } else {
        sluice_answer_error(answer, 500, "Failed to retrieve offsets for source connector %s: %s",
                            of->connector, err.msg);
    }
    sluice_connector_offsets_close(store);
    sluice_batch_fini(&batch);
}

static struct sluice_sink_group *group_of(const struct sluice_offsets_of *of,
                                          struct sluice_err *err)
{
    struct sluice_map config = {0};
    struct sluice_sink_group *group = NULL;
    if (sluice_worker_resolve(of->worker, of->config, &config, err))
        group = sluice_sink_group_new(of->worker, of->connector, &config, err);
    sluice_map_fini(&config);
    return group;
}

static void list_sink(const struct sluice_offsets_of *of, struct sluice_answer *answer)
{
    struct sluice_err err = {{0}};
    struct sluice_group_offset *found = NULL;
    size_t n = 0;
    struct sluice_sink_group *group = group_of(of, &err);
    if (group && sluice_sink_group_list(group, BROKERS_MS, &found, &n, &err) == SLUICE_OK) {
        json_t *list = json_array();
        for (size_t i = 0; i < n; i++)
            json_array_append_new(list,
                                  json_pack("{s:{s:i,s:s},s:{s:I}}", "partition", "kafka_partition",
                                            (int)found[i].partition, "kafka_topic", found[i].topic,
                                            "offset", "kafka_offset", (json_int_t)found[i].offset));
        sluice_answer_json(answer, 200, json_pack("{s:o}", "offsets", list));
    } else {
        sluice_answer_error(answer, 500,
                            "Failed to retrieve consumer group offsets for sink connector %s: %s",
                            of->connector, err.msg);
    }
    sluice_group_offsets_free(found, n);
    sluice_sink_group_free(group);
}

void sluice_offsets_list(const struct sluice_offsets_of *of, struct sluice_answer *answer)
{
    if (of->plugin->kind == SLUICE_KIND_SINK) list_sink(of, answer);
    else list_source(of, answer);
}

/* ---- changing: what both kinds share ---- */

/* The answer of a change that was done. whole: there is nothing outside that keeps a position. */
static void done(const struct sluice_offsets_of *of, bool reset, bool whole, size_t n,
                 struct sluice_answer *answer)
{
    const char *verb = reset ? "reset" : "altered";
    char *text = whole ? sluice_xasprintf("The offsets for this connector have been %s "
                                          "successfully",
                                          verb)
                       : sluice_xasprintf("The Connect framework-managed offsets for this "
                                          "connector have been %s successfully. However, if this "
                                          "connector manages offsets externally, they will need to "
                                          "be manually %s in the system that the connector uses.",
                                          verb, verb);
    sluice_answer_json(answer, 200, json_pack("{s:s}", "message", text));
    free(text);
    sluice_log(SLUICE_INFO, of->connector, -1, "offsets %s: %zu partitions", verb, n);
}

static bool sensible(const struct sluice_offsets_of *of, const struct sluice_offset_change *changes,
                     size_t n, bool *whole, struct sluice_answer *answer)
{
    struct sluice_err err = {{0}};
    struct sluice_map config = {0};
    bool ok = sluice_worker_resolve(of->worker, of->config, &config, &err) &&
              sluice_worker_offsets_make_sense(of->plugin, &config, changes, n, whole, &err);
    sluice_map_fini(&config);
    if (!ok) sluice_answer_error(answer, 500, "%s", err.msg);
    return ok;
}

/* ---- a source's ---- */

/* Connect's rule for what its offset topic may hold: flat maps. */
static bool flat(const json_t *map, struct sluice_answer *answer)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)map, key, value)
    {
        if (!json_is_object(value) && !json_is_array(value)) continue;
        sluice_answer_error(answer, 500,
                            "Offsets may only contain primitive types as values, but field %s "
                            "contains %s",
                            key, json_is_object(value) ? "MAP" : "ARRAY");
        return false;
    }
    return true;
}

/* The request's entries; false: answer says why not. */
static bool read_changes(struct sluice_batch *batch, const json_t *list,
                         struct sluice_offset_change *changes, struct sluice_answer *answer)
{
    struct sluice_err err = {{0}};
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        const json_t *partition = json_object_get(one, "partition");
        const json_t *offset = json_object_get(one, "offset");
        changes[i] = (struct sluice_offset_change){0};
        if (!flat(partition, answer) || !flat(offset, answer)) return false;
        bool ok = (!json_is_object(partition) ||
                   from_json(batch, partition, &changes[i].partition, &err)) &&
                  (!json_is_object(offset) || from_json(batch, offset, &changes[i].offset, &err));
        if (ok) continue;
        sluice_answer_error(answer, 400, "offset %zu of the request: %s", i, err.msg);
        return false;
    }
    return true;
}

/* What to write of the changes: the last one of each partition, and nothing for one that was not
 * given, of which there is nothing to forget. False: answer says why not. */
static bool entries_of(const struct sluice_offset_change *changes, size_t n,
                       struct sluice_offset_entry *entries, size_t *entries_n,
                       struct sluice_answer *answer)
{
    *entries_n = 0;
    for (size_t i = 0; i < n; i++) {
        if (!changes[i].partition && changes[i].offset) {
            sluice_answer_error(answer, 400,
                                "The partition for a source connector offset cannot be null or "
                                "missing");
            return false;
        }
        bool again = !changes[i].partition;
        for (size_t j = i + 1; j < n && !again; j++)
            again = changes[j].partition &&
                    sluice_value_equal(changes[i].partition, changes[j].partition);
        if (!again)
            entries[(*entries_n)++] =
                (struct sluice_offset_entry){changes[i].partition, changes[i].offset};
    }
    return true;
}

/* list NULL: tombstones for all there is. */
static void write_source(const struct sluice_offsets_of *of, struct sluice_connector_offsets *store,
                         const json_t *list, struct sluice_batch *batch,
                         struct sluice_answer *answer)
{
    struct sluice_err err = {{0}};
    struct sluice_offset_entry *entries = NULL;
    size_t n = json_array_size(list), changes_n = n;
    bool whole = false;
    bool ok = list || sluice_connector_offsets_list(store, batch, &entries, &changes_n, &err);
    if (ok) {
        struct sluice_offset_change *changes =
            sluice_batch_alloc(batch, (changes_n + 1) * sizeof *changes);
        for (size_t i = 0; !list && i < changes_n; i++)
            changes[i] = (struct sluice_offset_change){entries[i].partition, NULL};
        entries = sluice_batch_alloc(batch, (changes_n + 1) * sizeof *entries);
        if ((list && !read_changes(batch, list, changes, answer)) ||
            !sensible(of, changes, changes_n, &whole, answer) ||
            !entries_of(changes, changes_n, entries, &n, answer))
            return;
        ok = n == 0 || sluice_connector_offsets_put(store, entries, n, &err);
    }
    if (ok) done(of, !list, whole, n, answer);
    else
        sluice_answer_error(answer, 500, "Failed to modify offsets for source connector %s: %s",
                            of->connector, err.msg);
}

static void alter_source(const struct sluice_offsets_of *of, const json_t *list,
                         struct sluice_answer *answer)
{
    struct sluice_err err = {{0}};
    struct sluice_batch batch;
    if (of->zombies > 0) { /* it may still write its offsets over these */
        sluice_answer_error(answer, 500,
                            "Failed to modify offsets for connector %s because a zombie source "
                            "task of it did not stop and may still write offsets; try again later "
                            "or restart the worker",
                            of->connector);
        return;
    }
    sluice_batch_init(&batch);
    struct sluice_connector_offsets *store = store_of(of, &err);
    if (store) write_source(of, store, list, &batch, answer);
    else
        sluice_answer_error(answer, 500, "Failed to modify offsets for source connector %s: %s",
                            of->connector, err.msg);
    sluice_connector_offsets_close(store);
    sluice_batch_fini(&batch);
}

/* ---- a sink's ---- */

/* An integer, quoted or not, within the limits. */
static bool whole_number(const json_t *json, int64_t least, int64_t most, int64_t *out)
{
    char *text = plain(json), *end = text;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    bool digits = *text && !*end && strspn(text, "+-0123456789") == strlen(text);
    bool ok = digits && !errno && number >= least && number <= most;
    free(text);
    *out = number;
    return ok;
}

static bool read_partition(const json_t *partition, struct sluice_group_offset *change,
                           struct sluice_answer *answer)
{
    const json_t *topic = json_object_get(partition, "kafka_topic");
    const json_t *number = json_object_get(partition, "kafka_partition");
    const char *wrong = NULL;
    int64_t value;
    if (!json_is_object(partition))
        wrong = "The partition for a sink connector offset cannot be null or missing";
    else if (!topic || !number)
        wrong = "The partition for a sink connector offset must contain the keys 'kafka_topic' and "
                "'kafka_partition'";
    else if (json_is_null(topic))
        wrong = "Kafka topic names must be valid strings and may not be null";
    else if (json_is_null(number))
        wrong = "Kafka partitions must be valid numbers and may not be null";
    if (wrong) {
        sluice_answer_error(answer, 400, "%s", wrong);
        return false;
    }
    if (!whole_number(number, INT32_MIN, INT32_MAX, &value)) {
        char *text = plain(number);
        sluice_answer_error(answer, 400,
                            "Failed to parse the following Kafka partition value in the provided "
                            "offsets: '%s'. Partition values for sink connectors need to be "
                            "integers.",
                            text);
        free(text);
        return false;
    }
    change->partition = (int32_t)value;
    change->topic = plain(topic);
    return true;
}

/* forget: the offset is null. */
static bool read_offset(const json_t *offset, int64_t *out, bool *forget,
                        struct sluice_answer *answer)
{
    *forget = !json_is_object(offset);
    *out = -1;
    if (*forget) return true;
    const json_t *value = json_object_get(offset, "kafka_offset");
    if (!value) {
        sluice_answer_error(answer, 400,
                            "The offset for a sink connector should either be null or contain the "
                            "key 'kafka_offset'");
        return false;
    }
    if (whole_number(value, INT64_MIN, INT64_MAX, out)) return true;
    char *text = plain(value);
    sluice_answer_error(answer, 400,
                        "Failed to parse the following Kafka offset value in the provided offsets: "
                        "'%s'. Offset values for sink connectors need to be integers.",
                        text);
    free(text);
    return false;
}

/* The request as changes, the last one of each partition; false: answer says why not. What there is
 * in changes is freed by the caller either way. */
static bool read_sink_changes(const struct sluice_offsets_of *of, const json_t *list,
                              struct sluice_group_offset *changes, size_t *n,
                              struct sluice_answer *answer)
{
    bool negative = false;
    size_t i;
    json_t *one;
    *n = 0;
    json_array_foreach(list, i, one)
    {
        struct sluice_group_offset change = {0};
        bool forget;
        if (!read_partition(json_object_get(one, "partition"), &change, answer)) return false;
        size_t at = 0;
        while (at < *n && (changes[at].partition != change.partition ||
                           strcmp(changes[at].topic, change.topic) != 0))
            at++;
        if (at < *n) free(changes[at].topic);
        else (*n)++;
        changes[at] = change;
        if (!read_offset(json_object_get(one, "offset"), &changes[at].offset, &forget, answer))
            return false;
        negative |= !forget && changes[at].offset < 0;
    }
    if (negative)
        sluice_answer_error(answer, 500,
                            "Failed to modify offsets for sink connector %s: an offset is "
                            "negative; to forget a partition's, give null",
                            of->connector);
    return !negative;
}

/* The plugin's opinion, in the form that users know. */
static bool sink_sensible(const struct sluice_offsets_of *of,
                          const struct sluice_group_offset *list, size_t n, bool *whole,
                          struct sluice_answer *answer)
{
    struct sluice_batch batch;
    sluice_batch_init(&batch);
    struct sluice_offset_change *changes = sluice_batch_alloc(&batch, (n + 1) * sizeof *changes);
    for (size_t i = 0; i < n; i++) {
        struct sluice_value *v = sluice_batch_alloc(&batch, 8 * sizeof *v);
        v[0] = sluice_string("kafka_topic", 11);
        v[1] = sluice_string(list[i].topic, strlen(list[i].topic));
        v[2] = sluice_string("kafka_partition", 15);
        v[3] = sluice_int64(list[i].partition);
        v[4] = sluice_string("kafka_offset", 12);
        v[5] = sluice_int64(list[i].offset);
        v[6] = sluice_nested(SLUICE_MAP, v, 2);
        v[7] = sluice_nested(SLUICE_MAP, v + 4, 1);
        changes[i] = (struct sluice_offset_change){&v[6], list[i].offset < 0 ? NULL : &v[7]};
    }
    bool ok = sensible(of, changes, n, whole, answer);
    sluice_batch_fini(&batch);
    return ok;
}

static void sink_failed(const struct sluice_offsets_of *of, bool reset, bool busy, const char *why,
                        struct sluice_answer *answer)
{
    const char *verb = reset ? "reset" : "alter";
    if (busy)
        sluice_answer_error(
            answer, 500,
            "Failed to %s consumer group offsets for connector %s either because its tasks haven't "
            "stopped completely yet or the connector was resumed before the request to %s its "
            "offsets could be successfully completed. If the connector is in a stopped state, this "
            "operation can be safely retried. If it doesn't eventually succeed, the Connect "
            "cluster "
            "may need to be restarted to get rid of the zombie sink tasks.",
            verb, of->connector, verb);
    else
        sluice_answer_error(answer, 500,
                            "Failed to %s consumer group offsets for %sconnector %s: %s", verb,
                            reset ? "sink " : "", of->connector, why);
}

static void alter_sink(const struct sluice_offsets_of *of, const json_t *list,
                       struct sluice_answer *answer)
{
    struct sluice_err err = {{0}};
    struct sluice_group_offset *changes = NULL;
    size_t n = json_array_size(list);
    bool whole = false, busy = false;
    struct sluice_sink_group *group = NULL;
    enum sluice_verdict v = SLUICE_OK;
    if (list) {
        changes = sluice_xcalloc(n + 1, sizeof *changes);
        if (!read_sink_changes(of, list, changes, &n, answer)) goto out;
    }
    group = group_of(of, &err);
    if (!group) v = SLUICE_FAIL;
    else if (!list) v = sluice_sink_group_list(group, BROKERS_MS, &changes, &n, &err);
    assert(n == 0 || changes);
    for (size_t i = 0; !list && i < n; i++) changes[i].offset = -1;
    if (v == SLUICE_OK) {
        if (!sink_sensible(of, changes, n, &whole, answer)) goto out;
        v = list ? sluice_sink_group_alter(group, changes, n, BROKERS_MS, &busy, &err)
                 : sluice_sink_group_delete(group, BROKERS_MS, &busy, &err);
    }
    if (v == SLUICE_OK) done(of, !list, whole, n, answer);
    else sink_failed(of, !list, busy, err.msg, answer);
out:
    sluice_sink_group_free(group);
    sluice_group_offsets_free(changes, n);
}

void sluice_offsets_alter(const struct sluice_offsets_of *of, const json_t *changes,
                          struct sluice_answer *answer)
{
    assert(!changes || json_is_array(changes));
    if (of->plugin->kind == SLUICE_KIND_SINK) alter_sink(of, changes, answer);
    else alter_source(of, changes, answer);
}
