/*
 * The gdb server, packet by packet: framing, registers, memory, breakpoints, stepping of one hart and of all, stops by
 * others, packets that are wrong; and the sockets around it.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "frontend/gdb/gdb.h"
#include "frontend/gdb/session.h"
#include "tests/unit/debug_rig.h"

#define OUT_BYTES 0x40000

struct fixture {
	struct bis_machine *m;
	struct debug *d;
	struct gdb_session *s;
	char out[OUT_BYTES]; /* what the session has sent */
	size_t len;
	char answer[OUT_BYTES]; /* the last packet in it, without its frame */
};

static void keep(void *arg, const void *bytes, size_t len)
{
	struct fixture *f = arg;

	assert_true(len < OUT_BYTES - f->len);
	memcpy(f->out + f->len, bytes, len);
	f->len += len;
	f->out[f->len] = '\0';
}

static void open_session(struct fixture *f)
{
	struct gdb_link link = {.send = keep, .arg = f};

	assert_ok(gdb_session_create(f->d, &link, &f->s));
	f->s->no_ack = true;
}

static int setup_with(void **state, const char *isa, unsigned harts)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->m = rig_create(isa, harts);
	rig_start_paused(f->m);
	assert_ok(debug_create(f->m, &f->d));
	open_session(f);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, "rv64", 2);
}

static int setup32(void **state)
{
	return setup_with(state, "rv32imac", 1);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	gdb_session_destroy(f->s, false);
	debug_destroy(f->d);
	bis_machine_destroy(f->m);
	free(f);
	return 0;
}

static void feed(struct fixture *f, const char *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char tail[3] = "#";
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + (uint8_t)data[i]);
	tail[1] = digits[sum >> 4];
	tail[2] = digits[sum & 15];
	f->len = 0;
	f->out[0] = '\0';
	gdb_session_input(f->s, "$", 1);
	gdb_session_input(f->s, data, len);
	gdb_session_input(f->s, tail, 3);
}

/* The last packet that was sent; fails if there is none. */
static const char *last(struct fixture *f)
{
	char *end = memrchr(f->out, '#', f->len), *start = end ? memrchr(f->out, '$', (size_t)(end - f->out)) : NULL;

	assert_non_null(start);
	memcpy(f->answer, start + 1, (size_t)(end - start - 1));
	f->answer[end - start - 1] = '\0';
	return f->answer;
}

static const char *ask(struct fixture *f, const char *packet)
{
	feed(f, packet, strlen(packet));
	return last(f);
}

#define assert_answer(f, packet, text) assert_string_equal(ask(f, packet), text)
#define assert_begins(text, words)     assert_memory_equal(text, words, strlen(words))

/* Asks for something that ends with a stop, and waits for it. */
static const char *go(struct fixture *f, const char *packet)
{
	enum bis_stop_reason why;
	int status;

	feed(f, packet, strlen(packet));
	while (f->s->running) {
		if (bis_machine_join(f->m, 1, &why, &status) == 0)
			assert_int_not_equal(why, BIS_STOP_ERROR);
		(void)gdb_session_events(f->s, true);
	}
	return last(f);
}

/* Counts in a0, stores it to (s0), loads it, makes a call of the environment; the handler is at 0x40. */
static const uint32_t loop[] = {
	ADDI(A0, A0, 1), /* 0 */
	SD(A0, 0, S0),	 /* 4 */
	LD(A1, 0, S0),	 /* 8 */
	ECALL,		 /* c */
	J(-16),		 /* 10 */
	NOP,
	NOP,
	NOP,
	NOP,
	NOP,
	NOP,
	NOP,
	NOP,
	NOP,
	NOP,
	NOP,
	CSRR(T0, CSR_MEPC), /* 40 */
	ADDI(T0, T0, 4),
	CSRW(CSR_MEPC, T0), /* 44, 48 */
	MRET,		    /* 4c */
};

static void start_loop(struct fixture *f)
{
	RIG_LOAD(f->m, RIG_CODE, loop);
	for (unsigned i = 0; i < bis_machine_harts(f->m); i++) {
		struct bis_hart *h = bis_machine_hart(f->m, i);

		bis_hart_set_reg(h, S0, RIG_DATA + 64 * i);
		bis_hart_set_reg(h, A0, 0);
		bis_hart_set_pc(h, RIG_CODE);
		assert_ok(bis_hart_csr_set(h, CSR_MTVEC, RIG_CODE + 0x40));
	}
}

