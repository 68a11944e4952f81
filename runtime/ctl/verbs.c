/* verbs.c - the table of commands, and the help that is written from it. */
#include <stdint.h>
#include <string.h>

#include "ctl/internal.h"

#define MANY SIZE_MAX
#define SELECT CTL_BIT(CTL_ALL)
#define WAITING (CTL_BIT(CTL_WAIT) | CTL_BIT(CTL_TIMEOUT))

const struct ctl_verb ctl_verbs[] = {
    {"list", NULL, "[NAME|GLOB...]", "connectors with their states", 0, MANY, CTL_CONNECTORS,
     CTL_BIT(CTL_STATE) | CTL_BIT(CTL_TYPE), ctl_list_run},
    {"describe", NULL, "NAME|GLOB...",
     "all that is known of connectors: states, traces, progress of "
     "snapshots, config, topics, offsets",
     0, MANY, CTL_CONNECTORS, SELECT | CTL_BIT(CTL_FULL) | CTL_BIT(CTL_SHOW_SECRETS),
     ctl_describe_run},
    {"apply", NULL, "-f FILE|DIR|- ...", "make the worker's connectors what the files say", 0, 0,
     CTL_NOTHING,
     CTL_BIT(CTL_FILE) | CTL_BIT(CTL_DRY_RUN) | CTL_BIT(CTL_PRUNE) | CTL_BIT(CTL_MATCH) |
         CTL_BIT(CTL_ALL) | CTL_BIT(CTL_YES) | CTL_BIT(CTL_SHOW_SECRETS) | WAITING,
     ctl_apply_run},
    {"config", "get", "NAME [KEY]", "a connector's config, or the value of one key", 1, 2,
     CTL_CONNECTORS, CTL_BIT(CTL_SHOW_SECRETS), ctl_config_get_run},
    {"config", "set", "NAME KEY=VALUE...", "change keys of a config", 2, MANY, CTL_CONNECTORS,
     CTL_BIT(CTL_DRY_RUN) | CTL_BIT(CTL_SHOW_SECRETS) | WAITING, ctl_config_set_run},
    {"config", "unset", "NAME KEY...", "take keys out of a config", 2, MANY, CTL_CONNECTORS,
     CTL_BIT(CTL_DRY_RUN) | CTL_BIT(CTL_SHOW_SECRETS) | WAITING, ctl_config_unset_run},
    {"config", "edit", "NAME", "change a config in $VISUAL or $EDITOR", 1, 1, CTL_CONNECTORS,
     CTL_BIT(CTL_DRY_RUN) | CTL_BIT(CTL_SHOW_SECRETS) | WAITING, ctl_config_edit_run},
    {"pause", NULL, "NAME|GLOB...", "stop reading and writing, keep the tasks", 0, MANY,
     CTL_CONNECTORS, SELECT | WAITING, ctl_pause_run},
    {"resume", NULL, "NAME|GLOB...", "go on after pause or stop", 0, MANY, CTL_CONNECTORS,
     SELECT | WAITING, ctl_resume_run},
    {"stop", NULL, "NAME|GLOB...", "end the tasks, keep config and offsets", 0, MANY,
     CTL_CONNECTORS, SELECT | WAITING, ctl_stop_run},
    {"restart", NULL, "NAME|GLOB|NAME/TASK...", "restart connectors with their tasks, or one task",
     0, MANY, CTL_CONNECTORS,
     SELECT | WAITING | CTL_BIT(CTL_TASKS) | CTL_BIT(CTL_FAILED_ONLY) | CTL_BIT(CTL_CONNECTOR_ONLY),
     ctl_restart_run},
    {"delete", NULL, "NAME|GLOB... | -f FILE", "delete connectors; their offsets stay", 0, MANY,
     CTL_CONNECTORS, SELECT | CTL_BIT(CTL_FILE) | CTL_BIT(CTL_YES) | CTL_BIT(CTL_IGNORE_NOT_FOUND),
     ctl_delete_run},
    {"offsets", "get", "NAME", "where a connector stands", 1, 1, CTL_CONNECTORS, 0,
     ctl_offsets_get_run},
    {"offsets", "set", "NAME -f FILE|-", "put a stopped connector elsewhere", 1, 1, CTL_CONNECTORS,
     CTL_BIT(CTL_FILE), ctl_offsets_set_run},
    {"offsets", "reset", "NAME", "let a stopped connector begin anew", 1, 1, CTL_CONNECTORS,
     CTL_BIT(CTL_YES), ctl_offsets_reset_run},
    {"plugins", "list", "", "connector plugins of the worker; --all: of every kind", 0, 0,
     CTL_NOTHING, CTL_BIT(CTL_ALL), ctl_plugins_list_run},
    {"plugins", "describe", "PLUGIN", "the options of a plugin", 1, 1, CTL_PLUGINS,
     CTL_BIT(CTL_FULL), ctl_plugins_describe_run},
    {"plugins", "validate", "-f FILE|DIR|- ...", "check configs, change nothing", 0, 0, CTL_NOTHING,
     CTL_BIT(CTL_FILE), ctl_plugins_validate_run},
    {"logs", "level", "[LOGGER [LEVEL]]", "read or set log levels", 0, 2, CTL_LOGGERS,
     CTL_BIT(CTL_CLUSTER), ctl_logs_level_run},
    {"top", NULL, "[NAME|GLOB...]", "states, rates and the progress of snapshots, refreshed", 0,
     MANY, CTL_CONNECTORS, CTL_BIT(CTL_ONCE) | CTL_BIT(CTL_INTERVAL), ctl_top_run},
    {"info", NULL, "", "which worker answers, and its Kafka cluster", 0, 0, CTL_NOTHING, 0,
     ctl_info_run},
    {"completion", NULL, "bash", "what makes a shell complete these commands", 1, 1, CTL_NOTHING, 0,
     ctl_completion_run},
};
const size_t ctl_verbs_n = sizeof ctl_verbs / sizeof *ctl_verbs;

