/*
 * What goes from the terminal to the guest: keys, pasted text, the mouse, the focus. Characters are written here, as
 * libvterm has sequences of its own for Ctrl with some letters, which few programs know.
 */
#include "frontend/window/term_internal.h"
#include "frontend/window/utf8.h"

void term_key(struct term *t, int key, unsigned modifiers)
{
	vterm_keyboard_key(t->vt, (VTermKey)key, (VTermModifier)modifiers);
}

/* The control character that a key gives with Ctrl; or the character itself. */
static uint32_t control(uint32_t c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 1;
	if (c >= '@' && c <= '_')
		return c - '@';
	if (c == ' ' || c == '2')
		return 0;
	if (c >= '3' && c <= '7')
		return c - '3' + 0x1b;
	if (c == '/')
		return 0x1f;
	return c == '?' || c == '8' ? 0x7f : c;
}

void term_type(struct term *t, uint32_t character, unsigned modifiers)
{
	char out[1 + UTF8_MAX];
	size_t n = 0;

	if (modifiers & VTERM_MOD_ALT)
		out[n++] = 0x1b;
	n += utf8_put(modifiers & VTERM_MOD_CTRL ? control(character) : character, out + n);
	t->ops->output(t->arg, out, n);
}

/* Control characters could be commands; a line end is what the Enter key gives. */
static void paste_part(struct term *t, const char *utf8, const char *end)
{
	char out[1024];
	size_t n = 0;

	while (utf8 < end) {
		uint32_t c = utf8_next(&utf8, end);

		if (c == '\r' && utf8 < end && *utf8 == '\n')
			continue;
		if (c == '\n')
			c = '\r';
		if ((c < 0x20 && c != '\t' && c != '\r') || (c >= 0x7f && c < 0xa0))
			continue;
		n += utf8_put(c, out + n);
		if (n > sizeof(out) - UTF8_MAX) {
			t->ops->output(t->arg, out, n);
			n = 0;
		}
	}
	if (n)
		t->ops->output(t->arg, out, n);
}

void term_paste(struct term *t, const char *utf8, size_t len)
{
	if (!len)
		return;
	vterm_keyboard_start_paste(t->vt);
	paste_part(t, utf8, utf8 + len);
	vterm_keyboard_end_paste(t->vt);
}

void term_focus(struct term *t, bool focused)
{
	if (focused)
		vterm_state_focus_in(t->state);
	else
		vterm_state_focus_out(t->state);
}

bool term_wants_mouse(const struct term *t)
{
	return t->mouse != VTERM_PROP_MOUSE_NONE;
}

void term_mouse(struct term *t, unsigned row, unsigned column, unsigned button, bool pressed, unsigned modifiers)
{
	if (!term_wants_mouse(t))
		return;
	row = row < t->rows ? row : t->rows - 1;
	column = column < t->columns ? column : t->columns - 1;
	vterm_mouse_move(t->vt, (int)row, (int)column, (VTermModifier)modifiers);
	if (button)
		vterm_mouse_button(t->vt, (int)button, pressed, (VTermModifier)modifiers);
}
