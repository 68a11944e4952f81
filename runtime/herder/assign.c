/* assign.c - see assign.h. Every connector and every task is a slot. Slots are sorted into those
 * that stay, those that are held back for now, and those that are free; then, for connectors and
 * for tasks, what a member has too much of is marked as leaving, and what is free goes to who has
 * least. Any thread. */
#include "herder/assign.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define NOBODY SIZE_MAX
#define TRIES                                                                                      \
    8 /* members of equal load that are looked at for one without tasks of the connector */

/* ---- absences ---- */

struct absence {
    char *name;
    int64_t since_ms;
    bool asked; /* by the present call: still an owner */
};

struct sluice_absences {
    struct absence *items; /* sorted by name */
    size_t n, cap;
};

struct sluice_absences *sluice_absences_new(void)
{
    return sluice_xcalloc(1, sizeof(struct sluice_absences));
}

/* Keeps those whom keep() wants. */
static void prune(struct sluice_absences *a, bool (*keep)(const struct absence *, void *arg),
                  void *arg)
{
    size_t kept = 0;
    for (size_t i = 0; i < a->n; i++) {
        if (keep(&a->items[i], arg)) a->items[kept++] = a->items[i];
        else free(a->items[i].name);
    }
    a->n = kept;
}

void sluice_absences_free(struct sluice_absences *a)
{
    if (!a) return;
    for (size_t i = 0; i < a->n; i++) free(a->items[i].name);
    free(a->items);
    free(a);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct list {
    char *const *names;
    size_t n;
};

static bool not_listed(const struct absence *absence, void *arg)
{
    const struct list *list = arg;
    return !bsearch(&absence->name, list->names, list->n, sizeof *list->names, by_name);
}

void sluice_absences_see(struct sluice_absences *a, char *const *members, size_t n)
{
    struct list list = {members, n};
    prune(a, not_listed, &list);
}

static bool was_asked(const struct absence *absence, void *arg)
{
    (void)arg;
    return absence->asked;
}

/* When this owner was first missed: now, if never before. */
static int64_t absent_since(struct sluice_absences *a, const char *name, int64_t now_ms)
{
    size_t low = 0, high = a->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(a->items[middle].name, name);
        if (order == 0) {
            a->items[middle].asked = true;
            return a->items[middle].since_ms;
        }
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    a->items = sluice_xgrow(a->items, a->n, &a->cap, sizeof *a->items);
    memmove(a->items + low + 1, a->items + low, (a->n - low) * sizeof *a->items);
    a->items[low] = (struct absence){sluice_xstrdup(name), now_ms, true};
    a->n++;
    return now_ms;
}

/* ---- what is known of a call ---- */

enum kind { CONNECTOR, TASK, KINDS };

enum slot_state {
    STAYS,   /* with the member, who runs it */
    WAITS,   /* named as before for now; it counts as the member's, if there is one */
    TRANSIT, /* leaving: named as before for now, and then to be placed */
    FREE,
    GONE /* no such work any more, and nobody who might still run it */
};

struct slot {
    size_t connector;
    int task; /* -1: the connector */
    const struct sluice_owner *was;
    struct sluice_owner *now; /* in the answer */
    enum slot_state state;
    size_t member;  /* STAYS, WAITS: whose load it is; NOBODY */
    size_t ordinal; /* among the slots of the connector that stay with the member */
};

struct member {
    const char *name;
    size_t url_len;
    bool active; /* gets work */
    size_t owns; /* live work that names it */
    size_t load[KINDS], target[KINDS];
    size_t connector, of_connector; /* the connector whose tasks were counted last; how many */
};

struct call {
    const struct sluice_assign_input *in;
    struct sluice_assignment *out;
    struct member *members; /* sorted by name, as the input's */
    size_t members_n, active_n;
    struct slot *slots;
    size_t slots_n;
    struct member **heap; /* those with room for work of the kind, the least loaded first */
    size_t heap_n;
    enum kind kind;      /* what is being placed */
    size_t share, extra; /* what each gets; how many may yet get one more */
};

size_t sluice_member_url(const char *member)
{
    const char *hash = strchr(member, '#');
    return hash ? (size_t)(hash - member) : 0;
}

static bool is_static(const struct member *m) { return m->name[m->url_len + 1] == 's'; }

static int compare_member(const void *key, const void *item)
{
    return strcmp(key, ((const struct member *)item)->name);
}

static struct member *find_member(const struct call *call, const char *name)
{
    return bsearch(name, call->members, call->members_n, sizeof *call->members, compare_member);
}

static bool same_url(const struct member *m, const char *url, size_t len)
{
    return m->url_len == len && memcmp(m->name, url, len) == 0;
}

/* Members of one URL stand together, as all names that begin with "url#" do. */
static struct member *first_of_url(const struct call *call, const char *url, size_t len)
{
    size_t low = 0, high = call->members_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strncmp(call->members[middle].name, url, len + 1) < 0) low = middle + 1;
        else high = middle;
    }
    return low < call->members_n && same_url(&call->members[low], url, len) ? &call->members[low]
                                                                            : NULL;
}

