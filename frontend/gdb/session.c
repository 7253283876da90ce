/*
 * Packets of the gdb remote protocol (GDB manual, appendix "Remote Protocol"): framing, acknowledgement and dispatch.
 * Whatever is malformed gets an error for an answer; what is unknown an empty one.
 */
#include "frontend/gdb/session.h"

#include <errno.h>
#include <stdlib.h>

#include <biscuit/error.h>

/* --- Out --- */

void gdb_send(struct gdb_session *s)
{
	static const char digits[] = "0123456789abcdef";
	struct gdb_out *o = &s->out;
	uint8_t sum = 0;
	char tail[3];

	for (size_t i = 0; i < o->len; i++)
		sum = (uint8_t)(sum + (uint8_t)o->data[i]);
	tail[0] = '#';
	tail[1] = digits[sum >> 4];
	tail[2] = digits[sum & 15];
	s->link.send(s->link.arg, "$", 1);
	s->link.send(s->link.arg, o->data, o->len);
	s->link.send(s->link.arg, tail, sizeof(tail));
}

struct gdb_out *gdb_answer(struct gdb_session *s)
{
	s->out.len = 0;
	s->out.overflow = false;
	s->answered = true;
	return &s->out;
}

void gdb_ok(struct gdb_session *s)
{
	gdb_put(gdb_answer(s), "OK");
	gdb_send(s);
}

void gdb_error(struct gdb_session *s, int err)
{
	gdb_put(gdb_answer(s), "E%02x", (unsigned)(err < 0 ? -err : err) & 0xff);
	gdb_send(s);
}

void gdb_say(struct gdb_session *s, const char *text, size_t len)
{
	while (len) {
		size_t part = len < GDB_PACKET_MAX / 4 ? len : GDB_PACKET_MAX / 4;
		struct gdb_out *o = gdb_answer(s);

		gdb_put(o, "O");
		gdb_put_bytes(o, text, part);
		gdb_send(s);
		text += part;
		len -= part;
	}
}

/* --- Dispatch --- */

struct bis_hart *gdb_hart(const struct gdb_session *s)
{
	return bis_machine_hart(s->m, s->hart);
}

unsigned gdb_word(const struct gdb_session *s)
{
	return bis_hart_isa(gdb_hart(s))->xlen / 8;
}

bool gdb_take_thread(const struct gdb_session *s, struct gdb_text *t, int *out)
{
	uint64_t v;

	if (gdb_take_word(t, "-1")) {
		*out = -1;
		return true;
	}
	if (!gdb_take_hex(t, &v) || v > bis_machine_harts(s->m))
		return false;
	*out = (int)v;
	return true;
}

/* Hg and Hc: which thread what follows is about. */
static void choose_thread(struct gdb_session *s, struct gdb_text *t)
{
	bool motion = gdb_take_char(t, 'c');
	int thread;

	if ((!motion && !gdb_take_char(t, 'g')) || !gdb_take_thread(s, t, &thread) || !gdb_at_end(t)) {
		gdb_error(s, EINVAL);
		return;
	}
	if (motion) {
		s->motion_all = thread <= 0;
		s->motion_hart = thread > 0 ? (unsigned)thread - 1 : s->hart;
	} else if (thread > 0) {
		s->hart = (unsigned)thread - 1;
	}
	gdb_ok(s);
}

static void thread_alive(struct gdb_session *s, struct gdb_text *t)
{
	int thread;

	if (gdb_take_thread(s, t, &thread) && gdb_at_end(t) && thread > 0)
		gdb_ok(s);
	else
		gdb_error(s, ENOENT);
}

static void kill_machine(struct gdb_session *s)
{
	s->killed = s->done = true;
	s->answered = true;
	bis_machine_request_stop(s->m, BIS_STOP_HOST, 0);
}

static void detach(struct gdb_session *s)
{
	gdb_ok(s);
	s->done = true;
}

