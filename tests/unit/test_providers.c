/* Variables in configs and the providers behind them: what Java's classes make of the same texts,
 * files, folders and environment, and that no value is shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/secret.h"
#include "providers/providers.h"
#include "providers/variables.h"

#include "../harness.h"

/* ---- a provider of the test's own: see tests/golden/java/VariableVectors.java ---- */

static enum sluice_verdict known_open(struct sluice_task *task, const struct sluice_host *host,
                                      const struct sluice_conf *conf, void **self,
                                      struct sluice_err *err)
{
    (void)task;
    (void)host;
    (void)conf;
    (void)err;
    *self = NULL;
    return SLUICE_OK;
}

static void known_close(void *self) { (void)self; }

static enum sluice_verdict known_get(void *self, const char *path, const char *key,
                                     struct sluice_buf *out, bool *found, int64_t *ttl_ms,
                                     struct sluice_err *err)
{
    (void)self;
    if (strcmp(path, "broken") == 0) {
        snprintf(err->msg, sizeof err->msg, "the vault is sealed");
        return SLUICE_FAIL;
    }
    if (strcmp(path, "short") == 0) *ttl_ms = 700;
    *found = (!*path || strcmp(path, "p") == 0 || strcmp(path, "short") == 0) && !strchr(key, 'u');
    if (!*found) return SLUICE_OK;
    if (strcmp(key, "n") == 0) sluice_buf_adds(out, "${m:a}");
    else sluice_buf_addf(out, "<%s|%s>", path, key);
    return SLUICE_OK;
}

static const struct sluice_option no_options[] = {{0}};
static const struct sluice_config_provider known_provider = {sizeof known_provider, known_get};
static const struct sluice_plugin known = {
    SLUICE_PLUGIN_HEAD,    .kind = SLUICE_KIND_CONFIG_PROVIDER,
    .name = "known",       .version = "1",
    .options = no_options, .open = known_open,
    .close = known_close,  .provider = &known_provider};
static const struct sluice_plugin *const known_list[] = {&known, NULL};

/* ---- one config value through providers that such worker properties ask for ---- */

struct bench {
    struct sluice_registry *registry;
    struct sluice_variables *variables;
    struct sluice_err err;
};

static struct bench bench_new(const char *const *pairs)
{
    struct bench b = {0};
    struct sluice_map worker = {0};
    for (; *pairs; pairs += 2) sluice_map_set(&worker, pairs[0], pairs[1]);
    b.registry = sluice_registry_new();
    sluice_providers_register(b.registry);
    CHECK(sluice_registry_add(b.registry, NULL, known_list, &b.err));
    b.variables = sluice_variables_new(&worker, b.registry, &b.err);
    sluice_map_fini(&worker);
    return b;
}

#define BENCH(...) bench_new((const char *const[]){__VA_ARGS__, NULL})

static void bench_free(struct bench *b)
{
    sluice_variables_free(b->variables);
    sluice_registry_free(b->registry);
}

/* What the text becomes; "finding: ..." when a provider failed. */
static const char *resolved(struct bench *b, const char *text)
{
    static char shown[4096];
    struct sluice_map config = {0}, out = {0};
    struct sluice_report report = {0};
    sluice_map_set(&config, "k", text);
    bool ok = sluice_variables_resolve(b->variables, &config, &out, NULL, &report);
    CHECK(ok == (report.n == 0));
    if (ok) snprintf(shown, sizeof shown, "%s", sluice_map_get(&out, "k"));
    else snprintf(shown, sizeof shown, "finding: %s", report.items[0].message);
    CHECK(ok || strcmp(sluice_map_get(&out, "k"), text) == 0);
    sluice_map_fini(&config);
    sluice_map_fini(&out);
    sluice_report_fini(&report);
    return shown;
}

TEST(variables_are_replaced_as_java_does)
{
    struct bench b = BENCH("config.providers", "m", "config.providers.m.class", "known");
    FILE *in = fopen(SLUICE_TEST_DIR "/golden/kafka/variables.txt", "r");
    char line[1024];
    size_t n = 0, replaced = 0;
    CHECK(in != NULL && b.variables != NULL);
    for (; in && fgets(line, sizeof line, in); n++) {
        line[strcspn(line, "\n")] = '\0';
        char *want = strchr(line, '\t');
        if (!want) FAIL("line %zu has no tab", n + 1);
        *want++ = '\0';
        const char *got = resolved(&b, line);
        if (strcmp(got, want) != 0) FAIL("%s became %s, not %s", line, got, want);
        replaced += strcmp(line, want) != 0;
    }
    CHECK_INT(n, 6000);
    CHECK(replaced > 400);
    if (in) fclose(in);
    bench_free(&b);
}

