/*
 * Native input (slot 6, docs/devices.md): a queue of events from keyboards and pointers. Registers are served on a
 * hart's thread, events arrive on their sender's, both with the device lock held.
 *
 * Nothing is lost silently. When the queue is full, it takes nothing more until the guest has emptied it; then come a
 * mark with the number of events lost, the pointer's movements meanwhile in one piece, and what keys and buttons have
 * become since: `held` is how they are, `told` how the queued events leave them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/input.h>
#include <biscuit/memory.h>
#include <biscuit/module.h>

#include "modules/device/native.h"
#include "modules/modules.h"

#define QUEUE	  256u
#define CROWDED	  128u	/* from so many events on, movements join those before them */
#define KEYS	  0x300 /* codes that can be held, of each kind */
#define KEY_WORDS (KEYS / 64)
#define ALL_KINDS ((1u << BIS_INPUT_KINDS) - 1)

_Static_assert(INPUT_ENABLE_KEY == 1 << BIS_INPUT_KEY && INPUT_ENABLE_TEXT == 1 << BIS_INPUT_TEXT &&
		       INPUT_ENABLE_BUTTON == 1 << BIS_INPUT_BUTTON &&
		       INPUT_ENABLE_ABSOLUTE == 1 << BIS_INPUT_ABSOLUTE &&
		       INPUT_ENABLE_RELATIVE == 1 << BIS_INPUT_RELATIVE && INPUT_ENABLE_WHEEL == 1 << BIS_INPUT_WHEEL,
	       "a kind's bit in ENABLE is the kind");
_Static_assert(INPUT_KIND_KEY == BIS_INPUT_KEY + 1 && INPUT_KIND_WHEEL == BIS_INPUT_WHEEL + 1,
	       "a kind's number in EVENT is one more");

/* As READ stores it. */
struct stored_event {
	bis_le32 event, zero;
	bis_le64 value;
};

struct input {
	struct bis_module *mod;
	struct bis_machine *machine;
	struct bis_memory *memory;
	struct bis_irq *irq;

	uint32_t head, count;
	uint32_t events[QUEUE]; /* as in EVENT */
	uint64_t values[QUEUE];
	bool losing;
	uint32_t lost;
	uint32_t moved;			     /* bits: kinds with a movement since `losing` */
	uint64_t movements[BIS_INPUT_KINDS]; /* as in VALUE */
	uint64_t told[2 * KEY_WORDS];	     /* keys, then buttons */
	uint64_t held[2 * KEY_WORDS];

	uint32_t enable, taken;
	uint64_t value, address;
	uint8_t error;
	struct native_high high;
};

/* Not what is held: a keyboard of another time holds nothing. */
static const struct bis_field input_fields[] = {
	BIS_FIELD(struct input, enable, U32, BIS_FIELD_HEX, "kinds of events that the guest wants, interrupt"),
	BIS_FIELD(struct input, count, U32, 0, "events that wait"),
	BIS_FIELD(struct input, head, U32, 0, "place of the oldest in the queue"),
	BIS_FIELD_ARRAY(struct input, events, U32, QUEUE, BIS_FIELD_HEX, "the queue: kind and code"),
	BIS_FIELD_ARRAY(struct input, values, U64, QUEUE, BIS_FIELD_HEX, "the queue: values"),
	BIS_FIELD(struct input, losing, BOOL, 0, "the queue was full and has not been emptied since"),
	BIS_FIELD(struct input, lost, U32, 0, "events lost meanwhile"),
	BIS_FIELD(struct input, moved, U32, BIS_FIELD_HEX, "kinds of movements meanwhile"),
	BIS_FIELD_ARRAY(struct input, movements, U64, BIS_INPUT_KINDS, BIS_FIELD_HEX, "these movements"),
	BIS_FIELD_ARRAY(struct input, told, U64, 2 * KEY_WORDS, BIS_FIELD_HEX, "keys and buttons held, for the guest"),
	BIS_FIELD(struct input, value, U64, BIS_FIELD_HEX, "value of the event taken last"),
	BIS_FIELD(struct input, address, U64, BIS_FIELD_HEX, "physical address that READ stores events at"),
	BIS_FIELD(struct input, taken, U32, 0, "events taken by the last READ"),
	BIS_FIELD(struct input, error, U8, 0, "error code in STATUS"),
	NATIVE_HIGH_FIELDS(struct input, high),
	BIS_FIELD_END,
};

