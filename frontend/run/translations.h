/* --jit-dump and --jit-perf: what the engine has made of guest code. */
#ifndef BISCUIT_RUN_TRANSLATIONS_H
#define BISCUIT_RUN_TRANSLATIONS_H

#include "frontend/run/options.h"

struct translations;

/*
 * Opens what the options ask for; *out is NULL where that is nothing. -errno with message.
 */
BIS_MUST_CHECK int translations_open(const struct run_options *o, struct translations **out);
/* NULL is allowed. After the machine has stopped. */
void translations_close(struct translations *t);
/* --jit-stats: a line a hart, on standard error. The machine is stopped or paused. */
void translations_summarise(struct bis_machine *m);
/* For bis_machine_config.translated; `arg` is the translations. */
void translations_tell(void *arg, const struct bis_translation *t);

#endif
