/*
 * The machine as files, without the mount: creation, and what all parts of the tree use. It owns the tree and the
 * lists; the machine and struct debug are borrowed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <biscuit/error.h>

#include "frontend/inspect/inspect_internal.h"

int inspect_note(struct inspect *in, const struct inspect_node *n, int err)
{
	const char *message = bis_error_message();
	char path[512] = "", *text;

	if (n)
		inspect_path(n, path, sizeof(path));
	if (asprintf(&text, "%s%s%s", path, *path ? ": " : "", *message ? message : strerror(abs(err))) < 0)
		return err;
	pthread_mutex_lock(&in->lock);
	free(in->error);
	in->error = text;
	pthread_mutex_unlock(&in->lock);
	return err;
}

void inspect_end_step(struct inspect *in)
{
	bis_machine_end_step(in->machine);
}

int inspect_need_paused(struct inspect *in)
{
	if (bis_machine_state(in->machine) != BIS_RUNNING)
		return 0;
	return bis_fail(EBUSY, "the machine runs, and must be paused for this: write 'pause' to ctl first");
}

struct bis_hart *inspect_hart(struct inspect *in, const struct inspect_node *n)
{
	return bis_machine_hart(in->machine, n->arg.hart);
}

unsigned inspect_xlen(struct inspect *in)
{
	return bis_hart_isa(bis_machine_hart(in->machine, 0))->xlen;
}

uint64_t inspect_csr_value(struct bis_hart *h, const char *name)
{
	int number = bis_hart_csr_number(h, name);
	uint64_t value;

	return number >= 0 && !bis_hart_csr_get(h, (unsigned)number, &value) ? value : 0;
}

static void hear(void *arg, const struct bis_event *event)
{
	struct inspect *in = arg;

	if ((event->kind == BIS_EVENT_MODULE_ADDED || event->kind == BIS_EVENT_MODULE_REMOVED) && inspect_list(in))
		inspect_note(in, NULL, -ENOMEM);
	inspect_event(in, event);
}

static int make_root(struct inspect *in)
{
	in->root = calloc(1, sizeof(*in->root) + 1);
	if (!in->root)
		return bis_fail(ENOMEM, "no memory for the inspection files");
	in->root->type = &inspect_root_type;
	in->root->refs = 1;
	return 0;
}

/* The lists of what is there now, and a listener that keeps them so. */
static int follow_machine(struct inspect *in)
{
	int err;

	bis_machine_lock_control(in->machine);
	err = inspect_list(in);
	if (!err)
		err = bis_listener_create(in->machine, hear, in, &in->listener);
	bis_machine_unlock_control(in->machine);
	return err;
}

static void init_locks(struct inspect *in)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&in->lock, NULL);
	pthread_mutex_init(&in->stream_lock, NULL);
	pthread_cond_init(&in->rung, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&in->closed, &attr);
	pthread_condattr_destroy(&attr);
}

int inspect_create(struct debug *d, const struct inspect_options *options, struct inspect **out)
{
	struct inspect *in = calloc(1, sizeof(*in));
	int err;

	if (!in)
		return bis_fail(ENOMEM, "no memory for the inspection files");
	in->debug = d;
	in->machine = debug_machine(d);
	if (options)
		in->options = *options;
	in->version = strdup(in->options.version ? in->options.version : "");
	in->born = time(NULL);
	init_locks(in);
	err = in->version ? inspect_streams_start(in) : bis_fail(ENOMEM, "no memory for the inspection files");
	if (!err)
		err = make_root(in);
	if (!err)
		err = follow_machine(in);
	if (err) {
		inspect_destroy(in);
		return err;
	}
	*out = in;
	return 0;
}

static void free_nodes(struct inspect_node *n)
{
	while (n) {
		struct inspect_node *next = n->next;

		free_nodes(n->children);
		free(n);
		n = next;
	}
}

void inspect_destroy(struct inspect *in)
{
	if (!in)
		return;
	if (in->listener)
		bis_listener_destroy(in->machine, in->listener);
	inspect_end_streams(in, 0);
	while (in->handles)
		inspect_close(in->handles);
	inspect_streams_stop(in);
	inspect_consoles_free(in);
	inspect_lists_free(in);
	free_nodes(in->root);
	inspect_text_free(&in->lookup);
	pthread_cond_destroy(&in->closed);
	pthread_cond_destroy(&in->rung);
	pthread_mutex_destroy(&in->stream_lock);
	pthread_mutex_destroy(&in->lock);
	free(in->error);
	free(in->version);
	free(in);
}