/* --- Events as the guest sees them --- */

static bool is_movement(unsigned kind)
{
	return kind == BIS_INPUT_ABSOLUTE || kind == BIS_INPUT_RELATIVE || kind == BIS_INPUT_WHEEL;
}

static uint32_t event_word(unsigned kind, uint16_t code)
{
	return (kind + 1) << INPUT_EVENT_KIND_SHIFT | (uint32_t)code << INPUT_EVENT_CODE_SHIFT;
}

static uint64_t pair(int32_t x, int32_t y)
{
	return (uint32_t)x | (uint64_t)(uint32_t)y << 32;
}

static int32_t in_range(int32_t at)
{
	if (at < 0)
		return 0;
	return at < BIS_INPUT_RANGE ? at : BIS_INPUT_RANGE;
}

static uint64_t value_of(const struct bis_input_event *e)
{
	switch (e->kind) {
	case BIS_INPUT_KEY:
		return e->value <= 2 ? e->value : 1;
	case BIS_INPUT_BUTTON:
		return e->value != 0;
	case BIS_INPUT_TEXT:
		return e->value;
	case BIS_INPUT_ABSOLUTE:
		return pair(in_range(e->x), in_range(e->y));
	default:
		return pair(e->x, e->y);
	}
}

static int32_t sum(uint64_t a, uint64_t b)
{
	int64_t both = (int64_t)(int32_t)(uint32_t)a + (int32_t)(uint32_t)b;

	if (both > INT32_MAX)
		return INT32_MAX;
	return both < INT32_MIN ? INT32_MIN : (int32_t)both;
}

/* One movement that does what both do. */
static uint64_t join(unsigned kind, uint64_t first, uint64_t second)
{
	return kind == BIS_INPUT_ABSOLUTE ? second : pair(sum(first, second), sum(first >> 32, second >> 32));
}

/* --- Keys and buttons that are held --- */

/* The bit of a key or button; -1 for other events. */
static int held_bit(unsigned kind, uint16_t code)
{
	if (code >= KEYS || (kind != BIS_INPUT_KEY && kind != BIS_INPUT_BUTTON))
		return -1;
	return kind == BIS_INPUT_BUTTON ? KEYS + code : code;
}

static void set_held(uint64_t *held, int bit, bool down)
{
	uint64_t mask = UINT64_C(1) << (bit % 64);

	if (down)
		held[bit / 64] |= mask;
	else
		held[bit / 64] &= ~mask;
}

/* --- The queue --- */

static bool wants_interrupt(const struct input *in)
{
	return (in->enable & INPUT_ENABLE_INTERRUPT) && in->count;
}

static void update_irq(struct input *in)
{
	bis_irq_set(in->irq, wants_interrupt(in));
}

/* There is room. */
static void push(struct input *in, uint32_t event, uint64_t value)
{
	uint32_t at = (in->head + in->count++) % QUEUE;

	in->events[at] = event;
	in->values[at] = value;
}

static void push_input(struct input *in, unsigned kind, uint16_t code, uint64_t value)
{
	int bit = held_bit(kind, code);

	push(in, event_word(kind, code), value);
	if (bit >= 0)
		set_held(in->told, bit, value != 0);
}

/* Joins a movement with the newest event in a queue that fills; false where that is another kind. */
static bool join_newest(struct input *in, unsigned kind, uint64_t value)
{
	uint32_t at = (in->head + in->count - 1) % QUEUE;

	if (!is_movement(kind) || in->count < CROWDED || in->events[at] != event_word(kind, 0))
		return false;
	in->values[at] = join(kind, in->values[at], value);
	return true;
}

/* Keeps of an event what can be kept without a place in the queue; false if that is nothing. */
static bool keep(struct input *in, unsigned kind, uint64_t value)
{
	if (!is_movement(kind)) {
		if (in->lost < UINT32_MAX)
			in->lost++;
		return false;
	}
	in->movements[kind] = in->moved >> kind & 1 ? join(kind, in->movements[kind], value) : value;
	in->moved |= 1u << kind;
	return true;
}