static uint64_t pc_of(struct fixture *f, unsigned hart)
{
	return bis_hart_pc(bis_machine_hart(f->m, hart)) - RIG_CODE;
}

/* --- Framing --- */

static void packets_are_acknowledged_and_sent_again(void **state)
{
	struct fixture *f = *state;

	f->s->no_ack = false;
	gdb_session_input(f->s, "$qC#b4", 6);
	assert_string_equal(f->out, "+$QC1#c5");
	gdb_session_input(f->s, "-", 1);
	assert_string_equal(f->out, "+$QC1#c5$QC1#c5");
	f->len = 0;
	gdb_session_input(f->s, "$qC#b5", 6); /* a wrong sum */
	assert_string_equal(f->out, "-");
	f->len = 0;
	gdb_session_input(f->s, "$qC#zz", 6);
	assert_string_equal(f->out, "-");
	f->len = 0;
	gdb_session_input(f->s, "x+$qFoo$qC#b4", 13); /* a packet that breaks off, and another */
	assert_string_equal(f->out, "+$QC1#c5");
	assert_answer(f, "QStartNoAckMode", "OK");
	assert_answer(f, "qC", "QC1");
	assert_int_equal(f->out[0], '$');
}

static void who_does_not_speak_the_protocol_is_left(void **state)
{
	static const char request[] = "POST / HTTP/1.1\r\n\r\n$k#6b";
	struct fixture *f = *state;

	gdb_session_input(f->s, request, sizeof(request) - 1);
	assert_true(gdb_session_done(f->s));
	assert_int_equal(f->len, 0);
	assert_int_equal(bis_machine_state(f->m), BIS_PAUSED);
}

static void what_is_unknown_is_answered_empty(void **state)
{
	static const char *const packets[] = {"vMustReplyEmpty", "qFoo", "QFoo",   "!",	    "R00",
					      "Z9,0,0",		 "y",	 "vFoo;1", "qCfoo", "qTStatus"};
	struct fixture *f = *state;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(packets); i++)
		assert_answer(f, packets[i], "");
	assert_answer(f, "", "");
}

static void what_is_wrong_is_refused_and_changes_nothing(void **state)
{
	static const char *const packets[] = {
		"m",
		"m1",
		"m80000000",
		"m80000000,",
		"m80000000,4x",
		"mg,4",
		"m10000000000000000,4",
		"m0,10000000000000000",
		"M80000000,4:00",
		"M80000000,4:0000000000",
		"M80000000,4",
		"M80000000,1:0g",
		"X80000000,4:abc",
		"X80000000,20000:",
		"p",
		"pfffff",
		"p20x",
		"P20",
		"P20=",
		"P20=00",
		"P20=zz00000000000000",
		"P1043=0000000000000000",
		"G",
		"G00",
		"H",
		"Hx1",
		"Hg9",
		"Hg3",
		"T3",
		"T0",
		"Z0",
		"Z0,",
		"Z0,80000000",
		"Z0,80000000,",
		"Z0,80000000,4;X1",
		"Z2,80000000,0",
		"Z2,ffffffffffffffff,2",
		"vCont;",
		"vCont;x",
		"vCont;c:9",
		"vCont;s;",
		"vCont;r",
		"vCont;r1",
		"vCont;r1,",
		"vCont;t",
		"vCont;S",
		"vCont;c:1x",
		"c10000000000000000",
		"Cx",
		"qRcmd,f",
		"qRcmd,zz",
		"qRcmd,00",
		"qXfer:features:read:other.xml:0,10",
		"qXfer:features:read:target.xml:0",
		"qThreadExtraInfo,9",
		"qXfer:features:read:target.xml:ffffffff,10",
		"Qqemu.PhyMemMode:2",
		"qXfer:threads:read:x:0,10",
	};
	struct fixture *f = *state;

	start_loop(f);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(packets); i++) {
		const char *answer = ask(f, packets[i]);

		if (answer[0] != 'E' || strlen(answer) != 3)
			fail_msg("%s: answered '%s'", packets[i], answer);
	}
	assert_int_equal(pc_of(f, 0), 0);
	assert_int_equal(bis_machine_state(f->m), BIS_PAUSED);
}

