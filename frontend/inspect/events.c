/*
 * events: what happens to the machine, a JSON object a line; wait: ends when the machine has come to rest, and says
 * why. Called with the control lock held, on whatever thread brought the event about.
 */
#include <inttypes.h>
#include <string.h>

#include "frontend/inspect/inspect_internal.h"

static void put_break(struct inspect *in, struct inspect_text *t, const struct bis_event *e)
{
	inspect_put(t, ",\"cpu\":%u,\"id\":%u,\"pc\":\"", e->hart, e->id);
	inspect_put_hex(t, e->pc, inspect_xlen(in));
	inspect_put(t, "\",\"value\":\"");
	inspect_put_hex(t, e->value, inspect_xlen(in));
	inspect_put(t, "\"");
}

static void put_event(struct inspect *in, struct inspect_text *t, const struct bis_event *e)
{
	inspect_put(t, "{\"event\":\"%s\",\"time\":%" PRIu64, bis_event_kind_name(e->kind), e->time);
	if (e->kind == BIS_EVENT_BREAK)
		put_break(in, t, e);
	if (e->kind == BIS_EVENT_STEPPED)
		inspect_put(t, ",\"count\":%" PRIu64, e->value);
	if (e->kind == BIS_EVENT_STOPPED)
		inspect_put(t, ",\"status\":%" PRIu64, e->value);
	if (*e->text) {
		inspect_put(t, ",\"name\":");
		inspect_put_json(t, e->text);
	}
	inspect_put(t, "}\n");
}

/* Why the machine rests, as `wait` tells it; false where the event does not bring it to rest. */
static bool describe_stop(struct inspect *in, const struct bis_event *e, char *buf, size_t size)
{
	char where[160];

	switch (e->kind) {
	case BIS_EVENT_PAUSED:
		snprintf(buf, size, "paused\n");
		return true;
	case BIS_EVENT_STEPPED:
		snprintf(buf, size, "stepped %" PRIu64 "\n", e->value);
		return true;
	case BIS_EVENT_STOPPED:
		snprintf(buf, size, "stopped %" PRIu64 "\n", e->value);
		return true;
	case BIS_EVENT_BREAK:
		debug_format_address(in->debug, e->pc, where, sizeof(where));
		snprintf(buf, size, "break %u cpu %u pc %s\n", e->id, e->hart, where);
		return true;
	default:
		return false;
	}
}

void inspect_event(struct inspect *in, const struct bis_event *event)
{
	struct inspect_text text = {0};
	char stop[sizeof(in->last_stop)];

	put_event(in, &text, event);
	if (!text.failed)
		inspect_stream_put(in, INSPECT_EVENTS, NULL, text.data, text.len);
	inspect_text_free(&text);
	if (!describe_stop(in, event, stop, sizeof(stop)))
		return;
	pthread_mutex_lock(&in->stream_lock);
	memcpy(in->last_stop, stop, sizeof(stop));
	pthread_mutex_unlock(&in->stream_lock);
	inspect_stream_put(in, INSPECT_WAIT, NULL, stop, strlen(stop));
}

static int open_events(struct inspect *in, const struct inspect_node *n, struct inspect_stream **out)
{
	(void)n;
	return inspect_stream_open(in, INSPECT_EVENTS, NULL, out);
}

/* With the control lock: a machine at rest has told why. */
static int open_wait(struct inspect *in, const struct inspect_node *n, struct inspect_stream **out)
{
	int err;

	(void)n;
	bis_machine_lock_control(in->machine);
	err = inspect_stream_open(in, INSPECT_WAIT, NULL, out);
	bis_machine_unlock_control(in->machine);
	return err;
}

const struct inspect_type inspect_events_type = {.kind = INSPECT_STREAM, .open_stream = open_events};
const struct inspect_type inspect_wait_type = {.kind = INSPECT_STREAM, .open_stream = open_wait};
