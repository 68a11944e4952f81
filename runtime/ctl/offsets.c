/* offsets.c - where a connector stands. The same JSON comes out and goes in:
 * {"offsets": [{"partition": {...}, "offset": {...}}]}. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/props.h"
#include "ctl/internal.h"

#define OFFSETS_MAX ((size_t)16 << 20)

static bool is_sink(const json_t *offsets)
{
    const json_t *first = json_object_get(json_array_get(offsets, 0), "partition");
    return json_object_get(first, "kafka_topic") && json_object_get(first, "kafka_partition");
}

static void add_json(struct ctl_table *table, const json_t *json)
{
    char *text =
        json && !json_is_null(json) ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    const char *string = json_string_value(json);
    ctl_table_add(table, string ? string : text, NULL);
    free(text);
}

/* {"file": "/tmp/x"} as file=/tmp/x, when it is as flat as that. */
static void add_map(struct ctl_table *table, const json_t *map)
{
    struct sluice_buf buf;
    const char *key;
    json_t *value;
    bool flat = json_is_object(map);
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    json_object_foreach((json_t *)map, key, value)
    {
        flat = flat && !json_is_object(value) && !json_is_array(value);
        char *text = json_is_string(value) ? sluice_xstrdup(json_string_value(value))
                                           : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        sluice_buf_addf(&buf, "%s%s=%s", buf.len ? " " : "", key, text ? text : "");
        free(text);
    }
    if (flat) ctl_table_add(table, sluice_buf_str(&buf), NULL);
    else add_json(table, map);
    sluice_buf_fini(&buf);
}

void ctl_offsets_print(struct ctl *ctl, const json_t *offsets)
{
    static const char *const source[] = {"PARTITION", "OFFSET", NULL};
    static const char *const sink[] = {"TOPIC", "PARTITION", "OFFSET", NULL};
    struct ctl_table table;
    bool kafka = is_sink(offsets);
    json_t *one;
    size_t i;
    ctl_table_init(&table, kafka ? sink : source);
    json_array_foreach(offsets, i, one)
    {
        const json_t *partition = json_object_get(one, "partition"),
                     *offset = json_object_get(one, "offset");
        if (kafka) {
            add_json(&table, json_object_get(partition, "kafka_topic"));
            add_json(&table, json_object_get(partition, "kafka_partition"));
            add_json(&table, json_object_get(offset, "kafka_offset"));
        } else {
            add_map(&table, partition);
            add_map(&table, offset);
        }
    }
    ctl_table_print(&table, ctl);
    ctl_table_fini(&table);
}

int ctl_offsets_get_run(struct ctl *ctl)
{
    json_t *answer;
    const char *name = ctl->args.words.items[0];
    char *path = ctl_connector_path(name, "/offsets");
    int code = ctl_get(ctl, path, JSON_OBJECT, &answer);
    free(path);
    if (code != CTL_OK) return code;
    const json_t *offsets = json_object_get(answer, "offsets");
    if (ctl->output == CTL_JSON) ctl_print_json(ctl, answer);
    else if (json_array_size(offsets)) ctl_offsets_print(ctl, offsets);
    else fprintf(stderr, "The connector has no offsets.\n");
    json_decref(answer);
    return code;
}

/* The offsets of the file: what GET answers, or the array in it. NULL: told. */
static json_t *offsets_read(struct ctl *ctl)
{
    const char *path = ctl->args.values[CTL_FILE];
    struct sluice_err err = {{0}};
    json_error_t error;
    json_t *json, *body;
    if (!path) {
        ctl_error("which offsets? give --file FILE, or - for standard input; \"offsets get NAME "
                  "-o json\" shows their form");
        return NULL;
    }
    if (strcmp(path, "-") == 0) {
        json = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);
    } else {
        size_t len;
        char *text = sluice_file_read(path, OFFSETS_MAX, &len, &err);
        if (!text) {
            ctl_error("%s", err.msg);
            return NULL;
        }
        json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
        free(text);
    }
    if (!json) {
        ctl_error("%s: line %d, column %d: %s", path, error.line, error.column, error.text);
        return NULL;
    }
    body = json_is_array(json) ? json_pack("{s:O}", "offsets", json) : json_incref(json);
    json_decref(json);
    if (json_is_array(json_object_get(body, "offsets"))) return body;
    ctl_error("%s: it must be {\"offsets\": [{\"partition\": {...}, \"offset\": {...}}]}", path);
    json_decref(body);
    return NULL;
}

static int write_offsets(struct ctl *ctl, const char *method, const json_t *body)
{
    struct ctl_answer answer = {0};
    const char *name = ctl->args.words.items[0];
    char *path = ctl_connector_path(name, "/offsets");
    int code = ctl_ask(ctl, method, path, body, &answer);
    if (code == CTL_OK && answer.status >= 300) {
        ctl_refused(name, &answer);
        code = CTL_REFUSED;
    } else if (code == CTL_OK && ctl->output == CTL_JSON) {
        ctl_print_json(ctl, answer.body);
    } else if (code == CTL_OK) {
        char *message = ctl_message(&answer);
        ctl_printf(ctl, "%s: %s\n", name, message);
        free(message);
    }
    ctl_answer_fini(&answer);
    free(path);
    return code;
}

int ctl_offsets_set_run(struct ctl *ctl)
{
    json_t *body = offsets_read(ctl);
    if (!body) return CTL_USAGE;
    int code = write_offsets(ctl, "PATCH", body);
    json_decref(body);
    return code;
}

int ctl_offsets_reset_run(struct ctl *ctl)
{
    char *question = sluice_xasprintf("Forget all offsets of %s, so that it begins anew?",
                                      ctl->args.words.items[0]);
    bool yes = ctl_confirm(ctl, question);
    free(question);
    return yes ? write_offsets(ctl, "DELETE", NULL) : CTL_USAGE;
}
