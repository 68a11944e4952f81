/* test_registry.c - names that plugins answer to, and descriptions that are refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/builtins.h"
#include "harness.h"
#include "plugin/load.h"
#include "plugin/registry.h"

#define ANY 0xFFu
#define SOURCES (1u << SLUICE_KIND_SOURCE)
#define SINKS (1u << SLUICE_KIND_SINK)
#define TRANSFORMS (1u << SLUICE_KIND_TRANSFORM)

static enum sluice_verdict open_toy(struct sluice_task *task, const struct sluice_host *host,
                                    const struct sluice_conf *conf, void **self,
                                    struct sluice_err *err)
{
    (void)task;
    (void)host;
    (void)conf;
    (void)self;
    (void)err;
    return SLUICE_OK;
}

static void close_toy(void *self) { (void)self; }

static enum sluice_verdict poll_toy(void *self, struct sluice_batch *batch,
                                    const struct sluice_room *room, struct sluice_err *err)
{
    (void)self;
    (void)batch;
    (void)room;
    (void)err;
    return SLUICE_OK;
}

static enum sluice_verdict offset_toy(void *self, const void *position, size_t len,
                                      struct sluice_batch *scratch, struct sluice_value *out,
                                      struct sluice_err *err)
{
    (void)self;
    (void)position;
    (void)len;
    (void)scratch;
    (void)out;
    (void)err;
    return SLUICE_OK;
}

static enum sluice_verdict put_toy(void *self, const struct sluice_record *records, size_t n,
                                   struct sluice_err *err)
{
    (void)self;
    (void)records;
    (void)n;
    (void)err;
    return SLUICE_OK;
}

static enum sluice_verdict flush_toy(void *self, struct sluice_err *err)
{
    (void)self;
    (void)err;
    return SLUICE_OK;
}

static enum sluice_verdict apply_toy(void *self, struct sluice_batch *batch,
                                     struct sluice_record *rec, struct sluice_err *err)
{
    (void)self;
    (void)batch;
    (void)rec;
    (void)err;
    return SLUICE_OK;
}

static const struct sluice_source source = {
    .size = sizeof(source), .poll = poll_toy, .offset = offset_toy};
static const struct sluice_sink sink = {sizeof(sink), put_toy, NULL, flush_toy, NULL};
static const struct sluice_transform transform = {sizeof(transform), apply_toy};
static const struct sluice_option no_options[] = {{.key = NULL}};

#define TOY(toy_name, toy_kind, ...)                                                               \
    {                                                                                              \
        SLUICE_PLUGIN_HEAD, .kind = toy_kind, .name = toy_name, .version = "1.0",                  \
                            .aliases = (const char *const[]){__VA_ARGS__, NULL},                   \
                            .options = no_options, .open = open_toy, .close = close_toy,           \
                            .source = &source, .sink = &sink, .transform = &transform              \
    }

static const struct sluice_plugin cdc =
    TOY("toy-cdc", SLUICE_KIND_SOURCE, "org.toy.ToyConnector", "ToyCdcSource");
static const struct sluice_plugin file_sink =
    TOY("toy-file", SLUICE_KIND_SINK, "org.toy.ToyFileSinkConnector");
static const struct sluice_plugin value_smt =
    TOY("toy-extract-value", SLUICE_KIND_TRANSFORM, "org.toy.Extract$Value");
static const struct sluice_plugin router =
    TOY("toy-router", SLUICE_KIND_TRANSFORM, "org.toy.ToyTransform");
static const struct sluice_plugin twin =
    TOY("toy-twin", SLUICE_KIND_SOURCE, "com.other.ToyConnector");

static struct sluice_registry *make(void)
{
    static const struct sluice_plugin *const list[] = {&cdc, &file_sink, &value_smt, &router, NULL};
    struct sluice_registry *registry = sluice_registry_new();
    struct sluice_err err = {0};
    CHECK(sluice_registry_add(registry, "/p/toy.so", list, &err));
    CHECK(sluice_registry_add(registry, "/p/link-to-toy.so", list, &err)); /* the same again */
    return registry;
}