static void v_packet(struct gdb_session *s, struct gdb_text *t)
{
	if (gdb_take_word(t, "Cont?")) {
		gdb_put(gdb_answer(s), "vCont;c;C;s;S;t;r");
		gdb_send(s);
	} else if (gdb_take_word(t, "Cont;")) {
		gdb_vcont(s, t);
	} else if (gdb_take_word(t, "CtrlC")) {
		gdb_ok(s);
		gdb_interrupt(s);
	} else if (gdb_take_word(t, "Kill")) {
		gdb_ok(s);
		kill_machine(s);
	}
}

static void dispatch(struct gdb_session *s, char letter, struct gdb_text *t)
{
	switch (letter) {
	case '?':
		gdb_tell_reason(s);
		break;
	case 'c':
	case 'C':
	case 's':
	case 'S':
		gdb_old_motion(s, t, letter == 's' || letter == 'S', letter == 'C' || letter == 'S');
		break;
	case 'D':
		detach(s);
		break;
	case 'g':
		gdb_read_all_registers(s);
		break;
	case 'G':
		gdb_write_all_registers(s, t);
		break;
	case 'H':
		choose_thread(s, t);
		break;
	case 'k':
		kill_machine(s);
		break;
	case 'm':
		gdb_read_memory(s, t);
		break;
	case 'M':
	case 'X':
		gdb_write_memory(s, t, letter == 'X');
		break;
	case 'p':
		gdb_read_register(s, t);
		break;
	case 'P':
		gdb_write_register(s, t);
		break;
	case 'q':
		gdb_query(s, t);
		break;
	case 'Q':
		gdb_set(s, t);
		break;
	case 'T':
		thread_alive(s, t);
		break;
	case 'v':
		v_packet(s, t);
		break;
	case 'z':
	case 'Z':
		gdb_set_point(s, t, letter == 'Z');
		break;
	default:
		break;
	}
}

/* Takes the escapes out of the packet. */
static void unescape(struct gdb_session *s)
{
	size_t to = 0;

	for (size_t i = 0; i < s->len; i++) {
		if (s->packet[i] == '}' && i + 1 < s->len)
			s->packet[to++] = (char)(s->packet[++i] ^ 0x20);
		else
			s->packet[to++] = s->packet[i];
	}
	s->len = to;
}

static void take_packet(struct gdb_session *s)
{
	struct gdb_text t;

	unescape(s);
	s->answered = false;
	t = (struct gdb_text){s->packet, s->packet + s->len};
	if (s->len) {
		t.at++;
		dispatch(s, s->packet[0], &t);
	}
	if (!s->answered) {
		(void)gdb_answer(s);
		gdb_send(s);
	}
}

/* --- In --- */

static void end_packet(struct gdb_session *s)
{
	struct gdb_text t = {s->sum_text, s->sum_text + 2};
	uint64_t sum;
	bool good = gdb_take_hex(&t, &sum) && gdb_at_end(&t) && sum == s->sum;

	s->state = GDB_BETWEEN;
	if (!s->no_ack)
		s->link.send(s->link.arg, good ? "+" : "-", 1);
	if (good && s->too_long)
		gdb_error(s, E2BIG);
	else if (good)
		take_packet(s);
	else if (s->no_ack)
		gdb_error(s, EBADMSG);
}

static void begin_packet(struct gdb_session *s)
{
	s->state = GDB_DATA;
	s->len = 0;
	s->sum = 0;
	s->too_long = false;
}

static void take_data(struct gdb_session *s, char c)
{
	if (c == '#') {
		s->state = GDB_SUM_HIGH;
		return;
	}
	if (c == '$') { /* the last one broke off */
		begin_packet(s);
		return;
	}
	s->sum = (uint8_t)(s->sum + (uint8_t)c);
	if (s->len < sizeof(s->packet))
		s->packet[s->len++] = c;
	else
		s->too_long = true;
}

