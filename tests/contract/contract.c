/* contract.c - what every plugin has to keep to. The shared object comes in the environment as
 * SLUICE_CONTRACT_PLUGIN; each test walks all plugins in it. No server is there: a plugin that
 * needs one has to say so with RETRY, or FAIL and a reason, and leave nothing behind. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/props.h"
#include "elf.h"
#include "fake_host.h"
#include "harness.h"
#include "plugin/load.h"
#include "plugin/option_rows.h"
#include "plugin/option_value.h"

/* Nothing listens there: connections are refused at once. */
#define CLOSED_PORT "9"
#define CLOSED_URL "http://127.0.0.1:" CLOSED_PORT

/* A plugin that is woken has to be back at once (100 ms by the design); the bound here only has to
 * be far from WAIT_MS, as the machine may be busy. */
#define WAIT_MS 120000
#define BACK_MS 20000

static const char *so_path(void)
{
    const char *path = getenv("SLUICE_CONTRACT_PLUGIN");
    if (!path) FAIL("set SLUICE_CONTRACT_PLUGIN to a plugin's shared object");
    return path;
}

static struct sluice_registry *load(void)
{
    struct sluice_registry *registry = sluice_registry_new();
    struct sluice_err err = {0};
    if (!sluice_load_file(registry, so_path(), &err)) FAIL("%s", err.msg);
    return registry;
}

/* Calls fn for each plugin of the shared object, not for the built-ins. */
static void each_plugin(void (*fn)(const struct sluice_plugin *))
{
    struct sluice_registry *builtin = sluice_registry_new(), *registry = load();
    const struct sluice_plugin *plugin;
    size_t n = 0;
    for (size_t i = 0; (plugin = sluice_registry_at(registry, i)); i++) {
        bool ours = false;
        for (size_t j = 0; sluice_registry_at(builtin, j); j++) {
            if (sluice_registry_at(builtin, j) == plugin) ours = true;
        }
        if (ours) continue;
        fn(plugin);
        n++;
    }
    CHECK(n > 0);
    sluice_registry_free(builtin);
    sluice_registry_free(registry);
}

/* ---- description ---- */

TEST(exports_one_symbol)
{
    char *names = elf_exports(so_path());
    CHECK_STR(names, "sluice_plugins_v1\n");
    free(names);
}

static void check_option(const struct sluice_plugin *plugin, const struct sluice_option *row)
{
    const char *key = row->key;
    size_t doc = strlen(row->doc);
    if (doc < 5 || row->doc[doc - 1] != '.') FAIL("%s: doc is no sentence", key);
    if (!*key || strpbrk(key, " \t\r\n=,")) FAIL("\"%s\" is no key", key);
    const char *star = strchr(key, '*');
    if (star && strchr(star + 1, '*')) FAIL("%s: more than one '*'", key);
    bool required = row->flags & SLUICE_OPT_REQUIRED, ignored = row->flags & SLUICE_OPT_IGNORED;
    if (required && row->fallback) FAIL("%s: required, so its default has no effect", key);
    if (required && ignored) FAIL("%s: required and ignored", key);
    if (required && star) FAIL("%s: a pattern cannot be required", key);
    bool number = row->type == SLUICE_OPT_INT || row->type == SLUICE_OPT_SHORT ||
                  row->type == SLUICE_OPT_LONG || row->type == SLUICE_OPT_DOUBLE;
    if (row->valid && number != (strstr(row->valid, "..") != NULL))
        FAIL("%s: \"%s\" does not fit its type", key, row->valid);
    if (row->valid && row->type == SLUICE_OPT_BOOLEAN) FAIL("%s: a boolean needs no words", key);
    for (const struct sluice_option *other = plugin->options; other != row;
         other = sluice_option_next(other, plugin->option_size)) {
        if (strcmp(other->key, key) == 0) FAIL("%s stands twice in the table", key);
    }
    struct sluice_option_value value;
    struct sluice_buf why;
    sluice_buf_init(&why, SLUICE_BUF_MAX);
    if (!ignored && !sluice_option_parse(row, row->fallback, &value, &why))
        FAIL("%s: its own default is refused: %s", key, sluice_buf_str(&why));
    if (!ignored) sluice_option_value_fini(&value);
    sluice_buf_fini(&why);
}

