/* The standalone herder against tasks that do what the test says. */
#include "harness.h"

#include "fake_worker.h"
#include "herder/herder.h"
#include "store/offset_store.h"

/* ---- a herder and how to talk to it ---- */

#define LONG_MS 60000 /* never waited for */

struct fixture {
    struct sluice_registry *registry;
    struct sluice_worker worker;
    struct sluice_offset_store *offsets;
    struct sluice_herder *herder;
};

static void setup(struct fixture *f, int64_t graceful_ms)
{
    struct sluice_err err = {{0}};
    f->registry = sluice_registry_new();
    CHECK(sluice_registry_add(f->registry, NULL, fake_plugins, &err));
    f->worker = (struct sluice_worker){f->registry, graceful_ms};
    f->offsets = fake_offsets = sluice_offset_memory_new();
    f->herder = sluice_standalone_new(&f->worker, f->offsets, &err);
    CHECK(f->herder != NULL);
    fake_no_threads = false;
}

static void teardown(struct fixture *f)
{
    CHECK(f->herder->ops->stop(f->herder, LONG_MS));
    f->herder->ops->free(f->herder);
    sluice_offset_store_free(f->offsets);
    sluice_registry_free(f->registry);
    CHECK_INT(fake_alive(), 0);
}

static char *last_text; /* of the last answer; freed by the next */

static int took(struct sluice_answer *answer)
{
    free(last_text);
    last_text = answer->body ? json_dumps(answer->body, JSON_COMPACT) : sluice_xstrdup("");
    int status = answer->status;
    sluice_answer_fini(answer);
    return status;
}

/* pairs: "k=v" ..., NULL */
static void config_of(struct sluice_map *map, const char *const *pairs)
{
    *map = (struct sluice_map){0};
    for (; *pairs; pairs++) {
        char *key = sluice_xstrdup(*pairs), *value = strchr(key, '=');
        *value++ = '\0';
        sluice_map_set(map, key, value);
        free(key);
    }
}

#define CONFIG(...)                                                                                \
    (const char *const[]) { "connector.class=FakeSource", "file=/x", __VA_ARGS__, NULL }

static int create(struct fixture *f, const char *name, enum sluice_target target,
                  const char *const *pairs)
{
    struct sluice_map map;
    struct sluice_answer answer = {0};
    config_of(&map, pairs);
    f->herder->ops->create(f->herder, name, &map, target, &answer);
    sluice_map_fini(&map);
    return took(&answer);
}

static int put(struct fixture *f, const char *name, const char *const *pairs)
{
    struct sluice_map map;
    struct sluice_answer answer = {0};
    config_of(&map, pairs);
    f->herder->ops->put_config(f->herder, name, &map, &answer);
    sluice_map_fini(&map);
    return took(&answer);
}

static int ask(struct fixture *f,
               void (*op)(struct sluice_herder *, const char *, struct sluice_answer *),
               const char *name)
{
    struct sluice_answer answer = {0};
    op(f->herder, name, &answer);
    return took(&answer);
}

static int target(struct fixture *f, const char *name, enum sluice_target target)
{
    struct sluice_answer answer = {0};
    f->herder->ops->set_target(f->herder, name, target, &answer);
    return took(&answer);
}

static int restart(struct fixture *f, const char *name, bool tasks, bool failed)
{
    struct sluice_answer answer = {0};
    f->herder->ops->restart(f->herder, name, tasks, failed, &answer);
    return took(&answer);
}

struct wanted_status {
    struct fixture *f;
    const char *name, *piece; /* tasks are looked at one after the other: wait for each */
};

static bool status_has(void *arg)
{
    struct wanted_status *want = arg;
    ask(want->f, want->f->herder->ops->status, want->name);
    return strstr(last_text, want->piece) != NULL;
}

#define WAIT_STATUS(f, connector, text)                                                            \
    do {                                                                                           \
        struct wanted_status want = {(f), (connector), (text)};                                    \
        harness_until(status_has, &want);                                                          \
        CHECK_HAS(last_text, (text));                                                              \
    } while (0)

