/* configs.h - configs of connectors: out of files, without their secrets, one against another, and
 * checked by the worker. */
#ifndef SLUICE_CTL_CONFIGS_H
#define SLUICE_CTL_CONFIGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct ctl;

/* ---- configs (files.c, secrets.c, diff.c) ---- */

struct ctl_wanted {            /* a connector as a file has it */
    char *name, *from;         /* from: the file, and the place in it */
    json_t *config;            /* strings, with its name */
    const char *initial_state; /* NULL: not said */
};

struct ctl_wanteds {
    struct ctl_wanted *items;
    size_t n, cap;
};

/* All files of --file; every fault is told. */
int ctl_files_read(struct ctl *ctl, struct ctl_wanteds *wanteds);
/* One text; file_name decides about .properties when it is no JSON. Faults are told. */
bool ctl_files_parse(struct ctl_wanteds *wanteds, const char *file_name, const char *text,
                     size_t len);
void ctl_wanteds_fini(struct ctl_wanteds *wanteds);

#define CTL_HIDDEN "[hidden]"
/* Whether the key's name says that its value is a secret. */
bool ctl_secret_name(const char *key);
/* The value as it may be shown, the caller's. password: the key is known to be a secret. */
char *ctl_masked_value(const char *key, const char *value, bool password);
/* Whether the plugin of the config declares this key as PASSWORD; asks once per class. */
bool ctl_is_password(struct ctl *ctl, const json_t *config, const char *key);
/* A copy that can be shown; with --show-secrets as it is. */
json_t *ctl_masked(struct ctl *ctl, const json_t *config);

enum ctl_change { CTL_ADDED, CTL_REMOVED, CTL_CHANGED };
typedef void ctl_on_change(void *arg, enum ctl_change, const char *key, const char *before,
                           const char *after);
/* Calls for every key that differs, sorted by key; the number of them. before may be NULL. call may
 * be NULL. */
size_t ctl_diff(const json_t *before, const json_t *after, ctl_on_change *call, void *arg);
/* Prints it with "+", "-" and "~". */
void ctl_diff_print(struct ctl *ctl, const json_t *before, const json_t *after);

/* PUT validate. CTL_REFUSED: every fault is told as "<from>: <name>: <key>: <fault>". */
int ctl_validate(struct ctl *ctl, const struct ctl_wanted *wanted);

#endif
