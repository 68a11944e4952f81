/* cdc_dump.c - drives postgres-cdc without Kafka: prints every record as one line of JSON, as
 * JsonConverter with schemas writes it. For the comparison with Debezium (test_cdc_golden.py) and
 * for a look by hand.
 *
 *     cdc_dump CONFIG.properties [OFFSET-FILE]
 *
 * Runs until stdin ends. Each record counts as durable once it was printed. The file holds the
 * offset of the last one (JSON); with it, a second run goes on where the first ended. The variable
 * CDC_DUMP_ROOM says how many records a poll may fill; CDC_DUMP_NULLS=1 leaves NULL what is NULL
 * in a column with a default. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/props.h"
#include "data/builtins.h"
#include "data/json_text.h"
#include "fake_host.h"

struct dump {
    struct fake_host source, converter;
    struct sluice_buf line;
    const struct sluice_converter *json;
};

static void encode(struct dump *dump, const struct sluice_record *rec, const char *header,
                   const struct sluice_schema *schema, const struct sluice_value *value)
{
    struct sluice_buf out;
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    bool null = false;
    struct sluice_err err = {{0}};
    if (dump->json->encode(dump->converter.self, rec->topic, header, schema, value, &out, &null,
                           &err) != SLUICE_OK) {
        fprintf(stderr, "cdc_dump: %s: %s\n", rec->topic, err.msg);
        _exit(2);
    }
    if (null || out.len == 0) sluice_buf_adds(&dump->line, "null");
    else sluice_buf_add(&dump->line, out.data, out.len);
    sluice_buf_fini(&out);
}

static void print_record(struct dump *dump, const struct sluice_record *rec)
{
    sluice_buf_clear(&dump->line);
    sluice_buf_adds(&dump->line, "{\"topic\":");
    sluice_json_string(&dump->line, rec->topic, strlen(rec->topic), NULL);
    sluice_buf_adds(&dump->line, ",\"key\":");
    encode(dump, rec, NULL, rec->key_schema, &rec->key);
    sluice_buf_adds(&dump->line, ",\"value\":");
    encode(dump, rec, NULL, rec->value_schema, &rec->value);
    sluice_buf_adds(&dump->line, ",\"headers\":{");
    for (uint32_t i = 0; i < rec->headers_len; i++) {
        const struct sluice_header *h = &rec->headers[i];
        sluice_buf_adds(&dump->line, i ? "," : "");
        sluice_json_string(&dump->line, h->key, strlen(h->key), NULL);
        sluice_buf_adds(&dump->line, ":");
        encode(dump, rec, h->key, h->schema, &h->value);
    }
    sluice_buf_adds(&dump->line, "}}\n");
    fwrite(dump->line.data, 1, dump->line.len, stdout);
}

/* Written anew and renamed, as the runtime does it. */
static bool save_offset(struct dump *dump, const struct sluice_record *rec, const char *path)
{
    char fresh[4096];
    struct sluice_batch scratch;
    struct sluice_value offset;
    struct sluice_err err;
    const struct sluice_plugin *plugin = dump->source.plugin;
    sluice_batch_init(&scratch);
    sluice_buf_clear(&dump->line);
    bool ok = plugin->source->offset(dump->source.self, rec->position, rec->position_len, &scratch,
                                     &offset, &err) == SLUICE_OK &&
              sluice_json_value(&dump->line, &offset, &err);
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    FILE *f = ok ? fopen(fresh, "w") : NULL;
    ok = f && fwrite(dump->line.data, 1, dump->line.len, f) == dump->line.len;
    ok = f && fclose(f) == 0 && ok && rename(fresh, path) == 0;
    sluice_batch_fini(&scratch);
    return ok;
}

static bool stdin_ended(void)
{
    struct pollfd fd = {STDIN_FILENO, POLLIN, 0};
    char byte;
    return poll(&fd, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

static int run(struct dump *dump, const char *offset_path)
{
    size_t logged = 0, troubles = 0;
    if (fake_open(&dump->source) != SLUICE_OK) {
        fprintf(stderr, "cdc_dump: %s\n", dump->source.err.msg);
        return 1;
    }
    while (!stdin_ended()) {
        enum sluice_verdict verdict = fake_poll(&dump->source, 100);
        for (; logged < dump->source.logs_n; logged++)
            fprintf(stderr, "%s\n", dump->source.logs[logged]);
        if (dump->source.troubles != troubles && dump->source.trouble)
            fprintf(stderr, "trouble: %s\n", dump->source.trouble);
        troubles = dump->source.troubles;
        if (verdict == SLUICE_FAIL) {
            fprintf(stderr, "cdc_dump: %s\n", dump->source.err.msg);
            return 1;
        }
        for (size_t i = 0; i < dump->source.n; i++)
            if (dump->source.records[i].topic) print_record(dump, &dump->source.records[i]);
        fflush(stdout);
        size_t n = dump->source.n;
        struct sluice_record *last = n ? &dump->source.records[n - 1] : NULL;
        if (last && offset_path && !save_offset(dump, last, offset_path)) {
            fprintf(stderr, "cdc_dump: cannot write %s\n", offset_path);
            return 1;
        }
        if (last) fake_ack(&dump->source, last);
        fake_clear(&dump->source);
    }
    return 0;
}

int main(int argc, char **argv)
{
    extern const struct sluice_plugin *const *sluice_plugins_v1(void);
    struct dump dump = {.json = sluice_json_converter.converter};
    struct sluice_map props = {0};
    struct sluice_err err;
    if (argc < 2 || !sluice_props_load(&props, argv[1], &err)) {
        fprintf(stderr, "usage: cdc_dump CONFIG.properties [OFFSET-FILE]\n");
        return 1;
    }
    fake_init(&dump.converter, &sluice_json_converter, "converter.type", "value", "schemas.enable",
              "true", "replace.null.with.default", getenv("CDC_DUMP_NULLS") ? "false" : "true",
              NULL);
    fake_init(&dump.source, sluice_plugins_v1()[0], NULL);
    for (size_t i = 0; i < props.n; i++)
        fake_set(&dump.source, props.items[i].key, props.items[i].value);
    char *offset = argc > 2 ? sluice_file_read(argv[2], 65536, NULL, &err) : NULL;
    if (offset) {
        char partition[300];
        snprintf(partition, sizeof(partition), "{\"server\":\"%s\"}",
                 sluice_map_get(&props, "topic.prefix"));
        fake_resume(&dump.source, partition, offset);
        free(offset);
    }
    if (getenv("CDC_DUMP_ROOM"))
        dump.source.room_records = strtoul(getenv("CDC_DUMP_ROOM"), NULL, 10);
    sluice_buf_init(&dump.line, SLUICE_BUF_MAX);
    int code = fake_open(&dump.converter) == SLUICE_OK ? run(&dump, argc > 2 ? argv[2] : NULL) : 1;
    sluice_buf_fini(&dump.line);
    fake_fini(&dump.source);
    fake_fini(&dump.converter);
    sluice_map_fini(&props);
    return code;
}