static bool alive_are(void *n) { return fake_alive() == *(int *)n; }

static bool wait_alive(int n) { return harness_until(alive_are, &n); }

#define RUNNING0 "{\"id\":0,\"state\":\"RUNNING\""

/* ---- creating ---- */

TEST(create_answers_as_connect_does)
{
    struct fixture f;
    setup(&f, 1000);
    CHECK_INT(create(&f, "a", SLUICE_TARGET_STARTED, CONFIG("tasks.max=2")), 201);
    CHECK_STR(last_text,
              "{\"name\":\"a\",\"config\":{\"connector.class\":\"FakeSource\",\"file\":"
              "\"/x\",\"tasks.max\":\"2\",\"name\":\"a\"},\"tasks\":[{\"connector\":"
              "\"a\",\"task\":0},{\"connector\":\"a\",\"task\":1}],\"type\":\"source\"}");
    CHECK_INT(create(&f, "a", SLUICE_TARGET_STARTED, CONFIG("tasks.max=2")), 409);
    CHECK_STR(last_text, "{\"error_code\":409,\"message\":\"Connector a already exists\"}");
    WAIT_STATUS(&f, "a", RUNNING0);
    WAIT_STATUS(&f, "a", "{\"id\":1,\"state\":\"RUNNING\"");
    CHECK_STR(
        last_text,
        "{\"name\":\"a\",\"connector\":{\"state\":\"RUNNING\",\"worker_id\":\"127.0.0.1:8083\","
        "\"version\":\"1.2.3\"},\"tasks\":[{\"id\":0,\"state\":\"RUNNING\",\"worker_id\":"
        "\"127.0.0.1:8083\",\"version\":\"1.2.3\"},{\"id\":1,\"state\":\"RUNNING\","
        "\"worker_id\":\"127.0.0.1:8083\",\"version\":\"1.2.3\"}],\"type\":\"source\"}");
    CHECK_INT(ask(&f, f.herder->ops->tasks, "a"), 200);
    CHECK_HAS(last_text, "\"task.class\":\"org.example.FakeSourceTask\"");
    teardown(&f);
}

TEST(wrong_configs_are_refused_with_every_finding)
{
    struct fixture f;
    setup(&f, 1000);
    CHECK_INT(create(&f, "a", SLUICE_TARGET_STARTED, CONFIG("tasks.max=0", "fake.finding=odd")),
              400);
    CHECK_HAS(last_text, "invalid and contains the following 2 error(s):\\nInvalid value 0 for "
                         "configuration tasks.max: Value must be at least 1");
    CHECK_HAS(last_text, "\\nodd\\nYou can also find the above list of errors at the endpoint "
                         "`/connector-plugins/{connectorType}/config/validate`");
    CHECK_INT(create(&f, "a", SLUICE_TARGET_STARTED, CONFIG("name=b")), 400);
    CHECK_HAS(last_text, "Connector name configuration (b) doesn't match connector name in the URL "
                         "(a)");
    CHECK_INT(
        create(&f, "a", SLUICE_TARGET_STARTED, (const char *const[]){"db.password=geheim", NULL}),
        400);
    CHECK_HAS(last_text, "Connector config {db.password=[hidden], name=a} contains no connector "
                         "type");
    CHECK_INT(
        create(&f, "a", SLUICE_TARGET_STARTED, (const char *const[]){"connector.class=Nope", NULL}),
        400);
    CHECK_HAS(last_text,
              "Failed to find any class that implements Connector and which name matches "
              "Nope, available connectors are: ");
    CHECK_HAS(last_text, "org.example.FakeSourceConnector");
    CHECK_INT(ask(&f, f.herder->ops->status, "a"), 404);
    CHECK_HAS(last_text, "No status found for connector a");
    teardown(&f);
}

