/* protobuf_parse.c - .proto text (proto2, proto3, editions) to the model.
 *
 * A recursive descent over tokens that keeps what records need: messages, fields, oneofs, enums,
 * maps, groups, imports, defaults and Confluent's field parameters. Options, services, extensions
 * and reserved ranges are passed over with their brackets balanced. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "data/converters/protobuf_model.h"

enum token { END, WORD, NUMBER, TEXT, SYMBOL };

struct parser {
    struct pb_set *set;
    struct pb_file *file;
    const char *at, *end;
    struct sluice_err *err;
    unsigned line, depth;
    bool failed;
    enum token token; /* the one that comes next */
    const char *text; /* WORD, NUMBER, TEXT: in the arena; SYMBOL: the one below */
    char symbol[2];
};

static bool fail(struct parser *p, const char *expected)
{
    if (p->failed) return false;
    p->failed = true;
    return sluice_err_set(p->err, "line %u of the .proto text: %s was expected, found %s%.60s%s",
                          p->line, expected, p->token == END ? "its end" : "'",
                          p->token == END ? "" : p->text, p->token == END ? "" : "'");
}

/* ---- tokens ---- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

static void skip_space(struct parser *p)
{
    while (p->at < p->end) {
        size_t left = (size_t)(p->end - p->at);
        if (*p->at == '\n') p->line++;
        if (*p->at == ' ' || (*p->at >= '\t' && *p->at <= '\r')) {
            p->at++;
        } else if (left >= 2 && p->at[0] == '/' && p->at[1] == '/') {
            while (p->at < p->end && *p->at != '\n') p->at++;
        } else if (left >= 2 && p->at[0] == '/' && p->at[1] == '*') {
            for (p->at += 2; p->at < p->end; p->at++) {
                if (*p->at == '\n') p->line++;
                if (*p->at == '/' && p->at[-1] == '*' && p->at[-2] != '/') break;
            }
            if (p->at < p->end) p->at++;
        } else {
            return;
        }
    }
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One escape behind its backslash; octal, hex and the letters of C. */
static char escape(struct parser *p)
{
    static const char letters[] = "abfnrtv", meant[] = "\a\b\f\n\r\t\v";
    char c = *p->at++;
    const char *letter = c ? strchr(letters, c) : NULL;
    if (letter) return meant[letter - letters];
    int x = 0;
    if (c >= '0' && c <= '7') {
        x = c - '0';
        for (int i = 0; i < 2 && p->at < p->end && *p->at >= '0' && *p->at <= '7'; i++) {
            x = x * 8 + (*p->at++ - '0');
        }
        return (char)x;
    }
    if (c == 'x' || c == 'X') {
        for (int i = 0; i < 2 && p->at < p->end && hex_of(*p->at) >= 0; i++) {
            x = x * 16 + hex_of(*p->at++);
        }
        return (char)x;
    }
    return c;
}

static void read_text(struct parser *p)
{
    assert(p->at < p->end);
    char quote = *p->at++;
    const char *stop = p->at;
    while (stop < p->end && *stop != quote && *stop != '\n') {
        stop += *stop == '\\' && p->end - stop > 1 ? 2 : 1;
    }
    char *to = sluice_arena_alloc(&p->set->arena, (size_t)(stop - p->at) + 1), *out = to;
    while (p->at < stop) {
        char c = *p->at++;
        if (c == '\\' && p->at < stop) c = escape(p);
        if (c) *out++ = c; /* names and parameters hold no NUL */
    }
    *out = '\0';
    p->text = to;
    p->token = TEXT;
    if (p->at == p->end || *p->at != quote) {
        fail(p, "the closing quote of a text");
    } else {
        p->at++;
    }
}

