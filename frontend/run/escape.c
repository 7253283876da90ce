/* The escape key filter. Runs on whatever thread reads the terminal; the state is the caller's. */
#include "escape.h"

size_t escape_filter(struct escape *e, uint8_t *buf, size_t len, enum escape_action *action)
{
	size_t kept = 0;

	*action = ESCAPE_NONE;
	for (size_t i = 0; i < len; i++) {
		uint8_t key = buf[i];

		if (!e->pending && key == ESCAPE_KEY) {
			e->pending = true;
			continue;
		}
		if (!e->pending || key == ESCAPE_KEY) {
			buf[kept++] = key;
		} else if (key == 'x' || key == 'X') {
			*action = ESCAPE_QUIT;
			return kept;
		} else if (key == 'h' || key == 'H' || key == '?') {
			*action = ESCAPE_HELP;
		}
		e->pending = false;
	}
	return kept;
}