TEST(names_hold_no_control_characters)
{
    struct fixture f;
    setup(&f, 1000);
    CHECK_INT(put(&f, "a\001b\302\205", CONFIG("tasks.max=1")), 400);
    CHECK_HAS(last_text, "for configuration name: String may not contain control sequences but had "
                         "the following ASCII chars: 1, 133");
    CHECK_INT(put(&f, "\303\205 b", CONFIG("tasks.max=1")), 201);
    teardown(&f);
}

TEST(null_values_are_refused)
{
    struct fixture f;
    setup(&f, 1000);
    struct sluice_map map;
    struct sluice_answer answer = {0};
    config_of(&map, CONFIG("name=a"));
    sluice_map_set(&map, "anything", NULL);
    f.herder->ops->put_config(f.herder, "a", &map, &answer);
    sluice_map_fini(&map);
    CHECK_INT(took(&answer), 400);
    CHECK_HAS(last_text,
              "1 error(s):\\nNull value can not be supplied as the configuration value.");
    teardown(&f);
}

TEST(initial_states_and_their_ways)
{
    struct fixture f;
    setup(&f, 1000);
    CHECK_INT(create(&f, "p", SLUICE_TARGET_PAUSED, CONFIG("tasks.max=3")), 201);
    CHECK_HAS(last_text, "\"tasks\":[]");
    WAIT_STATUS(&f, "p", "{\"state\":\"PAUSED\"");
    CHECK_INT(fake_alive(), 0);
    CHECK_INT(target(&f, "p", SLUICE_TARGET_STARTED), 202);
    WAIT_STATUS(&f, "p", "{\"id\":2,\"state\":\"RUNNING\"");
    CHECK_INT(target(&f, "p", SLUICE_TARGET_PAUSED), 202);
    CHECK_INT(target(&f, "p", SLUICE_TARGET_PAUSED), 202);
    WAIT_STATUS(&f, "p", "{\"id\":2,\"state\":\"PAUSED\"");
    CHECK_INT(target(&f, "p", SLUICE_TARGET_STOPPED), 204);
    CHECK_INT(fake_alive(), 0); /* stop waits for them */
    WAIT_STATUS(&f, "p", "{\"state\":\"STOPPED\"");
    CHECK_HAS(last_text, "\"tasks\":[]");
    CHECK_INT(target(&f, "p", SLUICE_TARGET_PAUSED), 202);
    WAIT_STATUS(&f, "p", "\"tasks\":[]");
    CHECK_INT(target(&f, "p", SLUICE_TARGET_STARTED), 202);
    WAIT_STATUS(&f, "p", RUNNING0);
    CHECK_INT(target(&f, "nobody", SLUICE_TARGET_PAUSED), 404);
    CHECK_HAS(last_text, "Unknown connector nobody");
    teardown(&f);
}

/* ---- changing ---- */

TEST(a_new_config_replaces_tasks_and_the_same_one_does_not)
{
    struct fixture f;
    setup(&f, 1000);
    CHECK_INT(put(&f, "a", CONFIG("tasks.max=1")), 201);
    WAIT_STATUS(&f, "a", RUNNING0);
    int first = fake_task("a", 0)->starts;
    CHECK_INT(put(&f, "a", CONFIG("tasks.max=1")), 200);
    CHECK(wait_alive(1));
    CHECK_INT(fake_task("a", 0)->starts, first);
    CHECK_INT(put(&f, "a", CONFIG("tasks.max=3")), 200);
    WAIT_STATUS(&f, "a", "{\"id\":2,\"state\":\"RUNNING\"");
    CHECK(fake_task("a", 0)->starts > first);
    CHECK(wait_alive(3));
    CHECK_INT(put(&f, "a", CONFIG("tasks.max=2")), 200);
    WAIT_STATUS(&f, "a", "{\"id\":1,\"state\":\"RUNNING\"");
    CHECK(wait_alive(2));
    teardown(&f);
}