static void a_packet_too_long_is_refused_whole(void **state)
{
	struct fixture *f = *state;
	size_t len = GDB_PACKET_MAX + 1;
	char *packet = malloc(len);

	memset(packet, '0', len);
	feed(f, packet, len);
	assert_begins(last(f), "E");
	memcpy(packet, "M80000000,7ff8:", 15);
	feed(f, packet, 15 + 2 * 0x7ff8); /* as long as can be */
	assert_string_equal(last(f), "OK");
	free(packet);
	assert_answer(f, "qC", "QC1");
}

/* --- Registers --- */

static void all_registers_are_read_and_written_at_once(void **state)
{
	struct fixture *f = *state;
	char packet[2 + 65 * 16];

	bis_hart_set_reg(rig_hart(f->m), A0, UINT64_C(0x1122334455667788));
	ask(f, "g");
	assert_int_equal(strlen(f->answer), 65 * 16);
	assert_memory_equal(f->answer + A0 * 16, "8877665544332211", 16);
	f->answer[A0 * 16] = '9';
	memcpy(f->answer + 32 * 16, "4000008000000000", 16);
	snprintf(packet, sizeof(packet), "G%s", f->answer);
	assert_answer(f, packet, "OK");
	assert_int_equal(rig_reg(f->m, A0), UINT64_C(0x1122334455667798));
	assert_int_equal(pc_of(f, 0), 0x40);
}

static void registers_have_the_numbers_that_gdb_gives_them(void **state)
{
	struct fixture *f = *state;

	assert_answer(f, "P20=1000008000000000", "OK");
	assert_int_equal(pc_of(f, 0), 0x10);
	assert_answer(f, "Pa=efcdab8967452301", "OK");
	assert_answer(f, "pa", "efcdab8967452301");
	assert_answer(f, "P21=000000000000f03f", "OK"); /* f0 */
	assert_int_equal(rig_reg(f->m, 32), UINT64_C(0x3ff0000000000000));
	assert_answer(f, "P381=0500000000000000", "OK"); /* mscratch: 0x340 + 65 */
	assert_int_equal(rig_csr(f->m, CSR_MSCRATCH), 5);
	assert_answer(f, "pf55", "0000000000000000");	  /* mhartid */
	assert_answer(f, "Pf55=0000000000000000", "E0d"); /* read-only */
	assert_answer(f, "p1041", "0300000000000000");	  /* priv */
	assert_answer(f, "P1041=0100000000000000", "OK");
	assert_int_equal(bis_hart_priv(rig_hart(f->m)), BIS_PRIV_S);
	assert_answer(f, "P1041=0200000000000000", "E16");
	assert_answer(f, "Hg2", "OK");
	assert_answer(f, "pf55", "0100000000000000");
}

static void a_32_bit_hart_has_short_registers_and_no_f(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(strlen(ask(f, "g")), 33 * 8);
	assert_answer(f, "P20=10000080", "OK");
	assert_int_equal(pc_of(f, 0), 0x10);
	assert_begins(ask(f, "p21"), "E");
	assert_begins(ask(f, "qXfer:features:read:target.xml:0,200"), "m<?xml");
	assert_non_null(strstr(f->answer, "riscv:rv32"));
	assert_begins(ask(f, "m100000000,1"), "E");
}

static void the_description_names_every_register(void **state)
{
	static const char *const words[] = {"org.gnu.gdb.riscv.cpu",
					    "org.gnu.gdb.riscv.fpu",
					    "org.gnu.gdb.riscv.csr",
					    "org.gnu.gdb.riscv.virtual",
					    "<reg name=\"zero\" bitsize=\"64\" regnum=\"0\"",
					    "<reg name=\"t6\" bitsize=\"64\" regnum=\"31\"",
					    "<reg name=\"pc\" bitsize=\"64\" regnum=\"32\" type=\"code_ptr\"",
					    "<reg name=\"ft11\" bitsize=\"64\" regnum=\"64\"",
					    "<reg name=\"mstatus\" bitsize=\"64\" regnum=\"833\"",
					    "<reg name=\"pmpaddr15\"",
					    "<reg name=\"priv\" bitsize=\"64\" regnum=\"4161\"",
					    "</target>"};
	struct fixture *f = *state;
	char *text = calloc(1, OUT_BYTES), packet[64];
	size_t len = 0, n;

	do { /* in pieces */
		snprintf(packet, sizeof(packet), "qXfer:features:read:target.xml:%zx,3ff", len);
		ask(f, packet);
		n = strlen(f->answer);
		memcpy(text + len, f->answer + 1, n - 1);
		len += n - 1;
	} while (f->answer[0] == 'm');
	for (size_t i = 0; i < BIS_ARRAY_SIZE(words); i++)
		if (!strstr(text, words[i]))
			fail_msg("the description lacks %s", words[i]);
	free(text);
}

