/* The queries of the gdb remote protocol: what the server can do, threads, descriptions; and monitor commands. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <biscuit/error.h>

#include "frontend/gdb/session.h"

/* --- Long texts, in pieces --- */

/* "ANNEX:OFFSET,LENGTH" of a text. */
static void send_piece(struct gdb_session *s, struct gdb_text *t, const char *annex, const char *text)
{
	uint64_t offset, len, size;
	struct gdb_out *o;

	if (!gdb_take_word(t, annex) || !gdb_take_char(t, ':') || !gdb_take_hex(t, &offset) || !gdb_take_char(t, ',') ||
	    !gdb_take_hex(t, &len) || !gdb_at_end(t)) {
		gdb_error(s, EINVAL);
		return;
	}
	size = text ? strlen(text) : 0;
	if (!text || offset > size) {
		gdb_error(s, text ? EINVAL : ENOMEM);
		return;
	}
	/* Each character may take two. */
	if (len > GDB_PACKET_MAX / 2 - 1)
		len = GDB_PACKET_MAX / 2 - 1;
	if (len > size - offset)
		len = size - offset;
	o = gdb_answer(s);
	gdb_put(o, "%c", offset + len < size ? 'm' : 'l');
	gdb_put_binary(o, text + offset, (size_t)len);
	gdb_send(s);
}

static void send_features(struct gdb_session *s, struct gdb_text *t)
{
	if (!s->target_xml)
		s->target_xml = gdb_target_xml(s);
	send_piece(s, t, "target.xml", s->target_xml);
}

/* --- Threads: one a hart --- */

static const char *state_of(const struct bis_hart *h)
{
	static const char *const modes[] = {"user mode", "supervisor mode", "?", "machine mode"};

	if (bis_hart_halted(h))
		return "halted";
	return bis_hart_sleeping(h) ? "sleeping" : modes[bis_hart_priv(h) & 3];
}

struct job {
	struct gdb_session *s;
	FILE *f;
};

static int put_threads(void *arg)
{
	struct job *j = arg;

	fputs("<?xml version=\"1.0\"?>\n<threads>\n", j->f);
	for (unsigned i = 0; i < bis_machine_harts(j->s->m); i++)
		fprintf(j->f, "<thread id=\"%x\" core=\"%u\" name=\"hart%u\">%s</thread>\n", i + 1, i, i,
			state_of(bis_machine_hart(j->s->m, i)));
	fputs("</threads>\n", j->f);
	return 0;
}

/* Made anew when it is read from its start. */
static void send_thread_list(struct gdb_session *s, struct gdb_text *t)
{
	struct job j = {.s = s};
	struct gdb_text start = *t;
	size_t size;

	if (!s->threads_xml || gdb_take_word(&start, ":0,")) {
		free(s->threads_xml);
		s->threads_xml = NULL;
		j.f = open_memstream(&s->threads_xml, &size);
		if (j.f) {
			(void)bis_machine_at_safepoint(s->m, put_threads, &j);
			fclose(j.f);
		}
	}
	send_piece(s, t, "", s->threads_xml);
}

static void send_thread_numbers(struct gdb_session *s)
{
	struct gdb_out *o = gdb_answer(s);

	for (unsigned i = 0; i < bis_machine_harts(s->m); i++)
		gdb_put(o, "%c%x", i ? ',' : 'm', i + 1);
	gdb_send(s);
}

struct look {
	const struct bis_hart *h;
	const char *state;
};

static int look_at(void *arg)
{
	struct look *l = arg;

	l->state = state_of(l->h);
	return 0;
}

static void send_thread_state(struct gdb_session *s, struct gdb_text *t)
{
	struct look l;
	int thread;

	if (!gdb_take_thread(s, t, &thread) || thread <= 0 || !gdb_at_end(t)) {
		gdb_error(s, EINVAL);
		return;
	}
	l.h = bis_machine_hart(s->m, (unsigned)thread - 1);
	(void)bis_machine_at_safepoint(s->m, look_at, &l);
	gdb_put_bytes(gdb_answer(s), l.state, strlen(l.state));
	gdb_send(s);
}

/* --- What both sides can do --- */

/* ":name+;name-;name=value;…": what the client understands. */
static void send_supported(struct gdb_session *s, struct gdb_text *t)
{
	(void)gdb_take_char(t, ':');
	while (!gdb_at_end(t)) {
		if (gdb_take_word(t, "swbreak+"))
			s->reports_swbreak = true;
		else if (gdb_take_word(t, "hwbreak+"))
			s->reports_hwbreak = true;
		while (!gdb_at_end(t) && !gdb_take_char(t, ';'))
			t->at++;
	}
	gdb_put(gdb_answer(s),
		"PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;qXfer:threads:read+;vContSupported+;swbreak+;"
		"hwbreak+;PhyMemMode+",
		GDB_PACKET_MAX);
	gdb_send(s);
}

static void send_text(struct gdb_session *s, const char *text)
{
	gdb_put(gdb_answer(s), "%s", text);
	gdb_send(s);
}