TEST(patch_merges_and_deletes)
{
    struct fixture f;
    setup(&f, 1000);
    put(&f, "a", CONFIG("tasks.max=1", "old=1"));
    struct sluice_map patch = {0};
    struct sluice_answer answer = {0};
    sluice_map_set(&patch, "tasks.max", "2");
    sluice_map_set(&patch, "old", NULL);
    sluice_map_set(&patch, "new", "n");
    f.herder->ops->patch_config(f.herder, "a", &patch, &answer);
    CHECK_INT(took(&answer), 200);
    ask(&f, f.herder->ops->config, "a");
    CHECK_STR(last_text, "{\"connector.class\":\"FakeSource\",\"file\":\"/x\",\"tasks.max\":\"2\","
                         "\"name\":\"a\",\"new\":\"n\"}");
    sluice_map_set(&patch, "tasks.max", "-1");
    f.herder->ops->patch_config(f.herder, "a", &patch, &answer);
    CHECK_INT(took(&answer), 400);
    f.herder->ops->patch_config(f.herder, "b", &patch, &answer);
    CHECK_INT(took(&answer), 404);
    CHECK_HAS(last_text, "Connector b not found");
    sluice_map_fini(&patch);
    teardown(&f);
}

TEST(delete_ends_tasks_and_forgets)
{
    struct fixture f;
    setup(&f, 1000);
    put(&f, "a", CONFIG("tasks.max=2"));
    WAIT_STATUS(&f, "a", RUNNING0);
    CHECK_INT(ask(&f, f.herder->ops->remove, "a"), 204);
    CHECK_INT(fake_alive(), 0);
    CHECK_INT(ask(&f, f.herder->ops->info, "a"), 404);
    CHECK_INT(ask(&f, f.herder->ops->remove, "a"), 404);
    CHECK_HAS(last_text, "Connector a not found");
    teardown(&f);
}

/* ---- failing and restarting ---- */

TEST(a_failed_task_keeps_its_trace_until_restarted)
{
    struct fixture f;
    setup(&f, 1000);
    put(&f, "a", CONFIG("tasks.max=2"));
    WAIT_STATUS(&f, "a", "{\"id\":1,\"state\":\"RUNNING\"");
    fake_fail(fake_task("a", 1), "no such table");
    CHECK(wait_alive(1)); /* its resources are gone */
    WAIT_STATUS(&f, "a", "\"version\":\"1.2.3\",\"trace\":\"no such table\"");
    CHECK_HAS(last_text, "\"connector\":{\"state\":\"RUNNING\"");
    int healthy = fake_task("a", 0)->starts;
    CHECK_INT(restart(&f, "a", true, true), 202);
    CHECK_HAS(last_text, "\"connector\":{\"state\":\"RUNNING\"");
    CHECK_HAS(last_text, "{\"id\":1,\"state\":\"RESTARTING\",\"worker_id\":\"127.0.0.1:8083\","
                         "\"version\":\"1.2.3\"}");
    WAIT_STATUS(&f, "a", "{\"id\":1,\"state\":\"RUNNING\"");
    CHECK_INT(fake_task("a", 0)->starts, healthy); /* only what failed */
    teardown(&f);
}

TEST(restart_plans)
{
    struct fixture f;
    setup(&f, 1000);
    put(&f, "a", CONFIG("tasks.max=1"));
    WAIT_STATUS(&f, "a", RUNNING0);
    int first = fake_task("a", 0)->starts;
    CHECK_INT(restart(&f, "a", false, false), 204);
    CHECK_STR(last_text, "");
    CHECK_INT(restart(&f, "a", false, true), 202);
    CHECK(!strstr(last_text, "RESTARTING"));
    CHECK_INT(fake_task("a", 0)->starts, first);
    CHECK_INT(restart(&f, "a", true, false), 202);
    CHECK_HAS(last_text, "\"connector\":{\"state\":\"RESTARTING\"");
    CHECK_HAS(last_text, "{\"id\":0,\"state\":\"RESTARTING\"");
    WAIT_STATUS(&f, "a", RUNNING0);
    CHECK(fake_task("a", 0)->starts > first);
    CHECK_INT(restart(&f, "b", true, false), 404);
    CHECK_HAS(last_text, "Unknown connector: b");
    struct sluice_answer answer = {0};
    f.herder->ops->restart_task(f.herder, "a", 0, &answer);
    CHECK_INT(took(&answer), 204);
    WAIT_STATUS(&f, "a", RUNNING0);
    f.herder->ops->restart_task(f.herder, "a", 5, &answer);
    CHECK_INT(took(&answer), 404);
    CHECK_HAS(last_text, "Task a-5 not found");
    ask(&f, f.herder->ops->status, "a");
    CHECK(!strstr(last_text, "\"id\":5"));
    teardown(&f);
}

