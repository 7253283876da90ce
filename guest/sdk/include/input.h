/*
 * Native input (slot 6): keys, typed text, pointer and wheel, as events in a queue. For M-mode and S-mode;
 * docs/devices.md has the registers. Call these only when native_present(INPUT_SLOT), from one hart at a time.
 *
 *     input_want(INPUT_ENABLE_KEY | INPUT_ENABLE_ABSOLUTE | INPUT_ENABLE_BUTTON);
 *     while (input_take(&event))
 *             if (event.kind == INPUT_KIND_BUTTON && event.code == INPUT_BUTTON_LEFT && event.value)
 *                     ...
 */
#ifndef INPUT_H
#define INPUT_H

#include <biscuit.h>
#include <stdbool.h>
#include <stdint.h>

/* Some codes of keys and buttons; all are those of Linux's input events. They say where a key is, not what is on it:
 * what was typed comes as INPUT_KIND_TEXT. */
enum input_code {
	INPUT_KEY_ESCAPE = 1,
	INPUT_KEY_BACKSPACE = 14,
	INPUT_KEY_TAB = 15,
	INPUT_KEY_ENTER = 28,
	INPUT_KEY_LEFT_CTRL = 29,
	INPUT_KEY_LEFT_SHIFT = 42,
	INPUT_KEY_RIGHT_SHIFT = 54,
	INPUT_KEY_LEFT_ALT = 56,
	INPUT_KEY_SPACE = 57,
	INPUT_KEY_RIGHT_CTRL = 97,
	INPUT_KEY_HOME = 102,
	INPUT_KEY_UP = 103,
	INPUT_KEY_PAGE_UP = 104,
	INPUT_KEY_LEFT = 105,
	INPUT_KEY_RIGHT = 106,
	INPUT_KEY_END = 107,
	INPUT_KEY_DOWN = 108,
	INPUT_KEY_PAGE_DOWN = 109,
	INPUT_KEY_INSERT = 110,
	INPUT_KEY_DELETE = 111,
	INPUT_KEY_POWER = 116, /* also: the user has closed the window */
	INPUT_BUTTON_LEFT = 0x110,
	INPUT_BUTTON_RIGHT = 0x111,
	INPUT_BUTTON_MIDDLE = 0x112,
};

/* Pointer positions go from 0 to this, from edge to edge of the picture. */
#define INPUT_RANGE 32767

struct input_event {
	unsigned kind; /* one of INPUT_KIND_ */
	unsigned code; /* of a KEY or BUTTON */
	uint32_t
		value; /* KEY: 1 pressed, 0 released, 2 repeated; BUTTON: 1 or 0; TEXT: the character; LOST: how many */
	int32_t x, y;  /* ABSOLUTE, RELATIVE, WHEEL */
};

/* Which events shall come, bits INPUT_ENABLE_; INPUT_ENABLE_INTERRUPT makes those that wait an interrupt. */
static inline void input_want(uint32_t kinds)
{
	input_enable_write(kinds);
}

/* Takes the oldest event; false if there is none. */
static inline bool input_take(struct input_event *event)
{
	uint32_t word = input_event_read();
	uint64_t value;

	event->kind = (word & INPUT_EVENT_KIND_MASK) >> INPUT_EVENT_KIND_SHIFT;
	if (event->kind == INPUT_KIND_NONE)
		return false;
	value = input_value_read();
	event->code = (word & INPUT_EVENT_CODE_MASK) >> INPUT_EVENT_CODE_SHIFT;
	event->value = (uint32_t)value;
	event->x = (int32_t)(uint32_t)value;
	event->y = (int32_t)(uint32_t)(value >> 32);
	return true;
}

#endif