static void next(struct parser *p)
{
    if (p->failed) return;
    skip_space(p);
    if (p->at == p->end) {
        p->token = END;
        p->text = "";
        return;
    }
    const char *start = p->at;
    if (*p->at == '"' || *p->at == '\'') {
        read_text(p);
        return;
    }
    bool number = *p->at >= '0' && *p->at <= '9';
    while (p->at < p->end && (is_word(*p->at) || (number && (*p->at == '+' || *p->at == '-') &&
                                                  (p->at[-1] | 0x20) == 'e' && start[1] != 'x'))) {
        p->at++;
    }
    p->token = number ? NUMBER : WORD;
    if (p->at == start) {
        p->token = SYMBOL;
        p->symbol[0] = *p->at++;
        p->text = p->symbol;
        return;
    }
    p->text = sluice_arena_strndup(&p->set->arena, start, (size_t)(p->at - start));
}

static bool is(const struct parser *p, const char *text)
{
    return !p->failed && (p->token == WORD || p->token == SYMBOL) && strcmp(p->text, text) == 0;
}

static bool take(struct parser *p, const char *text)
{
    if (!is(p, text)) return false;
    next(p);
    return !p->failed;
}

static bool need(struct parser *p, const char *text) { return take(p, text) || fail(p, text); }

static const char *need_word(struct parser *p, const char *what)
{
    const char *text = p->text;
    if (p->failed || p->token != WORD) {
        fail(p, what);
        return NULL;
    }
    next(p);
    return text;
}

/* A name is one part of a full name. */
static const char *need_name(struct parser *p, const char *what)
{
    if (!p->failed && p->token == WORD && strchr(p->text, '.')) {
        fail(p, what);
        return NULL;
    }
    return need_word(p, what);
}

static bool need_number(struct parser *p, int64_t min, int64_t max, int64_t *out)
{
    bool negative = take(p, "-");
    char *end;
    if (p->failed || p->token != NUMBER) return fail(p, "a number");
    unsigned long long x = strtoull(p->text, &end, 0);
    int64_t value = x > INT64_MAX ? INT64_MAX : (int64_t)x;
    if (negative) value = -value;
    if (*end || value < min || value > max) return fail(p, "a number in its range");
    *out = value;
    next(p);
    return !p->failed;
}

/* ---- what is passed over ---- */

/* To behind the next one of ";" and a closing "}" of the block that opens before it. */
static bool skip_statement(struct parser *p)
{
    unsigned open = 0;
    for (; !p->failed && p->token != END; next(p)) {
        bool symbol = p->token == SYMBOL;
        if (symbol && (*p->text == '{' || *p->text == '[' || *p->text == '(')) open++;
        if (symbol && (*p->text == '}' || *p->text == ']' || *p->text == ')')) {
            if (open == 0) return fail(p, "no closing bracket");
            open--;
            if (open == 0 && *p->text == '}') {
                next(p);
                take(p, ";");
                return !p->failed;
            }
        }
        if (open == 0 && symbol && *p->text == ';') {
            next(p);
            return !p->failed;
        }
    }
    return fail(p, "the end of a statement");
}

/* "option name = value;", whose value may be a block. */
static bool skip_option(struct parser *p)
{
    unsigned open = 0;
    for (; !p->failed && p->token != END; next(p)) {
        bool symbol = p->token == SYMBOL;
        if (symbol && strchr("{[(", *p->text)) open++;
        if (symbol && strchr("}])", *p->text) && open-- == 0) return fail(p, "no closing bracket");
        if (open == 0 && symbol && *p->text == ';') {
            next(p);
            return !p->failed;
        }
    }
    return fail(p, "';'");
}

/* ---- field options ---- */

/* A value up to "," or the closing bracket of where it stands. */
static bool skip_value(struct parser *p)
{
    unsigned open = 0;
    for (; !p->failed && p->token != END; next(p)) {
        if (p->token != SYMBOL) continue;
        char c = *p->text;
        if (open == 0 && (c == ',' || c == ']' || c == '}' || c == ';' || c == '>')) return true;
        if (c == '{' || c == '[' || c == '(') open++;
        if (c == '}' || c == ']' || c == ')') open--;
    }
    return fail(p, "the end of a value");
}