TEST(a_restarted_task_of_a_paused_connector_stays_paused)
{
    struct fixture f;
    setup(&f, 1000);
    put(&f, "a", CONFIG("tasks.max=1"));
    WAIT_STATUS(&f, "a", RUNNING0);
    target(&f, "a", SLUICE_TARGET_PAUSED);
    restart(&f, "a", true, false);
    WAIT_STATUS(&f, "a", "{\"id\":0,\"state\":\"PAUSED\"");
    teardown(&f);
}

TEST(tasks_that_cannot_start_fail_the_connector)
{
    struct fixture f;
    setup(&f, 1000);
    fake_no_threads = true;
    put(&f, "a", CONFIG("tasks.max=1"));
    WAIT_STATUS(&f, "a", "\"connector\":{\"state\":\"FAILED\"");
    CHECK_HAS(last_text, "\"trace\":\"task 0 could not be started: no more threads\"");
    CHECK_HAS(last_text, "{\"id\":0,\"state\":\"FAILED\"");
    fake_no_threads = false;
    CHECK_INT(restart(&f, "a", true, true), 202);
    WAIT_STATUS(&f, "a", RUNNING0);
    CHECK_HAS(last_text, "\"connector\":{\"state\":\"RUNNING\"");
    teardown(&f);
}

/* ---- plugins that block ---- */

TEST(a_task_that_does_not_stop_holds_up_its_own_connector)
{
    struct fixture f;
    setup(&f, LONG_MS);
    put(&f, "a", CONFIG("fake.blocks=true"));
    put(&f, "b", CONFIG("tasks.max=1"));
    WAIT_STATUS(&f, "a", RUNNING0);
    int first = fake_task("a", 0)->starts;
    CHECK_INT(restart(&f, "a", true, false), 202);
    CHECK_INT(put(&f, "b", CONFIG("tasks.max=2")), 200);
    WAIT_STATUS(&f, "b", RUNNING0);
    WAIT_STATUS(&f, "b", "{\"id\":1,\"state\":\"RUNNING\"");
    WAIT_STATUS(&f, "a", "{\"id\":0,\"state\":\"RESTARTING\""); /* waits for the old one */
    CHECK_INT(fake_alive(), 3);
    fake_end();
    WAIT_STATUS(&f, "a", RUNNING0);
    CHECK(fake_task("a", 0)->starts > first);
    CHECK_INT(put(&f, "a", CONFIG("tasks.max=1")), 200); /* one that ends */
    fake_end();
    WAIT_STATUS(&f, "a", RUNNING0);
    teardown(&f);
}

TEST(a_task_that_does_not_stop_is_given_up_and_replaced)
{
    struct fixture f;
    setup(&f, 50);
    put(&f, "a", CONFIG("fake.blocks=true"));
    WAIT_STATUS(&f, "a", RUNNING0);
    int first = fake_task("a", 0)->starts;
    CHECK_INT(restart(&f, "a", true, false), 202);
    WAIT_STATUS(&f, "a", RUNNING0);
    CHECK(fake_task("a", 0)->starts > first);
    CHECK_INT(fake_alive(), 2); /* the zombie is one of them */
    fake_end();
    CHECK(wait_alive(1));
    CHECK_INT(target(&f, "a", SLUICE_TARGET_STOPPED), 204); /* given up after the time */
    CHECK_INT(fake_alive(), 1);
    fake_end();
    teardown(&f);
}