/* --- Memory --- */

static void memory_is_read_and_written(void **state)
{
	struct fixture *f = *state;

	assert_answer(f, "M80100000,4:0a0b0c0d", "OK");
	assert_answer(f, "m80100000,4", "0a0b0c0d");
	assert_answer(f, "X80100000,0:", "OK");
	feed(f,
	     "X80100010,4:a}\x03"
	     "b}\x5d",
	     18);
	assert_string_equal(last(f), "OK");
	assert_answer(f, "m80100010,4", "6123627d"); /* a # b } */
	/* As much as there is; the RAM ends at 0x80800000. */
	assert_int_equal(strlen(ask(f, "m807ffffe,10")), 4);
	assert_begins(ask(f, "m80800000,1"), "E");
	assert_begins(ask(f, "M807ffffe,4:00000000"), "E");
	assert_begins(ask(f, "mfffffffffffffffe,10"), "E");
	assert_int_equal(strlen(ask(f, "m80000000,ffffffffffffffff")), GDB_PACKET_MAX);
}

static void memory_is_virtual_unless_asked_for_otherwise(void **state)
{
	struct fixture *f = *state;
	struct rig_tables t = rig_tables_at(f->m, RIG_CODE + 0x600000);

	rig_map(&t, 0x40000000, RIG_DATA, 0, PTE_V | PTE_R | PTE_A);
	rig_enter_s(&t);
	rig_set32(f->m, RIG_DATA, 0x04030201);
	assert_answer(f, "m40000000,4", "01020304");
	assert_begins(ask(f, "m80100000,4"), "E");
	assert_begins(ask(f, "qRcmd,70687973206f6e"), "OK"); /* phys on */
	assert_answer(f, "m80100000,4", "01020304");
	assert_answer(f, "qqemu.PhyMemMode", "1");
	assert_answer(f, "Qqemu.PhyMemMode:0", "OK");
	assert_begins(ask(f, "m80100000,4"), "E");
}

/* --- Going on and stopping --- */

static void continue_stops_at_breakpoints(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	assert_non_null(strstr(ask(f, "qSupported:swbreak+;hwbreak+;xmlRegisters=i386"), "PacketSize=10000;"));
	assert_answer(f, "Hg2", "OK");
	assert_answer(f, "P20=0000708000000000", "OK"); /* hart 1 is elsewhere */
	rig_set32(f->m, RIG_CODE + 0x700000, SPIN);
	assert_answer(f, "Z0,80000008,4", "OK");
	assert_answer(f, "Z0,80000008,4", "OK"); /* the same */
	assert_begins(go(f, "vCont;c"), "T05thread:1;swbreak:;20:0800008000000000;");
	assert_answer(f, "z0,80000008,4", "OK");
	assert_answer(f, "z0,80000008,4", "OK");
	assert_answer(f, "Z1,80000004,4", "OK");
	assert_begins(go(f, "vCont;c"), "T05thread:1;hwbreak:;20:0400008000000000;");
	assert_int_equal(rig_reg(f->m, A0), 2);
	assert_int_equal(rig_get64(f->m, RIG_DATA), 1);
	assert_answer(f, "z1,80000004,4", "OK");
	assert_answer(f, "qC", "QC1");
	assert_answer(f, "m80000004,4", "2330a400"); /* the code as it was */
}

static void watchpoints_tell_the_address(void **state)
{
	static const struct {
		const char *set, *reason;
		uint64_t pc;
	} rows[] = {
		{"Z2,80100000,8", "T05thread:1;watch:80100000;", 4},
		{"Z3,80100004,1", "T05thread:1;rwatch:80100004;", 8},
		{"Z4,80100007,2", "T05thread:1;awatch:80100007;", 4},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		char clear[32];

		start_loop(f);
		assert_answer(f, rows[i].set, "OK");
		assert_begins(go(f, "vCont;c"), rows[i].reason);
		assert_int_equal(pc_of(f, 0), rows[i].pc);
		snprintf(clear, sizeof(clear), "z%s", rows[i].set + 1);
		assert_answer(f, clear, "OK");
	}
}

