/* Keys of the console: what its bytes and escape sequences mean. */
#ifndef KEYS_H
#define KEYS_H

#include "console.h"

#define BACKSPACE 0x7f

/* Keys that are not a character. */
enum key {
	KEY_END_OF_INPUT = CONSOLE_END,
	KEY_UNKNOWN = 256,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_UP,
	KEY_DOWN,
	KEY_HOME,
	KEY_END,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_DELETE,
	KEY_PLACE, /* no key: the terminal says where the cursor is, as it was asked to */
};

/* Waits for a key: a byte, or one of enum key. Control keys that move are turned into what they stand for. What numbers
 * the sequence had comes in `numbers` (NULL: not wanted): for KEY_PLACE the row and the column, from 1. */
int key_read(unsigned numbers[2]);

#endif
