/* apply.c - makes the worker's connectors what files say. Everything is read, compared and
 * validated before anything is changed; what is as it should be is left alone, so that a second
 * apply does nothing. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/internal.h"

enum fate { UNCHANGED, CREATE, CONFIGURE, DELETE, FAILED };

struct step {
    const struct ctl_wanted *wanted; /* NULL: DELETE */
    const char *name;
    json_t *before; /* the config that is there */
    enum fate fate;
};

struct plan {
    struct ctl *ctl;
    struct ctl_wanteds wanteds;
    struct step *steps;
    size_t n, cap;
    json_t *listed; /* keeps the names of what is to be pruned */
    json_t *done;
};

static void step_add(struct plan *plan, struct step step)
{
    plan->steps = sluice_xgrow(plan->steps, plan->n, &plan->cap, sizeof step);
    plan->steps[plan->n++] = step;
}

static void plan_fini(struct plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) json_decref(plan->steps[i].before);
    free(plan->steps);
    json_decref(plan->listed);
    json_decref(plan->done);
    ctl_wanteds_fini(&plan->wanteds);
}

/* ---- planning ---- */

static int config_get(struct ctl *ctl, const char *name, json_t **config)
{
    struct ctl_answer answer = {0};
    char *path = ctl_connector_path(name, "/config");
    int code = ctl_ask(ctl, "GET", path, NULL, &answer);
    *config = NULL;
    if (code == CTL_OK && answer.status == 200 && json_is_object(answer.body))
        *config = json_incref(answer.body);
    else if (code == CTL_OK && answer.status != 404) {
        ctl_refused(path, &answer);
        code = CTL_REFUSED;
    } else if (code == CTL_OK && !answer.body) { /* Connect says in JSON what is not there */
        ctl_refused(path, &answer);
        code = CTL_REFUSED;
    }
    ctl_answer_fini(&answer);
    free(path);
    return code;
}

static int plan_wanted(struct plan *plan)
{
    int code = CTL_OK;
    for (size_t i = 0; i < plan->wanteds.n; i++) {
        const struct ctl_wanted *wanted = &plan->wanteds.items[i];
        struct step step = {.wanted = wanted, .name = wanted->name, .fate = CREATE};
        int one = config_get(plan->ctl, wanted->name, &step.before);
        code = ctl_worse(code, one);
        if (one == CTL_UNREACHABLE) return code;
        if (step.before) {
            bool same = ctl_diff(step.before, wanted->config, NULL, NULL) == 0;
            step.fate = same ? UNCHANGED : CONFIGURE;
        }
        step_add(plan, step);
        if (one == CTL_OK && step.fate != UNCHANGED)
            code = ctl_worse(code, ctl_validate(plan->ctl, wanted));
    }
    return code;
}

static bool is_wanted(const struct plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->wanteds.n; i++) {
        if (strcmp(plan->wanteds.items[i].name, name) == 0) return true;
    }
    return false;
}

static int plan_prune(struct plan *plan)
{
    struct ctl *ctl = plan->ctl;
    json_t *name;
    size_t i;
    if (!ctl_has(ctl, CTL_PRUNE)) return CTL_OK;
    int code = ctl_get(ctl, "/connectors", JSON_ARRAY, &plan->listed);
    if (code != CTL_OK) return code;
    json_array_foreach(plan->listed, i, name)
    {
        const char *text = json_string_value(name);
        if (text && ctl_matches(&ctl->args.matches, text) && !is_wanted(plan, text))
            step_add(plan, (struct step){.name = text, .fate = DELETE});
    }
    return CTL_OK;
}

static bool options_fit(struct ctl *ctl)
{
    bool prune = ctl_has(ctl, CTL_PRUNE), all = ctl_has(ctl, CTL_ALL);
    bool match = ctl->args.matches.n > 0;
    if (prune && all == match) {
        ctl_error("--prune needs to know among which connectors it may delete: --match 'GLOB', or "
                  "--all");
        return false;
    }
    if (!prune && (all || match)) {
        ctl_error("--%s says what --prune may delete, which is not given", all ? "all" : "match");
        return false;
    }
    return true;
}

