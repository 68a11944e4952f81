/* test_assign.c - who runs what: single rules, and random histories of a cluster in which workers
 * come, go, die and come back, and connectors come, go and change their size. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "harness.h"
#include "herder/assign.h"

#define CONNECTORS 40
#define TASKS 24
#define WORKERS 12
#define GRACE 4000
#define DELAY 30000

/* ---- a cluster in which everybody does at once what the assignment says, when asked to ---- */

struct place {
    struct sluice_owner owner; /* names are the world's, and kept */
    char *runs;                /* who really runs it; NULL: nobody */
    bool said;                 /* its owner said, since it was named, that it does not run it */
};

struct world {
    uint64_t random;
    int64_t now;
    char *names[4096];  /* all members that ever were; never freed before the end */
    int64_t died[4096]; /* when each ceased to be one */
    size_t names_n;
    char *members[WORKERS * 2]; /* sorted */
    size_t members_n;
    struct {
        char name[16];
        bool exists;
        int tasks, owners_n;
        struct place self, task[TASKS];
    } connectors[CONNECTORS];
    size_t connectors_n;
    struct sluice_absences *absences;
    size_t moves; /* of the last call: slots whose member changed or is to change */
};

static uint64_t draw(struct world *w, uint64_t below)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random % below;
}

static void world_init(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->random = seed * 0x9e3779b97f4a7c15u + 1;
    w->now = 1000;
    w->absences = sluice_absences_new();
}

static void world_fini(struct world *w)
{
    for (size_t i = 0; i < w->names_n; i++) free(w->names[i]);
    sluice_absences_free(w->absences);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join(struct world *w, int url)
{
    CHECK(w->names_n < sizeof w->names / sizeof *w->names);
    char *name =
        sluice_xasprintf("http://w%d:8083/#%016llx", url, (unsigned long long)draw(w, UINT64_MAX));
    w->names[w->names_n++] = name;
    w->members[w->members_n++] = name;
    qsort(w->members, w->members_n, sizeof *w->members, by_name);
    sluice_absences_see(w->absences, w->members, w->members_n);
    return name;
}

static bool is_member(const struct world *w, const char *name)
{
    return name && bsearch(&name, w->members, w->members_n, sizeof *w->members, by_name);
}

static bool let_go(void *arg, const char *connector, int task)
{
    struct world *w = arg;
    for (size_t i = 0; i < w->connectors_n; i++)
        if (strcmp(w->connectors[i].name, connector) == 0) {
            const struct place *p =
                task < 0 ? &w->connectors[i].self : &w->connectors[i].task[task];
            CHECK(!p->said || !p->runs);
            return p->said;
        }
    FAIL("let_go() of %s, which is not there", connector);
}

static size_t number(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->names_n; i++)
        if (w->names[i] == name) return i;
    FAIL("%s was never a member", name);
}

static void stop(struct place *p, const char *name)
{
    if (p->runs == name) p->runs = NULL;
    if (p->owner.member == name) p->said = true;
}

/* Everything of the member has stopped and was told; nothing was told when it was killed. */
static void leave(struct world *w, size_t at, bool clean)
{
    char *name = w->members[at];
    memmove(w->members + at, w->members + at + 1, (--w->members_n - at) * sizeof *w->members);
    sluice_absences_see(w->absences, w->members, w->members_n);
    w->died[number(w, name)] = w->now;
    for (size_t i = 0; clean && i < w->connectors_n; i++) {
        for (int t = -1; t < TASKS; t++)
            stop(t < 0 ? &w->connectors[i].self : &w->connectors[i].task[t], name);
    }
}

static size_t add_connector(struct world *w, int tasks)
{
    size_t i = w->connectors_n++;
    snprintf(w->connectors[i].name, sizeof w->connectors[i].name, "c%03zu", i);
    w->connectors[i].exists = true;
    w->connectors[i].tasks = tasks;
    return i;
}

static bool same(const struct sluice_owner *a, const struct sluice_owner *b)
{
    return a->member == b->member && a->leaving == b->leaving;
}

