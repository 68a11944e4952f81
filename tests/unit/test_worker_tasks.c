/* How many tasks a connector may have: tasks.max, what bounds it, and tasks.max.enforce. */
#include "harness.h"

#include "worker/worker.h"

static struct sluice_worker *worker_of(struct sluice_registry **registry)
{
    struct sluice_map props = {0};
    struct sluice_err err = {{0}};
    *registry = sluice_registry_new();
    sluice_map_set(&props, "key.converter", "JsonConverter");
    sluice_map_set(&props, "value.converter", "JsonConverter");
    sluice_map_set(&props, "offset.storage.file.filename", "/dev/null");
    struct sluice_worker *worker = sluice_worker_new(&props, *registry, NULL, NULL, &err);
    sluice_map_fini(&props);
    CHECK_STR(err.msg, "");
    CHECK(worker != NULL);
    return worker;
}

static int count(struct sluice_worker *worker, uint32_t plugin_max, const char *tasks_max)
{
    struct sluice_map config = {0};
    const struct sluice_plugin plugin = {.name = "p", .max_tasks = plugin_max};
    if (tasks_max) sluice_map_set(&config, "tasks.max", tasks_max);
    int n = sluice_worker_task_count(worker, &plugin, &config);
    sluice_map_fini(&config);
    return n;
}

TEST(tasks_max_bounded_by_the_plugin)
{
    struct sluice_registry *registry;
    struct sluice_worker *worker = worker_of(&registry);
    CHECK_INT(count(worker, 0, NULL), 1);
    CHECK_INT(count(worker, 0, " 12 "), 12);
    CHECK_INT(count(worker, 1, "12"), 1);
    CHECK_INT(count(worker, 0, "2000000000"), 100000);
    sluice_worker_free(worker);
    sluice_registry_free(registry);
}

TEST(more_tasks_than_tasks_max)
{
    struct sluice_registry *registry;
    struct sluice_worker *worker = worker_of(&registry);
    struct sluice_map config = {0};
    struct sluice_err err = {{0}};
    CHECK(sluice_worker_tasks_allowed(worker, "c", &config, 1, &err));
    CHECK(!sluice_worker_tasks_allowed(worker, "c", &config, 2, &err));
    CHECK_HAS(err.msg, "The connector c has generated 2 tasks, which is greater than 1");
    sluice_map_set(&config, "tasks.max", "3");
    sluice_map_set(&config, "tasks.max.enforce", "true");
    CHECK(sluice_worker_tasks_allowed(worker, "c", &config, 3, &err));
    CHECK(!sluice_worker_tasks_allowed(worker, "c", &config, 4, &err));
    CHECK_HAS(err.msg, "The connector c has generated 4 tasks, which is greater than 3");
    sluice_map_set(&config, "tasks.max.enforce", " False");
    CHECK(sluice_worker_tasks_allowed(worker, "c", &config, 4, &err));
    sluice_map_fini(&config);
    sluice_worker_free(worker);
    sluice_registry_free(registry);
}
