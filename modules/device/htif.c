/*
 * HTIF, the host-target interface of bare test programs: two 64-bit words in RAM, `tohost` and `fromhost`. A command in
 * tohost is device << 56 | command << 48 | payload. Served: device 0 (odd payload: exit with status payload >> 1; even
 * payload: address of a system call block, of which write and exit are known) and device 1 (command 0 reads a byte,
 * command 1 writes one).
 *
 * The words are plain memory, so a timer looks at them: every millisecond of machine time, more often after a command.
 * Runs on the controller thread with the device lock held.
 */
#include <errno.h>
#include <stdlib.h>

#include <biscuit/chardev.h>
#include <biscuit/machine.h>
#include <biscuit/module.h>

#include "modules/modules.h"

#define POLL_MAX_NS UINT64_C(1000000)
#define POLL_MIN_NS UINT64_C(20000)
#define WRITE_MAX   65536u

enum { HTIF_SYSTEM = 0, HTIF_CONSOLE = 1 };
enum { CONSOLE_GETC = 0, CONSOLE_PUTC = 1 };
enum { SYSCALL_WRITE = 64, SYSCALL_EXIT = 93 }; /* numbers of the RISC-V Linux system calls */

struct htif {
	struct bis_module *mod;
	struct bis_memory *memory;
	struct bis_chardev *chardev;
	struct bis_timer *timer;
	uint64_t tohost, fromhost; /* addresses; fromhost may be 0 */
	uint64_t seen;		   /* tohost at the last look */
	uint64_t interval;	   /* ns until the next look */
	uint64_t output_done;	   /* bytes of the current write that were sent */
	bool reading;		   /* a read of the console waits for input */
	bool exited;
};

static const struct bis_field htif_fields[] = {
	BIS_FIELD(struct htif, tohost, U64, BIS_FIELD_HEX | BIS_FIELD_READONLY | BIS_FIELD_CONSTANT,
		  "address of tohost"),
	BIS_FIELD(struct htif, fromhost, U64, BIS_FIELD_HEX | BIS_FIELD_READONLY | BIS_FIELD_CONSTANT,
		  "address of fromhost, 0 if none"),
	BIS_FIELD(struct htif, seen, U64, BIS_FIELD_HEX, "tohost at the last look"),
	BIS_FIELD(struct htif, interval, U64, BIS_FIELD_READONLY, "ns between looks"),
	BIS_FIELD(struct htif, output_done, U64, 0, "bytes of the current write that were sent"),
	BIS_FIELD(struct htif, reading, BOOL, 0, "a read of the console waits for input"),
	BIS_FIELD(struct htif, exited, BOOL, 0, "the guest has asked for the end"),
	BIS_FIELD_END,
};

static const struct bis_option htif_options[] = {
	{"tohost", BIS_OPTION_U64, NULL, NULL, "physical address of the word that the guest writes"},
	{"fromhost", BIS_OPTION_U64, "0", NULL, "physical address of the word that the guest reads; 0: there is none"},
	{"chardev", BIS_OPTION_TEXT, "console", NULL, "name of the character device behind its console"},
	{0},
};

static void power_off(struct htif *h, uint64_t status)
{
	h->exited = true;
	bis_machine_request_stop(bis_module_machine(h->mod), BIS_STOP_POWER_OFF, status > 255 ? 255 : (int)status);
}

/* Puts an answer into fromhost; false while the guest has not taken the one before. */
static bool answer(const struct htif *h, uint64_t word)
{
	uint64_t old;

	if (!h->fromhost)
		return true;
	if (bis_mem_load(h->memory, (bis_gpa){h->fromhost}, 8, &old) || old != 0)
		return false;
	return bis_mem_store(h->memory, (bis_gpa){h->fromhost}, 8, word) == 0;
}

/*
 * Sends `len` bytes at `address`, going on where the last call stopped. True when finished; *result is then the number
 * sent or a negative errno as the guest expects it.
 */
static bool write_bytes(struct htif *h, uint64_t address, uint64_t len, int64_t *result)
{
	uint8_t buf[1024];

	*result = -EFAULT;
	if (len > WRITE_MAX)
		len = WRITE_MAX;
	if (!bis_mem_is_ram(h->memory, (bis_gpa){address}, len))
		return true;
	while (h->output_done < len) {
		size_t part = len - h->output_done < sizeof(buf) ? (size_t)(len - h->output_done) : sizeof(buf);
		size_t taken;

		if (bis_mem_read(h->memory, (bis_gpa){address + h->output_done}, buf, part))
			return true;
		taken = bis_chardev_write(h->chardev, buf, part);
		h->output_done += taken;
		if (taken < part)
			return false;
	}
	*result = (int64_t)len;
	return true;
}

/* A system call block: number and arguments in, result in its first word. True when the command is finished. */
static bool system_call(struct htif *h, uint64_t block)
{
	bis_le64 words[4];
	int64_t result = -ENOSYS;

	if (bis_mem_read(h->memory, (bis_gpa){block}, words, sizeof(words)))
		return answer(h, 1);
	switch (bis_le64_get(words[0])) {
	case SYSCALL_EXIT:
		power_off(h, bis_le64_get(words[1]) & 0xff);
		return true;
	case SYSCALL_WRITE:
		if (bis_le64_get(words[1]) != 1 && bis_le64_get(words[1]) != 2)
			result = -EBADF;
		else if (!write_bytes(h, bis_le64_get(words[2]), bis_le64_get(words[3]), &result))
			return false;
		break;
	default:
		break;
	}
	words[0] = bis_le64_make((uint64_t)result);
	return bis_mem_write_obj(h->memory, (bis_gpa){block}, &words[0]) ? true : answer(h, 1);
}

