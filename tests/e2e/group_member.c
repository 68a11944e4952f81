/* group_member.c - one member of a worker's group as a process, for test_group.py: says what it
 * sees as JSON lines, each with the monotonic clock, which all processes of the machine share.
 *
 * usage: group_member BROKERS GROUP TOPIC URL SESSION_MS [key=value...]
 * Keys are Java consumer properties, or instance.id, transactional.id, list.ms (how often to list
 * the members). Ends at the end of its standard input. */
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "kafka/group.h"
#include "kafka/transactions.h"

#define STEP_MS 20

struct member {
    struct sluice_group *group;
    struct sluice_group_state state;
    int64_t lease;   /* what was last said */
    int64_t list_ms; /* how often to list the members; 0: never */
    int64_t next_list;
    const char *transactional_id, *topic;
    struct sluice_map props;
    struct sluice_transactions *txn;
};

static void changed(void *arg) { (void)arg; }
static void delivered(void *opaque, int error, int32_t partition, int64_t offset)
{
    (void)opaque, (void)error, (void)partition, (void)offset;
}

static long long now(void) { return (long long)sluice_boot_ms(); }

/* Texts have no quotes in these tests, but for what librdkafka says: those are left out. */
static void say_text(const char *key, const char *text)
{
    printf(", \"%s\": \"", key);
    for (; *text; text++)
        if (*text != '"' && *text != '\\' && (unsigned char)*text >= ' ') putchar(*text);
    putchar('"');
}

static void watch(struct member *m)
{
    struct sluice_group_state s;
    int64_t lease = atomic_load(sluice_group_lease(m->group));
    sluice_group_state(m->group, &s);
    if (strcmp(s.self, m->state.self) != 0 || s.leader != m->state.leader ||
        s.fatal != m->state.fatal || strcmp(s.trouble, m->state.trouble) != 0 ||
        s.rebalances != m->state.rebalances) {
        printf("{\"at\": %lld, \"event\": \"state\", \"leader\": %s, \"fatal\": %s, "
               "\"rebalances\": %llu, \"lease\": %lld",
               now(), s.leader ? "true" : "false", s.fatal ? "true" : "false",
               (unsigned long long)s.rebalances, (long long)lease);
        say_text("self", s.self);
        say_text("trouble", s.trouble);
        printf("}\n");
        m->state = s;
    }
    if (lease != m->lease)
        printf("{\"at\": %lld, \"event\": \"lease\", \"lease\": %lld}\n", now(), (long long)lease);
    m->lease = lease;
}

static void list(struct member *m)
{
    char **names;
    size_t n;
    struct sluice_err err = {{0}};
    enum sluice_verdict v = sluice_group_members(m->group, 2000, &names, &n, &err);
    if (v != SLUICE_OK) return;
    printf("{\"at\": %lld, \"event\": \"members\", \"names\": [", now());
    for (size_t i = 0; i < n; i++) printf("%s\"%s\"", i ? ", " : "", names[i]);
    printf("]}\n");
    free(names);
}

/* Whoever leads takes the transactional id, and writes with it whether it still leads or not. */
static void write_one(struct member *m)
{
    struct sluice_err err = {{0}};
    char key[] = "written-by";
    struct sluice_write write = {key, m->state.self};
    enum sluice_verdict v = SLUICE_OK;
    if (!m->txn && m->state.leader) {
        m->txn = sluice_transactions_new(&m->props, m->transactional_id, "test", delivered, &err);
        while (m->txn && (v = sluice_transactions_init(m->txn, 2000, &err)) == SLUICE_RETRY)
            watch(m);
        printf("{\"at\": %lld, \"event\": \"init\", \"verdict\": %d}\n", now(), (int)v);
    }
    if (!m->txn) return;
    v = sluice_transactions_write(m->txn, m->topic, &write, 1, 5000, &err);
    printf("{\"at\": %lld, \"event\": \"write\", \"verdict\": %d, \"fenced\": %s", now(), (int)v,
           sluice_transactions_fenced(m->txn) ? "true" : "false");
    say_text("error", err.msg);
    printf("}\n");
    if (v == SLUICE_FAIL) {
        sluice_transactions_free(m->txn);
        m->txn = NULL;
    }
}

static void serve(struct member *m)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    char c;
    while (poll(&in, 1, STEP_MS) == 0 || read(STDIN_FILENO, &c, 1) == 1) {
        watch(m);
        if (m->list_ms == 0 || sluice_now_ms() < m->next_list) continue;
        m->next_list = sluice_now_ms() + m->list_ms;
        list(m);
        if (m->transactional_id) write_one(m);
    }
}

int main(int argc, char **argv)
{
    struct member m = {0};
    struct sluice_err err = {{0}};
    struct sluice_group_config config = {.props = &m.props,
                                         .changed = changed,
                                         .heartbeat_interval_ms = 3000,
                                         .rebalance_timeout_ms = 60000};
    if (argc < 6) return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    sluice_map_set(&m.props, "bootstrap.servers", argv[1]);
    config.group_id = argv[2];
    config.topic = m.topic = argv[3];
    config.url = argv[4];
    config.session_timeout_ms = strtoll(argv[5], NULL, 10);
    for (int i = 6; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (!value) return 2;
        *value++ = '\0';
        if (strcmp(argv[i], "instance.id") == 0) config.instance_id = value;
        else if (strcmp(argv[i], "transactional.id") == 0) m.transactional_id = value;
        else if (strcmp(argv[i], "list.ms") == 0) m.list_ms = strtoll(value, NULL, 10);
        else sluice_map_set(&m.props, argv[i], value);
    }
    printf("{\"at\": %lld, \"event\": \"start\"}\n", now());
    m.group = sluice_group_new(&config, &err);
    if (!m.group) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    serve(&m);
    sluice_transactions_free(m.txn);
    printf("{\"at\": %lld, \"event\": \"leaving\"}\n", now());
    sluice_group_free(m.group);
    printf("{\"at\": %lld, \"event\": \"left\"}\n", now());
    sluice_map_fini(&m.props);
    return 0;
}
