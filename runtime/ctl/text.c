/* text.c - what goes to a terminal: neutralised texts, colours, tables, JSON. */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "ctl/internal.h"

#define GAP 3 /* blanks between columns */

/* ---- neutralising ---- */

static uint32_t code_point(const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;
    if (n == 1) return u[0];
    uint32_t c = u[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) c = c << 6 | (u[i] & 0x3f);
    return c;
}

/* Whether a terminal would do something else than show it: controls of C0 and C1, and what turns
 * the direction of text around so that it reads as another. */
static bool acts(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || c == 0x2028 ||
           c == 0x2029 || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void ctl_clean(struct sluice_buf *to, const char *text, bool lines)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len;) {
        size_t n = sluice_utf8_char(text + i, len - i);
        uint32_t c = n ? code_point(text + i, n) : (unsigned char)text[i];
        if (n && (!acts(c) || (lines && c == '\n'))) sluice_buf_add(to, text + i, n);
        else if (c == '\t') sluice_buf_adds(to, lines ? "    " : " ");
        else if (c < 0x100) sluice_buf_addf(to, "\\x%02x", c);
        else sluice_buf_addf(to, "\\u%04x", c);
        i += n ? n : 1;
    }
}

size_t ctl_width(const char *text)
{
    size_t width = 0;
    for (const char *c = text; *c; c++) width += ((unsigned char)*c & 0xc0) != 0x80;
    return width;
}

/* Bytes of the first so many columns. */
static size_t bytes_of(const char *text, size_t columns)
{
    size_t i = 0;
    for (; text[i]; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80 && columns-- == 0) break;
    }
    return i;
}

/* ---- printing ---- */

void ctl_print(struct ctl *ctl, const char *color, const char *text)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    ctl_clean(&buf, text, true);
    if (color && ctl->color) fprintf(ctl->out, "\033[%sm%s\033[0m", color, sluice_buf_str(&buf));
    else fputs(sluice_buf_str(&buf), ctl->out);
    sluice_buf_fini(&buf);
}

void ctl_printf(struct ctl *ctl, const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    assert(n >= 0);
    ctl_print(ctl, NULL, text);
    free(text);
}

/* JSON escapes C0 by itself; what else would act on a terminal stands in strings only, where it can
 * be escaped too. */
void ctl_print_json(struct ctl *ctl, const json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_ENCODE_ANY);
    size_t len = text ? strlen(text) : 0;
    for (size_t i = 0; i < len;) {
        size_t n = sluice_utf8_char(text + i, len - i);
        uint32_t c = code_point(text + i, n ? n : 1);
        if (c != '\n' && acts(c)) fprintf(ctl->out, "\\u%04x", c);
        else fwrite(text + i, 1, n ? n : 1, ctl->out);
        i += n ? n : 1;
    }
    fputc('\n', ctl->out);
    free(text);
}

const char *ctl_state_color(const char *state)
{
    static const struct {
        const char *state, *color;
    } colors[] = {{"RUNNING", "32"}, {"FAILED", "1;31"},   {"PAUSED", "33"},
                  {"STOPPED", "33"}, {"RESTARTING", "36"}, {"UNASSIGNED", "36"}};
    for (size_t i = 0; state && i < sizeof colors / sizeof *colors; i++) {
        if (strcmp(colors[i].state, state) == 0) return colors[i].color;
    }
    return NULL;
}

/* ---- tables ---- */

void ctl_table_init(struct ctl_table *table, const char *const *heads)
{
    *table = (struct ctl_table){.heads = heads};
    while (heads[table->columns]) table->columns++;
    assert(table->columns > 0);
}

void ctl_table_add(struct ctl_table *table, const char *text, const char *color)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    ctl_clean(&buf, text && *text ? text : "-", false);
    table->cells = sluice_xgrow(table->cells, table->n, &table->cap, sizeof *table->cells);
    table->cells[table->n++] = (struct ctl_cell){sluice_xstrdup(sluice_buf_str(&buf)), color};
    sluice_buf_fini(&buf);
}

void ctl_table_addf(struct ctl_table *table, const char *color, const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    assert(n >= 0);
    ctl_table_add(table, text, color);
    free(text);
}

/* left: columns that the line may still have; SIZE_MAX: no end. */
static void put_cell(struct ctl *ctl, const char *text, const char *color, size_t width, bool last,
                     size_t *left)
{
    size_t own = ctl_width(text), room = *left;
    bool cut = own > room;
    size_t shown = cut ? bytes_of(text, room ? room - 1 : 0) : strlen(text);
    bool colored = ctl->color && color;
    if (colored) fprintf(ctl->out, "\033[%sm", color);
    fwrite(text, 1, shown, ctl->out);
    if (cut && room) fputs("…", ctl->out);
    if (colored) fputs("\033[0m", ctl->out);
    size_t taken = cut ? room : own;
    if (*left != SIZE_MAX) *left -= taken;
    if (last || cut) return;
    size_t pad = width - own + GAP;
    if (pad > *left) pad = *left;
    fprintf(ctl->out, "%*s", (int)pad, "");
    if (*left != SIZE_MAX) *left -= pad;
}

void ctl_table_print(struct ctl_table *table, struct ctl *ctl)
{
    size_t columns = table->columns;
    size_t *widths = sluice_xcalloc(columns, sizeof *widths);
    assert(table->n % columns == 0);
    for (size_t c = 0; c < columns; c++) widths[c] = ctl_width(table->heads[c]);
    for (size_t i = 0; i < table->n; i++) {
        size_t width = ctl_width(table->cells[i].text);
        if (width > widths[i % columns]) widths[i % columns] = width;
    }
    bool ends = ctl->columns > 0 && ctl->output != CTL_WIDE;
    for (size_t row = 0; row <= table->n / columns; row++) {
        size_t left = ends ? (size_t)ctl->columns : SIZE_MAX;
        for (size_t c = 0; c < columns; c++) {
            const struct ctl_cell *cell = row ? &table->cells[(row - 1) * columns + c] : NULL;
            put_cell(ctl, cell ? cell->text : table->heads[c], cell ? cell->color : "1", widths[c],
                     c + 1 == columns, &left);
        }
        fputc('\n', ctl->out);
    }
    free(widths);
}

void ctl_table_fini(struct ctl_table *table)
{
    for (size_t i = 0; i < table->n; i++) free(table->cells[i].text);
    free(table->cells);
    *table = (struct ctl_table){0};
}
