/* Keyboard of a console: what goes to the guest, and the keys of the console itself, with its search line. */
#include <stdlib.h>
#include <string.h>

#include <vterm_keycodes.h>

#include "frontend/window/console_view_internal.h"
#include "frontend/window/utf8.h"

unsigned console_modifiers(void)
{
	SDL_Keymod m = SDL_GetModState();
	unsigned out = 0;

	if (m & KMOD_SHIFT)
		out |= VTERM_MOD_SHIFT;
	if (m & KMOD_LALT)
		out |= VTERM_MOD_ALT;
	if (m & KMOD_CTRL)
		out |= VTERM_MOD_CTRL;
	return out;
}

/* --- Copy and paste --- */

void console_copy(struct console *c, bool primary)
{
	char *text = term_selection_text(c->term);

	if (!text)
		return;
	if (!primary)
		SDL_SetClipboardText(text);
#if SDL_VERSION_ATLEAST(2, 26, 0)
	else
		SDL_SetPrimarySelectionText(text);
#endif
	free(text);
}

void console_paste(struct console *c, bool primary)
{
	char *text = NULL;

#if SDL_VERSION_ATLEAST(2, 26, 0)
	if (primary)
		text = SDL_GetPrimarySelectionText();
#endif
	if (!primary || (text && !*text)) {
		SDL_free(text);
		text = SDL_GetClipboardText();
	}
	if (text) {
		term_scroll_home(c->term);
		term_paste(c->term, text, strlen(text));
	}
	SDL_free(text);
}

/* --- Search --- */

static void search_anew(struct console *c)
{
	term_search(c->term, c->query);
	term_select_none(c->term);
	c->found = !*c->query || term_find(c->term, true);
}

static void open_search(struct console *c)
{
	char *text = term_selection_text(c->term);

	c->searching = true;
	c->query[0] = '\0';
	if (text && *text && !strpbrk(text, "\r\n") && strlen(text) < sizeof(c->query))
		strcpy(c->query, text);
	free(text);
	search_anew(c);
}

static void close_search(struct console *c)
{
	c->searching = false;
	term_search(c->term, NULL);
}

static void add_to_query(struct console *c, const char *utf8)
{
	size_t len = strlen(c->query), more = strlen(utf8);

	if (more < sizeof(c->query) - len)
		memcpy(c->query + len, utf8, more + 1);
	search_anew(c);
}

static void shorten_query(struct console *c)
{
	size_t len = strlen(c->query);

	while (len && (c->query[--len] & 0xc0) == 0x80)
		;
	c->query[len] = '\0';
	search_anew(c);
}

static void search_key(struct console *c, const SDL_KeyboardEvent *k)
{
	bool shift = k->keysym.mod & KMOD_SHIFT;

	switch (k->keysym.sym) {
	case SDLK_ESCAPE:
		close_search(c);
		break;
	case SDLK_BACKSPACE:
		shorten_query(c);
		break;
	case SDLK_RETURN:
	case SDLK_KP_ENTER:
		c->found = term_find(c->term, !shift);
		break;
	case SDLK_UP:
		c->found = term_find(c->term, true);
		break;
	case SDLK_DOWN:
		c->found = term_find(c->term, false);
		break;
	default:
		break;
	}
}

/* --- Keys of the console's own --- */

static bool with_ctrl_shift(struct console *c, SDL_Keycode key)
{
	switch (key) {
	case SDLK_c:
		console_copy(c, false);
		return true;
	case SDLK_v:
		console_paste(c, false);
		return true;
	case SDLK_f:
		if (c->searching)
			close_search(c);
		else
			open_search(c);
		return true;
	default:
		return false;
	}
}

static bool with_shift(struct console *c, SDL_Keycode key)
{
	long page = (long)term_rows(c->term) - 1;

	switch (key) {
	case SDLK_PAGEUP:
		term_scroll(c->term, page > 0 ? page : 1);
		return true;
	case SDLK_PAGEDOWN:
		term_scroll(c->term, page > 0 ? -page : -1);
		return true;
	case SDLK_HOME:
		term_scroll(c->term, (long)CONSOLE_HISTORY);
		return true;
	case SDLK_END:
		term_scroll_home(c->term);
		return true;
	case SDLK_INSERT:
		console_paste(c, true);
		return true;
	default:
		return false;
	}
}

static bool own_key(struct console *c, const SDL_KeyboardEvent *k)
{
	bool shift = k->keysym.mod & KMOD_SHIFT, ctrl = k->keysym.mod & KMOD_CTRL;

	if (k->keysym.mod & KMOD_ALT)
		return false;
	if (shift && ctrl)
		return with_ctrl_shift(c, k->keysym.sym);
	return shift && with_shift(c, k->keysym.sym);
}