/* The active member of the URL that this name, which is no member's, had; NULL: none. */
static struct member *successor(const struct call *call, const char *gone)
{
    size_t len = sluice_member_url(gone);
    struct member *m = len ? first_of_url(call, gone, len) : NULL;
    for (; m && m < call->members + call->members_n && same_url(m, gone, len); m++)
        if (m->active) return m;
    return NULL;
}

/* ---- slots ---- */

static void add_slot(struct call *call, size_t connector, int task, const struct sluice_owner *was,
                     struct sluice_owner *now)
{
    static const struct sluice_owner nobody;
    struct slot *slot = &call->slots[call->slots_n++];
    *slot = (struct slot){.connector = connector,
                          .task = task,
                          .was = was ? was : &nobody,
                          .now = now,
                          .member = NOBODY};
    *now = *slot->was;
    if (!slot->was->member) return;
    struct member *m = find_member(call, slot->was->member);
    if (m) m->owns++;
}

static void make_slots(struct call *call)
{
    const struct sluice_assign_input *in = call->in;
    size_t tasks = 0;
    for (size_t i = 0; i < in->connectors_n; i++) {
        const struct sluice_assign_connector *c = &in->connectors[i];
        assert(c->tasks >= 0 && c->owners_n >= 0 && (c->exists || c->tasks == 0));
        tasks += (size_t)(c->tasks > c->owners_n ? c->tasks : c->owners_n);
    }
    call->slots = sluice_xcalloc(tasks + in->connectors_n + 1, sizeof *call->slots);
    call->out->owners = sluice_xcalloc(tasks + 1, sizeof *call->out->owners);
    struct sluice_owner *owners = call->out->owners;
    for (size_t i = 0; i < in->connectors_n; i++) {
        const struct sluice_assign_connector *c = &in->connectors[i];
        struct sluice_assigned *a = &call->out->items[i];
        a->n = c->tasks > c->owners_n ? c->tasks : c->owners_n;
        a->tasks = owners;
        owners += a->n;
        add_slot(call, i, -1, &c->owner, &a->owner);
        for (int t = 0; t < a->n; t++)
            add_slot(call, i, t, t < c->owners_n ? &c->task_owners[t] : NULL, &a->tasks[t]);
    }
}

static bool wanted(const struct call *call, const struct slot *slot)
{
    const struct sluice_assign_connector *c = &call->in->connectors[slot->connector];
    return slot->task < 0 ? c->exists : slot->task < c->tasks;
}

static bool let_go(const struct call *call, const struct slot *slot)
{
    return call->in->let_go(call->in->arg, call->in->connectors[slot->connector].name, slot->task);
}

/* Time alone changes something then. */
static void look_again(struct call *call, int64_t at_ms)
{
    if (at_ms < call->out->again_ms) call->out->again_ms = at_ms;
}

