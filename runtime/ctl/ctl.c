/* ctl.c - from the command line to a verb, and what every verb may ask of the program. */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"
#include "ctl/ctl.h"
#include "ctl/internal.h"

#define SECONDS_MAX 86400

void ctl_error(const char *fmt, ...)
{
    char *text = NULL;
    struct sluice_buf buf;
    va_list args;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    assert(n >= 0);
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    ctl_clean(&buf, text, true);
    fflush(stdout);
    fprintf(stderr, "sluice ctl: %s\n", sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
    free(text);
}

bool ctl_confirm(struct ctl *ctl, const char *question)
{
    char line[16] = "";
    if (ctl_has(ctl, CTL_YES)) return true;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        ctl_error("%s Nobody is here to be asked: give --yes", question);
        return false;
    }
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    ctl_clean(&buf, question, true);
    fprintf(stderr, "%s [y/N] ", sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
    if (fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y')) return true;
    ctl_error("nothing was done");
    return false;
}

bool ctl_seconds(struct ctl *ctl, enum ctl_option_id id, int64_t fallback_ms, int64_t *ms)
{
    const char *text = ctl->args.values[id];
    *ms = fallback_ms;
    if (!text) return true;
    char *end;
    double seconds = strtod(text, &end);
    if (end != text && *end == 's') end++;
    if (end == text || *end || !(seconds >= 0.001 && seconds <= SECONDS_MAX)) {
        ctl_error("--%s %s is no number of seconds up to %d", ctl_options[id].name, text,
                  SECONDS_MAX);
        return false;
    }
    *ms = (int64_t)(seconds * 1000);
    return true;
}

static bool output_read(struct ctl *ctl)
{
    static const char *const names[] = {"table", "wide", "json", "name"};
    const char *format = ctl->args.values[CTL_OUTPUT], *when = ctl->args.values[CTL_COLOR];
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    struct winsize size = {0};
    bool terminal = isatty(fileno(ctl->out));
    for (int i = 0; format && i < 4; i++) {
        if (strcmp(format, names[i]) == 0) {
            ctl->output = (enum ctl_output)i;
            format = NULL;
        }
    }
    if (format) {
        ctl_error("--output %s: it is table, wide, json or name", format);
        return false;
    }
    if (terminal) ctl->columns = 80; /* some terminals do not tell */
    if (terminal && ioctl(fileno(ctl->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        ctl->columns = size.ws_col;
    ctl->color = terminal && !(none && *none) && !(term && strcmp(term, "dumb") == 0);
    if (when && strcmp(when, "always") == 0) ctl->color = true;
    else if (when && strcmp(when, "never") == 0) ctl->color = false;
    else if (when && strcmp(when, "auto") != 0) {
        ctl_error("--color %s: it is auto, always or never", when);
        return false;
    }
    return true;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    struct sluice_err err = {{0}};
    if (argc > 0 && strcmp(argv[0], "__complete") == 0) return ctl_complete(argc - 1, argv + 1);
    if (argc > 0 && strcmp(argv[0], "help") == 0) {
        ctl_help(ctl->out, NULL);
        return CTL_OK;
    }
    bool parsed = ctl_args_parse(&ctl->args, argc, argv, &err);
    const struct ctl_list *words = &ctl->args.words;
    if (parsed && ctl_has(ctl, CTL_HELP)) {
        if (!ctl->args.verb && words->n) ctl_help_group(ctl->out, words->items[0]);
        else ctl_help(ctl->out, ctl->args.verb);
        return CTL_OK;
    }
    if (!parsed) {
        ctl_error("%s\nsluice ctl --help lists commands and options.", err.msg);
        return CTL_USAGE;
    }
    if (!ctl_context_read(ctl) || !output_read(ctl) || !ctl_connect(ctl)) return CTL_USAGE;
    return ctl->args.verb->run(ctl);
}

int sluice_ctl(int argc, char **argv)
{
    struct ctl ctl = {.out = stdout};
    int code = run(&ctl, argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        ctl_error("writing to standard output failed: %m");
        code = ctl_worse(code, CTL_USAGE);
    }
    ctl_disconnect(&ctl);
    ctl_args_fini(&ctl.args);
    return code;
}