/* --- Keys for the guest --- */

static const struct {
	SDL_Keycode sdl;
	int term;
	bool plain; /* Shift and Ctrl make no difference */
} keys[] = {
	{SDLK_RETURN, VTERM_KEY_ENTER, true},
	{SDLK_KP_ENTER, VTERM_KEY_ENTER, true},
	{SDLK_BACKSPACE, VTERM_KEY_BACKSPACE, true},
	{SDLK_ESCAPE, VTERM_KEY_ESCAPE, true},
	{SDLK_TAB, VTERM_KEY_TAB, false},
	{SDLK_UP, VTERM_KEY_UP, false},
	{SDLK_DOWN, VTERM_KEY_DOWN, false},
	{SDLK_LEFT, VTERM_KEY_LEFT, false},
	{SDLK_RIGHT, VTERM_KEY_RIGHT, false},
	{SDLK_INSERT, VTERM_KEY_INS, false},
	{SDLK_DELETE, VTERM_KEY_DEL, false},
	{SDLK_HOME, VTERM_KEY_HOME, false},
	{SDLK_END, VTERM_KEY_END, false},
	{SDLK_PAGEUP, VTERM_KEY_PAGEUP, false},
	{SDLK_PAGEDOWN, VTERM_KEY_PAGEDOWN, false},
};

/* The number pad's keys while Num Lock is off. */
static const struct {
	SDL_Keycode sdl;
	int term;
} pad[] = {
	{SDLK_KP_0, VTERM_KEY_INS},	 {SDLK_KP_1, VTERM_KEY_END},  {SDLK_KP_2, VTERM_KEY_DOWN},
	{SDLK_KP_3, VTERM_KEY_PAGEDOWN}, {SDLK_KP_4, VTERM_KEY_LEFT}, {SDLK_KP_6, VTERM_KEY_RIGHT},
	{SDLK_KP_7, VTERM_KEY_HOME},	 {SDLK_KP_8, VTERM_KEY_UP},   {SDLK_KP_9, VTERM_KEY_PAGEUP},
	{SDLK_KP_PERIOD, VTERM_KEY_DEL},
};

static int key_of(const SDL_KeyboardEvent *k, unsigned *modifiers)
{
	SDL_Keycode sym = k->keysym.sym;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(keys); i++) {
		if (keys[i].sdl != sym)
			continue;
		if (keys[i].plain)
			*modifiers &= VTERM_MOD_ALT;
		return keys[i].term;
	}
	for (size_t i = 0; !(k->keysym.mod & KMOD_NUM) && i < BIS_ARRAY_SIZE(pad); i++)
		if (pad[i].sdl == sym)
			return pad[i].term;
	if (sym >= SDLK_F1 && sym <= SDLK_F12)
		return VTERM_KEY_FUNCTION(sym - SDLK_F1 + 1);
	if (sym >= SDLK_F13 && sym <= SDLK_F24)
		return VTERM_KEY_FUNCTION(sym - SDLK_F13 + 13);
	return VTERM_KEY_NONE;
}

bool console_key(struct console *c, const SDL_KeyboardEvent *k)
{
	unsigned modifiers = 0;
	int key;

	if (own_key(c, k))
		return true;
	if (c->searching) {
		search_key(c, k);
		return true;
	}
	if (k->keysym.mod & KMOD_SHIFT)
		modifiers |= VTERM_MOD_SHIFT;
	if (k->keysym.mod & KMOD_LALT)
		modifiers |= VTERM_MOD_ALT;
	if (k->keysym.mod & KMOD_CTRL)
		modifiers |= VTERM_MOD_CTRL;
	key = key_of(k, &modifiers);
	if (key != VTERM_KEY_NONE)
		term_key(c->term, key, modifiers);
	else if (modifiers & (VTERM_MOD_CTRL | VTERM_MOD_ALT) && k->keysym.sym >= ' ' && k->keysym.sym < 0x7f &&
		 !(k->keysym.mod & (KMOD_RALT | KMOD_MODE)))
		term_type(c->term, (uint32_t)k->keysym.sym, modifiers);
	else
		return false;
	term_scroll_home(c->term);
	return true;
}

/* Characters with Ctrl or Alt have come as keys already. */
void console_text(struct console *c, const char *utf8)
{
	SDL_Keymod m = SDL_GetModState();
	const char *end = utf8 + strlen(utf8);

	if (m & (KMOD_CTRL | KMOD_LALT) && !(m & (KMOD_RALT | KMOD_MODE)))
		return;
	if (c->searching) {
		add_to_query(c, utf8);
		return;
	}
	while (utf8 < end)
		term_type(c->term, utf8_next(&utf8, end), 0);
	term_scroll_home(c->term);
}