static void sort_departed(struct call *call, struct slot *slot)
{
    const struct sluice_assign_input *in = call->in;
    struct member *next = successor(call, slot->was->member);
    int64_t since = absent_since(in->absences, slot->was->member, in->now_ms);
    int64_t safe = since + in->grace_ms;
    int64_t delay = in->delay_ms > INT64_MAX - since ? INT64_MAX : since + in->delay_ms;
    if ((next && is_static(next)) || in->now_ms >= safe || let_go(call, slot)) safe = in->now_ms;
    bool free_to_move = !wanted(call, slot) || slot->was->leaving;
    int64_t due = free_to_move || next || delay < safe ? safe : delay;
    if (due > in->now_ms) {
        look_again(call, due);
        slot->state = slot->was->leaving && wanted(call, slot) ? TRANSIT : WAITS;
        if (next && !free_to_move) slot->member = (size_t)(next - call->members);
        if (!wanted(call, slot)) slot->now->leaving = true;
    } else if (!wanted(call, slot)) {
        slot->state = GONE;
    } else if (next && !slot->was->leaving) {
        slot->state = STAYS;
        slot->member = (size_t)(next - call->members);
        slot->now->member = (char *)(uintptr_t)next->name;
    } else {
        slot->state = FREE;
    }
}

static void sort_slot(struct call *call, struct slot *slot)
{
    const struct sluice_owner *was = slot->was;
    if (!was->member) {
        slot->state = wanted(call, slot) ? FREE : GONE;
        return;
    }
    struct member *m = find_member(call, was->member);
    if (!m) {
        sort_departed(call, slot);
    } else if (was->leaving || !wanted(call, slot)) {
        bool over = was->leaving && let_go(call, slot);
        slot->state = wanted(call, slot) ? (over ? FREE : TRANSIT) : over ? GONE : WAITS;
        slot->now->leaving = true;
    } else {
        slot->state = STAYS;
        slot->member = (size_t)(m - call->members);
    }
}

/* ---- members ---- */

static void make_members(struct call *call)
{
    const struct sluice_assign_input *in = call->in;
    call->members = sluice_xcalloc(in->members_n + 1, sizeof *call->members);
    for (size_t i = 0; i < in->members_n; i++) {
        size_t len = sluice_member_url(in->members[i]);
        assert(i == 0 || strcmp(in->members[i - 1], in->members[i]) <= 0);
        if (len == 0 || (i > 0 && strcmp(in->members[i - 1], in->members[i]) == 0)) continue;
        call->members[call->members_n++] =
            (struct member){.name = in->members[i], .url_len = len, .connector = SIZE_MAX};
    }
}

/* One of each URL: who owns most, of equals the first by name. */
static void choose_active(struct call *call)
{
    for (size_t i = 0; i < call->members_n;) {
        struct member *best = &call->members[i];
        size_t k = i + 1;
        for (; k < call->members_n && same_url(&call->members[k], best->name, best->url_len); k++)
            if (call->members[k].owns > best->owns) best = &call->members[k];
        best->active = true;
        call->active_n++;
        i = k;
    }
}

/* ---- balance ---- */

static enum kind kind_of(const struct slot *slot) { return slot->task < 0 ? CONNECTOR : TASK; }

static struct member *member_of(const struct call *call, const struct slot *slot)
{
    return slot->member == NOBODY ? NULL : &call->members[slot->member];
}

/* How many tasks of this connector the member has been counted to have. */
static size_t tasks_of(const struct member *m, size_t connector)
{
    return m->connector == connector ? m->of_connector : 0;
}

static size_t count_task(struct member *m, size_t connector)
{
    size_t before = tasks_of(m, connector);
    m->connector = connector;
    m->of_connector = before + 1;
    return before;
}

struct ranked {
    struct member *member;
    size_t load, other;
};

/* Who has most comes first, and keeps it; of equals who has less of the other kind. */
static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->load != y->load) return x->load > y->load ? -1 : 1;
    if (x->other != y->other) return x->other < y->other ? -1 : 1;
    return x->member < y->member ? -1 : 1;
}

