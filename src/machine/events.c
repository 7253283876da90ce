/*
 * What happens to a machine, told to those who listen, <biscuit/debug.h>. Control lock held throughout.
 */
#include <errno.h>
#include <stdlib.h>

#include <biscuit/error.h>

#include "src/machine/machine_internal.h"

struct bis_listener {
	void (*fn)(void *arg, const struct bis_event *event);
	void *arg;
	struct bis_listener *next;
};

const char *bis_event_kind_name(enum bis_event_kind kind)
{
	static const char *const names[] = {
		[BIS_EVENT_STARTED] = "started",
		[BIS_EVENT_PAUSED] = "paused",
		[BIS_EVENT_RESUMED] = "resumed",
		[BIS_EVENT_STEPPED] = "stepped",
		[BIS_EVENT_BREAK] = "break",
		[BIS_EVENT_RESET] = "reset",
		[BIS_EVENT_STOPPED] = "stopped",
		[BIS_EVENT_MODULE_ADDED] = "module-added",
		[BIS_EVENT_MODULE_REMOVED] = "module-removed",
	};

	return kind < BIS_EVENT_KINDS ? names[kind] : NULL;
}

int bis_listener_create(struct bis_machine *m, void (*fn)(void *arg, const struct bis_event *event), void *arg,
			struct bis_listener **out)
{
	struct bis_listener *l = malloc(sizeof(*l));

	if (!l)
		return bis_fail(ENOMEM, "no memory for a listener");
	*l = (struct bis_listener){.fn = fn, .arg = arg};
	bis_machine_lock_control(m);
	l->next = m->listeners;
	m->listeners = l;
	bis_machine_unlock_control(m);
	*out = l;
	return 0;
}

void bis_listener_destroy(struct bis_machine *m, struct bis_listener *l)
{
	struct bis_listener **at = &m->listeners;

	if (!l)
		return;
	bis_machine_lock_control(m);
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	bis_machine_unlock_control(m);
	free(l);
}

void bis_machine_tell(struct bis_machine *m, const struct bis_event *event)
{
	struct bis_event e = *event;

	e.time = bis_machine_now(m);
	if (!e.text)
		e.text = "";
	for (struct bis_listener *l = m->listeners; l; l = l->next)
		l->fn(l->arg, &e);
}
