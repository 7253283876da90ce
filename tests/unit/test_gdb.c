/*
 * The gdb server, packet by packet: framing, registers, memory, threads, queries and the end of a session; packets that
 * are wrong.
 */
#include <pthread.h>
#include <time.h>

#include "tests/unit/gdb_rig.h"

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

static int setup32(void **state)
{
	return setup_with(state, "rv32imac", 1);
}

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
	snprintf(packet, sizeof(packet), "G%.*s", 65 * 16, f->answer);
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
		T(each_hart_is_a_thread),
		T(monitor_commands_are_verbs),
		T(a_reset_is_waited_for),
		T(a_client_leaves_nothing_behind),
		T(more_breakpoints_than_there_are_are_refused),
	};

	return cmocka_run_group_tests_name("gdb", tests, NULL, NULL);
}
