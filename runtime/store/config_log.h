/* config_log.h - the config topic: what the cluster should be doing (spec: Kafka Connect's
 * KafkaConfigBackingStore, KIP-415, KIP-618, KIP-745, KIP-875, KIP-976).
 *
 * Records of Connect, with its keys and JSON byte for byte, and two of ours, which a Java worker
 * skips: "sluice-leader" and "sluice-assignment-<connector>". The reader's thread applies them to a
 * table; everybody else looks at it under the lock. Only the leader writes (kafka/transactions.h).
 * Broken and unknown records are skipped, and logged once with their offset. */
#ifndef SLUICE_STORE_CONFIG_LOG_H
#define SLUICE_STORE_CONFIG_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "kafka/topic_log.h"
#include "kafka/transactions.h"
#include "store/target.h"

/* Who runs one connector or task. Names are members' (kafka/group.h). */
struct sluice_owner {
    char *member;  /* NULL: nobody */
    bool leaving;  /* it is to stop, and to say so by a status UNASSIGNED */
    int32_t since; /* read, not written: generation of the first record of those without a change
                    * that named it so. A status UNASSIGNED of it or later is this owner's. */
};

struct sluice_cluster_connector {
    char *name;
    bool exists;              /* connector-N is there (a target state may come before it) */
    struct sluice_map config; /* value NULL: JSON null */
    int64_t config_offset;    /* of connector-N */
    enum sluice_target target;
    struct sluice_map *tasks; /* committed task configs, tasks_n of them */
    int tasks_n;
    int64_t tasks_offset; /* of commit-N; -1: there was none since connector-N was made */
    bool inconsistent;    /* commit-N came without all of its task configs: it has no tasks */
    int fenced_tasks;     /* tasks-fencing-N; -1: none */
    int64_t fenced_offset;
    int64_t restart_offset; /* of restart-connector-N, with what it asks for; -1: none */
    bool restart_tasks, restart_only_failed;
    /* sluice-assignment-N */
    int32_t generation;
    int64_t assignment_offset; /* -1: none */
    struct sluice_owner owner;
    struct sluice_owner *task_owners; /* owners_n of them */
    int owners_n;
};

struct sluice_cluster {
    struct sluice_cluster_connector **connectors; /* sorted by name */
    size_t n;
    int64_t offset;     /* behind the last record applied */
    char *leader;       /* member name of sluice-leader; NULL: none */
    int32_t generation; /* of the newest assignment or leader record */
    char *session_key;  /* base64; NULL: none */
    char *session_algorithm;
    int64_t session_created_ms;
    struct sluice_map logger_levels; /* logger-cluster-*: only those newer than this worker */
    int64_t logger_offset;
};

struct sluice_config_log;

/* changed: after each applied record that meant something, on the reader's thread, without lock;
 * quick. started_ms: wall clock; older logger levels and restart requests are ignored. */
struct sluice_config_log *sluice_config_log_new(int64_t started_ms, void (*changed)(void *arg),
                                                void *arg);
void sluice_config_log_free(struct sluice_config_log *log);
/* For struct sluice_log_topic. */
void sluice_config_log_record(void *log, const struct sluice_log_record *record);

const struct sluice_cluster *sluice_config_log_lock(struct sluice_config_log *log);
void sluice_config_log_unlock(struct sluice_config_log *log);
/* With the lock held; NULL: no such connector (exists is true for what this finds). */
const struct sluice_cluster_connector *sluice_cluster_find(const struct sluice_cluster *cluster,
                                                           const char *name);

/* ---- records to write; appended to a list, freed with it ---- */

struct sluice_writes {
    struct sluice_write *items;
    size_t n, cap;
};
void sluice_writes_fini(struct sluice_writes *writes);
void sluice_write_connector(struct sluice_writes *w, const char *name,
                            const struct sluice_map *config); /* NULL: tombstone */
/* task-N-i for each, then commit-N. */
void sluice_write_tasks(struct sluice_writes *w, const char *name, const struct sluice_map *configs,
                        int n);
void sluice_write_target(struct sluice_writes *w, const char *name, enum sluice_target target);
void sluice_write_no_target(struct sluice_writes *w, const char *name); /* tombstone */
void sluice_write_session_key(struct sluice_writes *w, const char *key_base64,
                              const char *algorithm, int64_t created_ms);
void sluice_write_restart(struct sluice_writes *w, const char *name, bool include_tasks,
                          bool only_failed);
void sluice_write_fencing(struct sluice_writes *w, const char *name, int tasks);
void sluice_write_logger(struct sluice_writes *w, const char *logger, const char *level);
void sluice_write_leader(struct sluice_writes *w, const char *member, int32_t generation);
/* owners NULL: tombstone. */
void sluice_write_assignment(struct sluice_writes *w, const char *name, int32_t generation,
                             const struct sluice_owner *owner, const struct sluice_owner *tasks,
                             int n);

#endif
