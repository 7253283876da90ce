/*
 * One client of the gdb server: its packets in, its replies out. It knows nothing of sockets. Everything here runs on
 * the thread that feeds it, but for the listener, which fills the inbox on whatever thread brings an event about.
 */
#ifndef BISCUIT_GDB_SESSION_H
#define BISCUIT_GDB_SESSION_H

#include <pthread.h>

#include "frontend/debug/debug.h"
#include "frontend/gdb/text.h"

/* How a session reaches its client. */
struct gdb_link {
	/* Sends all of it, or notes that the client is gone. */
	void (*send)(void *arg, const void *bytes, size_t len);
	/* There is an event: gdb_session_events is to be called soon. Any thread; may be NULL. */
	void (*wake)(void *arg);
	/* Does the client want something, in the middle of a long step? May be NULL. */
	bool (*waiting)(void *arg);
	void *arg;
};

/* A breakpoint or watchpoint of the client: the letter behind its Z, and the core's breakpoint that does it. */
struct gdb_point {
	unsigned type, id;
	uint64_t address, length;
};

/* What has happened since it was last looked at. */
struct gdb_inbox {
	pthread_mutex_t lock;
	bool stopped; /* the machine came to rest; by a breakpoint if `event` is one */
	bool ended;
	struct bis_event event;
	int status;	      /* with `ended` */
	uint64_t resets;      /* so far */
	pthread_cond_t reset; /* there was one, or the machine has ended */
};

/* A client's request to go on. */
struct gdb_motion {
	uint64_t step, go; /* bit i: hart i */
	unsigned stepper;  /* the first that steps */
	uint64_t range_start, range_end;
};

enum gdb_reader_state { GDB_BETWEEN, GDB_DATA, GDB_SUM_HIGH, GDB_SUM_LOW };

struct gdb_session {
	struct debug *d;
	struct bis_machine *m;
	struct gdb_link link;
	struct bis_listener *listener;
	struct gdb_inbox inbox;

	/* What comes in. */
	enum gdb_reader_state state;
	bool met; /* it has begun as gdb does; other programs' greetings end the connection */
	bool too_long;
	size_t len;
	uint8_t sum;
	char sum_text[2];
	char packet[GDB_PACKET_MAX];

	/* What goes out; kept, as the client may ask for it again. */
	struct gdb_out out;
	bool answered; /* the packet under way has been answered, or will be when the machine stops */

	bool no_ack, reports_swbreak, reports_hwbreak;
	bool physical;	  /* memory is not translated */
	bool running;	  /* the client waits for a stop */
	bool interrupted; /* it has asked for one */
	bool killed, done;
	unsigned hart; /* for registers and memory */
	unsigned motion_hart;
	bool motion_all;  /* for the old forms of step and continue */
	unsigned wait_id; /* breakpoint that ends a step of a sleeping hart; 0: none */

	struct gdb_point points[BIS_BREAKS_MAX];
	unsigned n_points;
	char *target_xml;
	char *threads_xml;
};

/* Pauses the machine. -ENOMEM, …, with message. */
BIS_MUST_CHECK int gdb_session_create(struct debug *d, const struct gdb_link *link, struct gdb_session **out);
/* Takes the client's breakpoints away; `go_on`: lets a paused machine run. NULL is allowed. */
void gdb_session_destroy(struct gdb_session *s, bool go_on);
/* Bytes from the client. */
void gdb_session_input(struct gdb_session *s, const void *bytes, size_t len);
/*
 * Tells the client of what has happened. `late`: also of a pause by somebody else, which may be over in a moment.
 * True: there is one, and it was left for then.
 */
bool gdb_session_events(struct gdb_session *s, bool late);
/* The connection is to be closed. */
bool gdb_session_done(const struct gdb_session *s);

/* --- Between the files of the session --- */

/* Sends what is in s->out as a packet. */
void gdb_send(struct gdb_session *s);
/* Begins and sends the usual answers. */
struct gdb_out *gdb_answer(struct gdb_session *s);
void gdb_ok(struct gdb_session *s);
void gdb_error(struct gdb_session *s, int err);

/* Numbers of registers as gdb counts them. */
enum { GDB_REG_PC = 32, GDB_REG_F = 33, GDB_REG_CSR = 65, GDB_REG_PRIV = 4161 };

struct bis_hart *gdb_hart(const struct gdb_session *s);
unsigned gdb_word(const struct gdb_session *s);
/* The value of a register; -ENOENT. At a safepoint. */
BIS_MUST_CHECK int gdb_register_get(struct bis_hart *h, unsigned number, uint64_t *out, unsigned *size);
/* Text that describes the hart's registers; malloc'd, NULL without memory. */
char *gdb_target_xml(struct gdb_session *s);

/* Each takes a packet behind its letter, and answers it. */
void gdb_read_all_registers(struct gdb_session *s);
void gdb_write_all_registers(struct gdb_session *s, struct gdb_text *t);
void gdb_read_register(struct gdb_session *s, struct gdb_text *t);
void gdb_write_register(struct gdb_session *s, struct gdb_text *t);
void gdb_read_memory(struct gdb_session *s, struct gdb_text *t);
void gdb_write_memory(struct gdb_session *s, struct gdb_text *t, bool binary);
void gdb_set_point(struct gdb_session *s, struct gdb_text *t, bool insert);
void gdb_remove_points(struct gdb_session *s);
void gdb_query(struct gdb_session *s, struct gdb_text *t);
void gdb_set(struct gdb_session *s, struct gdb_text *t);
void gdb_monitor(struct gdb_session *s, struct gdb_text *t);
/* vCont, and the old c, C, s and S. */
void gdb_vcont(struct gdb_session *s, struct gdb_text *t);
void gdb_old_motion(struct gdb_session *s, struct gdb_text *t, bool step, bool has_signal);
/* A step of a sleeping hart is not waited for any more. */
void gdb_end_wait(struct gdb_session *s);
/* Ctrl-C. */
void gdb_interrupt(struct gdb_session *s);
/* Why the machine stands still. */
void gdb_tell_reason(struct gdb_session *s);
/* A thread: its number, 0 for any, or -1 for all. */
BIS_MUST_CHECK bool gdb_take_thread(const struct gdb_session *s, struct gdb_text *t, int *out);
/* Text to the client's console. */
void gdb_say(struct gdb_session *s, const char *text, size_t len);

#endif