static void take(struct world *w, struct place *p, const struct sluice_owner *owner)
{
    const char *was = p->owner.member;
    if (was && !p->owner.leaving && (owner->leaving || owner->member != was)) w->moves++;
    /* The heart of it: nobody is named anew while the one before may still run it. */
    if (owner->member != was) CHECK(!p->runs);
    if (p->owner.leaving && owner->member == was && p->runs) CHECK(owner->leaving);
    if (!same(&p->owner, owner) && !owner->leaving) p->said = false;
    p->owner = *owner;
}

/* One decision; the number of connectors whose assignment changed. */
static size_t decide(struct world *w, int64_t *again)
{
    struct sluice_assign_connector in[CONNECTORS];
    static struct sluice_owner owners[CONNECTORS][TASKS];
    struct sluice_assignment out, twice;
    for (size_t i = 0; i < w->connectors_n; i++) {
        for (int t = 0; t < TASKS; t++) owners[i][t] = w->connectors[i].task[t].owner;
        in[i] = (struct sluice_assign_connector){.name = w->connectors[i].name,
                                                 .exists = w->connectors[i].exists,
                                                 .tasks = w->connectors[i].tasks,
                                                 .owner = w->connectors[i].self.owner,
                                                 .task_owners = owners[i],
                                                 .owners_n = w->connectors[i].owners_n};
    }
    struct sluice_assign_input input = {.members = w->members,
                                        .members_n = w->members_n,
                                        .connectors = in,
                                        .connectors_n = w->connectors_n,
                                        .now_ms = w->now,
                                        .grace_ms = GRACE,
                                        .delay_ms = DELAY,
                                        .absences = w->absences,
                                        .let_go = let_go,
                                        .arg = w};
    sluice_assign(&input, &out);
    sluice_assign(&input, &twice);
    CHECK(out.again_ms > w->now);
    CHECK_INT(out.changed_n, twice.changed_n);
    w->moves = 0;
    for (size_t i = 0; i < w->connectors_n; i++) {
        const struct sluice_assigned *a = &out.items[i];
        CHECK(same(&a->owner, &twice.items[i].owner));
        CHECK(a->n >= w->connectors[i].tasks && a->n <= TASKS);
        bool changed =
            !same(&a->owner, &w->connectors[i].self.owner) || a->n != w->connectors[i].owners_n;
        for (int t = 0; t < TASKS; t++) {
            struct sluice_owner none = {0};
            const struct sluice_owner *now = t < a->n ? &a->tasks[t] : &none;
            if (t < a->n) CHECK(same(now, &twice.items[i].tasks[t]));
            if (!same(now, &w->connectors[i].task[t].owner)) changed = true;
            take(w, &w->connectors[i].task[t], now);
        }
        take(w, &w->connectors[i].self, &a->owner);
        CHECK_INT(changed, a->changed);
        w->connectors[i].owners_n = a->n;
    }
    size_t n = out.changed_n;
    if (again) *again = out.again_ms;
    sluice_assignment_fini(&out);
    sluice_assignment_fini(&twice);
    return n;
}

static void obey_place(struct world *w, struct place *p)
{
    if (p->runs && !is_member(w, p->runs)) return; /* dead: see pass() */
    if (!p->owner.member || p->owner.leaving) {
        p->runs = NULL;
        p->said = is_member(w, p->owner.member);
    } else if (is_member(w, p->owner.member)) {
        CHECK(!p->runs || p->runs == p->owner.member);
        p->runs = p->owner.member;
    }
}

/* Each member does what it is told, with a chance of chance percent for each place. */
static void obey(struct world *w, unsigned chance)
{
    for (size_t i = 0; i < w->connectors_n; i++) {
        if (draw(w, 100) < chance) obey_place(w, &w->connectors[i].self);
        for (int t = 0; t < TASKS; t++)
            if (draw(w, 100) < chance) obey_place(w, &w->connectors[i].task[t]);
    }
}

/* Time goes on. The leases of those who are gone end within the grace. */
static void pass(struct world *w, int64_t ms)
{
    w->now += ms;
    for (size_t i = 0; i < w->connectors_n; i++)
        for (int t = -1; t < TASKS; t++) {
            struct place *p = t < 0 ? &w->connectors[i].self : &w->connectors[i].task[t];
            if (p->runs && !is_member(w, p->runs) && w->died[number(w, p->runs)] + GRACE <= w->now)
                p->runs = NULL;
        }
}