TEST(a_recreated_connector_waits_for_its_former_tasks)
{
    struct fixture f;
    setup(&f, LONG_MS);
    put(&f, "a", CONFIG("fake.blocks=true", "tasks.max=2"));
    WAIT_STATUS(&f, "a", "{\"id\":1,\"state\":\"RUNNING\"");
    CHECK_INT(put(&f, "a", CONFIG("tasks.max=1")), 200);
    WAIT_STATUS(&f, "a", "{\"id\":0,\"state\":\"UNASSIGNED\"");
    CHECK_INT(fake_alive(), 2);
    fake_end();
    WAIT_STATUS(&f, "a", RUNNING0);
    CHECK(wait_alive(1));
    teardown(&f);
}

TEST(stop_of_the_herder_tells_of_tasks_that_stay)
{
    struct fixture f;
    setup(&f, 50);
    put(&f, "a", CONFIG("fake.blocks=true"));
    WAIT_STATUS(&f, "a", RUNNING0);
    CHECK(!f.herder->ops->stop(f.herder, 20));
    CHECK_INT(create(&f, "c", SLUICE_TARGET_STARTED, CONFIG("tasks.max=1")), 503);
    fake_end();
    CHECK(wait_alive(0));
    teardown(&f);
}

struct slow {
    struct fixture *f;
    int status;
};

static void *create_slowly(void *arg)
{
    struct slow *slow = arg;
    struct sluice_map map;
    struct sluice_answer answer = {0};
    config_of(&map, CONFIG("fake.waits=true"));
    slow->f->herder->ops->create(slow->f->herder, "slow", &map, SLUICE_TARGET_STARTED, &answer);
    sluice_map_fini(&map);
    slow->status = answer.status;
    sluice_answer_fini(&answer);
    return NULL;
}

TEST(validation_holds_up_nobody)
{
    struct fixture f;
    setup(&f, 1000);
    struct slow slow = {&f, 0};
    pthread_t thread;
    fake_gate_shut();
    CHECK_INT(pthread_create(&thread, NULL, create_slowly, &slow), 0);
    CHECK(fake_gate_await(1));
    CHECK_INT(put(&f, "a", CONFIG("tasks.max=1")), 201);
    CHECK_INT(ask(&f, f.herder->ops->remove, "a"), 204);
    CHECK(fake_gate_await(1)); /* still */
    fake_gate_open();
    pthread_join(thread, NULL);
    CHECK_INT(slow.status, 201);
    teardown(&f);
}

/* ---- offsets, views ---- */

static int alter(struct fixture *f, const char *name, const char *text)
{
    json_t *changes = text ? json_loads(text, 0, NULL) : NULL;
    struct sluice_answer answer = {0};
    f->herder->ops->alter_offsets(f->herder, name, changes, &answer);
    json_decref(changes);
    return took(&answer);
}