static void a_step_goes_into_the_trap_handler(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	for (unsigned i = 0; i < 3; i++)
		assert_begins(go(f, "vCont;s:1"), "T05thread:1;");
	assert_int_equal(pc_of(f, 0), 0xc);
	assert_begins(go(f, "vCont;s:1"), "T05thread:1;20:4000008000000000;");
	assert_int_equal(rig_csr(f->m, CSR_MEPC), RIG_CODE + 0xc);
	assert_int_equal(pc_of(f, 1), 0); /* the other stayed */
	assert_begins(go(f, "vCont;s:1;c"), "T05thread:1;");
	assert_int_equal(pc_of(f, 1), 4); /* side by side */
}

static void an_interrupt_taken_is_a_step(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	rig_set_csr(f->m, CSR_MIE, 1 << BIS_LINE_MSIP);
	rig_set_csr(f->m, CSR_MSTATUS, 8);
	bis_hart_set_line(rig_hart(f->m), BIS_LINE_MSIP, true);
	assert_begins(go(f, "vCont;s:1"), "T05thread:1;20:4000008000000000;");
	assert_int_equal(rig_csr(f->m, CSR_MEPC), RIG_CODE);
}

static void a_range_is_stepped_through(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	assert_begins(go(f, "vCont;r80000000,8000000c:1"), "T05thread:1;20:0c00008000000000;");
	assert_answer(f, "Z0,80000004,4", "OK");
	assert_answer(f, "P20=0000008000000000", "OK");
	assert_begins(go(f, "vCont;r80000000,8000000c:1"), "T05thread:1;20:0400008000000000;");
}

static void one_hart_goes_on_alone(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	assert_answer(f, "Z0,80000010,4", "OK");
	assert_begins(go(f, "vCont;c:2"), "T05thread:2;20:1000008000000000;");
	assert_int_equal(pc_of(f, 0), 0);
	assert_answer(f, "qC", "QC2");
}

static void the_old_forms_move_too(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	assert_begins(go(f, "s"), "T05thread:1;20:0400008000000000;");
	assert_begins(go(f, "s80000008"), "T05thread:1;20:0c00008000000000;");
	assert_begins(go(f, "S05"), "T05thread:1;20:4000008000000000;");
	assert_answer(f, "Z0,80000000,4", "OK");
	assert_answer(f, "Hc1", "OK");
	assert_begins(go(f, "C05;80000010"), "T05thread:1;20:0000008000000000;");
}

static void ctrl_c_stops(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	feed(f, "vCont;c", 7);
	assert_true(f->s->running);
	assert_int_equal(f->len, 0); /* no answer yet */
	gdb_session_input(f->s, "\3", 1);
	assert_begins(last(f), "T02thread:1;");
	assert_int_equal(bis_machine_state(f->m), BIS_PAUSED);
	f->len = 0;
	gdb_session_input(f->s, "\3", 1);
	assert_int_equal(f->len, 0); /* it stands already */
}

static void stops_by_others_are_told(void **state)
{
	struct bis_break theirs = {.kind = BIS_BREAK_PC, .address = RIG_CODE + 4, .harts = 1};
	struct fixture *f = *state;
	unsigned id;

	start_loop(f);
	feed(f, "vCont;c", 7);
	assert_ok(bis_machine_pause(f->m));
	assert_true(gdb_session_events(f->s, false)); /* it may be over in a moment */
	assert_int_equal(f->len, 0);
	assert_ok(bis_machine_resume(f->m));
	assert_false(gdb_session_events(f->s, true)); /* it was */
	assert_int_equal(f->len, 0);
	assert_ok(bis_machine_pause(f->m));
	assert_false(gdb_session_events(f->s, true));
	assert_begins(last(f), "T02thread:1;");
	assert_ok(bis_break_add(f->m, &theirs, &id));
	assert_begins(go(f, "vCont;c"), "T05thread:1;20:0400008000000000;");
	assert_memory_equal(f->out, "$O", 2); /* "breakpoint 1: pc …" on the client's console */
}

static void the_end_is_told(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	feed(f, "vCont;c", 7);
	bis_machine_request_stop(f->m, BIS_STOP_POWER_OFF, 7);
	assert_string_equal(go(f, "vMustReplyEmpty"), "W07");
	assert_answer(f, "?", "W07");
	assert_answer(f, "vCont;c", "W07");
	assert_int_equal(strlen(ask(f, "g")), 65 * 16); /* what was can still be looked at */
}

