/* internal.h - what the verbs of `sluice ctl` share. One thread; whatever goes wrong is told on
 * stderr where it happens, and only an exit code is handed up. */
#ifndef SLUICE_CTL_INTERNAL_H
#define SLUICE_CTL_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "ctl/args.h"
#include "ctl/configs.h"
#include "http/client.h"

/* Exit codes; of several the greatest is the program's. */
enum {
    CTL_OK = 0,
    CTL_USAGE = 1,       /* a mistake on the command line or in a file of the user */
    CTL_REFUSED = 2,     /* the worker answered no */
    CTL_UNREACHABLE = 3, /* no worker answered */
    CTL_FAILED = 4       /* --wait: FAILED, or too late */
};

static inline int ctl_worse(int a, int b) { return a > b ? a : b; }

/* ---- the program (ctl.c) ---- */

enum ctl_output { CTL_TABLE, CTL_WIDE, CTL_JSON, CTL_NAMES };

struct ctl {
    struct ctl_args args;
    FILE *out;
    enum ctl_output output;
    bool color;
    int columns; /* of the terminal; 0: out is none */
    /* rest.c */
    struct sluice_http_client *client;
    char *password; /* of the user; NULL: none */
    char **urls;
    size_t urls_n, url; /* the one that answered last */
    json_t *context;    /* the file of contexts: values of args may live in it */
    json_t *secrets;    /* class -> object of its PASSWORD keys (secrets.c) */
};

static inline bool ctl_has(const struct ctl *ctl, enum ctl_option_id id)
{
    return ctl->args.values[id] != NULL;
}
/* "sluice ctl: ..." on stderr, neutralised. */
void ctl_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Asks on the terminal; without one or an answer of yes: false, told. --yes answers. */
bool ctl_confirm(struct ctl *ctl, const char *question);
/* Milliseconds of an option in seconds; false: told. */
bool ctl_seconds(struct ctl *ctl, enum ctl_option_id id, int64_t fallback_ms, int64_t *ms);
/* Contexts (context.c): values of the file for options that are not given. False: told. */
bool ctl_context_read(struct ctl *ctl);

/* ---- text for a terminal (text.c) ---- */

/* Appends the text so that it cannot act on a terminal: control characters, also those of C1, text
 * direction and broken UTF-8 become \xNN or \uNNNN. lines: line breaks and tabs stay. */