/* Tells of keys and buttons that are not as the guest was told; false if there was not room for all. */
static bool push_held(struct input *in)
{
	for (unsigned word = 0; word < 2 * KEY_WORDS; word++) {
		for (uint64_t left = in->held[word] ^ in->told[word]; left; left &= left - 1) {
			unsigned bit = word * 64 + (unsigned)__builtin_ctzll(left);
			unsigned kind = bit < KEYS ? BIS_INPUT_KEY : BIS_INPUT_BUTTON;

			if (in->count == QUEUE)
				return false;
			push_input(in, kind, (uint16_t)(bit % KEYS), in->held[word] >> (bit % 64) & 1);
		}
	}
	return true;
}

/* The queue has been emptied: what has become of things while it was full. */
static void catch_up(struct input *in)
{
	if (in->lost)
		push(in, INPUT_KIND_LOST, in->lost);
	in->lost = 0;
	for (unsigned kind = 0; kind < BIS_INPUT_KINDS; kind++)
		if (in->moved >> kind & 1)
			push_input(in, kind, 0, in->movements[kind]);
	in->moved = 0;
	in->losing = !push_held(in);
}

static bool pop(struct input *in, uint32_t *event, uint64_t *value)
{
	if (!in->count)
		return false;
	*event = in->events[in->head];
	*value = in->values[in->head];
	in->head = (in->head + 1) % QUEUE;
	in->count--;
	if (!in->count && in->losing)
		catch_up(in);
	return true;
}

static void forget_all(struct input *in)
{
	in->head = in->count = 0;
	in->losing = false;
	in->lost = 0;
	in->moved = 0;
	memset(in->told, 0, sizeof(in->told));
	memset(in->held, 0, sizeof(in->held));
}

/* --- Input --- */

static unsigned wanted(void *self)
{
	const struct input *in = self;

	return in->enable & ALL_KINDS;
}

static size_t room(void *self)
{
	const struct input *in = self;

	return in->losing ? 0 : QUEUE - in->count;
}

static bool take_one(struct input *in, const struct bis_input_event *e)
{
	uint64_t value = value_of(e);
	int bit = held_bit(e->kind, e->code);
	uint16_t code = is_movement(e->kind) || e->kind == BIS_INPUT_TEXT ? 0 : e->code;

	if (bit >= 0)
		set_held(in->held, bit, value != 0);
	if (!in->losing && join_newest(in, e->kind, value))
		return true;
	if (in->count == QUEUE)
		in->losing = true;
	if (in->losing)
		return keep(in, e->kind, value);
	push_input(in, e->kind, code, value);
	return true;
}

static size_t take(void *self, const struct bis_input_event *events, size_t count)
{
	struct input *in = self;
	size_t taken = 0;

	for (size_t i = 0; i < count; i++)
		taken += take_one(in, &events[i]);
	update_irq(in);
	return taken;
}

/* --- Registers --- */

static uint64_t read_event(struct input *in)
{
	uint32_t event = INPUT_KIND_NONE;

	in->value = 0;
	(void)pop(in, &event, &in->value);
	update_irq(in);
	return event;
}

static void read_events(struct input *in, uint64_t count)
{
	struct stored_event stored[QUEUE];
	bis_gpa to = {in->address};
	uint32_t event, n = 0;
	uint64_t value;

	in->taken = 0;
	in->error = NATIVE_ERROR_NONE;
	if (count > QUEUE)
		in->error = NATIVE_ERROR_TOO_BIG;
	else if (!bis_mem_is_ram(in->memory, to, count * sizeof(stored[0])))
		in->error = NATIVE_ERROR_ADDRESS;
	if (in->error)
		return;
	while (n < count && pop(in, &event, &value))
		stored[n++] = (struct stored_event){.event = bis_le32_make(event), .value = bis_le64_make(value)};
	in->error = native_error(bis_mem_write(in->memory, to, stored, n * sizeof(stored[0])));
	in->taken = n;
	update_irq(in);
}