static void a_hart_that_sleeps_steps_when_it_wakes(void **state)
{
	static const uint32_t code[] = {WFI, ADDI(A0, A0, 1), SPIN};
	struct fixture *f = *state;

	start_loop(f);
	RIG_LOAD(f->m, RIG_CODE, code);
	rig_set_csr(f->m, CSR_MIE, 1 << BIS_LINE_MSIP);
	assert_begins(go(f, "vCont;s:1"), "T05thread:1;20:0400008000000000;");
	feed(f, "vCont;s:1", 9);
	assert_true(f->s->running);
	gdb_session_input(f->s, "\3", 1);
	assert_begins(last(f), "T02thread:1;20:0400008000000000;");
	feed(f, "vCont;s:1", 9);
	bis_hart_set_line(rig_hart(f->m), BIS_LINE_MSIP, true);
	assert_begins(go(f, "vMustReplyEmpty"), "T05thread:1;20:0800008000000000;");
	assert_int_equal(rig_reg(f->m, A0), 1);
}

/* --- Threads, queries, the end of a session --- */

static void each_hart_is_a_thread(void **state)
{
	struct fixture *f = *state;

	assert_answer(f, "qfThreadInfo", "m1,2");
	assert_answer(f, "qsThreadInfo", "l");
	assert_begins(ask(f, "qXfer:threads:read::0,fff"), "l<?xml");
	assert_non_null(strstr(f->answer, "<thread id=\"2\" core=\"1\" name=\"hart1\">machine mode</thread>"));
	assert_answer(f, "qThreadExtraInfo,1", "6d616368696e65206d6f6465");
	assert_answer(f, "T2", "OK");
	assert_answer(f, "qAttached", "1");
	assert_answer(f, "qSymbol::", "OK");
	assert_answer(f, "QPassSignals:e;10", "OK");
	assert_answer(f, "qOffsets", "Text=0;Data=0;Bss=0");
	assert_begins(ask(f, "?"), "T05thread:1;");
}

static void monitor_commands_are_verbs(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	assert_answer(f, "qRcmd,737465702032", "OK"); /* step 2 */
	assert_int_equal(pc_of(f, 0), 8);
	assert_answer(f, "qRcmd,68656c70", "OK");				     /* help */
	assert_non_null(strstr(f->out, "736e617073686f74"));			     /* snapshot */
	assert_answer(f, "qRcmd,70617573", "OK");				     /* paus */
	assert_non_null(strstr(f->out, "64696420796f75206d65616e2027706175736527")); /* did you mean 'pause' */
}

static void *monitor_reset(void *arg)
{
	(void)ask(arg, "qRcmd,7265736574");
	return NULL;
}

/* The answer comes when the machine has been reset, by another thread, or has ended instead. */
static void a_reset_is_waited_for(void **state)
{
	struct fixture *f = *state;
	enum bis_stop_reason why;
	struct timespec since, now;
	pthread_t client;
	int status;

	start_loop(f);
	assert_begins(ask(f, "vCont;s:1"), "T05");
	assert_int_equal(pc_of(f, 0), 4);
	assert_int_equal(pthread_create(&client, NULL, monitor_reset, f), 0);
	assert_ok(bis_machine_join(f->m, RIG_DEADLINE_MS, &why, &status));
	assert_int_equal(why, BIS_STOP_RESET_REQUEST);
	assert_int_equal(status, 0); /* it was paused, and stays so */
	assert_ok(bis_machine_reset(f->m));
	pthread_join(client, NULL);
	assert_int_not_equal(pc_of(f, 0), 4);
	assert_string_equal(last(f), "OK");
	assert_non_null(strstr(f->out, "666c75736820726567")); /* flush reg…: gdb's registers are old now */

	clock_gettime(CLOCK_MONOTONIC, &since);
	assert_int_equal(pthread_create(&client, NULL, monitor_reset, f), 0);
	assert_ok(bis_machine_join(f->m, RIG_DEADLINE_MS, &why, &status));
	bis_machine_request_stop(f->m, BIS_STOP_POWER_OFF, 4);
	assert_ok(bis_machine_join(f->m, RIG_DEADLINE_MS, &why, &status));
	pthread_join(client, NULL);
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_true(now.tv_sec - since.tv_sec < 5); /* it has not waited for a reset until it gave up */
	assert_answer(f, "?", "W04");
}