void gdb_query(struct gdb_session *s, struct gdb_text *t)
{
	if (gdb_take_word(t, "Supported"))
		send_supported(s, t);
	else if (gdb_take_word(t, "Xfer:features:read:"))
		send_features(s, t);
	else if (gdb_take_word(t, "Xfer:threads:read:"))
		send_thread_list(s, t);
	else if (gdb_take_word(t, "fThreadInfo"))
		send_thread_numbers(s);
	else if (gdb_take_word(t, "sThreadInfo"))
		send_text(s, "l");
	else if (gdb_take_word(t, "ThreadExtraInfo,"))
		send_thread_state(s, t);
	else if (gdb_take_word(t, "Rcmd,"))
		gdb_monitor(s, t);
	else if (gdb_take_word(t, "Attached"))
		send_text(s, "1");
	else if (gdb_take_word(t, "Offsets"))
		send_text(s, "Text=0;Data=0;Bss=0");
	else if (gdb_take_word(t, "Symbol:"))
		gdb_ok(s);
	else if (gdb_take_word(t, "qemu.PhyMemMode"))
		send_text(s, s->physical ? "1" : "0");
	else if (gdb_take_char(t, 'C') && gdb_at_end(t)) {
		gdb_put(gdb_answer(s), "QC%x", s->hart + 1);
		gdb_send(s);
	}
}

void gdb_set(struct gdb_session *s, struct gdb_text *t)
{
	if (gdb_take_word(t, "StartNoAckMode")) {
		gdb_ok(s);
		s->no_ack = true;
	} else if (gdb_take_word(t, "PassSignals:") || gdb_take_word(t, "ProgramSignals:")) {
		gdb_ok(s);
	} else if (gdb_take_word(t, "qemu.PhyMemMode:")) {
		if (gdb_left(t) == 1 && (*t->at == '0' || *t->at == '1')) {
			s->physical = *t->at == '1';
			gdb_ok(s);
		} else {
			gdb_error(s, EINVAL);
		}
	}
}

/* --- monitor --- */

#define RESET_SECONDS 5 /* for the guest's files to be loaded anew */

static bool phys_command(struct gdb_session *s, const char *line, FILE *reply)
{
	if (!strcmp(line, "phys on") || !strcmp(line, "phys off"))
		s->physical = line[6] == 'n';
	else if (strcmp(line, "phys") != 0)
		return false;
	fprintf(reply, "memory is accessed by %s addresses\n", s->physical ? "physical" : "virtual");
	return true;
}

static uint64_t resets(struct gdb_session *s)
{
	uint64_t n;

	pthread_mutex_lock(&s->inbox.lock);
	n = s->inbox.resets;
	pthread_mutex_unlock(&s->inbox.lock);
	return n;
}

/* Another thread carries a reset out; what the client asks next is meant to come after it. */
static void await_reset(struct gdb_session *s, uint64_t before)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += RESET_SECONDS;
	pthread_mutex_lock(&s->inbox.lock);
	while (s->inbox.resets == before && !s->inbox.ended &&
	       !pthread_cond_timedwait(&s->inbox.reset, &s->inbox.lock, &until))
		;
	pthread_mutex_unlock(&s->inbox.lock);
}

/* Looks at the client while a verb runs, on a thread of its own: whatever comes from there, or its end, ends a step. */
struct watch {
	struct gdb_session *s;
	pthread_t thread;
	atomic_bool over;
};

static void *end_step_for_client(void *arg)
{
	static const struct timespec nap = {.tv_nsec = 20000000};
	struct watch *w = arg;

	while (!atomic_load(&w->over)) {
		if (w->s->link.waiting(w->s->link.arg))
			bis_machine_end_step(w->s->m);
		nanosleep(&nap, NULL);
	}
	return NULL;
}

static int watched_verb(struct gdb_session *s, const char *line, FILE *reply)
{
	struct watch w = {.s = s};
	bool watched = !strncmp(line, "step", 4) && s->link.waiting &&
		       !pthread_create(&w.thread, NULL, end_step_for_client, &w);
	int err = debug_verb(s->d, line, reply);

	atomic_store(&w.over, true);
	if (watched)
		pthread_join(w.thread, NULL);
	return err;
}

/* All that a hart has done so far, and where it is. */
struct progress {
	struct gdb_session *s;
	uint64_t pc, instret;
};

static int take_progress(void *arg)
{
	struct progress *p = arg;

	p->pc = bis_hart_pc(gdb_hart(p->s));
	p->instret = bis_hart_instret(gdb_hart(p->s));
	return 0;
}

static void run_command(struct gdb_session *s, const char *line, FILE *reply)
{
	struct progress before = {.s = s}, after = {.s = s};
	uint64_t so_far = resets(s);
	int err;

	if (phys_command(s, line, reply))
		return;
	(void)bis_machine_at_safepoint(s->m, take_progress, &before);
	err = watched_verb(s, line, reply);
	if (err)
		fprintf(reply, "%s\n", bis_error_message());
	else if (!strcmp(line, "help"))
		fputs("phys [on|off]     access memory by physical addresses\n", reply);
	else if (!strcmp(line, "reset"))
		await_reset(s, so_far);
	(void)bis_machine_at_safepoint(s->m, take_progress, &after);
	if (bis_machine_state(s->m) == BIS_PAUSED &&
	    (after.pc != before.pc || after.instret != before.instret || resets(s) != so_far))
		fputs("gdb still shows the registers from before; 'maintenance flush register-cache' has it read them "
		      "again\n",
		      reply);
}

#define COMMAND_BYTES 4096

void gdb_monitor(struct gdb_session *s, struct gdb_text *t)
{
	char line[COMMAND_BYTES], *text = NULL;
	size_t len = gdb_left(t) / 2, size;
	FILE *reply;

	if (len >= sizeof(line) || !gdb_take_bytes(t, line, len) || !gdb_at_end(t) || memchr(line, '\0', len)) {
		gdb_error(s, EINVAL);
		return;
	}
	line[len] = '\0';
	reply = open_memstream(&text, &size);
	if (!reply) {
		gdb_error(s, ENOMEM);
		return;
	}
	run_command(s, line, reply);
	if (!fclose(reply))
		gdb_say(s, text, size);
	free(text);
	gdb_ok(s);
}