/* {key: "...", value: "..."} in either order. */
static bool read_param(struct parser *p, struct pb_pairs *params)
{
    struct pb_pair pair = {NULL, ""};
    if (!need(p, "{")) return false;
    while (!p->failed && !is(p, "}")) {
        const char *name = need_name(p, "key or value");
        if (!name) return false;
        take(p, ":");
        if (p->token == TEXT && strcmp(name, "key") == 0) pair.key = p->text;
        if (p->token == TEXT && strcmp(name, "value") == 0) pair.value = p->text;
        if (!skip_value(p)) return false;
        if (!take(p, ",")) take(p, ";");
    }
    if (pair.key) *PB_PUSH(&p->set->arena, params->items, params->n, params->cap) = pair;
    return need(p, "}");
}

static bool read_params(struct parser *p, struct pb_pairs *params)
{
    if (!take(p, "[")) return read_param(p, params);
    while (!p->failed && !is(p, "]")) {
        if (!read_param(p, params)) return false;
        take(p, ",");
    }
    return need(p, "]");
}

/* The value of (confluent.field_meta): {doc: "...", params: [...], ...}. */
static bool read_meta(struct parser *p, struct pb_pairs *params)
{
    if (!need(p, "{")) return false;
    while (!p->failed && !is(p, "}")) {
        const char *name = need_name(p, "a member of the option");
        if (!name) return false;
        take(p, ":");
        bool ok = strcmp(name, "params") == 0 ? read_params(p, params) : skip_value(p);
        if (!ok) return false;
        if (!take(p, ",")) take(p, ";");
    }
    return need(p, "}");
}

static bool read_default(struct parser *p, struct pb_field *field)
{
    bool negative = take(p, "-");
    if (p->failed || p->token == END || p->token == SYMBOL) return fail(p, "a default value");
    field->dflt = p->text;
    if (negative) {
        size_t n = strlen(p->text);
        char *text = sluice_arena_alloc(&p->set->arena, n + 2);
        text[0] = '-';
        memcpy(text + 1, p->text, n + 1);
        field->dflt = text;
    }
    next(p);
    return !p->failed;
}

static bool read_field_options(struct parser *p, struct pb_field *field)
{
    if (!take(p, "[")) return true;
    while (!p->failed && !is(p, "]")) {
        bool meta = false, params = false;
        if (take(p, "(")) {
            const char *name = need_word(p, "an option's name");
            if (!name || !need(p, ")")) return false;
            meta = strcmp(name, "confluent.field_meta") == 0 ||
                   strcmp(name, ".confluent.field_meta") == 0;
            params = meta && is(p, ".params");
            while (!p->failed && p->token == WORD) next(p); /* .member */
            if (!need(p, "=")) return false;
            bool ok = params ? read_params(p, &field->params)
                      : meta ? read_meta(p, &field->params)
                             : skip_value(p);
            if (!ok) return false;
        } else {
            const char *name = need_word(p, "an option's name");
            if (!name || !need(p, "=")) return false;
            bool dflt = strcmp(name, "default") == 0;
            if (!(dflt ? read_default(p, field) : skip_value(p))) return false;
        }
        if (!take(p, ",")) break;
    }
    return need(p, "]");
}

/* ---- types ---- */

static const char *join(struct parser *p, const char *scope, const char *name)
{
    if (!scope || !*scope) return name;
    size_t a = strlen(scope), b = strlen(name);
    char *full = sluice_arena_alloc(&p->set->arena, a + b + 2);
    memcpy(full, scope, a);
    full[a] = '.';
    memcpy(full + a + 1, name, b + 1);
    return full;
}

static bool add_name(struct parser *p, const char *full_name, struct pb_message *message,
                     struct pb_enum *enumeration)
{
    struct pb_set *set = p->set;
    *PB_PUSH(&set->arena, set->types, set->types_n, set->types_cap) =
        (struct pb_named){full_name, message, enumeration};
    return true;
}

