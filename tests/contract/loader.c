/* loader.c - what the loader takes and refuses, on real shared objects. The program lies beside
 * plugins/ as the executable sluice does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "fake_host.h"
#include "harness.h"
#include "plugin/load.h"

#define CONNECTORS (1u << SLUICE_KIND_SOURCE | 1u << SLUICE_KIND_SINK)

static const struct sluice_plugin *find(const struct sluice_registry *registry, const char *name)
{
    return sluice_registry_find(registry, CONNECTORS, name, NULL);
}

static char *built(const char *name)
{
    return sluice_xasprintf("%s/%s", SLUICE_CONTRACT_DIR, name);
}

TEST(another_major_is_refused_with_both_versions)
{
    char here[64];
    snprintf(here, sizeof here, "but this sluice has %u.%u; rebuild it", SLUICE_ABI_MAJOR,
             SLUICE_ABI_MINOR);
    struct sluice_registry *registry = sluice_registry_new();
    struct sluice_err err = {0};
    char *path = built("contract_foreign.so");
    CHECK(!sluice_load_file(registry, path, &err));
    CHECK_HAS(err.msg, path);
    CHECK_HAS(err.msg, "was built for plugin ABI 9.4, ");
    CHECK_HAS(err.msg, here);
    free(path);
    path = built("contract_next_major.so");
    CHECK(!sluice_load_file(registry, path, &err));
    CHECK_HAS(err.msg, path);
    CHECK_HAS(err.msg, "was built for plugin ABI 2, ");
    CHECK_HAS(err.msg, here);
    free(path);
    sluice_registry_free(registry);
}

TEST(a_library_that_is_no_plugin_is_refused)
{
    struct sluice_registry *registry = sluice_registry_new();
    struct sluice_err err = {0};
    char *path = sluice_xasprintf("%s/empty.so", harness_dir());
    char *command =
        sluice_xasprintf("echo 'int sluice_nothing;' | cc -shared -fPIC -x c - -o %s", path);
    CHECK_INT(system(command), 0);
    CHECK(!sluice_load_file(registry, path, &err));
    CHECK_HAS(err.msg, "empty.so is no sluice plugin: it does not export sluice_plugins_v1()");
    free(command);
    free(path);
    sluice_registry_free(registry);
}

struct load {
    struct sluice_registry *registry;
    const char *path;
};

static void load(void *arg)
{
    struct load *what = arg;
    sluice_load_path(what->registry, what->path);
}

TEST(plugins_beside_the_executable_are_found)
{
    struct sluice_registry *registry = sluice_registry_new();
    struct load what = {registry, NULL};
    char *text = harness_stderr(load, &what);
    CHECK_STR(text, "");
    CHECK(find(registry, "file-source") != NULL);
    CHECK(find(registry, "FileStreamSink") != NULL);
    CHECK(find(registry, "org.apache.kafka.connect.file.FileStreamSourceConnector") != NULL);
    free(text);
    sluice_registry_free(registry);
}

TEST(plugin_path_takes_files_and_directories_and_skips_bad_ones)
{
    /* <dir>/inner/counter.so is found, <dir>/inner/deep/x.so is too deep. */
    char *dir = sluice_xasprintf("%s/p", harness_dir());
    char *command = sluice_xasprintf(
        "mkdir -p %s/inner/deep && cp %s/contract_counter.so %s/inner/counter.so && "
        "echo text >%s/broken.so && echo jar >%s/some.jar && cp %s/plugins/file.so %s/inner/deep",
        dir, SLUICE_CONTRACT_DIR, dir, dir, dir, SLUICE_BUILD_DIR, dir);
    CHECK_INT(system(command), 0);
    char *foreign = built("contract_foreign.so");
    char *path = sluice_xasprintf(" %s , %s/no-such-dir,%s", dir, dir, foreign);
    struct sluice_registry *registry = sluice_registry_new();
    struct load what = {registry, path};
    char *text = harness_stderr(load, &what);
    CHECK(find(registry, "counter") != NULL);
    CHECK(find(registry, "file-source") == NULL); /* plugin.path replaces the default */
    CHECK_HAS(text, "level=warn msg=\"skipping a plugin: cannot load the plugin");
    CHECK_HAS(text, "broken.so: ");
    CHECK_HAS(text, "no-such-dir");
    CHECK_HAS(text, "ABI 9.4");
    free(text);
    sluice_registry_free(registry);
    free(path);
    free(foreign);
    free(command);
    free(dir);
}

TEST(a_java_plugin_path_falls_back_to_the_plugins_that_came_along)
{
    struct sluice_registry *registry = sluice_registry_new();
    struct load what = {registry, harness_dir()};
    char *text = harness_stderr(load, &what);
    CHECK_HAS(text, "holds no plugin that loads");
    CHECK(find(registry, "file-source") != NULL);
    free(text);
    sluice_registry_free(registry);
}