static void a_client_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;
	struct bis_break b;
	unsigned id;

	start_loop(f);
	assert_answer(f, "Z0,80700000,4", "OK");
	assert_answer(f, "Z4,80700000,4", "OK");
	bis_hart_set_pc(rig_hart(f->m), RIG_CODE);
	rig_set32(f->m, RIG_CODE, WFI);
	assert_begins(go(f, "vCont;s:1"), "T05thread:1;");
	feed(f, "vCont;s:1", 9); /* of a hart that sleeps */
	assert_answer(f, "D", "OK");
	assert_true(gdb_session_done(f->s));
	gdb_session_destroy(f->s, true);
	assert_int_equal(bis_break_get(f->m, 0, &id, &b), -ENOENT);
	assert_int_equal(bis_machine_state(f->m), BIS_RUNNING);
	open_session(f); /* the next one stops it again */
	assert_int_equal(bis_machine_state(f->m), BIS_PAUSED);
	assert_answer(f, "vKill;1", "OK");
	assert_true(gdb_session_done(f->s));
}

static void more_breakpoints_than_there_are_are_refused(void **state)
{
	struct fixture *f = *state;
	char packet[64];

	for (unsigned i = 0; i < BIS_BREAKS_MAX; i++) {
		snprintf(packet, sizeof(packet), "Z0,%x,4", 0x80001000 + 4 * i);
		assert_answer(f, packet, "OK");
	}
	assert_answer(f, "Z0,80002000,4", "E1c");
}

/* --- Sockets --- */

static int connect_to(const struct gdb *g)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	const char *address = gdb_address(g);
	bool tcp = !strncmp(address, "127.0.0.1:", 10);
	int fd = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);

	in.sin_port = htons((uint16_t)atoi(address + (tcp ? 10 : 0)));
	strncpy(un.sun_path, address, sizeof(un.sun_path) - 1);
	assert_int_equal(tcp ? connect(fd, (struct sockaddr *)&in, sizeof(in))
			     : connect(fd, (struct sockaddr *)&un, sizeof(un)),
			 0);
	return fd;
}

/* Sends, and reads until the text is there. */
static void talk(int fd, const char *send_text, const char *expected)
{
	char got[4096] = "";
	size_t len = 0;

	if (*send_text)
		assert_int_equal(write(fd, send_text, strlen(send_text)), (long)strlen(send_text));
	while (!strstr(got, expected)) {
		ssize_t n = read(fd, got + len, sizeof(got) - 1 - len);

		if (n <= 0)
			fail_msg("expected '%s', got '%s'", expected, got);
		len += (size_t)n;
		got[len] = '\0';
	}
}

static void assert_closed(int fd)
{
	char c[256];
	ssize_t n;

	do
		n = read(fd, c, sizeof(c));
	while (n > 0);
	assert_true(n == 0 || errno == ECONNRESET);
	close(fd);
}

/* A path of this process's own. */
static const char *socket_path(char path[64])
{
	snprintf(path, 64, "/tmp/biscuit-test-gdb-%d", (int)getpid());
	return path;
}

static void one_client_at_a_time(void **state)
{
	char path[64];
	const char *const addresses[] = {"0", ":0", "127.0.0.1:0", "localhost:0", socket_path(path)};
	struct fixture *f = *state;
	struct stat st;

	gdb_session_destroy(f->s, false);
	f->s = NULL;
	start_loop(f);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(addresses); i++) {
		struct gdb *g;
		int first, second;

		assert_ok(gdb_start(f->d, addresses[i], &g));
		if (addresses[i][0] == '/') {
			assert_int_equal(stat(addresses[i], &st), 0);
			assert_int_equal(st.st_mode & 0777, 0600);
		}
		first = connect_to(g);
		talk(first, "$qC#b4", "+$QC1#c5");
		second = connect_to(g);
		talk(second, "", "another debugger");
		assert_closed(second);
		talk(first, "$vCont;c#a8", "+");
		close(first); /* without a word */
		rig_wait_for(bis_machine_state(f->m) == BIS_RUNNING);
		first = connect_to(g);
		talk(first, "$?#3f", "T05thread:1");
		assert_int_equal(bis_machine_state(f->m), BIS_PAUSED);
		gdb_stop(g);
		assert_closed(first);
	}
	assert_int_not_equal(stat(path, &st), 0);
}

