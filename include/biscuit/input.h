/*
 * Input: keys, text, pointers and wheels on their way to a guest. Whoever has a keyboard or a mouse (a window, a remote
 * screen, the inspection files) sends events; input devices of the guest receive those that they can express. Codes of
 * keys and buttons are those of Linux's input events (KEY_A is 30, BTN_LEFT 0x110), which virtio-input carries as well.
 */
#ifndef BISCUIT_INPUT_H
#define BISCUIT_INPUT_H

#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bis_machine;

enum bis_input_kind {
	BIS_INPUT_KEY,	    /* code; value 1 pressed, 0 released, 2 repeated */
	BIS_INPUT_TEXT,	    /* value: a character typed, as a Unicode code point, beside the keys */
	BIS_INPUT_BUTTON,   /* code (BTN_LEFT, …); value 1 or 0 */
	BIS_INPUT_ABSOLUTE, /* x, y: where the pointer is, 0 to BIS_INPUT_RANGE from edge to edge of the display */
	BIS_INPUT_RELATIVE, /* x, y: how far the pointer moved, in pixels, right and down positive */
	BIS_INPUT_WHEEL,    /* x, y: in 1/120 of a notch, right and away from the user positive */
	BIS_INPUT_KINDS
};
#define BIS_INPUT_RANGE 32767

struct bis_input_event {
	enum bis_input_kind kind;
	uint16_t code;
	uint32_t value;
	int32_t x, y;
};

/* Their codes by name, BIS_KEY_A, BIS_BTN_LEFT, …: rows CODE(NAME, code, "name"). */
enum bis_input_codes {
#define CODE(name, code, text) BIS_##name = (code),
#include <biscuit/input_codes.def>
};

/* A key or button by its name in lower case without the prefix: "a", "enter", "left-shift", "f12"; "button-left". */
struct bis_input_code {
	uint16_t code;
	const char *name;
};
/* Row `index` of the table of codes; NULL beyond the last. Constant data. */
const struct bis_input_code *bis_input_code(size_t index);
/* The name of a code, NULL where it has none; and the other way round, 0. */
const char *bis_input_code_name(uint16_t code);
uint16_t bis_input_code_find(const char *name);

/* --- Sending side --- */

/*
 * Sends events that belong together (a pointer's position and a button, say) to every device that takes their kind and
 * is in use by the guest. Any thread without locks of the machine's; takes the device lock. How many of them some
 * device took; those that none took are lost, which devices with a queue tell their guest. A device gets more than 64
 * in pieces.
 */
size_t bis_input_send(struct bis_machine *m, const struct bis_input_event *events, size_t count);
/*
 * How many events every device in use by the guest would take now: whoever has much to type waits for room. SIZE_MAX
 * where nothing limits it. Takes the device lock.
 */
size_t bis_input_room(struct bis_machine *m);
/* Kinds (bits) that devices in use by the guest take: whoever has a pointer prefers ABSOLUTE. Any thread. */
unsigned bis_input_kinds(struct bis_machine *m);

/* --- Device side: device lock held --- */

struct bis_input_ops {
	unsigned kinds; /* bits: 1 << BIS_INPUT_KEY, … */
	/* Is the guest using the device? NULL: always. */
	bool (*in_use)(void *self);
	/* Those of its kinds that the guest wants now, 0 as if it were not in use; NULL: all. */
	unsigned (*wanted)(void *self);
	/* Takes up to `count` events (64 at most), which belong together, of its kinds alone; how many. */
	size_t (*take)(void *self, const struct bis_input_event *events, size_t count);
	/* How many events it would take now; NULL: always all. */
	size_t (*room)(void *self);
};
/* -ENOMEM. */
BIS_MUST_CHECK int bis_input_attach(struct bis_machine *m, const struct bis_input_ops *ops, void *self);
void bis_input_detach(struct bis_machine *m, void *self);

#ifdef __cplusplus
}
#endif
#endif