static void check_description(const struct sluice_plugin *plugin)
{
    size_t len = strlen(plugin->name);
    CHECK(len > 0 && strspn(plugin->name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len);
    CHECK(*plugin->version >= '0' && *plugin->version <= '9');
    for (const char *const *alias = plugin->aliases; alias && *alias; alias++) {
        CHECK(**alias && !strpbrk(*alias, " \t\r\n/,"));
        for (const char *const *other = plugin->aliases; other != alias; other++) {
            CHECK(strcmp(*alias, *other) != 0);
        }
    }
    CHECK(plugin->options != NULL);
    for (const struct sluice_option *row = plugin->options; row->key;
         row = sluice_option_next(row, plugin->option_size)) {
        check_option(plugin, row);
    }
}

TEST(describes_itself_well) { each_plugin(check_description); }

static void check_names(const struct sluice_plugin *plugin)
{
    struct sluice_registry *registry = load();
    struct sluice_err err = {0};
    unsigned mask = 1u << plugin->kind;
    CHECK(sluice_registry_find(registry, mask, plugin->name, &err) == plugin);
    for (const char *const *alias = plugin->aliases; alias && *alias; alias++) {
        CHECK(sluice_registry_find(registry, mask, *alias, &err) == plugin);
    }
    sluice_registry_free(registry);
}

TEST(answers_to_all_its_names) { each_plugin(check_names); }

/* ---- running ---- */

static bool speaks_of_a_place(const char *key)
{
    static const char *const words[] = {"host", "url", "uri", "endpoint", "server", "port"};
    char lower[256];
    size_t n = strlen(key) < sizeof(lower) ? strlen(key) : sizeof(lower) - 1;
    for (size_t i = 0; i < n; i++) {
        lower[i] = (char)(key[i] >= 'A' && key[i] <= 'Z' ? key[i] - 'A' + 'a' : key[i]);
    }
    lower[n] = '\0';
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strstr(lower, words[i])) return true;
    }
    return false;
}

/* ${dir} in text replaced; the caller frees. */
static char *with_dir(const char *text)
{
    const char *at = strstr(text, "${dir}");
    if (!at) return sluice_xstrdup(text);
    return sluice_xasprintf("%.*s%s%s", (int)(at - text), text, harness_dir(), at + 6);
}

/* The plugin's own config for this test when there is one; else every required option gets some
 * value. Whatever names a place names one that refuses. */
static void base_config(struct fake_host *fake)
{
    char *path =
        sluice_xasprintf("%s/contract/configs/%s.properties", SLUICE_TEST_DIR, fake->plugin->name);
    struct sluice_map map = {0};
    struct sluice_err err = {0};
    if (access(path, R_OK) == 0 && !sluice_props_load(&map, path, &err)) FAIL("%s", err.msg);
    free(path);
    for (size_t i = 0; i < map.n; i++) {
        char *value = with_dir(map.items[i].value);
        fake_set(fake, map.items[i].key, value);
        free(value);
    }
    sluice_map_fini(&map);
    for (const struct sluice_option *row = fake->plugin->options; row->key;
         row = sluice_option_next(row, fake->plugin->option_size)) {
        if (!(row->flags & SLUICE_OPT_REQUIRED) || sluice_map_has(&fake->config, row->key))
            continue;
        bool number = row->valid && strstr(row->valid, "..");
        char *word = sluice_xstrndup(row->valid && !number ? row->valid : "1",
                                     row->valid && !number ? strcspn(row->valid, "|") : 1);
        fake_set(fake, row->key,
                 speaks_of_a_place(row->key) && row->type == SLUICE_OPT_STRING ? "127.0.0.1"
                                                                               : word);
        free(word);
    }
}

/* A failure without a sentence helps nobody. */
static void check_reason(const struct fake_host *fake, enum sluice_verdict verdict,
                         const char *what)
{
    CHECK(verdict == SLUICE_OK || verdict == SLUICE_RETRY || verdict == SLUICE_FAIL);
    if (verdict == SLUICE_FAIL && strlen(fake->err.msg) < 10)
        FAIL("%s of %s fails without a reason: \"%s\"", what, fake->plugin->name, fake->err.msg);
}

/* Opens, lets it do a little, closes. */
static void run_once(struct fake_host *fake)
{
    const struct sluice_plugin *plugin = fake->plugin;
    enum sluice_verdict verdict = fake_open(fake);
    check_reason(fake, verdict, "open");
    if (verdict == SLUICE_OK && plugin->kind == SLUICE_KIND_SOURCE) {
        fake->room_records = 5;
        check_reason(fake, fake_poll(fake, 0), "poll");
    } else if (verdict == SLUICE_OK && plugin->kind == SLUICE_KIND_SINK) {
        check_reason(fake, fake_work(fake, 0), "work");
        check_reason(fake, plugin->sink->flush(fake->self, &fake->err), "flush");
    }
    if (fake->conf && plugin->validate) {
        struct sluice_report report = {0};
        plugin->validate(&fake->host, fake->conf, &report);
        sluice_report_fini(&report);
    }
    fake_close(fake);
}

