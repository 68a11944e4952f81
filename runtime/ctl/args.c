/* args.c - options and words of the command line, by the tables below and in verbs.c.
 *
 * Options may stand anywhere, as --name VALUE, --name=VALUE, -x VALUE, -xVALUE; "--" ends them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "ctl/internal.h"
#include "plugin/options.h"

const struct ctl_option ctl_options[CTL_OPTIONS] = {
    [CTL_URL] = {"url", 'u', "URLS",
                 "worker, or several separated by commas: the first that answers "
                 "(SLUICE_URL; http://localhost:8083)",
                 false},
    [CTL_USER] = {"user", 0, "NAME",
                  "basic auth (SLUICE_USER); password from SLUICE_PASSWORD, "
                  "--password-file or a prompt",
                  false},
    [CTL_PASSWORD_FILE] = {"password-file", 0, "FILE", "its first line is the password", false},
    [CTL_CA] = {"ca", 0, "FILE", "PEM certificates to trust (SLUICE_CA)", false},
    [CTL_CERT] = {"cert", 0, "FILE",
                  "client certificate, PEM or PKCS#12 (SLUICE_CERT; password in "
                  "SLUICE_KEY_PASSWORD)",
                  false},
    [CTL_KEY] = {"key", 0, "FILE", "its private key, PEM (SLUICE_KEY)", false},
    [CTL_ANY_HOST] = {"any-host", 0, NULL, "do not compare the certificate with the host's name",
                      false},
    [CTL_CONTEXT] = {"context", 0, "NAME", "entry of ~/.config/sluice/ctl.json (SLUICE_CONTEXT)",
                     false},
    [CTL_REQUEST_TIMEOUT] = {"request-timeout", 0, "SECONDS", "for one answer (95)", false},
    [CTL_OUTPUT] = {"output", 'o', "FORMAT", "table, wide, json or name", false},
    [CTL_COLOR] = {"color", 0, "WHEN", "auto, always or never (auto; NO_COLOR)", false},
    [CTL_HELP] = {"help", 'h', NULL, "this", false},
    [CTL_FILE] = {"file", 'f', "FILE", "file, directory or - for stdin; may be repeated", true},
    [CTL_ALL] = {"all", 'a', NULL, "all that there are", false},
    [CTL_YES] = {"yes", 'y', NULL, "do not ask", false},
    [CTL_WAIT] = {"wait", 'w', NULL, "until it is so, or FAILED (exit code 4)", false},
    [CTL_TIMEOUT] = {"timeout", 't', "SECONDS", "for --wait (60)", false},
    [CTL_DRY_RUN] = {"dry-run", 0, NULL, "check, show what would change, change nothing", false},
    [CTL_PRUNE] = {"prune", 0, NULL, "delete connectors that are in no file; with --match or --all",
                   false},
    [CTL_MATCH] = {"match", 'm', "GLOB", "--prune only names like this; may be repeated", true},
    [CTL_STATE] = {"state", 's', "STATE", "only where connector or a task is in this state", false},
    [CTL_TYPE] = {"type", 0, "TYPE", "only source or sink", false},
    [CTL_FULL] = {"full", 0, NULL, "traces and texts in full", false},
    [CTL_SHOW_SECRETS] = {"show-secrets", 0, NULL, "do not mask secrets", false},
    [CTL_TASKS] = {"tasks", 0, NULL, "the connector and its tasks (the default)", false},
    [CTL_FAILED_ONLY] = {"failed", 0, NULL, "only what is FAILED", false},
    [CTL_CONNECTOR_ONLY] = {"connector-only", 0, NULL, "not its tasks", false},
    [CTL_CLUSTER] = {"cluster", 0, NULL, "on every worker of the cluster", false},
    [CTL_ONCE] = {"once", '1', NULL, "one round, then end", false},
    [CTL_INTERVAL] = {"interval", 'i', "SECONDS", "between rounds (1)", false},
    [CTL_IGNORE_NOT_FOUND] = {"ignore-not-found", 0, NULL, "what is not there counts as deleted",
                              false},
};

void ctl_list_add(struct ctl_list *list, const char *item)
{
    list->items = sluice_xgrow(list->items, list->n, &list->cap, sizeof *list->items);
    list->items[list->n++] = item;
}

void ctl_args_fini(struct ctl_args *args)
{
    free(args->files.items);
    free(args->matches.items);
    free(args->words.items);
    *args = (struct ctl_args){0};
}

/* ---- options ---- */

static int option_find(const char *name, size_t len)
{
    for (int i = 0; i < CTL_OPTIONS; i++) {
        const char *known = ctl_options[i].name;
        if (strlen(known) == len && memcmp(known, name, len) == 0) return i;
    }
    return -1;
}

static int option_letter(char letter)
{
    for (int i = 0; i < CTL_OPTIONS; i++) {
        if (letter && ctl_options[i].letter == letter) return i;
    }
    return -1;
}

