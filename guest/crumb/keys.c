/* Keys come as bytes or as escape sequences (ECMA-48); each becomes one of enum key. */
#include "keys.h"
#include <ctype.h>
#include <stddef.h>

#define ESCAPE 0x1b

/* ESC [ number ~ */
static int key_of_number(unsigned number)
{
	switch (number) {
	case 1:
	case 7:
		return KEY_HOME;
	case 4:
	case 8:
		return KEY_END;
	case 3:
		return KEY_DELETE;
	case 5:
		return KEY_PAGE_UP;
	case 6:
		return KEY_PAGE_DOWN;
	default:
		return KEY_UNKNOWN;
	}
}

/* The final byte of an escape sequence says which key it was; for `~` the number before it does. */
static int key_of_sequence(int final, unsigned number)
{
	switch (final) {
	case 'A':
		return KEY_UP;
	case 'B':
		return KEY_DOWN;
	case 'C':
		return KEY_RIGHT;
	case 'D':
		return KEY_LEFT;
	case 'H':
		return KEY_HOME;
	case 'F':
		return KEY_END;
	case 'R':
		return KEY_PLACE;
	case '~':
		return key_of_number(number);
	default:
		return KEY_UNKNOWN;
	}
}

/* ESC [ numbers final, or ESC O final. */
static int read_sequence(unsigned numbers[2])
{
	unsigned which = 0;
	int c = console_read();

	if (c != '[' && c != 'O')
		return KEY_UNKNOWN;
	for (c = console_read(); isdigit(c) || c == ';'; c = console_read()) {
		if (c == ';')
			which++;
		else if (which < 2 && numbers[which] < 1000)
			numbers[which] = numbers[which] * 10 + (unsigned)(c - '0');
	}
	return c == CONSOLE_END ? KEY_END_OF_INPUT : key_of_sequence(c, numbers[0]);
}

int key_read(unsigned numbers[2])
{
	unsigned found[2] = {0}, *to = numbers ? numbers : found;
	int c = console_read();

	to[0] = to[1] = 0;
	switch (c) {
	case ESCAPE:
		return read_sequence(to);
	case KEY_CTRL('A'):
		return KEY_HOME;
	case KEY_CTRL('E'):
		return KEY_END;
	case KEY_CTRL('B'):
		return KEY_LEFT;
	case KEY_CTRL('F'):
		return KEY_RIGHT;
	case KEY_CTRL('P'):
		return KEY_UP;
	case KEY_CTRL('N'):
		return KEY_DOWN;
	case KEY_CTRL('H'):
		return BACKSPACE;
	default:
		return c;
	}
}