/* By Ctrl-C, and by whoever comes after a client that has gone. */
static void a_long_step_can_be_ended(void **state)
{
	static const char step[] = "$qRcmd,737465702031303030303030303030303030#34"; /* step 1000000000000 */
	struct fixture *f = *state;
	struct gdb *g;
	int fd;

	gdb_session_destroy(f->s, false);
	f->s = NULL;
	start_loop(f);
	assert_ok(gdb_start(f->d, "0", &g));
	fd = connect_to(g);
	talk(fd, step, "+");
	rig_wait_for(bis_machine_state(f->m) == BIS_RUNNING);
	talk(fd, "\3", "$OK#9a");
	assert_int_equal(bis_machine_state(f->m), BIS_PAUSED);
	talk(fd, step, "+");
	rig_wait_for(bis_machine_state(f->m) == BIS_RUNNING);
	close(fd);
	fd = connect_to(g);
	talk(fd, "$?#3f", "T05thread:1");
	close(fd);
	gdb_stop(g);
}

static void the_end_reaches_a_client_that_waits(void **state)
{
	struct fixture *f = *state;
	enum bis_stop_reason why;
	struct gdb *g;
	int fd, status;

	gdb_session_destroy(f->s, false);
	f->s = NULL;
	start_loop(f);
	assert_ok(gdb_start(f->d, "0", &g));
	fd = connect_to(g);
	talk(fd, "$vCont;c#a8", "+");
	rig_wait_for(bis_machine_state(f->m) == BIS_RUNNING);
	bis_machine_request_stop(f->m, BIS_STOP_POWER_OFF, 3);
	assert_ok(bis_machine_join(f->m, RIG_DEADLINE_MS, &why, &status));
	gdb_stop(g);
	talk(fd, "", "$W03#ba");
	close(fd);
}

static void addresses_that_are_none_are_refused(void **state)
{
	static const char *const rows[][2] = {
		{"", "expected PORT"},
		{"x", "expected PORT"},
		{"65536", "expected PORT"},
		{"0.0.0.0:1234", "expected PORT"},
		{"12 ", "expected PORT"},
		{"::1:12", "expected PORT"},
		{"example.org:1", "expected PORT"},
		{"/no/such/folder/socket", "No such"},
		{"/tmp/", "no socket"},
	};
	struct fixture *f = *state;
	struct gdb *g, *second;
	char longer[300] = "/", path[64];

	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		int err = gdb_start(f->d, rows[i][0], &g);

		assert_true(err < 0);
		if (!strstr(bis_error_message(), rows[i][1]))
			fail_msg("'%s': '%s'", rows[i][0], bis_error_message());
	}
	memset(longer + 1, 'a', sizeof(longer) - 2);
	assert_fails(gdb_start(f->d, longer, &g), -ENAMETOOLONG, "at most");
	assert_ok(gdb_start(f->d, socket_path(path), &g));
	assert_fails(gdb_start(f->d, path, &second), -EADDRINUSE, "somebody listens");
	gdb_stop(g);
	assert_ok(gdb_start(f->d, "0", &g));
	assert_fails(gdb_start(f->d, gdb_address(g), &second), -EADDRINUSE, "in use");
	gdb_stop(g);
	gdb_stop(NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(packets_are_acknowledged_and_sent_again),
		T(who_does_not_speak_the_protocol_is_left),
		T(what_is_unknown_is_answered_empty),
		T(what_is_wrong_is_refused_and_changes_nothing),
		T(a_packet_too_long_is_refused_whole),
		T(all_registers_are_read_and_written_at_once),
		T(registers_have_the_numbers_that_gdb_gives_them),
		cmocka_unit_test_setup_teardown(a_32_bit_hart_has_short_registers_and_no_f, setup32, teardown),
		T(the_description_names_every_register),
		T(memory_is_read_and_written),
		T(memory_is_virtual_unless_asked_for_otherwise),
		T(continue_stops_at_breakpoints),
		T(watchpoints_tell_the_address),
		T(a_step_goes_into_the_trap_handler),
		T(an_interrupt_taken_is_a_step),
		T(a_range_is_stepped_through),
		T(one_hart_goes_on_alone),
		T(the_old_forms_move_too),
		T(ctrl_c_stops),
		T(stops_by_others_are_told),
		T(the_end_is_told),
		T(a_hart_that_sleeps_steps_when_it_wakes),
		T(each_hart_is_a_thread),
		T(monitor_commands_are_verbs),
		T(a_reset_is_waited_for),
		T(a_client_leaves_nothing_behind),
		T(more_breakpoints_than_there_are_are_refused),
		T(one_client_at_a_time),
		T(a_long_step_can_be_ended),
		T(the_end_reaches_a_client_that_waits),
		T(addresses_that_are_none_are_refused),
	};

	return cmocka_run_group_tests_name("gdb", tests, NULL, NULL);
}