static bool unknown_option(const char *given, size_t len, struct sluice_err *err)
{
    const char *names[CTL_OPTIONS];
    char *word = sluice_xstrndup(given, len);
    for (size_t i = 0; i < CTL_OPTIONS; i++) names[i] = ctl_options[i].name;
    const char *nearest = sluice_nearest(word + strspn(word, "-"), names, CTL_OPTIONS);
    if (nearest) sluice_err_set(err, "no such option: %s; did you mean --%s?", word, nearest);
    else sluice_err_set(err, "no such option: %s", word);
    free(word);
    return false;
}

static void option_keep(struct ctl_args *args, int id, const char *value)
{
    args->values[id] = value;
    if (id == CTL_FILE) ctl_list_add(&args->files, value);
    if (id == CTL_MATCH) ctl_list_add(&args->matches, value);
}

/* argv[*at] begins with '-'. Moves *at over the value, if that stands by itself. */
static bool option_take(struct ctl_args *args, int argc, char **argv, int *at,
                        struct sluice_err *err)
{
    const char *word = argv[*at], *value = NULL;
    bool is_long = word[1] == '-';
    size_t len = is_long ? strcspn(word, "=") : 2;
    int id = is_long ? option_find(word + 2, len - 2) : option_letter(word[1]);
    if (id < 0) return unknown_option(word, len, err);
    if (word[len] == '=' || (!is_long && word[len])) value = word + len + (word[len] == '=');
    if (!ctl_options[id].value) {
        if (value) return sluice_err_set(err, "--%s takes no value", ctl_options[id].name);
        option_keep(args, id, "");
        return true;
    }
    if (!value && *at + 1 < argc) value = argv[++*at];
    if (!value)
        return sluice_err_set(err, "--%s needs a value: %s", ctl_options[id].name,
                              ctl_options[id].value);
    option_keep(args, id, value);
    return true;
}

/* ---- verbs ---- */

static bool is_group(const char *name)
{
    for (size_t i = 0; i < ctl_verbs_n; i++) {
        if (ctl_verbs[i].sub && strcmp(ctl_verbs[i].name, name) == 0) return true;
    }
    return false;
}

static bool unknown_verb(const char *name, const char *sub, struct sluice_err *err)
{
    const char *known[64];
    size_t n = 0;
    assert(ctl_verbs_n <= sizeof known / sizeof *known);
    for (size_t i = 0; i < ctl_verbs_n; i++) {
        const struct ctl_verb *verb = &ctl_verbs[i];
        if (!sub) known[n++] = verb->name;
        else if (strcmp(verb->name, name) == 0) known[n++] = verb->sub;
    }
    const char *word = sub ? sub : name, *nearest = sluice_nearest(word, known, n);
    return sluice_err_set(err, "no such command: %s%s%s%s%s%s", sub ? name : "", sub ? " " : "",
                          word, nearest ? "; did you mean " : "", nearest ? nearest : "",
                          nearest ? "?" : "");
}

/* Takes verb and sub-verb off the words. */
static bool verb_find(struct ctl_args *args, struct sluice_err *err)
{
    if (args->words.n == 0) return sluice_err_set(err, "which command?");
    const char *name = args->words.items[0];
    bool group = is_group(name);
    const char *sub = group && args->words.n > 1 ? args->words.items[1] : NULL;
    size_t taken = group ? 2 : 1;
    if (group && !sub) return sluice_err_set(err, "%s: which of its commands?", name);
    for (size_t i = 0; i < ctl_verbs_n && !args->verb; i++) {
        const struct ctl_verb *verb = &ctl_verbs[i];
        if (strcmp(verb->name, name) == 0 && (!sub || strcmp(verb->sub, sub) == 0))
            args->verb = verb;
    }
    if (!args->verb) return unknown_verb(name, sub, err);
    args->words.n -= taken;
    memmove(args->words.items, args->words.items + taken, args->words.n * sizeof(char *));
    return true;
}

static bool verb_check(const struct ctl_args *args, struct sluice_err *err)
{
    const struct ctl_verb *verb = args->verb;
    for (int id = CTL_GLOBAL_END; id < CTL_OPTIONS; id++) {
        if (args->values[id] && !(verb->options & CTL_BIT(id)))
            return sluice_err_set(err, "%s%s%s has no option --%s", verb->name,
                                  verb->sub ? " " : "", verb->sub ? verb->sub : "",
                                  ctl_options[id].name);
    }
    if (args->words.n >= verb->words_min && args->words.n <= verb->words_max) return true;
    return sluice_err_set(err, "%s: sluice ctl %s%s%s %s",
                          args->words.n < verb->words_min ? "something is missing"
                                                          : "that is too much",
                          verb->name, verb->sub ? " " : "", verb->sub ? verb->sub : "", verb->args);
}

bool ctl_args_parse(struct ctl_args *args, int argc, char **argv, struct sluice_err *err)
{
    bool words_only = false;
    for (int i = 0; i < argc; i++) {
        if (!words_only && strcmp(argv[i], "--") == 0) words_only = true;
        else if (words_only || argv[i][0] != '-' || !argv[i][1])
            ctl_list_add(&args->words, argv[i]);
        else if (!option_take(args, argc, argv, &i, err)) return false;
    }
    bool found = verb_find(args, err);
    if (args->values[CTL_HELP]) return true;
    return found && verb_check(args, err);
}
