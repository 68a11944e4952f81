/* args.h - the command line of `sluice ctl`: tables of options and commands, and its parser. */
#ifndef SLUICE_CTL_ARGS_H
#define SLUICE_CTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "sluice/plugin.h"

enum ctl_option_id {
    CTL_URL,
    CTL_USER,
    CTL_PASSWORD_FILE,
    CTL_CA,
    CTL_CERT,
    CTL_KEY,
    CTL_ANY_HOST,
    CTL_CONTEXT,
    CTL_REQUEST_TIMEOUT,
    CTL_OUTPUT,
    CTL_COLOR,
    CTL_HELP,
    CTL_GLOBAL_END, /* those above may stand with every verb */
    CTL_FILE = CTL_GLOBAL_END,
    CTL_ALL,
    CTL_YES,
    CTL_WAIT,
    CTL_TIMEOUT,
    CTL_DRY_RUN,
    CTL_PRUNE,
    CTL_MATCH,
    CTL_STATE,
    CTL_TYPE,
    CTL_FULL,
    CTL_SHOW_SECRETS,
    CTL_TASKS,
    CTL_FAILED_ONLY,
    CTL_CONNECTOR_ONLY,
    CTL_CLUSTER,
    CTL_ONCE,
    CTL_INTERVAL,
    CTL_IGNORE_NOT_FOUND,
    CTL_OPTIONS
};

#define CTL_BIT(option) (1u << (option))
_Static_assert(CTL_OPTIONS <= 32, "the options of a verb are bits of an unsigned");

struct ctl_option {
    const char *name;         /* without the dashes */
    char letter;              /* '\0': none */
    const char *value, *help; /* value NULL: a switch */
    bool repeated;
};

struct ctl_list {
    const char **items;
    size_t n, cap;
};

struct ctl_args {
    const struct ctl_verb *verb;
    const char *values[CTL_OPTIONS]; /* the last one given; "" of a switch; NULL: not given */
    struct ctl_list files, matches;  /* of the options that may be repeated */
    struct ctl_list words;           /* what is no option, verb and sub-verb taken off */
};

enum ctl_completes { CTL_NOTHING, CTL_CONNECTORS, CTL_PLUGINS, CTL_LOGGERS };

struct ctl;
struct ctl_verb {
    const char *name, *sub; /* sub NULL: none */
    const char *args, *help;
    size_t words_min, words_max;
    enum ctl_completes completes;
    unsigned options; /* CTL_BITs besides the global ones */
    int (*run)(struct ctl *);
};

extern const struct ctl_option ctl_options[CTL_OPTIONS];
extern const struct ctl_verb ctl_verbs[];
extern const size_t ctl_verbs_n;

void ctl_list_add(struct ctl_list *list, const char *item); /* keeps the pointer */
/* False: err says what is wrong. --help leaves everything else unchecked. */
bool ctl_args_parse(struct ctl_args *args, int argc, char **argv, struct sluice_err *err);
void ctl_args_fini(struct ctl_args *args);
/* The usage of everything, or of the verb. */
void ctl_help(FILE *out, const struct ctl_verb *verb);
void ctl_help_group(FILE *out, const char *name);

#endif