TEST(variables_whose_provider_fails_are_findings)
{
    struct bench b = BENCH("config.providers", "m", "config.providers.m.class", "known");
    CHECK_STR(resolved(&b, "a${m:broken:k}"), "finding: Invalid value a${m:broken:k} for "
                                              "configuration k: config provider m: the vault is "
                                              "sealed");
    CHECK_STR(resolved(&b, "${other:broken:k}"), "${other:broken:k}");
    bench_free(&b);
}

TEST(variables_tell_the_shortest_ttl)
{
    struct bench b = BENCH("config.providers", "m", "config.providers.m.class", "known");
    struct sluice_map config = {0}, out = {0};
    struct sluice_report report = {0};
    int64_t ttl;
    sluice_map_set(&config, "a", "${m:p:a}");
    CHECK(sluice_variables_resolve(b.variables, &config, &out, &ttl, &report) && ttl == -1);
    sluice_map_set(&config, "b", "${m:short:a}");
    CHECK(sluice_variables_resolve(b.variables, &config, &out, &ttl, &report) && ttl == 700);
    sluice_map_fini(&config);
    sluice_map_fini(&out);
    bench_free(&b);
}

TEST(variables_need_providers_that_there_are)
{
    static const struct {
        const char *class_name, *says;
    } rows[] = {{"", "there is no config.providers.m.class"},
                {"FileProvidr", "FileConfigProvider"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bench b =
            BENCH("config.providers", "m", "config.providers.m.class", rows[i].class_name);
        CHECK(!b.variables);
        CHECK_HAS(b.err.msg, rows[i].says);
        bench_free(&b);
    }
}

/* ---- Kafka's own ---- */

static char folder[64];

static void write_file(const char *name, const char *content)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    CHECK(out != NULL);
    fputs(content, out);
    fclose(out);
}

static void make_folder(void)
{
    char path[200];
    snprintf(folder, sizeof folder, "/tmp/test_providers_XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    write_file("a.properties", "user = me\npass\\u0077ord: s3cret\\\n  !\nempty=\n");
    snprintf(path, sizeof path, "%s/in", folder);
    CHECK(mkdir(path, 0700) == 0);
    write_file("in/token", "t0ken\n");
    write_file("outside", "o=1\n");
}

static void drop_folder(void)
{
    static const char *const names[] = {"in/token", "outside", "a.properties", "in", ""};
    char path[200];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
}

static const char *at(const char *fmt)
{
    static char text[400];
    const char *mark = strchr(fmt, '@');
    snprintf(text, sizeof text, "%.*s%s%s", (int)(mark - fmt), fmt, folder, mark + 1);
    return text;
}

TEST(file_provider_reads_properties_files)
{
    make_folder();
    struct bench b = BENCH("config.providers", "f", "config.providers.f.class",
                           "org.apache.kafka.common.config.provider.FileConfigProvider");
    CHECK_STR(resolved(&b, at("x${f:@/a.properties:user}y")), "xmey");
    CHECK_STR(resolved(&b, at("${f:@/a.properties:password}")), "s3cret!");
    CHECK_STR(resolved(&b, at("${f:@/a.properties:empty}")), "");
    char missing[400];
    snprintf(missing, sizeof missing, "%s", at("${f:@/a.properties:none}"));
    CHECK_STR(resolved(&b, missing), missing);
    CHECK_STR(resolved(&b, "${f:user}"), "${f:user}"); /* no path */
    CHECK_HAS(resolved(&b, at("${f:@/none.properties:user}")), "No such file");
    write_file("a.properties", "user=you\n"); /* read anew each time */
    CHECK_STR(resolved(&b, at("${f:@/a.properties:user}")), "you");
    bench_free(&b);
    drop_folder();
}

TEST(directory_provider_reads_files_of_a_folder)
{
    make_folder();
    struct bench b =
        BENCH("config.providers", "d", "config.providers.d.class", "DirectoryConfigProvider");
    CHECK_STR(resolved(&b, at("${d:@/in:token}")), "t0ken\n"); /* as it is, like Java */
    static const char *const stay[] = {"${d:@/in:none}", "${d:@/in/token:token}", "${d:@:in}",
                                       "${d:@/in:../outside}", "${d:@/none:token}"};
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++) {
        char text[400];
        snprintf(text, sizeof text, "%s", at(stay[i]));
        CHECK_STR(resolved(&b, text), text);
    }
    bench_free(&b);
    drop_folder();
}