/* Until nothing changes any more; how many slots moved on the way. */
static size_t settle(struct world *w)
{
    size_t moves = 0;
    int64_t again = 0;
    for (int rounds = 0; rounds < 50; rounds++) {
        size_t changed = decide(w, &again);
        moves += w->moves;
        obey(w, 100);
        if (changed > 0) continue;
        if (again == INT64_MAX) return moves;
        pass(w, again - w->now > GRACE ? again - w->now : GRACE);
    }
    FAIL("the assignment does not settle");
}

struct load {
    size_t connectors, tasks;
};

static struct load load_of(const struct world *w, const char *member)
{
    struct load load = {0, 0};
    for (size_t i = 0; i < w->connectors_n; i++) {
        load.connectors += w->connectors[i].self.owner.member == member;
        for (int t = 0; t < TASKS; t++)
            load.tasks += w->connectors[i].task[t].owner.member == member;
    }
    return load;
}

/* Everything has one owner, who runs it; all have as much, but for one. */
static void check_settled(const struct world *w)
{
    struct load least = {SIZE_MAX, SIZE_MAX}, most = {0, 0};
    for (size_t i = 0; i < w->connectors_n; i++) {
        CHECK_INT(w->connectors[i].self.runs != NULL, w->connectors[i].exists);
        CHECK_INT(w->connectors[i].owners_n, w->connectors[i].tasks);
        for (int t = 0; t < TASKS; t++) {
            const struct place *p = &w->connectors[i].task[t];
            CHECK(!p->owner.leaving);
            CHECK(p->runs == p->owner.member);
            CHECK_INT(p->runs && is_member(w, p->runs), t < w->connectors[i].tasks);
        }
    }
    for (size_t k = 0; k < w->members_n; k++) {
        struct load load = load_of(w, w->members[k]);
        if (load.connectors < least.connectors) least.connectors = load.connectors;
        if (load.connectors > most.connectors) most.connectors = load.connectors;
        if (load.tasks < least.tasks) least.tasks = load.tasks;
        if (load.tasks > most.tasks) most.tasks = load.tasks;
    }
    CHECK(most.connectors - least.connectors <= 1);
    CHECK(most.tasks - least.tasks <= 1);
}

/* ---- single rules ---- */

TEST(spreads_over_members)
{
    struct world w;
    world_init(&w, 1);
    for (int i = 0; i < 3; i++) join(&w, i);
    for (int i = 0; i < 10; i++) add_connector(&w, 3);
    CHECK_INT(settle(&w), 0);
    check_settled(&w);
    for (size_t i = 0; i < w.connectors_n; i++) { /* the tasks of each on all three */
        const struct place *t = w.connectors[i].task;
        CHECK(t[0].runs != t[1].runs && t[1].runs != t[2].runs && t[0].runs != t[2].runs);
    }
    world_fini(&w);
}

TEST(adding_moves_nothing)
{
    struct world w;
    world_init(&w, 2);
    for (int i = 0; i < 7; i++) join(&w, i);
    for (int i = 0; i < CONNECTORS; i++) {
        add_connector(&w, 1 + i % 5);
        CHECK_INT(settle(&w), 0);
        check_settled(&w);
    }
    w.connectors[3].tasks = TASKS;
    CHECK_INT(settle(&w), 0);
    check_settled(&w);
    world_fini(&w);
}

TEST(a_newcomer_gets_its_share_and_nobody_else_anything)
{
    struct world w;
    world_init(&w, 3);
    for (int i = 0; i < 4; i++) join(&w, i);
    for (int i = 0; i < 20; i++) add_connector(&w, 4);
    settle(&w);
    char *fifth = join(&w, 4);
    decide(&w, NULL);
    CHECK_INT(w.moves, 20 / 5 + 80 / 5);
    CHECK_INT(load_of(&w, fifth).tasks, 0); /* not before they were let go */
    obey(&w, 100);
    decide(&w, NULL);
    CHECK_INT(load_of(&w, fifth).tasks, 16);
    CHECK_INT(load_of(&w, fifth).connectors, 4);
    obey(&w, 100);
    CHECK_INT(settle(&w), 0);
    check_settled(&w);
    world_fini(&w);
}

