/* What `sluice ctl` does without a worker: the command line, files, differences, masking, text for
 * a terminal, states that are waited for, metrics. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/internal.h"
#include "harness.h"

/* ---- the command line ---- */

static bool parse(struct ctl_args *args, struct sluice_err *err, const char *const *words)
{
    int n = 0;
    while (words[n]) n++;
    memset(args, 0, sizeof *args);
    return ctl_args_parse(args, n, (char **)words, err);
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

TEST(options_stand_anywhere_and_in_every_form)
{
    struct ctl_args args;
    struct sluice_err err;
    CHECK(parse(&args, &err,
                WORDS("-uhttp://a", "apply", "--output=json", "-f", "x", "--file=y", "-fz", "-f",
                      "-", "--wait")));
    CHECK_STR(args.verb->name, "apply");
    CHECK_STR(args.values[CTL_URL], "http://a");
    CHECK_STR(args.values[CTL_OUTPUT], "json");
    CHECK_INT(args.files.n, 4);
    CHECK_STR(args.files.items[0], "x");
    CHECK_STR(args.files.items[2], "z");
    CHECK_STR(args.files.items[3], "-");
    CHECK_STR(args.values[CTL_WAIT], "");
    ctl_args_fini(&args);
    CHECK(parse(&args, &err, WORDS("config", "set", "c", "--", "--odd=1", "k=-v")));
    CHECK_STR(args.verb->sub, "set");
    CHECK_INT(args.words.n, 3);
    CHECK_STR(args.words.items[1], "--odd=1");
    ctl_args_fini(&args);
}

TEST(what_is_wrong_with_a_command_line)
{
    static const struct {
        const char *words[6], *says;
    } cases[] = {
        {{"lsit"}, "did you mean list?"},
        {{"config"}, "which of its commands"},
        {{"config", "gte"}, "no such command: config gte; did you mean get?"},
        {{"list", "--outptu"}, "did you mean --output?"},
        {{"list", "-o"}, "--output needs a value"},
        {{"list", "--all=x"}, "--all takes no value"},
        {{"list", "--prune"}, "list has no option --prune"},
        {{"config", "get"}, "something is missing: sluice ctl config get NAME [KEY]"},
        {{"config", "get", "a", "b", "c"}, "that is too much"},
        {{"-o", "json"}, "which command?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ctl_args args;
        struct sluice_err err = {{0}};
        CHECK(!parse(&args, &err, cases[i].words));
        CHECK_HAS(err.msg, cases[i].says);
        ctl_args_fini(&args);
    }
}

/* ---- text for a terminal ---- */

static void check_clean(const char *text, bool lines, const char *want)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    ctl_clean(&buf, text, lines);
    CHECK_STR(sluice_buf_str(&buf), want);
    sluice_buf_fini(&buf);
}

TEST(nothing_acts_on_a_terminal)
{
    check_clean("a\033]0;title\007b", false, "a\\x1b]0;title\\x07b");
    check_clean("one\ntwo\rx\ty", true, "one\ntwo\\x0dx    y");
    check_clean("one\ntwo", false, "one\\x0atwo");
    check_clean("c1 \xc2\x9b 31m, cut \xc3, bidi \xe2\x80\xae, grün €", true,
                "c1 \\x9b 31m, cut \\xc3, bidi \\u202e, grün €");
    CHECK_INT(ctl_width("grün €"), 6);
}

static char *printed(void (*print)(struct ctl *), struct ctl ctl)
{
    char *text = NULL;
    size_t len;
    ctl.out = open_memstream(&text, &len);
    print(&ctl);
    fclose(ctl.out);
    return text;
}

static void print_table(struct ctl *ctl)
{
    static const char *const heads[] = {"NAME", "STATE", NULL};
    struct ctl_table table;
    ctl_table_init(&table, heads);
    ctl_table_add(&table, "größer", NULL);
    ctl_table_add(&table, "RUNNING", ctl_state_color("RUNNING"));
    ctl_table_add(&table, "b", NULL);
    ctl_table_add(&table, NULL, ctl_state_color("nothing"));
    ctl_table_print(&table, ctl);
    ctl_table_fini(&table);
}

TEST(tables_align_colour_and_end_at_the_terminal)
{
    char *text = printed(print_table, (struct ctl){0});
    CHECK_STR(text, "NAME     STATE\ngrößer   RUNNING\nb        -\n");
    free(text);
    text = printed(print_table, (struct ctl){.columns = 12});
    CHECK_STR(text, "NAME     ST…\ngrößer   RU…\nb        -\n");
    free(text);
    text = printed(print_table, (struct ctl){.columns = 4});
    CHECK_STR(text, "NAME\ngrö…\nb   \n");
    free(text);
    text = printed(print_table, (struct ctl){.color = true});
    CHECK_HAS(text, "\033[1mNAME\033[0m");
    CHECK_HAS(text, "\033[32mRUNNING\033[0m");
    free(text);
}

static void print_json(struct ctl *ctl)
{
    json_t *json = json_pack("{s:s}", "k", "\033 \xc2\x9b \xe2\x80\xae ü");
    ctl_print_json(ctl, json);
    json_decref(json);
}

TEST(json_is_escaped_and_stays_json)
{
    char *text = printed(print_json, (struct ctl){0});
    CHECK_STR(text, "{\n  \"k\": \"\\u001B \\u009b \\u202e ü\"\n}\n");
    json_t *back = json_loads(text, 0, NULL);
    CHECK_STR(json_string_value(json_object_get(back, "k")), "\033 \xc2\x9b \xe2\x80\xae ü");
    json_decref(back);
    free(text);
}

/* ---- files ---- */

struct parsing {
    const char *name, *text;
    bool ok;
};

static void parse_file(void *arg)
{
    struct parsing *parsing = arg;
    struct ctl_wanteds wanteds = {0};
    parsing->ok = ctl_files_parse(&wanteds, parsing->name, parsing->text, strlen(parsing->text));
    ctl_wanteds_fini(&wanteds);
}

static const char *config_value(const struct ctl_wanted *wanted, const char *key)
{
    return json_string_value(json_object_get(wanted->config, key));
}

TEST(every_form_of_a_connector_file)
{
    static const char array[] =
        "[{\"name\": \"a\", \"tasks.max\": 2, \"flag\": true},"
        " {\"name\": \" b \", \"config\": {\"x\": \"1\"}, \"initial_state\": \"Stopped\"}]";
    static const char props[] = "# a comment\nname = c\nx : y\n";
    struct ctl_wanteds wanteds = {0};
    CHECK(ctl_files_parse(&wanteds, "all.json", array, strlen(array)));
    CHECK(ctl_files_parse(&wanteds, "stdin", props, strlen(props)));
    CHECK_INT(wanteds.n, 3);
    CHECK_STR(wanteds.items[0].name, "a");
    CHECK_STR(wanteds.items[0].from, "all.json[0]");
    CHECK_STR(config_value(&wanteds.items[0], "tasks.max"), "2");
    CHECK_STR(config_value(&wanteds.items[0], "flag"), "true");
    CHECK(!wanteds.items[0].initial_state);
    CHECK_STR(wanteds.items[1].name, "b");
    CHECK_STR(config_value(&wanteds.items[1], "name"), "b");
    CHECK_STR(wanteds.items[1].initial_state, "STOPPED");
    CHECK_STR(wanteds.items[2].name, "c");
    CHECK_STR(config_value(&wanteds.items[2], "x"), "y");
    ctl_wanteds_fini(&wanteds);
}

TEST(faults_of_connector_files_say_where)
{
    static const struct {
        const char *name, *text, *says;
    } cases[] = {
        {"a.json", "", "a.json: it is empty"},
        {"a.json", "{\"name\": \"x\",\n \"k\" }", "a.json: line 2"},
        {"a.json", "{\"name\": \"x\", \"name\": \"y\"}", "a.json: line 1"},
        {"a.json", "[1]", "a.json[0]: it must be a JSON object"},
        {"a.json", "{\"k\": \"v\"}", "a.json: the connector has no name"},
        {"a.json", "{\"name\": \"x\", \"k\": null}", "a.json: k is null"},
        {"a.json", "{\"name\": \"x\", \"k\": {}}", "a.json: "},
        {"a.json", "{\"name\": \"x\", \"k\": \"[hidden]\"}", "a.json: k: [hidden] stands for"},
        {"a.json", "{\"name\": \"x\", \"config\": {\"name\": \"y\"}}", "name says x"},
        {"a.json", "{\"name\": \"x\", \"config\": {}, \"initial_stat\": 1}",
         "did you mean initial_state?"},
        {"a.json", "{\"name\": \"x\", \"config\": {}, \"initial_state\": \"up\"}",
         "initial_state must be"},
        {"a.json", "[{\"name\": \"x\"}, {\"name\": \"x\"}]",
         "a.json[1]: connector x stands in a.json[0] already"},
        {"a.properties", "k=v", "a.properties: the connector has no name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsing parsing = {cases[i].name, cases[i].text, true};
        char *said = harness_stderr(parse_file, &parsing);
        CHECK(!parsing.ok);
        CHECK_HAS(said, cases[i].says);
        free(said);
    }
}

/* ---- differences and secrets ---- */

static void keep_change(void *arg, enum ctl_change change, const char *key, const char *before,
                        const char *after)
{
    char *text = arg;
    size_t len = strlen(text);
    snprintf(text + len, 256 - len, "%d %s %s %s;", change, key, before ? before : "-",
             after ? after : "-");
}

TEST(differences_in_the_order_of_keys)
{
    json_t *before = json_pack("{s:s, s:s, s:s}", "z", "1", "same", "s", "gone", "g");
    json_t *after = json_pack("{s:s, s:s, s:s}", "same", "s", "z", "2", "a", "n");
    char text[256] = "";
    CHECK_INT(ctl_diff(before, after, keep_change, text), 3);
    CHECK_STR(text, "0 a - n;1 gone g -;2 z 1 2;");
    CHECK_INT(ctl_diff(before, before, NULL, NULL), 0);
    CHECK_INT(ctl_diff(NULL, after, NULL, NULL), 3);
    json_decref(before);
    json_decref(after);
}

TEST(secrets_by_name_by_declaration_and_inside_urls)
{
    static const struct {
        const char *key, *value;
        bool password;
        const char *want;
    } cases[] = {
        {"database.password", "x", false, "[hidden]"},
        {"AWS.Secret.Access.Key", "x", false, "[hidden]"},
        {"my.key", "x", true, "[hidden]"},
        {"my.key", "x", false, "x"},
        {"database.password", "${file:/etc/p:k}", true, "${file:/etc/p:k}"},
        {"database.password", "${file:/etc/p:k}more", true, "[hidden]"},
        {"database.password", "", true, ""},
        {"ssl.keystore.location", "/a", false, "/a"},
        {"basic.auth.credentials.source", "URL", false, "URL"},
        {"connection.url", "jdbc:x://u:pw@h:1/d?user=u&password=pw&x=1", false,
         "jdbc:x://u:[hidden]@h:1/d?user=u&password=[hidden]&x=1"},
        {"url", "http://h/a:b@c", false, "http://h/a:b@c"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *shown = ctl_masked_value(cases[i].key, cases[i].value, cases[i].password);
        CHECK_STR(shown, cases[i].want);
        free(shown);
    }
}

/* ---- names, states ---- */

TEST(paths_carry_any_name)
{
    char *path = ctl_connector_path("a/b c?ü", "/status");
    CHECK_STR(path, "/connectors/a%2Fb%20c%3F%C3%BC/status");
    free(path);
    CHECK(ctl_matches(&(struct ctl_list){(const char *[]){"x", "team-*"}, 2, 2}, "team-a"));
    CHECK(!ctl_matches(&(struct ctl_list){(const char *[]){"x", "team-*"}, 2, 2}, "tea"));
}

static int reached(const char *connector, const char *tasks, const char *wanted)
{
    char text[256];
    snprintf(text, sizeof text, "{\"connector\":{\"state\":\"%s\"},\"tasks\":[%s]}", connector,
             tasks);
    json_t *status = json_loads(text, 0, NULL);
    CHECK(status);
    int result = ctl_reached(status, wanted);
    json_decref(status);
    return result;
}

TEST(what_counts_as_reached)
{
    const char *up = "{\"state\":\"RUNNING\"}", *down = "{\"state\":\"FAILED\"}";
    CHECK_INT(reached("RUNNING", up, "RUNNING"), 1);
    CHECK_INT(reached("RUNNING", "", "RUNNING"), 0);
    CHECK_INT(reached("RUNNING", "{\"state\":\"RUNNING\"},{\"state\":\"UNASSIGNED\"}", "RUNNING"),
              0);
    CHECK_INT(reached("RUNNING", down, "RUNNING"), -1);
    CHECK_INT(reached("FAILED", "", "STOPPED"), -1);
    CHECK_INT(reached("STOPPED", up, "STOPPED"), 0);
    CHECK_INT(reached("STOPPED", "", "STOPPED"), 1);
    CHECK_INT(reached("PAUSED", up, "PAUSED"), 0);
    CHECK_INT(reached("PAUSED", "", "PAUSED"), 1);
    char *line =
        ctl_trace_line("Outer: x\n\tat a\nCaused by: Middle\n\tat b\nCaused by: Root: y\n");
    CHECK_STR(line, "Root: y");
    free(line);
}

/* ---- metrics ---- */

#define SOURCE "kafka_connect_source_task_metrics_source_record_write_total"
#define SINK "kafka_connect_sink_task_metrics_sink_record_"

TEST(rates_are_summed_over_tasks_and_survive_restarts)
{
    static const char first[] =
        "# HELP x y\n" SOURCE "{connector=\"a\\\"b\",task=\"0\"} 100\n" SOURCE
        "{task=\"1\",connector=\"a\\\"b\"} 50 1700000000\n" SINK
        "send_total{connector=\"s\",task=\"0\"} 500\n";
    static const char second[] = SOURCE "{connector=\"a\\\"b\",task=\"0\"} 300\n" SOURCE
                                        "{connector=\"a\\\"b\",task=\"1\"} 50\n" SINK
                                        "read_total{connector=\"s\",task=\"0\"} 9\n" SINK
                                        "send_total{connector=\"s\",task=\"0\"} 20\n" SINK
                                        "lag_max{connector=\"s\",task=\"0\"} 7\n";
    json_t *before = json_object(), *now = json_object();
    ctl_metrics_parse(first, before);
    ctl_metrics_parse(second, now);
    struct ctl_rates rates =
        ctl_rates_of(json_object_get(before, "a\"b"), json_object_get(now, "a\"b"), 2000);
    CHECK_DOUBLE(rates.written, 100);
    CHECK(rates.has_source && !rates.has_sink);
    rates = ctl_rates_of(json_object_get(before, "s"), json_object_get(now, "s"), 1000);
    CHECK_DOUBLE(rates.sent, 20); /* it began anew */
    CHECK_DOUBLE(rates.lag, 7);
    rates = ctl_rates_of(NULL, json_object_get(now, "s"), 1000);
    CHECK_DOUBLE(rates.sent, 0);
    json_decref(before);
    json_decref(now);
}

TEST(lines_that_are_no_metrics_are_skipped)
{
    static const char *const lines[] = {SOURCE,
                                        SOURCE "{",
                                        SOURCE "{connector=\"a",
                                        SOURCE "{connector=\"a\"",
                                        SOURCE "{connector=\"a\"}",
                                        SOURCE "{connector=\"a\"} x\n",
                                        SOURCE " 5",
                                        SOURCE "{task=\"0\"} 5",
                                        SOURCE "{connector=\"a\\",
                                        "{}",
                                        "\n\n#",
                                        ""};
    json_t *totals = json_object();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) ctl_metrics_parse(lines[i], totals);
    CHECK_INT(json_object_size(totals), 0);
    json_decref(totals);
}

/* ---- progress ---- */

static void check_progress(const char *text, const char *line, const char *brief)
{
    json_t *work = json_loads(text, 0, NULL);
    struct sluice_buf buf;
    CHECK(work != NULL);
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    ctl_progress_text(&buf, work);
    CHECK_STR(sluice_buf_str(&buf), line);
    sluice_buf_clear(&buf);
    ctl_progress_brief(&buf, work);
    CHECK_STR(sluice_buf_str(&buf), brief);
    sluice_buf_fini(&buf);
    json_decref(work);
}

TEST(progress_says_what_is_known_and_nothing_else)
{
    check_progress("{\"what\": \"initial snapshot\", \"started_at\": \"2026-11-21T15:20:11Z\", "
                   "\"percent\": 41.75, \"remaining_seconds\": 1260, \"paused\": false, "
                   "\"unit\": \"rows\", \"done\": 83510000, \"expected\": 200150000, "
                   "\"per_second\": 92744.0, \"part\": \"public.orders\", \"parts_done\": 3, "
                   "\"parts\": 12}",
                   "initial snapshot of public.orders (4 of 12): about 41.8 %, 83510000 of "
                   "200150000 rows, 92744/s, about 21 min to go, since 2026-11-21T15:20:11Z",
                   "41.8 %, 21 min");
    check_progress("{\"what\": \"incremental snapshot\", \"percent\": null, \"paused\": true, "
                   "\"remaining_seconds\": null, \"unit\": \"rows\", \"done\": 7, "
                   "\"expected\": null, \"per_second\": null, \"part\": \"a\", "
                   "\"parts_done\": 1, \"parts\": 1}",
                   "paused incremental snapshot of a: 7 rows", "7 rows, paused");
    check_progress("{\"part\": \"a\", \"parts_done\": 2, \"parts\": 2}",
                   "work of a (2 of 2): under way", "under way");
    check_progress("{\"what\": 5, \"percent\": \"x\", \"remaining_seconds\": 89.4}",
                   "work: about 89 s to go", "89 s");
    check_progress("{\"remaining_seconds\": 7200}", "work: about 2 h to go", "2 h");
    check_progress("{\"remaining_seconds\": 864000}", "work: about 10 d to go", "10 d");
}

/* ---- completion ---- */

TEST(the_installed_completion_is_the_printed_one)
{
    size_t len;
    char *file = harness_file("../runtime/ctl/completion.bash", &len);
    CHECK_STR(file, ctl_completion_bash);
    free(file);
}