static struct pb_message *add_message(struct parser *p, struct pb_message *parent, const char *name)
{
    assert(name && *name && !strchr(name, '.'));
    struct pb_message *message = sluice_arena_alloc(&p->set->arena, sizeof *message);
    memset(message, 0, sizeof *message);
    message->name = name;
    message->full_name = join(p, parent->full_name, name);
    message->file = p->file;
    *PB_PUSH(&p->set->arena, parent->messages, parent->messages_n, parent->messages_cap) = message;
    add_name(p, message->full_name, message, NULL);
    return message;
}

static bool read_enum(struct parser *p, struct pb_message *parent)
{
    const char *name = need_name(p, "an enum's name");
    if (!name || !need(p, "{")) return false;
    struct pb_enum *e = sluice_arena_alloc(&p->set->arena, sizeof *e);
    memset(e, 0, sizeof *e);
    e->name = name;
    e->full_name = join(p, parent->full_name, name);
    *PB_PUSH(&p->set->arena, parent->enums, parent->enums_n, parent->enums_cap) = e;
    add_name(p, e->full_name, NULL, e);
    while (!p->failed && !take(p, "}")) {
        if (take(p, ";")) continue;
        const char *symbol = need_name(p, "an enum's value");
        int64_t number;
        if (!symbol) return false;
        bool statement = !is(p, "=");
        if (statement && strcmp(symbol, "option") == 0) {
            if (!skip_option(p)) return false;
            continue;
        }
        if (statement && strcmp(symbol, "reserved") == 0) {
            if (!skip_statement(p)) return false;
            continue;
        }
        if (!need(p, "=") || !need_number(p, INT32_MIN, INT32_MAX, &number)) return false;
        if (is(p, "[") && (next(p), true)) {
            while (!p->failed && !is(p, "]")) {
                if (!skip_value(p)) return false;
                if (is(p, "}") || is(p, ";")) return fail(p, "']'");
                take(p, ",");
            }
            if (!need(p, "]")) return false;
        }
        if (!need(p, ";")) return false;
        *PB_PUSH(&p->set->arena, e->values, e->n, e->cap) =
            (struct pb_value){symbol, (int32_t)number};
    }
    return !p->failed;
}

static bool read_message_body(struct parser *p, struct pb_message *message);

static bool check_field(struct parser *p, const struct pb_message *message,
                        const struct pb_field *field)
{
    for (size_t i = 0; i < message->fields_n; i++) {
        const struct pb_field *other = &message->fields[i];
        if (other->number == field->number || strcmp(other->name, field->name) == 0) {
            p->failed = true;
            return sluice_err_set(p->err,
                                  "line %u of the .proto text: %s has two fields named %s or "
                                  "numbered %u",
                                  p->line, message->full_name, field->name, field->number);
        }
    }
    return message->fields_n < 5000 || fail(p, "at most 5000 fields in a message");
}

static bool finish_field(struct parser *p, struct pb_message *message, struct pb_field *field)
{
    int64_t number;
    field->name = need_name(p, "a field's name");
    if (!field->name || !need(p, "=") || !need_number(p, 1, PB_NUMBER_MAX, &number)) return false;
    field->number = (uint32_t)number;
    if (!read_field_options(p, field)) return false;
    if (!check_field(p, message, field)) return false;
    if (field->type == PB_GROUP) { /* its message is defined in place */
        char *lower = sluice_arena_strndup(&p->set->arena, field->name, strlen(field->name));
        struct pb_message *group = add_message(p, message, field->name);
        field->type_name = group->name;
        for (char *c = lower; *c; c++) {
            if (*c >= 'A' && *c <= 'Z') *c |= 0x20;
        }
        field->name = lower;
        if (!need(p, "{") || !read_message_body(p, group)) return false;
    } else if (!need(p, ";")) {
        return false;
    }
    *PB_PUSH(&p->set->arena, message->fields, message->fields_n, message->fields_cap) = *field;
    return true;
}