TEST(the_work_of_who_left_waits_and_moves_alone)
{
    struct world w;
    int64_t again;
    world_init(&w, 4);
    for (int i = 0; i < 3; i++) join(&w, i);
    for (int i = 0; i < 12; i++) add_connector(&w, 3);
    settle(&w);
    char *gone = w.members[1];
    struct load load = load_of(&w, gone);
    leave(&w, 1, true);
    CHECK_INT(decide(&w, &again), 0);
    CHECK_INT(again, w.now + DELAY);
    pass(&w, DELAY - 1);
    CHECK_INT(decide(&w, &again), 0);
    CHECK_INT(again, w.now + 1);
    pass(&w, 1);
    decide(&w, &again);
    CHECK_INT(w.moves, load.connectors + load.tasks);
    CHECK_INT(load_of(&w, gone).tasks, 0);
    CHECK_INT(again, INT64_MAX);
    obey(&w, 100);
    check_settled(&w);
    world_fini(&w);
}

/* Whichever of the two comes first by name. */
static void come_back(uint64_t seed)
{
    struct world w;
    int64_t again;
    world_init(&w, seed);
    for (int i = 0; i < 3; i++) join(&w, i);
    for (int i = 0; i < 12; i++) add_connector(&w, 3);
    settle(&w);
    char *old = w.members[2];
    struct load load = load_of(&w, old);
    char *newer = join(&w, 2); /* back before the old one was noticed to be dead */
    CHECK_INT(decide(&w, &again), 0);
    CHECK_INT(load_of(&w, newer).tasks, 0);
    leave(&w, old == w.members[2] ? 2 : 3, false);
    CHECK_INT(decide(&w, &again), 0); /* its lease may last */
    CHECK_INT(again, w.now + GRACE);
    pass(&w, GRACE);
    decide(&w, &again);
    CHECK_INT(w.moves, load.connectors + load.tasks);
    CHECK_INT(load_of(&w, newer).tasks, load.tasks);
    CHECK_INT(load_of(&w, newer).connectors, load.connectors);
    obey(&w, 100);
    CHECK_INT(settle(&w), 0);
    check_settled(&w);
    world_fini(&w);
}

TEST(a_new_incarnation_takes_the_work_of_the_old)
{
    for (uint64_t seed = 1; seed <= 10; seed++) come_back(seed);
}

TEST(a_connector_that_grows_spreads)
{
    struct world w;
    world_init(&w, 9);
    for (int i = 0; i < 3; i++) join(&w, i);
    size_t grows = add_connector(&w, 2);
    settle(&w);
    add_connector(&w, 1);
    settle(&w);
    w.connectors[grows].tasks = 3;
    settle(&w);
    const struct place *t = w.connectors[grows].task;
    CHECK(t[2].runs != t[0].runs && t[2].runs != t[1].runs);
    world_fini(&w);
}

TEST(tasks_that_stand_together_move_first)
{
    struct world w;
    world_init(&w, 10);
    char *alone = join(&w, 0);
    for (int i = 0; i < 4; i++) add_connector(&w, 1);
    size_t large = add_connector(&w, 4);
    settle(&w);
    join(&w, 1);
    CHECK_INT(settle(&w), 4 + 2);
    size_t left = 0;
    for (int t = 0; t < 4; t++) left += w.connectors[large].task[t].runs == alone;
    CHECK_INT(left, 1);
    world_fini(&w);
}

TEST(who_let_go_need_not_be_waited_for)
{
    struct world w;
    world_init(&w, 6);
    for (int i = 0; i < 3; i++) join(&w, i);
    for (int i = 0; i < 12; i++) add_connector(&w, 3);
    settle(&w);
    struct load load = load_of(&w, w.members[0]);
    leave(&w, 0, true);
    char *back = join(&w, 0);
    decide(&w, NULL);
    CHECK_INT(w.moves, load.connectors + load.tasks);
    CHECK_INT(load_of(&w, back).tasks, load.tasks);
    obey(&w, 100);
    CHECK_INT(settle(&w), 0);
    world_fini(&w);
}