TEST(offsets_are_read_altered_and_reset)
{
    struct fixture f;
    setup(&f, 1000);
    const char *change = "[{\"partition\":{\"filename\":\"/x\"},\"offset\":{\"position\":8}},"
                         "{\"partition\":{\"filename\":\"/y\"},\"offset\":{\"position\":9}}]";
    CHECK_INT(alter(&f, "a", change), 404);
    CHECK_INT(ask(&f, f.herder->ops->offsets, "a"), 404);
    put(&f, "a", CONFIG("tasks.max=1"));
    CHECK_INT(alter(&f, "a", change), 400);
    CHECK_HAS(last_text, "Connectors must be in the STOPPED state before their offsets can be "
                         "modified.");
    target(&f, "a", SLUICE_TARGET_STOPPED);
    CHECK_INT(ask(&f, f.herder->ops->offsets, "a"), 200);
    CHECK_STR(last_text, "{\"offsets\":[]}");
    CHECK_INT(alter(&f, "a", change), 200);
    CHECK_HAS(last_text, "{\"message\":\"The Connect framework-managed offsets for this connector "
                         "have been altered successfully. However, if");
    CHECK_INT(alter(&f, "a", "[{\"partition\":{\"filename\":\"/y\"},\"offset\":null}]"), 200);
    CHECK_INT(ask(&f, f.herder->ops->offsets, "a"), 200);
    CHECK_STR(last_text, "{\"offsets\":[{\"partition\":{\"filename\":\"/x\"},\"offset\":"
                         "{\"position\":8}}]}");
    CHECK_INT(alter(&f, "a", "[{\"partition\":null,\"offset\":{}}]"), 400);
    CHECK_INT(alter(&f, "a", NULL), 200);
    CHECK_INT(alter(&f, "a", NULL), 200);
    ask(&f, f.herder->ops->offsets, "a");
    CHECK_STR(last_text, "{\"offsets\":[]}");
    teardown(&f);
}

TEST(offsets_of_a_wrong_form_change_nothing)
{
    struct fixture f;
    setup(&f, 1000);
    put(&f, "a", CONFIG("tasks.max=1"));
    target(&f, "a", SLUICE_TARGET_STOPPED);
    CHECK_INT(alter(&f, "a",
                    "[{\"partition\":{\"f\":\"x\"},\"offset\":{\"p\":1}},"
                    "{\"partition\":{\"f\":{}},\"offset\":{\"p\":1}}]"),
              500);
    CHECK_HAS(last_text, "Offsets may only contain primitive types as values, but field f contains "
                         "MAP");
    CHECK_INT(alter(&f, "a", "[{\"partition\":{\"f\":1},\"offset\":{\"p\":[]}}]"), 500);
    CHECK_HAS(last_text, "but field p contains ARRAY");
    ask(&f, f.herder->ops->offsets, "a");
    CHECK_STR(last_text, "{\"offsets\":[]}");
    /* the last one of a partition counts; nothing can be forgotten of one that was not given */
    CHECK_INT(alter(&f, "a",
                    "[{\"partition\":{\"f\":1},\"offset\":{\"p\":1}},"
                    "{\"partition\":null,\"offset\":null},{},"
                    "{\"partition\":{\"f\":1},\"offset\":{\"p\":2}}]"),
              200);
    ask(&f, f.herder->ops->offsets, "a");
    CHECK_STR(last_text, "{\"offsets\":[{\"partition\":{\"f\":1},\"offset\":{\"p\":2}}]}");
    teardown(&f);
}

TEST(plugins_judge_altered_offsets)
{
    struct fixture f;
    setup(&f, 1000);
    const char *change = "[{\"partition\":{\"f\":1},\"offset\":{\"p\":1}}]";
    put(&f, "a", CONFIG("fake.offsets=refuse"));
    target(&f, "a", SLUICE_TARGET_STOPPED);
    CHECK_INT(alter(&f, "a", change), 500);
    CHECK_HAS(last_text, "1 offsets that make no sense");
    CHECK_INT(alter(&f, "a", NULL), 500);
    CHECK_HAS(last_text, "0 offsets that make no sense");
    put(&f, "a", CONFIG("fake.offsets=whole"));
    CHECK_INT(alter(&f, "a", change), 200);
    CHECK_STR(last_text, "{\"message\":\"The offsets for this connector have been altered "
                         "successfully\"}");
    CHECK_INT(alter(&f, "a", NULL), 200);
    CHECK_STR(last_text, "{\"message\":\"The offsets for this connector have been reset "
                         "successfully\"}");
    teardown(&f);
}

