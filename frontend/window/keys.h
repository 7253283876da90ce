/*
 * Keys: where SDL says a key lies (its scancode) to the code of Linux's input events, and characters to the keys that
 * type them on a keyboard with the layout of the United States. Constant tables; any thread.
 */
#ifndef BISCUIT_WINDOW_KEYS_H
#define BISCUIT_WINDOW_KEYS_H

#include <SDL_scancode.h>
#include <stdbool.h>
#include <stdint.h>

/* The code of a key; 0 where it has none. */
uint16_t keys_code(SDL_Scancode scancode);
/* The code of a mouse button of SDL's (SDL_BUTTON_LEFT, …); 0 where it has none. */
uint16_t keys_button(unsigned button);

struct typed {
	uint16_t code; /* 0: no key types it */
	bool shift;
};
/* How a character is typed; a line feed and a carriage return are the enter key. */
struct typed keys_typed(uint32_t character);

#endif