/* Answers an open read of the console once there is a byte. */
static void serve_read(struct htif *h)
{
	uint64_t old;
	uint8_t byte;

	if (!h->reading || !h->fromhost || !bis_chardev_readable(h->chardev))
		return;
	if (bis_mem_load(h->memory, (bis_gpa){h->fromhost}, 8, &old) || old != 0)
		return;
	if (bis_chardev_read(h->chardev, &byte, 1) == 1 &&
	    answer(h, (uint64_t)HTIF_CONSOLE << 56 | (uint64_t)CONSOLE_GETC << 48 | 0x100u | byte))
		h->reading = false;
}

/* Carries out a command; false: not yet possible, try again at the next look. */
static bool carry_out(struct htif *h, uint64_t word)
{
	unsigned device = (unsigned)(word >> 56);
	unsigned command = (unsigned)(word >> 48 & 0xff);
	uint64_t payload = word & UINT64_C(0xffffffffffff);
	uint8_t byte = (uint8_t)payload;

	if (device == HTIF_SYSTEM && command == 0) {
		if (!(payload & 1))
			return system_call(h, payload);
		power_off(h, payload >> 1);
	} else if (device == HTIF_CONSOLE && command == CONSOLE_PUTC) {
		return bis_chardev_write(h->chardev, &byte, 1) == 1;
	} else if (device == HTIF_CONSOLE && command == CONSOLE_GETC) {
		h->reading = true;
	}
	return true;
}

/*
 * One look. A word is acted on when two looks in a row have seen it: a 32-bit guest writes its halves one after the
 * other. Unknown commands are acknowledged and ignored.
 */
static void look(struct htif *h)
{
	uint64_t word;

	serve_read(h);
	if (bis_mem_load(h->memory, (bis_gpa){h->tohost}, 8, &word))
		return;
	if (word != h->seen) {
		h->seen = word;
		h->output_done = 0;
		h->interval = POLL_MIN_NS;
		return;
	}
	if (word == 0 || !carry_out(h, word)) {
		h->interval = h->interval * 2 < POLL_MAX_NS ? h->interval * 2 : POLL_MAX_NS;
		return;
	}
	h->seen = 0;
	h->output_done = 0;
	h->interval = POLL_MIN_NS;
	if (bis_mem_store(h->memory, (bis_gpa){h->tohost}, 8, 0))
		return;
	serve_read(h);
}

static void htif_fire(void *self)
{
	struct htif *h = self;

	look(h);
	bis_timer_set(h->timer, h->exited ? UINT64_MAX : bis_module_now(h->mod) + h->interval);
}

static int htif_start(void *self)
{
	htif_fire(self);
	return 0;
}

static void htif_resume(void *self)
{
	htif_fire(self);
}

static void htif_reset(void *self)
{
	struct htif *h = self;

	h->seen = 0;
	h->interval = POLL_MAX_NS;
	h->output_done = 0;
	h->reading = false;
	h->exited = false;
	if (h->timer)
		bis_timer_set(h->timer, bis_module_now(h->mod) + h->interval);
}

/* An interval out of bounds would be a thread that does nothing but look. */
static int htif_check(void *self)
{
	const struct htif *h = self;

	if (h->interval < POLL_MIN_NS || h->interval > POLL_MAX_NS)
		return bis_fail(EINVAL, "%s: looks every %llu ns: expected %llu to %llu", bis_module_name(h->mod),
				(unsigned long long)h->interval, (unsigned long long)POLL_MIN_NS,
				(unsigned long long)POLL_MAX_NS);
	return 0;
}

static int check_word(const struct htif *h, const char *option, uint64_t address)
{
	if (address % 8 || !bis_mem_is_ram(h->memory, (bis_gpa){address}, 8))
		return bis_fail(EINVAL, "%s: %s=0x%llx: expected the 8-byte aligned address of a word in RAM",
				bis_module_name(h->mod), option, (unsigned long long)address);
	return 0;
}

static int configure(struct htif *h, const struct bis_options *options)
{
	int err;

	h->tohost = bis_option_u64(options, "tohost");
	h->fromhost = bis_option_u64(options, "fromhost");
	err = check_word(h, "tohost", h->tohost);
	if (!err && h->fromhost)
		err = check_word(h, "fromhost", h->fromhost);
	if (err)
		return err;
	return bis_chardev_open(bis_module_machine(h->mod), bis_option_text(options, "chardev"), &h->chardev);
}

static int htif_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct htif *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	h->mod = mod;
	h->memory = bis_module_memory(mod);
	err = configure(h, options);
	if (err) {
		free(h);
		return err;
	}
	htif_reset(h);
	*self = h;
	return 0;
}

static int htif_attach(struct bis_module *mod, void *self)
{
	struct htif *h = self;

	return bis_timer_create(mod, htif_fire, &h->timer);
}

static void htif_destroy(void *self)
{
	struct htif *h = self;

	if (h->timer)
		bis_timer_destroy(h->timer);
	free(h);
}

const struct bis_module_class bis_htif_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.name = "htif",
	.summary = "host-target interface (tohost, fromhost) of bare test programs",
	.options = htif_options,
	.fields = htif_fields,
	.create = htif_create,
	.attach = htif_attach,
	.start = htif_start,
	.resume = htif_resume,
	.reset = htif_reset,
	.destroy = htif_destroy,
	.check = htif_check,
};
