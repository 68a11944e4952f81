/* protobuf_text.c - the model as .proto text, laid out as Confluent's client does it, so that a
 * registry takes both for the same schema: syntax, package, imports, then messages; of a message
 * its fields, oneofs, nested messages and enums, each group behind an empty line. */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "data/converters/protobuf_model.h"

struct printer {
    struct sluice_buf *buf;
    struct sluice_err *err;
    unsigned indent;
    bool ok;
};

static void put(struct printer *w, const char *s)
{
    size_t n = strlen(s);
    w->ok = w->ok && sluice_buf_reserve(w->buf, n + 1, w->err) && sluice_buf_add(w->buf, s, n);
}

static void start(struct printer *w)
{
    for (unsigned i = 0; i < w->indent; i++) put(w, "  ");
}

/* A line of three pieces. */
static void line(struct printer *w, const char *a, const char *b, const char *c)
{
    start(w);
    put(w, a);
    put(w, b);
    put(w, c);
    put(w, "\n");
}

static void put_number(struct printer *w, int64_t number)
{
    w->ok = w->ok && sluice_buf_reserve(w->buf, 24, w->err) &&
            sluice_buf_addf(w->buf, "%lld", (long long)number);
}

static void put_quoted(struct printer *w, const char *s)
{
    static const char meant[] = "\a\b\f\n\r\t\v\\'\"", letters[] = "abfnrtv\\'\"";
    put(w, "\"");
    for (; *s; s++) {
        const char *special = strchr(meant, *s);
        char text[3] = {*s, 0, 0};
        if (special) {
            text[0] = '\\';
            text[1] = letters[special - meant];
        }
        put(w, text);
    }
    put(w, "\"");
}

/* [(confluent.field_meta) = {params: [...]}]; a Decimal's parameters with the value first, as
 * Confluent's client always wrote them. */
static void put_params(struct printer *w, const struct pb_pairs *params)
{
    put(w, "(confluent.field_meta) = {\n");
    w->indent++;
    line(w, "params: [", "", "");
    w->indent++;
    for (size_t i = 0; i < params->n; i++) {
        const struct pb_pair *pair = &params->items[i];
        bool value_first = strcmp(pair->key, "precision") == 0 || strcmp(pair->key, "scale") == 0;
        line(w, "{", "", "");
        w->indent++;
        for (int k = 0; k < 2; k++) {
            bool value = (k == 0) == value_first;
            start(w);
            put(w, value ? "value: " : "key: ");
            put_quoted(w, value ? pair->value : pair->key);
            put(w, k == 0 ? ",\n" : "\n");
        }
        w->indent--;
        line(w, "}", i + 1 < params->n ? "," : "", "");
    }
    w->indent--;
    line(w, "]", "", "");
    w->indent--;
    start(w);
    put(w, "}");
}

static void put_default(struct printer *w, const struct pb_field *field)
{
    put(w, "default = ");
    if (field->type == PB_STRING || field->type == PB_BYTES) put_quoted(w, field->dflt);
    else put(w, field->dflt);
}

static void put_options(struct printer *w, const struct pb_field *field)
{
    bool params = field->params.n > 0, dflt = field->dflt != NULL;
    if (!params && !dflt) return;
    put(w, " [");
    if (params && dflt) { /* several stand on lines of their own */
        put(w, "\n");
        w->indent++;
        start(w);
        put_params(w, &field->params);
        put(w, ",\n");
        start(w);
        put_default(w, field);
        put(w, "\n");
        w->indent--;
        start(w);
    } else if (params) {
        put_params(w, &field->params);
    } else {
        put_default(w, field);
    }
    put(w, "]");
}

static void put_field(struct printer *w, const struct pb_field *field)
{
    static const char *const labels[] = {"", "optional ", "required ", "repeated "};
    start(w);
    put(w, labels[field->label]);
    put(w, field->type_name);
    put(w, " ");
    put(w, field->name);
    put(w, " = ");
    put_number(w, field->number);
    put_options(w, field);
    put(w, ";\n");
}

static void put_enum(struct printer *w, const struct pb_enum *e)
{
    line(w, "enum ", e->name, " {");
    w->indent++;
    for (size_t i = 0; i < e->n; i++) {
        start(w);
        put(w, e->values[i].name);
        put(w, " = ");
        put_number(w, e->values[i].number);
        put(w, ";\n");
    }
    w->indent--;
    line(w, "}", "", "");
}

/* An empty line of a message, which Confluent's client indents with what stands around it. */
static void put_gap(struct printer *w)
{
    w->indent--;
    line(w, "", "", "");
    w->indent++;
}

static void put_oneofs(struct printer *w, const struct pb_message *message, bool gap)
{
    for (size_t k = 0; k < message->oneofs_n; k++) {
        if (k == 0 && gap) put_gap(w);
        line(w, "oneof ", message->oneofs[k], " {");
        w->indent++;
        for (size_t i = 0; i < message->fields_n; i++) {
            if (message->fields[i].oneof == (int32_t)k) put_field(w, &message->fields[i]);
        }
        w->indent--;
        line(w, "}", "", "");
    }
}

static void put_message(struct printer *w, const struct pb_message *message)
{
    bool empty = message->fields_n == 0 && message->messages_n == 0 && message->enums_n == 0;
    line(w, "message ", message->name, empty ? " {}" : " {");
    if (empty) return;
    w->indent++;
    bool plain = false;
    for (size_t i = 0; i < message->fields_n; i++) {
        if (message->fields[i].oneof >= 0) continue;
        put_field(w, &message->fields[i]);
        plain = true;
    }
    put_oneofs(w, message, plain);
    if (message->fields_n && (message->messages_n || message->enums_n)) put_gap(w);
    for (size_t i = 0; i < message->messages_n; i++) put_message(w, message->messages[i]);
    for (size_t i = 0; i < message->enums_n; i++) put_enum(w, message->enums[i]);
    w->indent--;
    line(w, "}", "", "");
}

bool pb_text(struct sluice_buf *buf, const struct pb_file *file, struct sluice_err *err)
{
    struct printer w = {buf, err, 0, true};
    line(&w, "syntax = \"", file->proto2 ? "proto2" : "proto3", "\";");
    if (file->package) line(&w, "package ", file->package, ";");
    for (size_t i = 0; i < file->imports_n; i++) {
        line(&w, i ? "import \"" : "\nimport \"", file->imports[i], "\";");
    }
    put(&w, "\n");
    for (size_t i = 0; i < file->top.messages_n; i++) put_message(&w, file->top.messages[i]);
    for (size_t i = 0; i < file->top.enums_n; i++) put_enum(&w, file->top.enums[i]);
    return w.ok;
}
