/* target.h - the state that a user wants a connector in (KIP-980: STOPPED gives its tasks back). */
#ifndef SLUICE_STORE_TARGET_H
#define SLUICE_STORE_TARGET_H

enum sluice_target { SLUICE_TARGET_STARTED, SLUICE_TARGET_PAUSED, SLUICE_TARGET_STOPPED };

#endif
