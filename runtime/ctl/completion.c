/* completion.c - completion for bash: the script, and what it asks for. The script is in
 * completion.bash too, which is installed; a test holds both to be the same. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ctl/internal.h"

#define NAMES_MS "2" /* a prompt must not hang on a worker that is away */

const char ctl_completion_bash[] =
    "# bash completion for sluice; \"sluice ctl completion bash\" prints it.\n"
    "_sluice() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} IFS=$'\\n'\n"
    "    COMPREPLY=()\n"
    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "        COMPREPLY=($(IFS=' '; compgen -W \"standalone distributed ctl config-docs --help "
    "--version\" -- \"$cur\"))\n"
    "        return\n"
    "    fi\n"
    "    if [ \"${COMP_WORDS[1]}\" != ctl ]; then\n"
    "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
    "        return\n"
    "    fi\n"
    "    case ${COMP_WORDS[COMP_CWORD-1]} in\n"
    "    -f | --file | --ca | --cert | --key | --password-file)\n"
    "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
    "        return\n"
    "        ;;\n"
    "    esac\n"
    "    COMPREPLY=($(\"${COMP_WORDS[0]}\" ctl __complete \"${COMP_WORDS[@]:2:COMP_CWORD-1}\" "
    "2>/dev/null))\n"
    "}\n"
    "complete -o filenames -o bashdefault -F _sluice sluice\n";

int ctl_completion_run(struct ctl *ctl)
{
    const char *shell = ctl->args.words.items[0];
    if (strcmp(shell, "bash") == 0) {
        fputs(ctl_completion_bash, ctl->out);
        return CTL_OK;
    }
    ctl_error("there is completion for bash only, not for %s", shell);
    return CTL_USAGE;
}

static void offer(const char *candidate, const char *typed)
{
    static const char *last;
    if (strncmp(candidate, typed, strlen(typed)) != 0) return;
    if (last && strcmp(last, candidate) == 0) return; /* "config" stands in the table per command */
    puts(candidate);
    last = candidate;
}

static void offer_options(const struct ctl_verb *verb, const char *typed)
{
    for (int id = 0; id < CTL_OPTIONS; id++) {
        char text[64];
        if (id >= CTL_GLOBAL_END && !(verb && verb->options & CTL_BIT(id))) continue;
        snprintf(text, sizeof text, "--%s", ctl_options[id].name);
        if (strncmp(text, typed, strlen(typed)) == 0) puts(text);
    }
}

/* Values of options that have few. */
static bool offer_values(const char *option, const char *typed)
{
    static const struct {
        const char *option, *values[7];
    } known[] = {
        {"--output", {"table", "wide", "json", "name"}},
        {"-o", {"table", "wide", "json", "name"}},
        {"--color", {"auto", "always", "never"}},
        {"--type", {"source", "sink"}},
        {"--state", {"RUNNING", "PAUSED", "STOPPED", "FAILED", "UNASSIGNED", "RESTARTING"}},
        {"-s", {"RUNNING", "PAUSED", "STOPPED", "FAILED", "UNASSIGNED", "RESTARTING"}}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(option, known[i].option) != 0) continue;
        for (size_t v = 0; v < 7 && known[i].values[v]; v++) offer(known[i].values[v], typed);
        return true;
    }
    return false;
}

static const char *name_of(const json_t *json, const char *key)
{
    return key ? json_string_value(json_object_get(json, key)) : json_string_value(json);
}

static void offer_from_worker(struct ctl *ctl, const char *typed)
{
    static const struct {
        const char *path, *key;
    } sources[] = {[CTL_CONNECTORS] = {"/connectors", NULL},
                   [CTL_PLUGINS] = {"/connector-plugins?connectorsOnly=false", "class"},
                   [CTL_LOGGERS] = {"/admin/loggers", NULL}};
    enum ctl_completes what = ctl->args.verb->completes;
    struct ctl_answer answer = {0};
    const char *key;
    json_t *value;
    size_t i;
    if (what == CTL_NOTHING || !ctl_context_read(ctl)) return;
    ctl->args.values[CTL_REQUEST_TIMEOUT] = NAMES_MS;
    if (!getenv("SLUICE_PASSWORD") && !ctl_has(ctl, CTL_PASSWORD_FILE))
        ctl->args.values[CTL_USER] = NULL; /* nobody can be asked now */
    if (!ctl_connect(ctl) || ctl_ask(ctl, "GET", sources[what].path, NULL, &answer) != CTL_OK)
        return;
    json_array_foreach(answer.body, i, value)
    {
        const char *name = name_of(value, sources[what].key);
        if (name && !strpbrk(name, "\n\033")) offer(name, typed);
    }
    if (what == CTL_LOGGERS && answer.status == 200) {
        json_object_foreach(answer.body, key, value) offer(key, typed);
    }
    ctl_answer_fini(&answer);
}

/* Verb or sub-verb. True: one of them is being typed. */
static bool offer_verbs(const struct ctl_args *args, const char *typed)
{
    size_t n = args->words.n;
    bool found = false;
    for (size_t i = 0; i < ctl_verbs_n && n < 2; i++) {
        const struct ctl_verb *verb = &ctl_verbs[i];
        if (n == 0) offer(verb->name, typed);
        else if (verb->sub && strcmp(verb->name, args->words.items[0]) == 0) {
            offer(verb->sub, typed);
            found = true;
        }
    }
    return n == 0 || found;
}

int ctl_complete(int n, char **words)
{
    struct ctl ctl = {.out = stdout};
    struct sluice_err err = {{0}};
    const char *typed = n > 0 ? words[n - 1] : "";
    const char *before = n > 1 ? words[n - 2] : "";
    if (offer_values(before, typed)) return CTL_OK;
    /* Faults do not matter: what can be understood of an unfinished line is. */
    ctl_args_parse(&ctl.args, n > 0 ? n - 1 : 0, words, &err);
    if (typed[0] == '-') offer_options(ctl.args.verb, typed);
    else if (ctl.args.verb) offer_from_worker(&ctl, typed);
    else offer_verbs(&ctl.args, typed);
    ctl_disconnect(&ctl);
    ctl_args_fini(&ctl.args);
    return CTL_OK;
}
