/* top.c - states and rates, refreshed. Rates are differences of sluice's /metrics, summed over the
 * workers that statuses name; a Java worker has none, and only states are shown. Where workers have
 * metrics they are also asked how far the tasks that run with them are with long work.
 *
 * On a terminal it has the screen for itself until q or Ctrl-C; elsewhere rounds just
 * follow each other. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ctl/internal.h"

#define INTERVAL_MS 1000
#define WORKERS_MAX 64 /* whose metrics are asked for */
#define METRICS_MS 2000
#define ASKED_MAX 64 /* connectors that are asked for progress in one round */

struct top {
    struct ctl *ctl;
    struct sluice_http_client *client; /* with short times: a worker may be out of reach */
    json_t *before, *now;              /* {connector: sums}; NULL: none yet */
    int64_t before_ms, now_ms;
    bool metrics; /* some worker has them */
    json_t *work; /* {connector: [a piece of work with its "task"]} of those that have any */
    size_t asked; /* in this round */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static const char *str(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* ---- one round ---- */

/* Whether a GET succeeds; the response is the caller's in any case. url is freed. */
static bool get(struct top *top, char *url, struct sluice_http_response *response)
{
    struct sluice_http_request request = {.method = "GET", .url = url};
    bool ok = sluice_http_do(top->client, &request, response, NULL, NULL);
    free(url);
    return ok && response->status == 200;
}

static bool metrics_get(struct top *top, const char *base, json_t *totals)
{
    struct sluice_http_response response = {0};
    bool ok = get(top, sluice_xasprintf("%s/metrics", base), &response);
    ok = ok && response.content_type && strncmp(response.content_type, "text/plain", 10) == 0;
    if (ok) ctl_metrics_parse(response.body, totals);
    sluice_http_response_fini(&response);
    return ok;
}

static void work_add(struct top *top, const char *name, const json_t *task)
{
    json_t *work, *all = json_object_get(top->work, name);
    size_t i;
    json_array_foreach(json_object_get(task, "progress"), i, work)
    {
        if (!json_is_object(work)) continue;
        if (!all) {
            all = json_array();
            json_object_set_new(top->work, name, all);
        }
        json_t *own = json_copy(work);
        json_object_set(own, "task", json_object_get(task, "id"));
        json_array_append_new(all, own);
    }
}

/* The work of this connector's tasks that run with the worker. */
static void work_get(struct top *top, const char *base, const char *name)
{
    struct sluice_http_response response = {0};
    char *path = ctl_connector_path(name, "/status?expand=progress");
    json_t *status = NULL, *task;
    size_t i;
    if (get(top, sluice_xasprintf("%s%s", base, path), &response) && response.body)
        status = json_loads(response.body, 0, NULL);
    json_array_foreach(json_object_get(status, "tasks"), i, task) work_add(top, name, task);
    json_decref(status);
    sluice_http_response_fini(&response);
    free(path);
}

static bool runs_with(const json_t *status, const char *worker)
{
    json_t *task;
    size_t i;
    json_array_foreach(json_object_get(status, "tasks"), i, task)
    {
        const char *state = str(task, "state"), *id = str(task, "worker_id");
        if (state && id && strcmp(state, "RUNNING") == 0 && strcmp(id, worker) == 0) return true;
    }
    return false;
}

/* One worker: its metrics, and the work of the connectors that are shown and have tasks there. */
static void sample_worker(struct top *top, const char *base, const char *worker, const json_t *all)
{
    const char *name, *type;
    json_t *one;
    if (!metrics_get(top, base, top->now)) return;
    top->metrics = true;
    json_object_foreach((json_t *)all, name, one)
    {
        const json_t *status = json_object_get(one, "status");
        type = str(status, "type");
        bool asks = type && strcmp(type, "source") == 0 && runs_with(status, worker) &&
                    ctl_matches(&top->ctl->args.words, name);
        if (asks && top->asked++ < ASKED_MAX) work_get(top, base, name);
    }
}

/* host:port of every worker that a status names. */
static json_t *workers_of(const json_t *all)
{
    json_t *workers = json_object(), *one, *task;
    const char *name;
    size_t i;
    json_object_foreach((json_t *)all, name, one)
    {
        const json_t *status = json_object_get(one, "status");
        const char *own = str(json_object_get(status, "connector"), "worker_id");
        if (own) json_object_set_new(workers, own, json_true());
        json_array_foreach(json_object_get(status, "tasks"), i, task)
        {
            const char *id = str(task, "worker_id");
            if (id) json_object_set_new(workers, id, json_true());
        }
    }
    return workers;
}

/* The one whom we ask tells of itself; when it is not alone, the others are asked too. */
static void sample(struct top *top, const json_t *all)
{
    struct ctl *ctl = top->ctl;
    const char *base = ctl->urls[ctl->url], *id;
    json_t *workers = workers_of(all), *value;
    size_t asked = 0;
    json_decref(top->before);
    top->before = top->now;
    top->before_ms = top->now_ms;
    top->now = json_object();
    top->metrics = false;
    json_object_clear(top->work);
    top->asked = 0;
    int scheme = strncmp(base, "https", 5) == 0 ? 5 : 4;
    bool alone = json_object_size(workers) <= 1;
    json_object_foreach(workers, id, value)
    {
        if (asked++ == WORKERS_MAX) break;
        char *url = sluice_xasprintf("%.*s://%s", scheme, base, id);
        sample_worker(top, alone ? base : url, id, all);
        free(url);
    }
    if (!json_object_size(workers)) top->metrics = metrics_get(top, base, top->now);
    top->now_ms = sluice_now_ms();
    json_decref(workers);
}

static void add_rates(struct ctl_table *table, const struct ctl_rates *rates, bool first)
{
    if (rates->has_source && !first) ctl_table_addf(table, NULL, "%.0f", rates->written);
    else ctl_table_add(table, NULL, NULL);
    if (rates->has_sink && !first) ctl_table_addf(table, NULL, "%.0f", rates->sent);
    else ctl_table_add(table, NULL, NULL);
    if (rates->has_sink) ctl_table_addf(table, NULL, "%.0f", rates->lag);
    else ctl_table_add(table, NULL, NULL);
    ctl_table_addf(table, rates->errors > 0 ? "31" : NULL, "%.0f", rates->errors);
}

static void add_row(struct top *top, struct ctl_table *table, const char *name,
                    const json_t *status)
{
    const char *state = str(json_object_get(status, "connector"), "state");
    size_t running = 0, failed = 0, i, n;
    json_t *task;
    json_array_foreach(json_object_get(status, "tasks"), i, task)
    {
        const char *its = str(task, "state");
        running += its && strcmp(its, "RUNNING") == 0;
        failed += its && strcmp(its, "FAILED") == 0;
    }
    n = json_array_size(json_object_get(status, "tasks"));
    ctl_table_add(table, name, NULL);
    ctl_table_add(table, str(status, "type"), NULL);
    ctl_table_add(table, state, ctl_state_color(state));
    ctl_table_addf(table, failed ? "1;31" : NULL, "%zu/%zu", running, n);
    if (!top->metrics) return;
    const json_t *now = json_object_get(top->now, name);
    struct ctl_rates rates =
        ctl_rates_of(json_object_get(top->before, name), now, top->now_ms - top->before_ms);
    add_rates(table, &rates, !top->before);
    if (!json_object_size(top->work)) return;
    const json_t *work = json_array_get(json_object_get(top->work, name), 0);
    struct sluice_buf text;
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    if (work) ctl_progress_brief(&text, work);
    ctl_table_add(table, work ? sluice_buf_str(&text) : NULL, NULL);
    sluice_buf_fini(&text);
}

static json_t *json_row(struct top *top, const char *name, const json_t *status)
{
    json_t *row = json_pack("{s:s, s:O*}", "name", name, "status", status);
    const json_t *now = json_object_get(top->now, name);
    struct ctl_rates rates =
        ctl_rates_of(json_object_get(top->before, name), now, top->now_ms - top->before_ms);
    if (rates.has_source)
        json_object_set_new(row, "source_records_per_second", json_real(rates.written));
    if (rates.has_sink) {
        json_object_set_new(row, "sink_records_per_second", json_real(rates.sent));
        json_object_set_new(row, "lag", json_real(rates.lag));
    }
    if (now) json_object_set_new(row, "errors", json_real(rates.errors));
    json_t *work = json_object_get(top->work, name);
    if (work) json_object_set(row, "progress", work);
    return row;
}

static void print_table(struct top *top, const json_t *all)
{
    static const char *const states[] = {"NAME", "TYPE", "STATE", "TASKS", NULL};
    static const char *const rates[] = {"NAME",   "TYPE", "STATE",  "TASKS", "SOURCE/S",
                                        "SINK/S", "LAG",  "ERRORS", NULL};
    static const char *const works[] = {"NAME",   "TYPE", "STATE",  "TASKS",    "SOURCE/S",
                                        "SINK/S", "LAG",  "ERRORS", "PROGRESS", NULL};
    struct ctl_table table;
    const char *name;
    json_t *one;
    bool work = top->metrics && json_object_size(top->work) > 0;
    ctl_table_init(&table, work ? works : top->metrics ? rates : states);
    json_object_foreach((json_t *)all, name, one)
    {
        if (ctl_matches(&top->ctl->args.words, name))
            add_row(top, &table, name, json_object_get(one, "status"));
    }
    ctl_table_print(&table, top->ctl);
    ctl_table_fini(&table);
}

static void print_json(struct top *top, const json_t *all)
{
    json_t *rows = json_array(), *one;
    const char *name;
    json_object_foreach((json_t *)all, name, one)
    {
        if (ctl_matches(&top->ctl->args.words, name))
            json_array_append_new(rows, json_row(top, name, json_object_get(one, "status")));
    }
    ctl_print_json(top->ctl, rows);
    json_decref(rows);
}

/* ---- the screen ---- */

struct screen {
    struct termios before;
    bool raw;
};

static void screen_take(struct screen *screen, struct ctl *ctl)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    screen->raw = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &screen->before) == 0;
    if (screen->raw) { /* a key counts at once, and is not echoed */
        struct termios raw = screen->before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    fputs("\033[?1049h\033[?25l", ctl->out);
}

static void screen_give(struct screen *screen, struct ctl *ctl)
{
    fputs("\033[?25h\033[?1049l", ctl->out);
    fflush(ctl->out);
    if (screen->raw) tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
}

/* The round's text, cut at the screen's height. */
static void screen_show(struct ctl *ctl, const char *text)
{
    struct winsize size = {0};
    size_t rows = 24, shown = 0, more = 0;
    if (ioctl(fileno(ctl->out), TIOCGWINSZ, &size) == 0 && size.ws_row > 3) {
        rows = size.ws_row;
        ctl->columns = size.ws_col;
    }
    char now[25];
    sluice_wall_text(sluice_wall_ms(), now);
    fprintf(ctl->out, "\033[H\033[2J%s  %s  (q ends)\n\n", ctl->urls[ctl->url], now);
    for (const char *at = text; *at;) {
        size_t len = strcspn(at, "\n") + 1;
        if (shown + 4 < rows) fwrite(at, 1, len, ctl->out);
        else more++;
        shown++;
        at += len;
    }
    if (more) fprintf(ctl->out, "... %zu more", more);
    fflush(ctl->out);
}

/* Until the next round; true: the user has enough. */
static bool screen_wait(const struct screen *screen, int64_t ms)
{
    struct pollfd keys = {.fd = screen->raw ? STDIN_FILENO : -1, .events = POLLIN};
    char key = 0;
    for (int64_t until = sluice_now_ms() + ms; !interrupted; ms = until - sluice_now_ms()) {
        if (ms <= 0) return false;
        if (poll(&keys, 1, (int)ms) > 0 && read(STDIN_FILENO, &key, 1) == 1 &&
            (key == 'q' || key == 'Q'))
            return true;
    }
    return true;
}

/* ---- rounds ---- */

static int round_print(struct top *top, bool screen)
{
    struct ctl *ctl = top->ctl;
    json_t *all;
    int code = ctl_connectors(ctl, &all);
    if (code != CTL_OK) return code;
    sample(top, all);
    if (!screen) {
        if (ctl->output == CTL_JSON) print_json(top, all);
        else print_table(top, all);
        fflush(ctl->out);
    } else {
        char *text = NULL;
        size_t len;
        FILE *out = ctl->out;
        ctl->out = open_memstream(&text, &len);
        assert(ctl->out);
        print_table(top, all);
        fclose(ctl->out);
        ctl->out = out;
        screen_show(ctl, text);
        free(text);
    }
    json_decref(all);
    return code;
}

/* Rates want two samples. */
static int once(struct top *top, int64_t interval_ms)
{
    json_t *all;
    int code = ctl_connectors(top->ctl, &all);
    if (code != CTL_OK) return code;
    sample(top, all);
    json_decref(all);
    if (top->metrics) poll(NULL, 0, (int)interval_ms);
    return round_print(top, false);
}

static int rounds(struct top *top, int64_t interval_ms)
{
    struct screen screen = {0};
    bool own = top->ctl->columns > 0 && top->ctl->output != CTL_JSON;
    int code;
    if (own) screen_take(&screen, top->ctl);
    do {
        code = round_print(top, own);
        if (code == CTL_OK && !own) ctl_print(top->ctl, NULL, "\n");
    } while (code == CTL_OK && !screen_wait(&screen, interval_ms));
    if (own) screen_give(&screen, top->ctl);
    return code;
}

int ctl_top_run(struct ctl *ctl)
{
    struct top top = {.ctl = ctl, .work = json_object()};
    int64_t interval_ms;
    if (!ctl_seconds(ctl, CTL_INTERVAL, INTERVAL_MS, &interval_ms)) return CTL_USAGE;
    top.client = ctl_client_new(ctl, METRICS_MS);
    int code = ctl_has(ctl, CTL_ONCE) ? once(&top, interval_ms) : rounds(&top, interval_ms);
    sluice_http_client_free(top.client);
    json_decref(top.before);
    json_decref(top.now);
    json_decref(top.work);
    return code;
}