void ctl_clean(struct sluice_buf *to, const char *text, bool lines);
/* Columns that clean text takes. */
size_t ctl_width(const char *text);
/* Both write to ctl->out; color: an SGR code or NULL. */
void ctl_print(struct ctl *ctl, const char *color, const char *text);
void ctl_printf(struct ctl *ctl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ctl_print_json(struct ctl *ctl, const json_t *json);
const char *ctl_state_color(const char *state);

struct ctl_table {
    const char *const *heads; /* NULL-ended */
    struct ctl_cell {
        char *text;
        const char *color;
    } * cells;
    size_t columns, n, cap;
};

/* heads is kept. Cells come row by row; text is cleaned and copied, NULL counts as "-". */
void ctl_table_init(struct ctl_table *table, const char *const *heads);
void ctl_table_add(struct ctl_table *table, const char *text, const char *color);
void ctl_table_addf(struct ctl_table *table, const char *color, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* On a terminal lines are cut at its width, unless the output is wide. */
void ctl_table_print(struct ctl_table *table, struct ctl *ctl);
void ctl_table_fini(struct ctl_table *table);

/* ---- the worker's REST API (rest.c) ---- */

struct ctl_answer {
    int status;
    json_t *body; /* NULL: none, or no JSON */
    char *text, *type;
};

/* Client and URLs from options and environment. False: told. */
bool ctl_connect(struct ctl *ctl);
/* Another client that is as well known to the worker. */
struct sluice_http_client *ctl_client_new(struct ctl *ctl, int64_t timeout_ms);
void ctl_disconnect(struct ctl *ctl);
/* Asks the worker, another URL if one is silent; waits for rebalances to end (409). CTL_OK:
 * *answer, whatever its status. body may be NULL. */
int ctl_ask(struct ctl *ctl, const char *method, const char *path, const json_t *body,
            struct ctl_answer *answer);
/* Likewise, and an answer that is no success is told and CTL_REFUSED. */
int ctl_call(struct ctl *ctl, const char *method, const char *path, const json_t *body,
             struct ctl_answer *answer);
/* GET; CTL_OK: *json is a new reference, of this jansson type. */
int ctl_get(struct ctl *ctl, const char *path, json_type type, json_t **json);
/* Tells it: what was wanted, the worker's words. */
void ctl_refused(const char *what, const struct ctl_answer *answer);
/* The worker's message as text for people, the caller's. */
char *ctl_message(const struct ctl_answer *answer);
void ctl_answer_fini(struct ctl_answer *answer);
/* "/connectors/<name><suffix>", "/connector-plugins/<name><suffix>", the caller's. */
char *ctl_connector_path(const char *name, const char *suffix);
char *ctl_plugin_path(const char *name, const char *suffix);
char *ctl_encoded(const char *name); /* for a URL's path; the caller's */

/* ---- connectors ---- */

/* Names that the words select: names, globs, --all. New strings in a JSON array (names.c). */
int ctl_select(struct ctl *ctl, json_t **names);
/* {name: {"status", "info"}} of all connectors; those without a status have an empty object. */
int ctl_connectors(struct ctl *ctl, json_t **all);
bool ctl_is_glob(const char *word);
bool ctl_matches(const struct ctl_list *patterns, const char *name); /* no pattern: true */

/* What the connector should come to; "RUNNING", "PAUSED" or "STOPPED". Reads --timeout. */
int ctl_wait(struct ctl *ctl, const char *name, const char *state);
/* 1: it is there, -1: FAILED, 0: neither yet. */
int ctl_reached(const json_t *status, const char *state);
/* The first line of a trace, the caller's; NULL: none. */
char *ctl_trace_line(const char *trace);

/* ---- long work of tasks (progress.c) ---- */

/* Appends one piece of work, as the worker tells it, as a line: what, how far, how long still. */
void ctl_progress_text(struct sluice_buf *buf, const json_t *work);
void ctl_progress_brief(struct sluice_buf *buf, const json_t *work); /* "41.8 %, 21 min" */

/* ---- metrics (metrics.c) ---- */

struct ctl_rates {
    double written, read, sent, lag, errors;
    bool has_source, has_sink;
};

/* Adds the sums of one worker's /metrics, {connector: {metric: number}}, to totals. */
void ctl_metrics_parse(const char *text, json_t *totals);
/* Of one connector, between two sums so many ms apart; before may be NULL: no rates yet. */
struct ctl_rates ctl_rates_of(const json_t *before, const json_t *now, int64_t ms);

/* ---- verbs ---- */

int ctl_list_run(struct ctl *ctl);
int ctl_describe_run(struct ctl *ctl);
int ctl_info_run(struct ctl *ctl);
int ctl_apply_run(struct ctl *ctl);
int ctl_config_get_run(struct ctl *ctl);
int ctl_config_set_run(struct ctl *ctl);
int ctl_config_unset_run(struct ctl *ctl);
int ctl_config_edit_run(struct ctl *ctl);
int ctl_pause_run(struct ctl *ctl);
int ctl_resume_run(struct ctl *ctl);
int ctl_stop_run(struct ctl *ctl);
int ctl_restart_run(struct ctl *ctl);
int ctl_delete_run(struct ctl *ctl);
int ctl_offsets_get_run(struct ctl *ctl);
int ctl_offsets_set_run(struct ctl *ctl);
int ctl_offsets_reset_run(struct ctl *ctl);
int ctl_plugins_list_run(struct ctl *ctl);
int ctl_plugins_describe_run(struct ctl *ctl);
int ctl_plugins_validate_run(struct ctl *ctl);
int ctl_logs_level_run(struct ctl *ctl);
int ctl_top_run(struct ctl *ctl);
int ctl_completion_run(struct ctl *ctl);
void ctl_offsets_print(struct ctl *ctl, const json_t *offsets); /* as a table */
extern const char ctl_completion_bash[];
/* words: the command line behind "ctl", the last one still being typed. Prints what it may become,
 * one per line. */
int ctl_complete(int n, char **words);

#endif