TEST(two_files_with_the_same_plugin_first_wins)
{
    char *command = sluice_xasprintf("cp %s/contract_counter.so %s/copy.so", SLUICE_CONTRACT_DIR,
                                     harness_dir());
    CHECK_INT(system(command), 0);
    char *path =
        sluice_xasprintf("%s/contract_counter.so,%s/copy.so", SLUICE_CONTRACT_DIR, harness_dir());
    struct sluice_registry *registry = sluice_registry_new();
    struct load what = {registry, path};
    char *text = harness_stderr(load, &what);
    CHECK_HAS(text, "which counter 1.0 from ");
    CHECK_HAS(text, "has already; take one of the two out of plugin.path");
    CHECK(find(registry, "counter") != NULL);
    free(text);
    sluice_registry_free(registry);
    free(path);
    free(command);
}

/* The plugin of docs/PLUGIN.md does what the page says. */
TEST(the_counter_of_the_documentation_counts)
{
    struct sluice_registry *registry = sluice_registry_new();
    struct sluice_err err = {0};
    char *path = built("contract_counter.so");
    CHECK(sluice_load_file(registry, path, &err));
    const struct sluice_plugin *counter = find(registry, "com.example.CounterConnector");
    CHECK(counter != NULL && counter == find(registry, "Counter"));

    struct fake_host fake;
    fake_init(&fake, counter, "topic", "numbers", "limit", "5", "interval.ms", "0", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    fake.room_records = 2;
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    CHECK_INT(fake.n, 2);
    CHECK(fake_poll_until(&fake, 5, 10000));
    CHECK_STR(fake.records[4].topic, "numbers");
    CHECK_STR(fake_text(&fake, fake.records[4].value_schema, &fake.records[4].value),
              "{number:5,text:\"number 5\"}");
    CHECK_STR(fake_offset(&fake, &fake.records[2]), "{\"number\":3}");
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    CHECK_INT(fake.n, 5); /* the limit */

    CHECK_INT(fake_ack(&fake, &fake.records[2]), SLUICE_OK);
    fake_close(&fake);
    fake_clear(&fake);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK(fake_poll_until(&fake, 2, 10000));
    CHECK_STR(fake_text(&fake, fake.records[0].value_schema, &fake.records[0].value),
              "{number:4,text:\"number 4\"}");
    fake_close(&fake);

    /* The page promises that a wrong stored offset fails with a reason. */
    fake_resume(&fake, "{\"counter\":\"numbers\"}", "{\"number\":\"x\"}");
    CHECK_INT(fake_open(&fake), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "reset the connector's offsets");
    fake_fini(&fake);
    sluice_registry_free(registry);
    free(path);
}

/* A transform and a predicate come from a shared object as connectors do, and run. */
TEST(transforms_and_predicates_come_from_shared_objects)
{
    struct sluice_registry *registry = sluice_registry_new();
    struct sluice_err err = {0};
    char *path = built("contract_marking.so");
    CHECK(sluice_load_file(registry, path, &err));
    const struct sluice_plugin *mark = sluice_registry_find(registry, 1u << SLUICE_KIND_TRANSFORM,
                                                            "com.example.transforms.Mark", &err);
    const struct sluice_plugin *marked =
        sluice_registry_find(registry, 1u << SLUICE_KIND_PREDICATE, "IsMarked", &err);
    CHECK(mark != NULL && marked != NULL);
    CHECK(find(registry, "mark") == NULL); /* no connector */

    struct fake_host transform, predicate;
    fake_init(&transform, mark, "mark", ">", NULL);
    fake_init(&predicate, marked, "mark", ">", NULL);
    CHECK_INT(fake_open(&transform), SLUICE_OK);
    CHECK_INT(fake_open(&predicate), SLUICE_OK);
    struct sluice_record rec = {.topic = "t", .value = sluice_string("line", 4)};
    bool holds = true;
    CHECK_INT(marked->predicate->test(predicate.self, &rec, &holds, &err), SLUICE_OK);
    CHECK(!holds);
    CHECK_INT(mark->transform->apply(transform.self, &transform.batch, &rec, &err), SLUICE_OK);
    CHECK_STR(fake_text(&transform, NULL, &rec.value), "\">line\"");
    CHECK_INT(marked->predicate->test(predicate.self, &rec, &holds, &err), SLUICE_OK);
    CHECK(holds);
    fake_fini(&predicate);
    fake_fini(&transform);
    sluice_registry_free(registry);
    free(path);
}