TEST(topics_are_tracked_when_told_to)
{
    struct fixture f;
    setup(&f, 1000);
    CHECK_INT(ask(&f, f.herder->ops->topics, "a"), 403);
    CHECK_HAS(last_text, "Topic tracking is disabled.");
    CHECK_INT(ask(&f, f.herder->ops->reset_topics, "a"), 403);
    CHECK(!fake_hooks.topic_used);
    teardown(&f);
    fake_tracks_topics = true;
    setup(&f, 1000);
    put(&f, "a", CONFIG("tasks.max=1"));
    unsigned epoch = fake_topics_epoch;
    fake_hooks.topic_used(fake_hooks.arg, "a", 0, "t");
    CHECK_INT(ask(&f, f.herder->ops->topics, "a"), 200);
    CHECK_STR(last_text, "{\"a\":{\"topics\":[\"t\"]}}");
    CHECK_INT(ask(&f, f.herder->ops->reset_topics, "a"), 202);
    CHECK_INT(fake_topics_epoch, epoch + 1); /* tasks tell again */
    CHECK_INT(ask(&f, f.herder->ops->topics, "a"), 200);
    CHECK_STR(last_text, "{\"a\":{\"topics\":[]}}");
    fake_hooks.topic_used(fake_hooks.arg, "a", 0, "t");
    f.herder->ops->remove(f.herder, "a", &(struct sluice_answer){0});
    CHECK_INT(ask(&f, f.herder->ops->topics, "a"), 200);
    CHECK_STR(last_text, "{\"a\":{\"topics\":[]}}");
    teardown(&f);
    fake_tracks_topics = false;
    fake_hooks = (struct sluice_worker_hooks){0};
}

TEST(offsets_stay_as_they_are_while_a_zombie_may_write)
{
    struct fixture f;
    setup(&f, 20);
    put(&f, "a", CONFIG("fake.blocks=true"));
    WAIT_STATUS(&f, "a", RUNNING0);
    CHECK_INT(target(&f, "a", SLUICE_TARGET_STOPPED), 204);
    CHECK_INT(alter(&f, "a", NULL), 500);
    CHECK_HAS(last_text, "zombie source task");
    fake_end();
    CHECK(wait_alive(0));
    CHECK_INT(alter(&f, "a", NULL), 200);
    teardown(&f);
}

TEST(lists_and_views)
{
    struct fixture f;
    setup(&f, 1000);
    struct sluice_answer answer = {0};
    f.herder->ops->health(f.herder, &answer);
    CHECK_INT(took(&answer), 503);
    CHECK_HAS(last_text, "\"status\":\"starting\",\"message\":\"Worker is still starting up.");
    f.herder->ops->ready(f.herder);
    f.herder->ops->health(f.herder, &answer);
    CHECK_INT(took(&answer), 200);
    CHECK_STR(last_text,
              "{\"status\":\"healthy\",\"message\":\"Worker has completed startup and is "
              "ready to handle requests.\"}");
    put(&f, "b", CONFIG("tasks.max=2"));
    put(&f, "a", CONFIG("tasks.max=1"));
    WAIT_STATUS(&f, "a", RUNNING0);
    f.herder->ops->list(f.herder, false, false, &answer);
    CHECK_INT(took(&answer), 200);
    CHECK_STR(last_text, "[\"a\",\"b\"]");
    f.herder->ops->list(f.herder, true, true, &answer);
    took(&answer);
    CHECK_HAS(last_text, "{\"a\":{\"status\":{\"name\":\"a\",");
    CHECK_HAS(last_text, "\"info\":{\"name\":\"a\",");
    f.herder->ops->list(f.herder, false, true, &answer);
    took(&answer);
    CHECK(!strstr(last_text, "\"status\""));
    struct sluice_herder_view view;
    f.herder->ops->view(f.herder, &view);
    CHECK_INT(view.n, 2);
    CHECK_STR(view.connectors[1].name, "b");
    CHECK_INT(view.connectors[1].tasks_n, 2);
    CHECK_INT(view.connectors[0].tasks[0].counters.written, 7);
    CHECK_INT(view.connector_starts, 2);
    sluice_herder_view_fini(&view);
    teardown(&f);
}