static void option_line(FILE *out, const struct ctl_option *option)
{
    char left[64];
    int letter = option->letter;
    snprintf(left, sizeof left, "%c%c%s--%s%s%s", letter ? '-' : ' ', letter ? letter : ' ',
             letter ? ", " : "  ", option->name, option->value ? " " : "",
             option->value ? option->value : "");
    fprintf(out, "  %-28s  %s\n", left, option->help);
}

static void options_help(FILE *out, const struct ctl_verb *verb)
{
    if (verb && verb->options) fputs("\nOptions:\n", out);
    for (int id = CTL_GLOBAL_END; verb && id < CTL_OPTIONS; id++) {
        if (verb->options & CTL_BIT(id)) option_line(out, &ctl_options[id]);
    }
    fputs("\nOptions of every command:\n", out);
    for (int id = 0; id < CTL_GLOBAL_END; id++) option_line(out, &ctl_options[id]);
}

static void verb_line(FILE *out, const struct ctl_verb *verb)
{
    char left[64];
    snprintf(left, sizeof left, "%s%s%s %s", verb->name, verb->sub ? " " : "",
             verb->sub ? verb->sub : "", verb->args);
    fprintf(out, "  %-32s  %s\n", left, verb->help);
}

void ctl_help_group(FILE *out, const char *name)
{
    fprintf(out, "usage: sluice ctl %s COMMAND [ARGUMENT...] [OPTION...]\n\nCommands:\n", name);
    for (size_t i = 0; i < ctl_verbs_n; i++) {
        if (strcmp(ctl_verbs[i].name, name) == 0) verb_line(out, &ctl_verbs[i]);
    }
    options_help(out, NULL);
}

void ctl_help(FILE *out, const struct ctl_verb *verb)
{
    if (verb) {
        fprintf(out, "usage: sluice ctl %s%s%s %s [OPTION...]\n\n%s\n", verb->name,
                verb->sub ? " " : "", verb->sub ? verb->sub : "", verb->args, verb->help);
        options_help(out, verb);
        return;
    }
    fputs("usage: sluice ctl COMMAND [ARGUMENT...] [OPTION...]\n\n"
          "Operates the connectors of any Kafka Connect worker, sluice's or Java's.\n\nCommands:\n",
          out);
    for (size_t i = 0; i < ctl_verbs_n; i++) verb_line(out, &ctl_verbs[i]);
    options_help(out, NULL);
    fputs("\n\"sluice ctl COMMAND --help\" says more. Globs (* ? [...]) want quotes.\n"
          "Exit codes: 0 done; 1 wrong usage or a wrong file; 2 the worker refused; 3 no worker\n"
          "answered; 4 --wait ended with FAILED, or too late.\n",
          out);
}