static void set_targets(struct call *call, enum kind kind)
{
    size_t n = 0, all = 0;
    struct ranked *ranked = sluice_xcalloc(call->active_n, sizeof *ranked);
    for (size_t i = 0; i < call->slots_n; i++) {
        struct slot *slot = &call->slots[i];
        struct member *m = member_of(call, slot);
        if (kind_of(slot) != kind) continue;
        if (slot->state == FREE || slot->state == TRANSIT) all++;
        if (m && m->active) {
            m->load[kind]++;
            all++;
        }
    }
    for (size_t i = 0; i < call->members_n; i++) {
        struct member *m = &call->members[i];
        if (m->active)
            ranked[n++] = (struct ranked){m, m->load[kind], kind == TASK ? m->load[CONNECTOR] : 0};
    }
    assert(n == call->active_n);
    qsort(ranked, n, sizeof *ranked, by_rank);
    call->share = all / n;
    call->extra = all % n;
    for (size_t i = 0; i < n; i++) {
        bool more = call->extra > 0 && ranked[i].load > call->share;
        ranked[i].member->target[kind] = call->share + more;
        call->extra -= more;
    }
    free(ranked);
}

struct surplus {
    struct slot *slot;
    bool idle; /* its owner before is gone: it can go anywhere at once */
};

/* By member; first what nobody runs, then tasks of which the member has many of one connector. */
static int by_dispensable(const void *a, const void *b)
{
    const struct surplus *x = a, *y = b;
    if (x->slot->member != y->slot->member) return x->slot->member < y->slot->member ? -1 : 1;
    if (x->idle != y->idle) return x->idle ? -1 : 1;
    if (x->slot->ordinal != y->slot->ordinal) return x->slot->ordinal > y->slot->ordinal ? -1 : 1;
    return x->slot < y->slot ? -1 : 1;
}

static void shed(struct call *call, enum kind kind)
{
    size_t n = 0;
    struct surplus *surplus = sluice_xcalloc(call->slots_n + 1, sizeof *surplus);
    for (size_t i = 0; i < call->members_n; i++) call->members[i].connector = SIZE_MAX;
    for (size_t i = 0; i < call->slots_n; i++) {
        struct slot *slot = &call->slots[i];
        struct member *m = member_of(call, slot);
        if (kind_of(slot) != kind || slot->state != STAYS || !m->active) continue;
        slot->ordinal = count_task(m, slot->connector);
        if (m->load[kind] > m->target[kind])
            surplus[n++] = (struct surplus){slot, strcmp(slot->was->member, m->name) != 0};
    }
    qsort(surplus, n, sizeof *surplus, by_dispensable);
    for (size_t i = 0; i < n; i++) {
        struct slot *slot = surplus[i].slot;
        struct member *m = member_of(call, slot);
        if (m->load[kind] <= m->target[kind]) continue;
        m->load[kind]--;
        slot->member = NOBODY;
        slot->state = surplus[i].idle ? FREE : TRANSIT;
        slot->now->leaving = !surplus[i].idle;
    }
    free(surplus);
}

/* ---- placing: a heap of the members that have room ---- */

/* Of members with as many tasks, who has fewer connectors gets one first. */
static bool before(const struct call *call, const struct member *a, const struct member *b)
{
    enum kind kind = call->kind;
    if (a->load[kind] != b->load[kind]) return a->load[kind] < b->load[kind];
    if (kind == TASK && a->load[CONNECTOR] != b->load[CONNECTOR])
        return a->load[CONNECTOR] < b->load[CONNECTOR];
    return a < b;
}

static bool has_room(const struct call *call, const struct member *m)
{
    size_t load = m->load[call->kind];
    return load < m->target[call->kind] || (load == call->share && call->extra > 0);
}

static void push(struct call *call, struct member *m)
{
    if (!has_room(call, m)) return;
    size_t at = call->heap_n++;
    for (; at > 0 && before(call, m, call->heap[(at - 1) / 2]); at = (at - 1) / 2)
        call->heap[at] = call->heap[(at - 1) / 2];
    call->heap[at] = m;
}

static struct member *pop(struct call *call)
{
    assert(call->heap_n > 0);
    struct member *top = call->heap[0], *last = call->heap[--call->heap_n];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < call->heap_n; at = child) {
        if (child + 1 < call->heap_n && before(call, call->heap[child + 1], call->heap[child]))
            child++;
        if (!before(call, call->heap[child], last)) break;
        call->heap[at] = call->heap[child];
    }
    call->heap[at] = last;
    return top;
}