static bool prune_confirmed(struct plan *plan)
{
    struct sluice_buf buf;
    size_t n = 0;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    sluice_buf_adds(&buf, "Prune connectors that are in no file (");
    for (size_t i = 0; i < plan->n; i++) {
        if (plan->steps[i].fate == DELETE)
            sluice_buf_addf(&buf, "%s%s", n++ ? ", " : "", plan->steps[i].name);
    }
    sluice_buf_adds(&buf, ")?");
    bool yes = n == 0 || ctl_confirm(plan->ctl, sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
    return yes;
}

/* ---- doing ---- */

static void told(struct plan *plan, const struct step *step, bool dry)
{
    static const char *const words[] = {"unchanged", "created", "configured", "deleted"};
    static const char *const colors[] = {NULL, "32", "33", "31"};
    struct ctl *ctl = plan->ctl;
    json_array_append_new(plan->done,
                          json_pack("{s:s, s:s}", "name", step->name, "result", words[step->fate]));
    if (ctl->output == CTL_JSON) return;
    ctl_print(ctl, NULL, step->name);
    if (ctl->output != CTL_NAMES) {
        ctl_print(ctl, NULL, " ");
        ctl_print(ctl, colors[step->fate], words[step->fate]);
        if (dry && step->fate != UNCHANGED) ctl_print(ctl, NULL, " (dry run)");
    }
    ctl_print(ctl, NULL, "\n");
    if (dry && ctl->output != CTL_NAMES && step->wanted)
        ctl_diff_print(ctl, step->before, step->wanted->config);
    fflush(ctl->out);
}

static int request(struct ctl *ctl, const struct step *step)
{
    struct ctl_answer answer = {0};
    json_t *create = NULL;
    const char *method = step->fate == DELETE ? "DELETE" : step->fate == CREATE ? "POST" : "PUT";
    char *path = step->fate == CREATE
                     ? sluice_xstrdup("/connectors")
                     : ctl_connector_path(step->name, step->fate == DELETE ? "" : "/config");
    const json_t *body = step->wanted ? step->wanted->config : NULL;
    if (step->fate == CREATE) {
        create = json_pack("{s:s, s:O, s:s*}", "name", step->name, "config", step->wanted->config,
                           "initial_state", step->wanted->initial_state);
        assert(create);
        body = create;
    }
    int code = ctl_ask(ctl, method, path, body, &answer);
    bool gone = step->fate == DELETE && answer.status == 404; /* by somebody else: as wanted */
    if (code == CTL_OK && answer.status >= 300 && !gone) {
        ctl_refused(step->name, &answer);
        code = CTL_REFUSED;
    }
    ctl_answer_fini(&answer);
    json_decref(create);
    free(path);
    return code;
}

static int carry_out(struct plan *plan)
{
    int code = CTL_OK;
    for (size_t i = 0; i < plan->n; i++) {
        struct step *step = &plan->steps[i];
        /* What is wrong with the new must not cost the old. */
        if (step->fate == DELETE && code != CTL_OK) break;
        int one = step->fate == UNCHANGED ? CTL_OK : request(plan->ctl, step);
        if (one == CTL_OK) told(plan, step, false);
        else step->fate = FAILED;
        code = ctl_worse(code, one);
        if (one == CTL_UNREACHABLE) break;
    }
    return code;
}

static const char *target_of(const struct step *step)
{
    if (step->fate == CREATE && step->wanted->initial_state) return step->wanted->initial_state;
    return "RUNNING";
}

/* A connector that somebody paused or stopped stays so when it is configured: not waited for. */
static bool rests(struct ctl *ctl, const char *name)
{
    struct ctl_answer answer = {0};
    char *path = ctl_connector_path(name, "/status");
    bool resting = false;
    if (ctl_ask(ctl, "GET", path, NULL, &answer) == CTL_OK) {
        const char *state =
            json_string_value(json_object_get(json_object_get(answer.body, "connector"), "state"));
        resting = state && (strcmp(state, "PAUSED") == 0 || strcmp(state, "STOPPED") == 0);
    }
    ctl_answer_fini(&answer);
    free(path);
    return resting;
}

static int wait_for_all(struct plan *plan)
{
    int code = CTL_OK;
    for (size_t i = 0; ctl_has(plan->ctl, CTL_WAIT) && i < plan->n; i++) {
        const struct step *step = &plan->steps[i];
        if (step->fate == DELETE || step->fate == FAILED) continue;
        if (step->fate != CREATE && rests(plan->ctl, step->name)) continue;
        code = ctl_worse(code, ctl_wait(plan->ctl, step->name, target_of(step)));
        if (code == CTL_UNREACHABLE) break;
    }
    return code;
}

int ctl_apply_run(struct ctl *ctl)
{
    struct plan plan = {.ctl = ctl, .done = json_array()};
    bool dry = ctl_has(ctl, CTL_DRY_RUN);
    int code = options_fit(ctl) ? ctl_files_read(ctl, &plan.wanteds) : CTL_USAGE;
    bool read = code == CTL_OK;
    if (read) code = plan_wanted(&plan);
    if (code == CTL_OK) code = plan_prune(&plan);
    bool planned = code == CTL_OK;
    if (!planned && read && code != CTL_UNREACHABLE) ctl_error("nothing was changed");
    if (planned && dry) {
        for (size_t i = 0; i < plan.n; i++) told(&plan, &plan.steps[i], true);
    } else if (planned) {
        planned = prune_confirmed(&plan);
        code = planned ? carry_out(&plan) : CTL_USAGE;
        if (planned && code != CTL_UNREACHABLE) code = ctl_worse(code, wait_for_all(&plan));
    }
    if (planned && ctl->output == CTL_JSON) ctl_print_json(ctl, plan.done);
    plan_fini(&plan);
    return code;
}