static void set_type(struct pb_field *field, const char *type_name)
{
    field->type_name = type_name;
    field->type = (uint8_t)pb_type_of(type_name);
    if (strcmp(type_name, "group") == 0) field->type = PB_GROUP;
}

/* map<K, V> name = n: a repeated message NameEntry {K key = 1; V value = 2;}. */
static bool read_map(struct parser *p, struct pb_message *message, struct pb_field *field)
{
    struct pb_field key = {.name = "key", .number = 1, .oneof = -1};
    struct pb_field value = {.name = "value", .number = 2, .oneof = -1};
    if (!need(p, "<")) return false;
    const char *type = need_word(p, "a type");
    if (!type || !need(p, ",")) return false;
    set_type(&key, type);
    if (!(type = need_word(p, "a type")) || !need(p, ">")) return false;
    set_type(&value, type);
    if (key.type == PB_UNKNOWN || key.type == PB_BYTES || key.type <= PB_FLOAT) {
        return fail(p, "a type that a map's key can have");
    }
    if (p->file->proto2) key.label = value.label = PB_OPTIONAL;
    field->label = PB_REPEATED;
    const char *name = p->text;
    size_t n = strlen(name), len = 0;
    char *entry_name = sluice_arena_alloc(&p->set->arena, n + 6);
    bool upper = true; /* NameEntry for name and some_name: CamelCase */
    for (size_t i = 0; i < n; i++) {
        if (name[i] == '_') {
            upper = true;
            continue;
        }
        bool lower_case = name[i] >= 'a' && name[i] <= 'z';
        entry_name[len++] = upper && lower_case ? (char)(name[i] - 32) : name[i];
        upper = false;
    }
    memcpy(entry_name + len, "Entry", 6);
    struct pb_message *entry = add_message(p, message, entry_name);
    *PB_PUSH(&p->set->arena, entry->fields, entry->fields_n, entry->fields_cap) = key;
    *PB_PUSH(&p->set->arena, entry->fields, entry->fields_n, entry->fields_cap) = value;
    field->type_name = entry->name;
    return finish_field(p, message, field);
}

/* A field from its label on; word: what was taken already. */
static bool read_field(struct parser *p, struct pb_message *message, int32_t oneof,
                       const char *word)
{
    struct pb_field field = {.oneof = oneof};
    static const char *const labels[] = {"", "optional", "required", "repeated"};
    for (uint8_t i = PB_OPTIONAL; i <= PB_REPEATED && oneof < 0; i++) {
        if (strcmp(word, labels[i]) == 0 && p->token == WORD) {
            field.label = i;
            if (!(word = need_word(p, "a type"))) return false;
            break;
        }
    }
    if (strcmp(word, "map") == 0 && is(p, "<")) return read_map(p, message, &field);
    set_type(&field, word);
    return finish_field(p, message, &field);
}

static bool read_oneof(struct parser *p, struct pb_message *message)
{
    const char *name = need_name(p, "a oneof's name");
    if (!name || !need(p, "{")) return false;
    int32_t index = (int32_t)message->oneofs_n;
    *PB_PUSH(&p->set->arena, message->oneofs, message->oneofs_n, message->oneofs_cap) = name;
    while (!p->failed && !take(p, "}")) {
        if (take(p, ";")) continue;
        const char *word = need_word(p, "a field");
        if (!word) return false;
        bool option = strcmp(word, "option") == 0 && p->token != WORD;
        option = option || (strcmp(word, "option") == 0 && strchr(p->text, '.'));
        if (!(option ? skip_option(p) : read_field(p, message, index, word))) return false;
    }
    return !p->failed;
}

static bool read_message(struct parser *p, struct pb_message *parent)
{
    const char *name = need_name(p, "a message's name");
    if (!name || !need(p, "{")) return false;
    return read_message_body(p, add_message(p, parent, name));
}

