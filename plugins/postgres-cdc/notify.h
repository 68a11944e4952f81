/* notify.h - notifications: what becomes of snapshots, as Debezium tells it, on a topic of its own
 * (sink) and in the log.
 *
 * They are queued where something happens, which may be amid a message that is cut and comes once
 * more, and emitted between messages, when the room holds them. Owner: the task's thread. */
#ifndef CDC_NOTIFY_H
#define CDC_NOTIFY_H

struct cdc;

#define CDC_INITIAL_SNAPSHOT "Initial Snapshot" /* blocking ones too */
#define CDC_INCREMENTAL_SNAPSHOT "Incremental Snapshot"

void cdc_notify_init(struct cdc *cdc);
void cdc_notify_fini(struct cdc *cdc);
/* Then key, value, ..., NULL of the additional data; connector_name is added. id NULL: any. */
void cdc_notify(struct cdc *cdc, const char *aggregate, const char *id, const char *type, ...)
    __attribute__((sentinel));
/* Emits what there is and the room holds; between messages only. */
void cdc_notify_flush(struct cdc *cdc);
/* "8-4-4-4-12" random hexadecimal digits. */
void cdc_uuid(char out[37]);

#endif