static void run_empty(const struct sluice_plugin *plugin)
{
    struct fake_host fake;
    fake_init(&fake, plugin, NULL);
    run_once(&fake);
    fake_fini(&fake);
    plugin->close(NULL);
}

TEST(opens_and_closes_without_any_config) { each_plugin(run_empty); }

static void run_twice(const struct sluice_plugin *plugin)
{
    struct fake_host fake;
    fake_init(&fake, plugin, NULL);
    base_config(&fake);
    run_once(&fake);
    run_once(&fake);
    fake_fini(&fake);
}

TEST(opens_again_after_closing) { each_plugin(run_twice); }

static void run_with(const struct sluice_plugin *plugin, const char *key, const char *value)
{
    struct fake_host fake;
    fake_init(&fake, plugin, NULL);
    base_config(&fake);
    char *concrete = sluice_xstrdup(key);
    char *star = strchr(concrete, '*');
    if (star) *star = 'x';
    fake_set(&fake, concrete, value);
    run_once(&fake);
    fake_fini(&fake);
    free(concrete);
}

static void run_hostile(const struct sluice_plugin *plugin)
{
    static const char *const texts[] = {
        "",
        ",",
        "%s%n%s%n",
        "'; DROP TABLE x; --",
        "\"\\\"",
        "(",
        "[",
        "a\nb",
        "{\"a\":",
        "-1",
        "9223372036854775807",
        "\xF0\x9F\x98\x80",
        "$(id)",
        ".*+(",
        "no.such:thing,,a:b:c:d",
    };
    char *longer = sluice_xmalloc(100001);
    memset(longer, 'a', 100000);
    longer[100000] = '\0';
    for (const struct sluice_option *row = plugin->options; row->key;
         row = sluice_option_next(row, plugin->option_size)) {
        /* Strange names must not be looked up in the DNS of whoever runs the tests. */
        bool place = speaks_of_a_place(row->key);
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && !place; i++) {
            run_with(plugin, row->key, texts[i]);
        }
        if (place) run_with(plugin, row->key, "");
        else run_with(plugin, row->key, longer);
    }
    free(longer);
}

TEST(hostile_configs_do_no_harm)
{
    /* A plugin may take a value for a file's name. */
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(here >= 0 && chdir(harness_dir()) == 0);
    sluice_log_level(SLUICE_ERROR);
    each_plugin(run_hostile);
    sluice_log_level(SLUICE_INFO);
    CHECK(fchdir(here) == 0);
    close(here);
}

/* ---- waking ---- */

static void run_woken(const struct sluice_plugin *plugin)
{
    struct fake_host fake;
    pthread_t thread;
    fake_init(&fake, plugin, NULL);
    base_config(&fake);
    if (fake_open(&fake) == SLUICE_OK) {
        fake.room_records = 1000;
        fake_wake_after(&fake, 200, &thread);
        int64_t start = sluice_now_ms();
        /* It may come back early for other reasons; the call that is under way when the wake
         * comes has to end. */
        while (!sluice_wake_wait(&fake.wake, 0)) {
            enum sluice_verdict verdict = plugin->kind == SLUICE_KIND_SOURCE
                                              ? fake_poll(&fake, WAIT_MS)
                                              : fake_work(&fake, WAIT_MS);
            check_reason(&fake, verdict, "a waiting call");
            fake_clear(&fake);
            if (verdict != SLUICE_OK) sluice_wake_wait(&fake.wake, 50);
        }
        int64_t took = sluice_now_ms() - start;
        if (took > BACK_MS)
            FAIL("%s comes back %lld ms after start", plugin->name, (long long)took);
        /* And while the wake stands, it does not wait at all. */
        start = sluice_now_ms();
        if (plugin->kind == SLUICE_KIND_SOURCE) fake_poll(&fake, WAIT_MS);
        else fake_work(&fake, WAIT_MS);
        CHECK(sluice_now_ms() - start < BACK_MS);
        fake_wake_join(&fake, thread);
    }
    fake_fini(&fake);
}

static void woken_connectors(const struct sluice_plugin *plugin)
{
    if (plugin->kind == SLUICE_KIND_SOURCE || plugin->kind == SLUICE_KIND_SINK) run_woken(plugin);
}

TEST(a_waiting_call_ends_when_woken) { each_plugin(woken_connectors); }

/* No plugin under test reads the terminal or reaches a real service. */
__attribute__((constructor)) static void keep_to_ourselves(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        close(null);
    }
    setenv("BIGQUERY_EMULATOR_HOST", CLOSED_URL, 1);
    unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
    setenv("PGCONNECT_TIMEOUT", "2", 1);
}