TEST(allowed_paths_hold)
{
    make_folder();
    char allowed[200], text[400];
    snprintf(allowed, sizeof allowed, "%s/in , %s/./x/../a.properties", folder, folder);
    struct bench b =
        BENCH("config.providers", "f,d", "config.providers.f.class", "FileConfigProvider",
              "config.providers.d.class", "DirectoryConfigProvider",
              "config.providers.d.param.allowed.paths", allowed);
    CHECK(b.variables == NULL); /* the second does not exist as it is written */
    CHECK_HAS(b.err.msg, "does not exist");
    bench_free(&b);
    snprintf(allowed, sizeof allowed, "%s/in,%s/a.properties", folder, folder);
    b = BENCH("config.providers", "f,d", "config.providers.f.class", "FileConfigProvider",
              "config.providers.d.class", "DirectoryConfigProvider",
              "config.providers.d.param.allowed.paths", allowed,
              "config.providers.f.param.allowed.paths", allowed);
    CHECK_STR(resolved(&b, at("${d:@/in/../in:token}")), "t0ken\n");
    CHECK_STR(resolved(&b, at("${f:@/a.properties:user}")), "me");
    static const char *const stay[] = {"${d:@/in/..:outside}", "${d:@:outside}", "${f:@/outside:o}",
                                       "${f:@/in/../outside:o}", "${f:@/a.properties2:user}"};
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++) {
        snprintf(text, sizeof text, "%s", at(stay[i]));
        CHECK_STR(resolved(&b, text), text);
    }
    bench_free(&b);
    b = BENCH("config.providers", "f", "config.providers.f.class", "FileConfigProvider",
              "config.providers.f.param.allowed.paths", "relative/path");
    CHECK_HAS(b.err.msg, "path relative/path is not absolute");
    bench_free(&b);
    drop_folder();
}

TEST(env_provider_reads_what_its_pattern_allows)
{
    setenv("SLUICE_TEST_SECRET", "from-env-4711", 1);
    setenv("OTHER_SLUICE", "no", 1);
    struct bench b =
        BENCH("config.providers", "e", "config.providers.e.class", "EnvVarConfigProvider",
              "config.providers.e.param.allowlist.pattern", "^SLUICE_T");
    CHECK_STR(resolved(&b, "a=${e:SLUICE_TEST_SECRET}"), "a=from-env-4711");
    CHECK_STR(resolved(&b, "${e:OTHER_SLUICE}"), "${e:OTHER_SLUICE}");
    CHECK_STR(resolved(&b, "${e:SLUICE_TEST_NONE}"), "${e:SLUICE_TEST_NONE}");
    CHECK_HAS(resolved(&b, "${e:path:X}"),
              "Path is not supported for EnvVarConfigProvider, invalid value 'path'");
    bench_free(&b);
    b = BENCH("config.providers", "e", "config.providers.e.class", "EnvVarConfigProvider");
    CHECK_STR(resolved(&b, "${e:OTHER_SLUICE}"), "no");
    bench_free(&b);
    b = BENCH("config.providers", "e", "config.providers.e.class", "EnvVarConfigProvider",
              "config.providers.e.param.allowlist.pattern", "(");
    CHECK_HAS(b.err.msg, "allowlist.pattern");
    bench_free(&b);
}

/* ---- hiding ---- */

static const char *hidden(const char *text)
{
    static char shown[4096];
    char *copy = sluice_secret_hidden(text);
    snprintf(shown, sizeof shown, "%s", copy);
    free(copy);
    char inplace[4096];
    snprintf(inplace, sizeof inplace, "%s", text);
    sluice_secret_hide(inplace, sizeof inplace);
    CHECK_STR(inplace, shown);
    return shown;
}

TEST(secrets_are_hidden_wherever_they_stand)
{
    char pem[400];
    snprintf(pem, sizeof pem, "-----BEGIN KEY-----\n%0300d\n", 7);
    sluice_secret_add("hunter22");
    sluice_secret_add(" padded-one \n");
    sluice_secret_add(pem);
    CHECK_STR(hidden("password hunter22: hunter22!"), "password [hidden]: [hidden]!");
    CHECK_STR(hidden("hunter2 is another"), "hunter2 is another");
    CHECK_STR(hidden("it was padded-one."), "it was [hidden].");
    pem[100] = '\0'; /* a message that was cut */
    CHECK_STR(hidden(pem), "[hidden]");
    char small[12] = "x hunter22";
    sluice_secret_hide(small, 6);
    CHECK_STR(small, "x [hi");
}

TEST(values_that_say_nothing_are_not_hidden)
{
    sluice_secret_add("");
    sluice_secret_add("1");
    sluice_secret_add("true");
    sluice_secret_add("9092");
    CHECK_STR(hidden("task 1 of true:9092"), "task 1 of true:9092");
}

TEST(what_a_provider_gave_is_hidden_in_findings)
{
    struct bench b = BENCH("config.providers", "m", "config.providers.m.class", "known");
    struct sluice_report report = {0};
    CHECK_STR(resolved(&b, "${m:p:topsecret}"), "<p|topsecret>");
    sluice_report_add(&report, "k", "Invalid value <p|topsecret> for configuration k");
    CHECK_STR(report.items[0].message, "Invalid value [hidden] for configuration k");
    sluice_report_fini(&report);
    bench_free(&b);
}
