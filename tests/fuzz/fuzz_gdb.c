/*
 * Fuzz target: a client of the gdb server. An input is packets, a line each, that are framed here; with a first byte of
 * '!' it is what comes over the wire. The machine is made anew when a packet has ended it.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <biscuit/builtin.h>

#include "frontend/gdb/session.h"

#define RAM_SIZE  0x100000
#define LINES_MAX 64

struct fixture {
	struct bis_machine *m;
	struct debug *d;
	size_t sent;
	unsigned asked; /* whether the client waits */
};

static void must(bool held)
{
	if (!held)
		abort();
}

static void make(struct fixture *f)
{
	static const uint32_t code[] = {0x10500073, 0xffdff06f}; /* wfi, j -4 */
	struct bis_machine_config cfg = {.ram_size = RAM_SIZE, .harts = 2, .classes = bis_builtin_modules};

	must(!bis_machine_create(&cfg, &f->m));
	must(!bis_machine_add(f->m, "riscv", NULL) && !bis_machine_add(f->m, "sv", NULL));
	must(!bis_mem_write(bis_machine_memory(f->m), (bis_gpa){BIS_RAM_BASE}, code, sizeof(code)));
	must(!debug_create(f->m, &f->d));
	must(!bis_machine_start(f->m));
}

static void unmake(struct fixture *f)
{
	debug_destroy(f->d);
	bis_machine_destroy(f->m);
	f->m = NULL;
}

static void count_bytes(void *arg, const void *bytes, size_t len)
{
	struct fixture *f = arg;

	must(len <= GDB_PACKET_MAX && (len == 0 || bytes));
	f->sent += len;
}

/* A step through a range that has no end is ended by the client. */
static bool waiting(void *arg)
{
	struct fixture *f = arg;

	return ++f->asked % 8 == 0;
}

static void feed_packet(struct gdb_session *s, const uint8_t *p, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char tail[3] = "#";
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + p[i]);
	tail[1] = digits[sum >> 4];
	tail[2] = digits[sum & 15];
	gdb_session_input(s, "$", 1);
	gdb_session_input(s, p, len);
	gdb_session_input(s, tail, 3);
}

/* Writes files where it is told to, and steps as far. */
static bool is_harmful(const uint8_t *data, size_t size)
{
	static const char *const words[] = {"736e617073", "736E617073", "73746570", "0a73746570"}; /* "snaps", "step" */

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (memmem(data, size, words[i], strlen(words[i])))
			return true;
	return false;
}

static void talk(struct fixture *f, struct gdb_session *s, const uint8_t *data, size_t size)
{
	enum bis_stop_reason why;
	int status;

	for (unsigned i = 0; size && i < LINES_MAX && !gdb_session_done(s); i++) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end ? (size_t)(end - data) : size;

		feed_packet(s, data, len);
		if (bis_machine_join(f->m, 0, &why, &status) == 0)
			return;
		gdb_session_input(s, "\3", 1);
		(void)gdb_session_events(s, true);
		size -= len + (end != NULL);
		data += len + (end != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fixture f;
	struct gdb_link link = {.send = count_bytes, .waiting = waiting, .arg = &f};
	struct gdb_session *s;
	enum bis_stop_reason why;
	struct bis_break b;
	unsigned id;
	int status;

	if (is_harmful(data, size))
		return 0;
	if (!f.m)
		make(&f);
	must(!gdb_session_create(f.d, &link, &s));
	if (size && data[0] == '!')
		gdb_session_input(s, data + 1, size - 1);
	else
		talk(&f, s, data, size);
	gdb_session_destroy(s, false);
	if (bis_machine_join(f.m, 0, &why, &status) == 0 || bis_machine_state(f.m) == BIS_STOPPED ||
	    !bis_break_get(f.m, 0, &id, &b))
		unmake(&f);
	return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	static const char *const seeds[] = {
		"qSupported:multiprocess+;swbreak+;hwbreak+\nvMustReplyEmpty\nQStartNoAckMode\nHg0\nqXfer:features:"
		"read:"
		"target.xml:0,ffb\nqTStatus\n?\nqXfer:threads:read::0,1000\nqAttached:1\nHc-1\nqOffsets\nqC\nqSymbol::"
		"\n",
		"g\np20\nP20=0000008000000000\npa\nPa=1122334455667788\np341\nP341="
		"0000000000000000\np1041\nHg2\ng\nT2\n",
		"m80000000,40\nM80001000,8:0011223344556677\nX80001000,4:abcd\nmffffffffffffff00,100\nX80000000,0:\n"
		"Qqemu.PhyMemMode:1\nm80000000,4\nqqemu.PhyMemMode\n",
		"Z0,80000000,4\nZ1,80000004,2\nZ2,80001000,8\nZ3,80001000,1\nZ4,80001000,4\nvCont?\nvCont;c\nvCont;s:1;"
		"c\n"
		"vCont;r80000000,80000010:2;c:1\nvCont;s:1;t:2\nz0,80000000,4\nz2,80001000,8\nc80000000\ns\nC05;"
		"80000000\n",
		"qRcmd,68656c70\nqRcmd,627265616b2070632030783830303030303030\nqRcmd,627265616b73\nqRcmd,"
		"70687973206f6e\n"
		"qRcmd,72657375\nqfThreadInfo\nqsThreadInfo\nqThreadExtraInfo,1\nvCtrlC\nD;1\n",
		"!+$qSupported#37+$?#3f-$m80000000,4#5d\003$vCont;c#a8\003$X80000000,2:}\003}]#00$D#44",
		"vKill;1\n",
		"vCont;c\nk\n",
	};

	return index < sizeof(seeds) / sizeof(seeds[0]) ? fuzz_text(seeds[index], buf, max) : 0;
}