static bool read_member(struct parser *p, struct pb_message *message, const char *word)
{
    bool named = p->token == WORD; /* "message X": else a field of a type called "message" */
    if (strcmp(word, "message") == 0 && named) return read_message(p, message);
    if (strcmp(word, "enum") == 0 && named) return read_enum(p, message);
    if (strcmp(word, "oneof") == 0 && named) return read_oneof(p, message);
    if (strcmp(word, "option") == 0) return skip_option(p);
    if (strcmp(word, "extend") == 0 || strcmp(word, "extensions") == 0 ||
        strcmp(word, "reserved") == 0) {
        return skip_statement(p);
    }
    return read_field(p, message, -1, word);
}

static bool read_message_body(struct parser *p, struct pb_message *message)
{
    if (++p->depth > PB_DEPTH) return fail(p, "a message that is nested less deep");
    while (!p->failed && !take(p, "}")) {
        if (take(p, ";")) continue;
        const char *word = need_word(p, "a field or '}'");
        if (!word || !read_member(p, message, word)) return false;
    }
    assert(p->depth > 0);
    p->depth--;
    return !p->failed;
}

static bool read_syntax(struct parser *p, bool edition)
{
    if (!need(p, "=")) return false;
    bool known = p->token == TEXT &&
                 (edition || strcmp(p->text, "proto2") == 0 || strcmp(p->text, "proto3") == 0);
    if (!known) return fail(p, "\"proto2\" or \"proto3\"");
    p->file->proto2 = !edition && strcmp(p->text, "proto2") == 0;
    next(p);
    return need(p, ";");
}

static bool read_import(struct parser *p)
{
    if (!take(p, "public")) take(p, "weak");
    if (p->failed || p->token != TEXT) return fail(p, "the name of a file");
    *PB_PUSH(&p->set->arena, p->file->imports, p->file->imports_n, p->file->imports_cap) = p->text;
    next(p);
    return need(p, ";");
}

static bool read_package(struct parser *p)
{
    p->file->package = need_word(p, "a package's name");
    p->file->top.full_name = p->file->package;
    return p->file->package && need(p, ";");
}

static bool read_file(struct parser *p)
{
    while (!p->failed && p->token != END) {
        bool ok;
        if (take(p, ";")) continue;
        if (take(p, "syntax")) ok = read_syntax(p, false);
        else if (take(p, "edition")) ok = read_syntax(p, true);
        else if (take(p, "import")) ok = read_import(p);
        else if (take(p, "package")) ok = read_package(p);
        else if (take(p, "option")) ok = skip_option(p);
        else if (take(p, "message")) ok = read_message(p, &p->file->top);
        else if (take(p, "enum")) ok = read_enum(p, &p->file->top);
        else if (take(p, "extend") || take(p, "service")) ok = skip_statement(p);
        else return fail(p, "a definition");
        if (!ok) return false;
    }
    return !p->failed;
}

struct pb_file *pb_parse(struct pb_set *set, const char *name, const char *text, size_t len,
                         struct sluice_err *err)
{
    if (len > PB_TEXT_MAX) {
        sluice_err_set(err, "the .proto text has %zu bytes, at most %zu are read", len,
                       PB_TEXT_MAX);
        return NULL;
    }
    struct pb_file *file = sluice_arena_alloc(&set->arena, sizeof *file);
    memset(file, 0, sizeof *file);
    file->name = sluice_arena_strndup(&set->arena, name, strlen(name));
    file->proto2 = true; /* without a syntax line */
    file->top.full_name = "";
    file->top.file = file;
    struct parser p = {.set = set, .file = file, .at = text, .end = text + len, .err = err};
    p.line = 1;
    p.text = "";
    next(&p);
    if (!read_file(&p)) {
        assert(p.failed);
        return NULL;
    }
    *PB_PUSH(&set->arena, set->files, set->files_n, set->files_cap) = file;
    return file;
}
