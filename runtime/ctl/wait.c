/* wait.c - until a connector is what it was asked to become.
 *
 * What a status says may be older than the request: a worker starts its tasks after it has
 * answered. So a state counts when it has been the same for a while: SETTLED_MS for good ones, and
 * FAILED_MS for FAILED, as a restart leaves the old failure in place for a moment. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ctl/internal.h"

#define TIMEOUT_MS 60000
#define ROUND_MS 250
#define SETTLED_MS 750
#define FAILED_MS 2000

static const char *state_of(const json_t *part)
{
    const char *state = json_string_value(json_object_get(part, "state"));
    return state ? state : "";
}

int ctl_reached(const json_t *status, const char *state)
{
    const json_t *tasks = json_object_get(status, "tasks"), *task;
    const char *own = state_of(json_object_get(status, "connector"));
    bool stopped = strcmp(state, "STOPPED") == 0, all = strcmp(own, state) == 0;
    size_t i;
    if (strcmp(own, "FAILED") == 0) return -1;
    json_array_foreach(tasks, i, task)
    {
        if (strcmp(state_of(task), "FAILED") == 0) return -1;
        all = all && strcmp(state_of(task), state) == 0;
    }
    if (stopped) return all && json_array_size(tasks) == 0;
    /* A connector that was created PAUSED has no tasks yet. */
    return all && (json_array_size(tasks) > 0 || strcmp(state, "PAUSED") == 0);
}

char *ctl_trace_line(const char *trace)
{
    if (!trace) return NULL;
    trace += strspn(trace, " \t\r\n");
    size_t len = strcspn(trace, "\n");
    /* Java's last cause says more than the wrapper in the first line. */
    const char *cause = NULL;
    for (const char *at = strstr(trace, "\nCaused by: "); at; at = strstr(at + 1, "\nCaused by: "))
        cause = at + 12;
    if (cause) return sluice_xstrndup(cause, strcspn(cause, "\n"));
    return sluice_xstrndup(trace, len);
}

static void tell_failed(const char *name, const json_t *status)
{
    json_t *task, *parts = json_array();
    size_t i;
    json_array_append(parts, json_object_get(status, "connector"));
    json_array_extend(parts, json_object_get(status, "tasks"));
    json_array_foreach(parts, i, task)
    {
        if (strcmp(state_of(task), "FAILED") != 0) continue;
        const char *trace = json_string_value(json_object_get(task, "trace"));
        char *line = ctl_trace_line(trace), id[32] = "";
        if (i) snprintf(id, sizeof id, "/%zu", i - 1);
        ctl_error("%s%s is FAILED: %s", name, id, line && *line ? line : "no reason given");
        free(line);
    }
    json_decref(parts);
}

static void tell_late(const char *name, const char *state, const json_t *status, int64_t limit_ms)
{
    struct sluice_buf buf;
    json_t *task;
    size_t i;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    const char *own = state_of(json_object_get(status, "connector"));
    sluice_buf_addf(&buf, "%s", *own ? own : "without a status");
    json_array_foreach(json_object_get(status, "tasks"), i, task)
        sluice_buf_addf(&buf, "%s%s", i ? ", " : "; tasks: ", state_of(task));
    if (json_array_size(json_object_get(status, "tasks")) == 0)
        sluice_buf_adds(&buf, ", and has no tasks");
    ctl_error("%s is not %s after %lld s; it is %s", name, state, (long long)(limit_ms / 1000),
              sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
}

/* 404: there is no status yet. */
static int status_get(struct ctl *ctl, const char *name, json_t **status)
{
    struct ctl_answer answer = {0};
    char *path = ctl_connector_path(name, "/status");
    int code = ctl_ask(ctl, "GET", path, NULL, &answer);
    *status = NULL;
    if (code == CTL_OK && answer.status == 200 && json_is_object(answer.body))
        *status = json_incref(answer.body);
    else if (code == CTL_OK && answer.status != 404) {
        ctl_refused(path, &answer);
        code = CTL_REFUSED;
    }
    ctl_answer_fini(&answer);
    free(path);
    return code;
}

int ctl_wait(struct ctl *ctl, const char *name, const char *state)
{
    int64_t limit_ms, now = sluice_now_ms(), since = now;
    int before = 0, code = CTL_OK;
    if (!ctl_seconds(ctl, CTL_TIMEOUT, TIMEOUT_MS, &limit_ms)) return CTL_USAGE;
    for (int64_t until = now + limit_ms;; poll(NULL, 0, ROUND_MS)) {
        json_t *status;
        code = status_get(ctl, name, &status);
        if (code != CTL_OK) return code;
        int reached = status ? ctl_reached(status, state) : 0;
        now = sluice_now_ms();
        if (reached != before) since = now;
        before = reached;
        bool done = reached > 0 && now - since >= SETTLED_MS;
        bool failed = reached < 0 && (now - since >= FAILED_MS || now >= until);
        if (failed) tell_failed(name, status);
        else if (!done && now >= until) tell_late(name, state, status, limit_ms);
        json_decref(status);
        if (done) return CTL_OK;
        if (failed || now >= until) return CTL_FAILED;
    }
}