/* A web browser that was talked into connecting, for one, begins with a word. */
static void meet(struct gdb_session *s, char c)
{
	s->met = s->met || c == '$' || c == '+' || c == '-' || c == 3;
	s->done = s->done || !s->met;
}

static void take_between(struct gdb_session *s, char c)
{
	meet(s, c);
	if (c == '$')
		begin_packet(s);
	else if (c == 3)
		gdb_interrupt(s);
	else if (c == '-' && !s->no_ack && s->out.len)
		gdb_send(s);
}

static void take_byte(struct gdb_session *s, char c)
{
	switch (s->state) {
	case GDB_BETWEEN:
		take_between(s, c);
		break;
	case GDB_DATA:
		take_data(s, c);
		break;
	case GDB_SUM_HIGH:
		s->sum_text[0] = c;
		s->state = GDB_SUM_LOW;
		break;
	case GDB_SUM_LOW:
		s->sum_text[1] = c;
		end_packet(s);
		break;
	}
}

void gdb_session_input(struct gdb_session *s, const void *bytes, size_t len)
{
	const char *p = bytes;

	for (size_t i = 0; i < len && !s->done; i++)
		take_byte(s, p[i]);
}

bool gdb_session_done(const struct gdb_session *s)
{
	return s->done;
}

/* --- Life --- */

/* On the thread that brought the event about, with the control lock. */
static void heard(void *arg, const struct bis_event *event)
{
	struct gdb_session *s = arg;
	struct gdb_inbox *in = &s->inbox;

	pthread_mutex_lock(&in->lock);
	switch (event->kind) {
	case BIS_EVENT_STARTED:
	case BIS_EVENT_RESUMED:
		in->stopped = false;
		break;
	case BIS_EVENT_PAUSED:
	case BIS_EVENT_STEPPED:
	case BIS_EVENT_BREAK:
		in->stopped = true;
		in->event = *event;
		in->event.text = "";
		break;
	case BIS_EVENT_STOPPED:
		in->ended = true;
		in->status = (int)event->value;
		pthread_cond_broadcast(&in->reset);
		break;
	case BIS_EVENT_RESET:
		in->resets++;
		pthread_cond_broadcast(&in->reset);
		break;
	default:
		break;
	}
	pthread_mutex_unlock(&in->lock);
	if (s->link.wake)
		s->link.wake(s->link.arg);
}

static void init_inbox(struct gdb_inbox *in)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&in->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&in->reset, &attr);
	pthread_condattr_destroy(&attr);
}

int gdb_session_create(struct debug *d, const struct gdb_link *link, struct gdb_session **out)
{
	struct gdb_session *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return bis_fail(ENOMEM, "no memory for a gdb session");
	s->d = d;
	s->m = debug_machine(d);
	s->link = *link;
	s->motion_all = true;
	init_inbox(&s->inbox);
	err = bis_listener_create(s->m, heard, s, &s->listener);
	if (!err && bis_machine_state(s->m) == BIS_RUNNING && bis_machine_pause(s->m) &&
	    bis_machine_state(s->m) == BIS_RUNNING)
		err = bis_fail(EIO, "cannot pause the machine");
	if (err) {
		gdb_session_destroy(s, false);
		return err;
	}
	*out = s;
	return 0;
}

void gdb_session_destroy(struct gdb_session *s, bool go_on)
{
	if (!s)
		return;
	bis_listener_destroy(s->m, s->listener);
	gdb_end_wait(s);
	gdb_remove_points(s);
	if (go_on && !s->killed && bis_machine_state(s->m) == BIS_PAUSED && bis_machine_resume(s->m))
		go_on = false; /* somebody else was faster */
	pthread_cond_destroy(&s->inbox.reset);
	pthread_mutex_destroy(&s->inbox.lock);
	free(s->target_xml);
	free(s->threads_xml);
	free(s);
}