TEST(a_static_newcomer_need_not_wait)
{
    char old[] = "http://a/#s0001", fixed[] = "http://a/#s0002", other[] = "http://b/#0001";
    char dynamic[] = "http://a/#0002";
    char *members[] = {fixed, other};
    struct sluice_owner owner = {.member = old};
    struct sluice_assign_connector c = {.name = "c", .exists = true, .owner = owner};
    struct sluice_absences *absences = sluice_absences_new();
    struct sluice_assignment out;
    struct world w;
    world_init(&w, 7);
    add_connector(&w, 0);
    snprintf(w.connectors[0].name, sizeof w.connectors[0].name, "c");
    w.connectors[0].self.runs = old; /* it may */
    struct sluice_assign_input in = {.members = members,
                                     .members_n = 2,
                                     .connectors = &c,
                                     .connectors_n = 1,
                                     .now_ms = 1,
                                     .grace_ms = GRACE,
                                     .delay_ms = DELAY,
                                     .absences = absences,
                                     .let_go = let_go,
                                     .arg = &w};
    sluice_assign(&in, &out);
    CHECK_STR(out.items[0].owner.member, "http://a/#s0002");
    sluice_assignment_fini(&out);
    members[0] = dynamic;
    sluice_assign(&in, &out);
    CHECK_STR(out.items[0].owner.member, "http://a/#s0001");
    CHECK_INT(out.again_ms, 1 + GRACE);
    sluice_assignment_fini(&out);
    sluice_absences_free(absences);
    world_fini(&w);
}

TEST(what_is_deleted_or_cut_stays_named_until_let_go)
{
    struct world w;
    world_init(&w, 8);
    for (int i = 0; i < 2; i++) join(&w, i);
    size_t cut = add_connector(&w, 6), deleted = add_connector(&w, 2);
    settle(&w);
    w.connectors[cut].tasks = 2;
    w.connectors[deleted].exists = false;
    w.connectors[deleted].tasks = 0;
    decide(&w, NULL);
    CHECK_INT(w.connectors[cut].owners_n, 6);
    CHECK(w.connectors[cut].task[5].owner.leaving && !w.connectors[cut].task[1].owner.leaving);
    CHECK_INT(w.connectors[deleted].owners_n, 2);
    CHECK(w.connectors[deleted].self.owner.leaving);
    w.connectors[cut].tasks = 6; /* back again before they have stopped: no way back half-way */
    decide(&w, NULL);
    CHECK(w.connectors[cut].task[5].owner.leaving);
    obey(&w, 100);
    decide(&w, NULL);
    CHECK(!w.connectors[cut].task[5].owner.leaving);
    CHECK_INT(w.connectors[deleted].owners_n, 0);
    CHECK(!w.connectors[deleted].self.owner.member);
    obey(&w, 100);
    CHECK_INT(settle(&w), 0);
    check_settled(&w);
    world_fini(&w);
}

TEST(members_that_are_no_workers_get_nothing)
{
    char other[] = "console-consumer", worker[] = "http://a/#1";
    char *members[] = {other, worker};
    struct sluice_assign_connector c = {.name = "c", .exists = true, .tasks = 3};
    struct sluice_absences *absences = sluice_absences_new();
    struct sluice_assignment out;
    struct sluice_assign_input in = {.members = members,
                                     .members_n = 2,
                                     .connectors = &c,
                                     .connectors_n = 1,
                                     .absences = absences,
                                     .let_go = let_go};
    sluice_assign(&in, &out);
    CHECK_STR(out.items[0].owner.member, "http://a/#1");
    for (int t = 0; t < 3; t++) CHECK_STR(out.items[0].tasks[t].member, "http://a/#1");
    sluice_assignment_fini(&out);
    in.members_n = 1; /* nobody at all: nothing is given */
    sluice_assign(&in, &out);
    CHECK(!out.items[0].owner.member);
    CHECK(!out.items[0].tasks[2].member);
    sluice_assignment_fini(&out);
    sluice_absences_free(absences);
}

