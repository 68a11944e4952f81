/* bench_datagen.c - records a second of the datagen plugin on one core without Kafka, for each
 * quickstart and for the ecommerce datasets; beside what JsonConverter (schemas.enable=false) and
 * memcpy do with the same records in the same run, so that the ratios mean something on any
 * machine: a ratio to JSON above 1 says that generating is not what holds a pipeline up.
 *
 *     cmake --build build/release --target bench_datagen
 *     build/release/bench_datagen [milliseconds per figure] [directory of the tree]
 *
 * For orientation, measured elsewhere on two shared cores: the Avro Random Generator alone, on Java
 * 17: users 312,000, pageviews 378,000, orders 340,000, clickstream 378,000 records/s, before
 * Connect converts one record a poll; Materialize datagen --dry-run on ecommerce: 9,000 to 11,500
 * records/s, into Kafka 1,800 to 2,100. */
#include "base/buf.h"
#include "data/batch.h"
#include "data/builtins.h"
#include "measure.h"
#include "plugin/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct sluice_plugin *const *sluice_plugins_v1(void);

static const char *quickstart, *filename; /* the config */

/* ---- a host with just this config ---- */

static const char *str(const struct sluice_conf *conf, const char *key)
{
    (void)conf;
    if (strcmp(key, "kafka.topic") == 0) return "t";
    if (strcmp(key, "quickstart") == 0) return quickstart;
    if (strcmp(key, "schema.filename") == 0) return filename;
    if (strcmp(key, "random.seed") == 0) return "42";
    return strcmp(key, "decimal.format") == 0 ? "BASE64" : "";
}

static int64_t num(const struct sluice_conf *conf, const char *key)
{
    (void)conf;
    if (strcmp(key, "random.seed") == 0) return 42;
    return strcmp(key, "schemas.cache.size") == 0 ? 1000 : 0;
}

static double real(const struct sluice_conf *conf, const char *key)
{
    (void)conf;
    (void)key;
    return 0;
}

static bool flag(const struct sluice_conf *conf, const char *key)
{
    (void)conf;
    (void)key;
    return false;
}

static uint32_t partition(struct sluice_task *task, const struct sluice_value *map)
{
    (void)task;
    (void)map;
    return 0;
}

static const struct sluice_value *resume(struct sluice_task *task, uint32_t number)
{
    (void)task;
    (void)number;
    return NULL;
}

static int zero(struct sluice_task *task)
{
    (void)task;
    return 0;
}

static int task_id(const struct sluice_task *task)
{
    (void)task;
    return 0;
}

static struct sluice_host host;

static void *opened(const struct sluice_plugin *plugin)
{
    struct sluice_err err = {""};
    void *self = NULL;
    if (plugin->open(NULL, &host, NULL, &self, &err) == SLUICE_OK) return self;
    fprintf(stderr, "%s: %s\n", plugin->name, err.msg);
    exit(1);
}

/* ---- measuring ---- */

struct figures {
    double made_ns, json_ns, copy_ns; /* for each record */
    size_t bytes;                     /* of JSON, for each record */
};

static void fill(const struct sluice_plugin *plugin, void *self, struct sluice_batch *batch)
{
    static const struct sluice_room room = {sizeof room, 0, 2000, 16u << 20};
    struct sluice_err err = {""};
    sluice_batch_reset(batch);
    if (plugin->source->poll(self, batch, &room, &err) != SLUICE_OK) {
        fprintf(stderr, "poll: %s\n", err.msg);
        exit(1);
    }
}

static size_t encode(void *json, const struct sluice_batch *batch, struct sluice_buf *out)
{
    struct sluice_err err = {""};
    size_t bytes = 0;
    for (size_t i = 0; i < batch->n; i++) {
        const struct sluice_record *rec = &batch->records[i];
        bool null = false;
        sluice_buf_clear(out);
        if (sluice_json_converter.converter->encode(json, rec->topic, NULL, rec->value_schema,
                                                    &rec->value, out, &null, &err) != SLUICE_OK) {
            fprintf(stderr, "encode: %s\n", err.msg);
            exit(1);
        }
        bytes += out->len;
    }
    return bytes;
}

static struct figures measure(double budget_ns)
{
    const struct sluice_plugin *plugin = sluice_plugins_v1()[0];
    struct sluice_batch batch;
    struct sluice_buf out;
    struct figures f = {0};
    size_t records = 0;
    void *self = opened(plugin), *json = opened(&sluice_json_converter);
    sluice_batch_init(&batch);
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    fill(plugin, self, &batch); /* warm */
    double start = now_ns();
    for (; now_ns() - start < budget_ns; records += batch.n) fill(plugin, self, &batch);
    f.made_ns = (now_ns() - start) / (double)records;
    size_t bytes = 0;
    records = 0;
    start = now_ns();
    for (; now_ns() - start < budget_ns / 2; records += batch.n)
        bytes += encode(json, &batch, &out);
    f.json_ns = (now_ns() - start) / (double)records;
    f.bytes = bytes / records;
    char *from = calloc(1, f.bytes + 1), *to = malloc(f.bytes + 1);
    size_t copies = 0;
    start = now_ns();
    for (; now_ns() - start < budget_ns / 8; copies += 1000) {
        for (int i = 0; i < 1000; i++) {
            memcpy(to, from, f.bytes);
            __asm__ volatile("" : : "r"(to), "r"(from) : "memory");
        }
    }
    f.copy_ns = (now_ns() - start) / (double)copies;
    free(from);
    free(to);
    plugin->close(self);
    sluice_json_converter.close(json);
    sluice_buf_fini(&out);
    sluice_batch_fini(&batch);
    return f;
}

static void report(const char *what, double budget_ns)
{
    struct figures f = measure(budget_ns);
    printf("%-18s %10.0f records/s  %6.1f ns  %4zu bytes  x JSON encoding %5.2f  x memcpy %6.4f\n",
           what, 1e9 / f.made_ns, f.made_ns, f.bytes, f.json_ns / f.made_ns, f.copy_ns / f.made_ns);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"users", "pageviews", "orders", "clickstream",
                                        "clickstream_users"};
    double budget_ns = (argc > 1 ? strtod(argv[1], NULL) : 500) * 1e6;
    char path[4096];
    host = sluice_host_base();
    host.str = str;
    host.num = num;
    host.real = real;
    host.flag = flag;
    host.partition = partition;
    host.resume = resume;
    host.wake_fd = zero;
    host.task_id = task_id;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        quickstart = names[i];
        filename = "";
        report(names[i], budget_ns);
    }
    quickstart = "";
    (void)snprintf(path, sizeof path, "%s/configs/datagen/ecommerce.json",
                   argc > 2 ? argv[2] : ".");
    filename = path;
    report("ecommerce", budget_ns);
    return 0;
}
