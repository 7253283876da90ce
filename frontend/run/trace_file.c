/*
 * Where the lines of a trace go. Any thread writes; a thread of its own sees to it that what was written is in the file
 * a moment later, and sleeps while nothing is written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "frontend/run/message.h"
#include "frontend/run/trace_internal.h"

#define DELAY_NS    100000000
#define BUFFER_SIZE ((size_t)256 << 10)

/* Waits until the file is closed, or `from now on` for the delay. The lock is held. */
static void delay(struct trace_file *f)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += DELAY_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	while (!f->quit && pthread_cond_timedwait(&f->wake, &f->lock, &until) != ETIMEDOUT)
		;
}

static void note_failure(struct trace_file *f, bool failed)
{
	if (failed && !f->err)
		f->err = errno ? errno : EIO;
}

static void *flush_thread(void *arg)
{
	struct trace_file *f = arg;

	pthread_mutex_lock(&f->lock);
	while (!f->quit) {
		if (!f->dirty) {
			pthread_cond_wait(&f->wake, &f->lock);
			continue;
		}
		delay(f);
		f->dirty = false;
		note_failure(f, fflush(f->file) != 0);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

int trace_file_open(struct trace_file *f, char *path)
{
	int err;

	*f = (struct trace_file){.file = path ? fopen(path, "we") : stderr, .path = path};
	if (!f->file) {
		err = bis_fail(errno, "--trace: %s: %s", path, strerror(errno));
		free(path);
		return err;
	}
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->wake, NULL);
	if (!path)
		return 0;
	setvbuf(f->file, NULL, _IOFBF, BUFFER_SIZE);
	err = pthread_create(&f->thread, NULL, flush_thread, f);
	f->running = !err;
	if (err)
		trace_file_close(f);
	return err ? bis_fail(err, "--trace: cannot start a thread: %s", strerror(err)) : 0;
}

void trace_file_write(struct trace_file *f, const char *text, size_t len)
{
	pthread_mutex_lock(&f->lock);
	errno = 0;
	note_failure(f, fwrite(text, 1, len, f->file) != len);
	if (!f->dirty && f->path) {
		f->dirty = true;
		pthread_cond_signal(&f->wake);
	}
	pthread_mutex_unlock(&f->lock);
}

void trace_file_close(struct trace_file *f)
{
	if (!f->file)
		return;
	if (f->running) {
		pthread_mutex_lock(&f->lock);
		f->quit = true;
		pthread_cond_signal(&f->wake);
		pthread_mutex_unlock(&f->lock);
		pthread_join(f->thread, NULL);
	}
	if (f->path)
		note_failure(f, fclose(f->file) != 0);
	if (f->err)
		message("warning: --trace: %s: %s", f->path ? f->path : "standard error", strerror(f->err));
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
	free(f->path);
	*f = (struct trace_file){0};
}
