/* metrics.c - sums per connector out of Prometheus' text form, as sluice's /metrics has it
 * (runtime/rest/metrics.c): name{label="value",...} number. Lines of another form are skipped. */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/internal.h"

#define PREFIX "kafka_connect_"

static const char *const wanted[] = {
    "source_task_metrics_source_record_write_total", "sink_task_metrics_sink_record_read_total",
    "sink_task_metrics_sink_record_send_total", "sink_task_metrics_sink_record_lag_max",
    "task_error_metrics_total_record_errors"};
enum { WRITTEN, READ, SENT, LAG, ERRORS };

static int metric_of(const char *name, size_t len)
{
    size_t prefix = strlen(PREFIX);
    if (len <= prefix || memcmp(name, PREFIX, prefix) != 0) return -1;
    for (int i = 0; i < (int)(sizeof wanted / sizeof *wanted); i++) {
        if (strlen(wanted[i]) == len - prefix &&
            memcmp(wanted[i], name + prefix, len - prefix) == 0)
            return i;
    }
    return -1;
}

/* Reads one label at *at (behind '{' or ','). NULL: none. The value, the caller's. */
static char *label_read(const char **at, const char **name, size_t *name_len)
{
    *name = *at;
    *name_len = strcspn(*at, "=}\n");
    const char *c = *at + *name_len;
    if (c[0] != '=' || c[1] != '"') return NULL;
    struct sluice_buf value;
    sluice_buf_init(&value, SLUICE_BUF_MAX);
    for (c += 2; *c && *c != '"' && *c != '\n'; c++) {
        char one = *c;
        if (one == '\\' && c[1] && c[1] != '\n') {
            c++;
            one = *c == 'n' ? '\n' : *c;
        }
        sluice_buf_add(&value, &one, 1);
    }
    char *text = *c == '"' ? sluice_xstrdup(sluice_buf_str(&value)) : NULL;
    sluice_buf_fini(&value);
    *at = *c == '"' ? c + 1 : c;
    return text;
}

/* The label connector of "{...}" at *at, which moves behind it. The caller's; NULL: none. */
static char *connector_of(const char **at)
{
    char *connector = NULL;
    if (**at != '{') return NULL;
    ++*at;
    for (;;) {
        const char *name;
        size_t len;
        char *value = label_read(at, &name, &len);
        if (!value) break;
        if (len == 9 && memcmp(name, "connector", 9) == 0 && !connector) connector = value;
        else free(value);
        if (**at != ',') break;
        ++*at;
    }
    if (**at == '}') {
        ++*at;
        return connector;
    }
    free(connector);
    return NULL;
}

static void line_take(const char *line, json_t *totals)
{
    size_t len = strcspn(line, "{ \n");
    int metric = metric_of(line, len);
    const char *at = line + len;
    char *connector = metric >= 0 ? connector_of(&at) : NULL, *end;
    if (!connector) return;
    double number = strtod(at, &end);
    if (end != at && number == number) {
        json_t *sums = json_object_get(totals, connector);
        if (!sums) {
            sums = json_object();
            json_object_set_new(totals, connector, sums);
        }
        number += json_number_value(json_object_get(sums, wanted[metric]));
        json_object_set_new(sums, wanted[metric], json_real(number));
    }
    free(connector);
}

void ctl_metrics_parse(const char *text, json_t *totals)
{
    assert(json_is_object(totals));
    for (const char *line = text; *line;) {
        if (*line != '#') line_take(line, totals);
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
}

static double total(const json_t *sums, int metric)
{
    return json_number_value(json_object_get(sums, wanted[metric]));
}

/* Counters begin anew when a task does. */
static double rate(const json_t *before, const json_t *now, int metric, int64_t ms)
{
    double from = total(before, metric), to = total(now, metric);
    if (!before || ms <= 0) return 0;
    return (to >= from ? to - from : to) * 1000 / (double)ms;
}

struct ctl_rates ctl_rates_of(const json_t *before, const json_t *now, int64_t ms)
{
    return (struct ctl_rates){
        .written = rate(before, now, WRITTEN, ms),
        .read = rate(before, now, READ, ms),
        .sent = rate(before, now, SENT, ms),
        .lag = total(now, LAG),
        .errors = total(now, ERRORS),
        .has_source = json_object_get(now, wanted[WRITTEN]) != NULL,
        .has_sink = json_object_get(now, wanted[READ]) != NULL,
    };
}