TEST(registry_finds_all_names_of_a_plugin)
{
    struct sluice_registry *registry = make();
    struct sluice_err err = {0};
    static const char *const names[] = {"toy-cdc", "org.toy.ToyConnector", "ToyConnector", "Toy",
                                        "ToyCdcSource"};
    for (size_t i = 0; i < 5; i++) {
        CHECK(sluice_registry_find(registry, SOURCES | SINKS, names[i], &err) == &cdc);
    }
    CHECK(sluice_registry_find(registry, SINKS, "ToyFileSink", &err) == &file_sink);
    CHECK(sluice_registry_find(registry, TRANSFORMS, "org.toy.Extract$Value", &err) == &value_smt);
    CHECK(sluice_registry_find(registry, TRANSFORMS, "Extract$Value", &err) == NULL);
    CHECK(sluice_registry_find(registry, TRANSFORMS, "Value", &err) == NULL);
    CHECK(sluice_registry_find(registry, SINKS, "toy-cdc", &err) == NULL);
    CHECK(sluice_registry_find(registry, SOURCES, "", &err) == NULL);
    CHECK(sluice_registry_find(registry, TRANSFORMS, "Toy", &err) == &router);
    CHECK_STR(sluice_plugin_class(&cdc), "org.toy.ToyConnector");
    sluice_registry_free(registry);
    sluice_registry_free(NULL);
}

TEST(registry_miss_names_the_known_and_the_nearest)
{
    struct sluice_registry *registry = make();
    struct sluice_err err = {0};
    CHECK(!sluice_registry_find(registry, SOURCES | SINKS, "org.toy.ToyConector", &err));
    CHECK_STR(err.msg, "no plugin is called org.toy.ToyConector; did you mean "
                       "org.toy.ToyConnector?; known are: toy-file "
                       "(org.toy.ToyFileSinkConnector), toy-cdc (org.toy.ToyConnector)");
    CHECK(!sluice_registry_find(registry, 1u << SLUICE_KIND_CONFIG_PROVIDER, "x", &err));
    CHECK_HAS(err.msg, "is plugin.path right?");
    sluice_registry_free(registry);
}

TEST(registry_refuses_an_ambiguous_name_and_takes_the_full_one)
{
    struct sluice_registry *registry = make();
    static const struct sluice_plugin *const list[] = {&twin, NULL};
    struct sluice_err err = {0};
    CHECK(sluice_registry_add(registry, "/p/twin.so", list, &err));
    CHECK(sluice_registry_find(registry, SOURCES, "ToyConnector", &err) == NULL);
    CHECK_HAS(err.msg, "fits both org.toy.ToyConnector and com.other.ToyConnector");
    CHECK(sluice_registry_find(registry, SOURCES, "Toy", &err) == NULL);
    CHECK(sluice_registry_find(registry, SOURCES, "com.other.ToyConnector", &err) == &twin);
    sluice_registry_free(registry);
}

TEST(registry_lists_in_connects_order)
{
    struct sluice_registry *registry = make();
    static const int order[] = {[SLUICE_KIND_SINK] = 0,      [SLUICE_KIND_SOURCE] = 1,
                                [SLUICE_KIND_TRANSFORM] = 2, [SLUICE_KIND_PREDICATE] = 3,
                                [SLUICE_KIND_CONVERTER] = 4, [SLUICE_KIND_HEADER_CONVERTER] = 5};
    const struct sluice_plugin *last = NULL, *plugin;
    size_t n = 0;
    for (; (plugin = sluice_registry_at(registry, n)); n++) {
        if (last && last->kind == plugin->kind) CHECK(strcmp(last->name, plugin->name) < 0);
        else if (last) CHECK(order[last->kind] < order[plugin->kind]);
        last = plugin;
    }
    size_t builtins = 0;
    while (sluice_builtins()[builtins]) builtins++;
    CHECK_INT(n, builtins + 4);
    sluice_registry_free(registry);
}

