/* Messages of the command: one line on standard error that begins with its name. */
#ifndef BISCUIT_RUN_MESSAGE_H
#define BISCUIT_RUN_MESSAGE_H

#include <stdio.h>

#include <biscuit/log.h>

/* What biscuit-run itself exits with; any other status is the guest's. */
enum run_status {
	RUN_STATUS_TIMEOUT = 124, /* --timeout has passed */
	RUN_STATUS_FAILED = 125,  /* the machine could not be made or failed */
};

/* Prints "biscuit-run: …" and a newline. Any thread. */
void message(const char *fmt, ...) BIS_PRINTF(1, 2);
/* Prints the calling thread's last error and answers RUN_STATUS_FAILED. */
int message_error(void);
/* Says that the time of --timeout has passed and answers RUN_STATUS_TIMEOUT. */
int message_timeout(int ms);

/* A bis_log_fn; `arg` is the FILE to write to, NULL for standard error. */
void message_log(void *arg, enum bis_log_level level, const char *module, const char *text);
/* Level of that name; -EINVAL if there is none. */
int message_log_level(const char *name, enum bis_log_level *out);

#endif