/* Kinds that are not wanted any more leave nothing held and no movement behind. */
static void write_enable(struct input *in, uint64_t val)
{
	in->enable = val & (ALL_KINDS | INPUT_ENABLE_INTERRUPT);
	if (!(in->enable & ALL_KINDS))
		forget_all(in);
	in->moved &= in->enable;
	for (unsigned i = 0; i < KEY_WORDS; i++) {
		if (!(in->enable & INPUT_ENABLE_KEY))
			in->told[i] = in->held[i] = 0;
		if (!(in->enable & INPUT_ENABLE_BUTTON))
			in->told[KEY_WORDS + i] = in->held[KEY_WORDS + i] = 0;
	}
	update_irq(in);
}

static uint64_t status(const struct input *in)
{
	uint32_t own = in->count << INPUT_STATUS_COUNT_SHIFT;

	if (in->count)
		own |= INPUT_STATUS_WAITING;
	if (in->losing)
		own |= INPUT_STATUS_LOSING;
	return native_status(false, wants_interrupt(in), in->error, own);
}

static uint64_t input_read(void *self, unsigned reg)
{
	struct input *in = self;

	switch (reg) {
	case INPUT_EVENT:
		return read_event(in);
	case INPUT_VALUE:
		return native_wide_read(&in->high, in->value);
	case INPUT_ADDRESS:
		return native_wide_read(&in->high, in->address);
	case INPUT_READ:
		return in->taken;
	case INPUT_ENABLE:
		return in->enable;
	case INPUT_HIGH:
		return in->high.read;
	case NATIVE_STATUS:
		return status(in);
	default:
		return 0;
	}
}

static void input_write(void *self, unsigned reg, uint64_t val)
{
	struct input *in = self;

	switch (reg) {
	case INPUT_ADDRESS:
		in->address = native_wide_write(&in->high, val);
		break;
	case INPUT_READ:
		read_events(in, val);
		break;
	case INPUT_ENABLE:
		write_enable(in, val);
		break;
	case INPUT_HIGH:
		in->high.write = (uint32_t)val;
		break;
	case NATIVE_STATUS:
		if (val & NATIVE_STATUS_INTERRUPT)
			in->error = NATIVE_ERROR_NONE;
		break;
	default:
		break;
	}
}

/* --- Life --- */

static void input_reset(void *self)
{
	struct input *in = self;

	in->value = in->address = 0;
	in->taken = 0;
	in->error = NATIVE_ERROR_NONE;
	in->high = (struct native_high){0};
	write_enable(in, 0);
}

static int input_check(void *self)
{
	struct input *in = self;

	if (in->head >= QUEUE || in->count > QUEUE)
		return bis_fail(EINVAL, "%s: the queue has %u places, not %u events from place %u on",
				bis_module_name(in->mod), QUEUE, in->count, in->head);
	write_enable(in, in->enable);
	in->moved &= 1u << BIS_INPUT_ABSOLUTE | 1u << BIS_INPUT_RELATIVE | 1u << BIS_INPUT_WHEEL;
	if (!in->losing)
		in->losing = !push_held(in);
	if (in->losing && !in->count)
		catch_up(in);
	update_irq(in);
	return 0;
}

static void input_resume(void *self)
{
	update_irq(self);
}

static int input_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	static const struct bis_input_ops ops = {.kinds = ALL_KINDS, .wanted = wanted, .take = take, .room = room};
	struct input *in = calloc(1, sizeof(*in));
	int err;

	(void)options;
	if (!in)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	in->mod = mod;
	in->machine = bis_module_machine(mod);
	in->memory = bis_module_memory(mod);
	in->irq = bis_module_irq(mod, 0);
	err = bis_input_attach(in->machine, &ops, in);
	if (err) {
		free(in);
		return err;
	}
	*self = in;
	return 0;
}

static int input_attach(struct bis_module *mod, void *self)
{
	static const struct bis_devcsr_ops registers = {.read = input_read, .write = input_write};

	(void)self;
	return bis_attach_devcsr(mod, &registers);
}

static void input_destroy(void *self)
{
	struct input *in = self;

	bis_input_detach(in->machine, in);
	free(in);
}

const struct bis_module_class bis_input_class = {
	.abi = BIS_MODULE_ABI,
	.version = INPUT_VERSION,
	.migratable = true,
	.irqs = 1,
	.name = "input",
	.summary = "native input: keys, text and pointers",
	.fields = input_fields,
	.create = input_create,
	.attach = input_attach,
	.resume = input_resume,
	.reset = input_reset,
	.destroy = input_destroy,
	.check = input_check,
};