/* Adds the one plugin and expects a refusal that names the path and the piece. */
static void check_refused(const struct sluice_plugin *plugin, const char *piece)
{
    struct sluice_registry *registry = make();
    const struct sluice_plugin *const list[] = {&twin, plugin, NULL};
    struct sluice_err err = {0};
    CHECK(!sluice_registry_add(registry, "/p/bad.so", list, &err));
    CHECK_HAS(err.msg, "/p/bad.so");
    CHECK_HAS(err.msg, piece);
    CHECK(!sluice_registry_find(registry, ANY, "toy-twin", &err)); /* all of a list or nothing */
    sluice_registry_free(registry);
}

TEST(registry_refuses_foreign_and_broken_descriptions)
{
    struct sluice_plugin bad = cdc;
    bad.name = "other";
    bad.aliases = NULL;
    bad.abi_major = 9;
    bad.abi_minor = 3;
    char both[96];
    snprintf(both, sizeof both, "plugin ABI 9.3, but this sluice has %u.%u; rebuild it",
             SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR);
    check_refused(&bad, both);
    bad.abi_major = SLUICE_ABI_MAJOR;
    bad.size = 40;
    check_refused(&bad, "its description has 40 bytes");
    bad.size = sizeof(bad);
    bad.option_size = 8;
    check_refused(&bad, "its options 8 each");
    bad.option_size = sizeof(struct sluice_option);
    bad.name = NULL;
    check_refused(&bad, "without a name or version");
    bad.name = "other";
    bad.version = NULL;
    check_refused(&bad, "without a name or version");
    bad.version = "1";
    bad.kind = (enum sluice_kind)77;
    check_refused(&bad, "is of kind 77, which needs a newer sluice");
    bad.kind = SLUICE_KIND_CONVERTER;
    check_refused(&bad, "is a converter without converter->encode");
    bad.kind = SLUICE_KIND_SOURCE;
    bad.close = NULL;
    check_refused(&bad, "without close");
    bad.close = close_toy;
    struct sluice_source half = source;
    half.offset = NULL;
    bad.source = &half;
    check_refused(&bad, "without source->offset");
    half.offset = offset_toy;
    half.size = 8;
    check_refused(&bad, "without size in a table");
    bad.source = &source;
    const struct sluice_option no_doc[] = {{.key = "k"}, {.key = NULL}};
    bad.options = no_doc;
    check_refused(&bad, "option k of plugin other has no doc");
    bad.options = no_options;
    bad.aliases = (const char *const[]){"org.toy.ToyConnector", NULL};
    check_refused(&bad, "answers to the name org.toy.ToyConnector, which toy-cdc 1.0 from "
                        "/p/toy.so has already");
}

TEST(registry_refuses_an_empty_list)
{
    struct sluice_registry *registry = make();
    static const struct sluice_plugin *const none[] = {NULL};
    struct sluice_err err = {0};
    CHECK(!sluice_registry_add(registry, "/p/none.so", none, &err));
    CHECK_HAS(err.msg, "/p/none.so describes no plugin");
    CHECK(!sluice_registry_add(registry, "/p/none.so", NULL, &err));
    sluice_registry_free(registry);
}

TEST(load_says_why_a_file_is_no_plugin)
{
    struct sluice_registry *registry = sluice_registry_new();
    struct sluice_err err = {0};
    CHECK(!sluice_load_file(registry, "/nonexistent/x.so", &err));
    CHECK_HAS(err.msg, "cannot load the plugin /nonexistent/x.so");
    char *path = sluice_xasprintf("%s/harness.h", SLUICE_TEST_DIR);
    CHECK(!sluice_load_file(registry, path, &err));
    CHECK_HAS(err.msg, "invalid ELF header");
    free(path);
    CHECK(!sluice_load_file(registry, "no-slash-and-not-there.so", &err));
    CHECK_HAS(err.msg, "no-slash-and-not-there.so");
    sluice_registry_free(registry);
}