/* ---- random histories ---- */

static void resize(struct world *w)
{
    size_t i = draw(w, w->connectors_n);
    if (w->connectors[i].exists && draw(w, 5) == 0) {
        w->connectors[i].exists = false;
        w->connectors[i].tasks = 0;
    } else {
        w->connectors[i].exists = true;
        w->connectors[i].tasks = (int)draw(w, TASKS + 1);
    }
}

static void happen(struct world *w)
{
    unsigned what = (unsigned)draw(w, 10);
    if (what < 2 && w->members_n < WORKERS) join(w, (int)draw(w, WORKERS));
    else if (what == 2 && w->members_n > 1) leave(w, draw(w, w->members_n), true);
    else if (what == 3 && w->members_n > 1) leave(w, draw(w, w->members_n), false);
    else if (what == 4 && w->connectors_n < CONNECTORS) add_connector(w, (int)draw(w, TASKS + 1));
    else if (what == 5 && w->connectors_n > 0) resize(w);
    else if (what == 6) pass(w, (int64_t)draw(w, DELAY));
    else if (what == 7) decide(w, NULL);
    else obey(w, 60);
}

/* Members of one URL beside each other are a case of its own. */
static bool doubled(const struct world *w)
{
    for (size_t i = 1; i < w->members_n; i++) {
        size_t len = sluice_member_url(w->members[i]);
        if (strncmp(w->members[i - 1], w->members[i], len + 1) == 0) return true;
    }
    return false;
}

TEST(random_histories_settle_balanced)
{
    struct world w;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        world_init(&w, seed);
        join(&w, 0);
        for (int i = 0; i < 150; i++) happen(&w);
        settle(&w);
        while (doubled(&w)) { /* take the first out of a pair */
            size_t i = 1;
            while (strncmp(w.members[i - 1], w.members[i], sluice_member_url(w.members[i]) + 1) !=
                   0)
                i++;
            leave(&w, i - 1, draw(&w, 2) == 0);
        }
        settle(&w);
        check_settled(&w);
        CHECK_INT(settle(&w), 0);
        world_fini(&w);
    }
}

TEST(ten_thousand_tasks)
{
    enum { N = 1000, EACH = 10, MEMBERS = 100 };
    char *members[MEMBERS], names[MEMBERS][32], connectors[N][16];
    static struct sluice_assign_connector in[N];
    struct sluice_absences *absences = sluice_absences_new();
    struct sluice_assignment out, next;
    size_t moved = 0;
    for (int i = 0; i < MEMBERS; i++) {
        snprintf(names[i], sizeof names[i], "http://w%03d/#1", i);
        members[i] = names[i];
    }
    for (int i = 0; i < N; i++) {
        snprintf(connectors[i], sizeof connectors[i], "c%04d", i);
        in[i] =
            (struct sluice_assign_connector){.name = connectors[i], .exists = true, .tasks = EACH};
    }
    struct sluice_assign_input input = {.members = members,
                                        .members_n = MEMBERS - 1,
                                        .connectors = in,
                                        .connectors_n = N,
                                        .absences = absences,
                                        .let_go = let_go};
    sluice_assign(&input, &out);
    CHECK_INT(out.changed_n, N);
    for (int i = 0; i < N; i++) {
        in[i].owner = out.items[i].owner;
        in[i].task_owners = out.items[i].tasks;
        in[i].owners_n = out.items[i].n;
    }
    sluice_assign(&input, &next);
    CHECK_INT(next.changed_n, 0);
    sluice_assignment_fini(&next);
    input.members_n = MEMBERS; /* one comes */
    sluice_assign(&input, &next);
    for (int i = 0; i < N; i++)
        for (int t = 0; t < EACH; t++) moved += next.items[i].tasks[t].leaving;
    CHECK_INT(moved, N * EACH / MEMBERS);
    sluice_assignment_fini(&next);
    sluice_assignment_fini(&out);
    sluice_absences_free(absences);
}