/* Of the least loaded ones, one with few tasks of the connector. */
static struct member *choose(struct call *call, size_t connector)
{
    struct member *tried[TRIES], *best;
    size_t n = 0;
    best = tried[n++] = pop(call);
    while (n < TRIES && call->heap_n > 0 && tasks_of(best, connector) > 0 &&
           call->heap[0]->load[call->kind] == best->load[call->kind]) {
        struct member *m = tried[n++] = pop(call);
        if (tasks_of(m, connector) < tasks_of(best, connector)) best = m;
    }
    for (size_t i = 0; i < n; i++)
        if (tried[i] != best) push(call, tried[i]);
    return best;
}

static void place(struct call *call, enum kind kind)
{
    call->kind = kind;
    call->heap_n = 0;
    for (size_t i = 0; i < call->members_n; i++) {
        call->members[i].connector = SIZE_MAX;
        if (call->members[i].active) push(call, &call->members[i]);
    }
    for (size_t i = 0; i < call->slots_n;) {
        size_t end = i, connector = call->slots[i].connector;
        for (; end < call->slots_n && call->slots[end].connector == connector; end++) {
            struct member *m = member_of(call, &call->slots[end]);
            if (m && kind_of(&call->slots[end]) == TASK) count_task(m, connector);
        }
        for (; i < end; i++) {
            struct slot *slot = &call->slots[i];
            if (kind_of(slot) != kind || slot->state != FREE) continue;
            struct member *m = choose(call, connector);
            *slot->now = (struct sluice_owner){.member = (char *)(uintptr_t)m->name};
            assert(has_room(call, m));
            if (m->load[kind]++ == m->target[kind]) call->extra--;
            if (kind == TASK) count_task(m, connector);
            push(call, m);
        }
    }
}

/* ---- the answer ---- */

static bool same_owner(const struct sluice_owner *a, const struct sluice_owner *b)
{
    if (!a->member || !b->member) return a->member == b->member;
    return a->leaving == b->leaving && strcmp(a->member, b->member) == 0;
}

static void finish(struct call *call)
{
    const struct sluice_assign_input *in = call->in;
    for (size_t i = 0; i < call->slots_n; i++) {
        struct slot *slot = &call->slots[i];
        if (slot->state == GONE || (slot->state == FREE && call->active_n == 0))
            *slot->now = (struct sluice_owner){0};
        if (!same_owner(slot->was, slot->now)) call->out->items[slot->connector].changed = true;
    }
    for (size_t i = 0; i < in->connectors_n; i++) {
        struct sluice_assigned *a = &call->out->items[i];
        while (a->n > in->connectors[i].tasks && !a->tasks[a->n - 1].member) a->n--;
        if (a->n != in->connectors[i].owners_n) a->changed = true;
        call->out->changed_n += a->changed;
    }
}

void sluice_assign(const struct sluice_assign_input *in, struct sluice_assignment *out)
{
    struct call call = {.in = in, .out = out};
    *out = (struct sluice_assignment){.again_ms = INT64_MAX};
    out->items = sluice_xcalloc(in->connectors_n + 1, sizeof *out->items);
    for (size_t i = 0; i < in->absences->n; i++) in->absences->items[i].asked = false;
    make_members(&call);
    make_slots(&call);
    choose_active(&call);
    for (size_t i = 0; i < call.slots_n; i++) sort_slot(&call, &call.slots[i]);
    if (call.active_n > 0) {
        call.heap = sluice_xcalloc(call.members_n, sizeof *call.heap);
        for (int kind = CONNECTOR; kind < KINDS; kind++) {
            set_targets(&call, (enum kind)kind);
            shed(&call, (enum kind)kind);
            place(&call, (enum kind)kind);
        }
    }
    finish(&call);
    prune(in->absences, was_asked, NULL);
    free(call.heap);
    free(call.slots);
    free(call.members);
}

void sluice_assignment_fini(struct sluice_assignment *assignment)
{
    free(assignment->items);
    free(assignment->owners);
    *assignment = (struct sluice_assignment){0};
}
