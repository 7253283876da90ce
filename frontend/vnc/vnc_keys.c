/*
 * Key symbols of X11, which VNC clients send, as keys of a guest and as characters. For a character that is the key
 * that types it on a keyboard with the layout of the United States. Constant tables, any thread.
 */
#include "frontend/vnc/vnc_internal.h"

#include <rfb/keysym.h>

#define UNICODE_FIRST 0x01000000u
#define UNICODE_LAST  0x0110ffffu

/* The characters of each key, plain and with shift. */
static const struct {
	uint16_t code;
	char plain, shifted;
} characters[] = {
	{BIS_KEY_GRAVE, '`', '~'},	{BIS_KEY_1, '1', '!'},	       {BIS_KEY_2, '2', '@'},
	{BIS_KEY_3, '3', '#'},		{BIS_KEY_4, '4', '$'},	       {BIS_KEY_5, '5', '%'},
	{BIS_KEY_6, '6', '^'},		{BIS_KEY_7, '7', '&'},	       {BIS_KEY_8, '8', '*'},
	{BIS_KEY_9, '9', '('},		{BIS_KEY_0, '0', ')'},	       {BIS_KEY_MINUS, '-', '_'},
	{BIS_KEY_EQUAL, '=', '+'},	{BIS_KEY_LEFTBRACE, '[', '{'}, {BIS_KEY_RIGHTBRACE, ']', '}'},
	{BIS_KEY_BACKSLASH, '\\', '|'}, {BIS_KEY_SEMICOLON, ';', ':'}, {BIS_KEY_APOSTROPHE, '\'', '"'},
	{BIS_KEY_COMMA, ',', '<'},	{BIS_KEY_DOT, '.', '>'},       {BIS_KEY_SLASH, '/', '?'},
	{BIS_KEY_SPACE, ' ', ' '},
};

static const uint16_t letters[] = {
	BIS_KEY_A, BIS_KEY_B, BIS_KEY_C, BIS_KEY_D, BIS_KEY_E, BIS_KEY_F, BIS_KEY_G, BIS_KEY_H, BIS_KEY_I,
	BIS_KEY_J, BIS_KEY_K, BIS_KEY_L, BIS_KEY_M, BIS_KEY_N, BIS_KEY_O, BIS_KEY_P, BIS_KEY_Q, BIS_KEY_R,
	BIS_KEY_S, BIS_KEY_T, BIS_KEY_U, BIS_KEY_V, BIS_KEY_W, BIS_KEY_X, BIS_KEY_Y, BIS_KEY_Z,
};

static const struct {
	uint32_t sym;
	uint16_t code;
} keys[] = {
	{XK_BackSpace, BIS_KEY_BACKSPACE},
	{XK_Tab, BIS_KEY_TAB},
	{XK_ISO_Left_Tab, BIS_KEY_TAB},
	{XK_Linefeed, BIS_KEY_ENTER},
	{XK_Return, BIS_KEY_ENTER},
	{XK_Pause, BIS_KEY_PAUSE},
	{XK_Break, BIS_KEY_PAUSE},
	{XK_Scroll_Lock, BIS_KEY_SCROLLLOCK},
	{XK_Sys_Req, BIS_KEY_SYSRQ},
	{XK_Print, BIS_KEY_SYSRQ},
	{XK_Escape, BIS_KEY_ESC},
	{XK_Delete, BIS_KEY_DELETE},
	{XK_Multi_key, BIS_KEY_COMPOSE},
	{XK_Home, BIS_KEY_HOME},
	{XK_Left, BIS_KEY_LEFT},
	{XK_Up, BIS_KEY_UP},
	{XK_Right, BIS_KEY_RIGHT},
	{XK_Down, BIS_KEY_DOWN},
	{XK_Page_Up, BIS_KEY_PAGEUP},
	{XK_Page_Down, BIS_KEY_PAGEDOWN},
	{XK_End, BIS_KEY_END},
	{XK_Insert, BIS_KEY_INSERT},
	{XK_Undo, BIS_KEY_UNDO},
	{XK_Menu, BIS_KEY_COMPOSE},
	{XK_Find, BIS_KEY_FIND},
	{XK_Help, BIS_KEY_HELP},
	{XK_Mode_switch, BIS_KEY_RIGHTALT},
	{XK_ISO_Level3_Shift, BIS_KEY_RIGHTALT},
	{XK_Num_Lock, BIS_KEY_NUMLOCK},
	{XK_KP_Enter, BIS_KEY_KPENTER},
	{XK_KP_Home, BIS_KEY_KP7},
	{XK_KP_Left, BIS_KEY_KP4},
	{XK_KP_Up, BIS_KEY_KP8},
	{XK_KP_Right, BIS_KEY_KP6},
	{XK_KP_Down, BIS_KEY_KP2},
	{XK_KP_Page_Up, BIS_KEY_KP9},
	{XK_KP_Page_Down, BIS_KEY_KP3},
	{XK_KP_End, BIS_KEY_KP1},
	{XK_KP_Begin, BIS_KEY_KP5},
	{XK_KP_Insert, BIS_KEY_KP0},
	{XK_KP_Delete, BIS_KEY_KPDOT},
	{XK_KP_Equal, BIS_KEY_KPEQUAL},
	{XK_KP_Multiply, BIS_KEY_KPASTERISK},
	{XK_KP_Add, BIS_KEY_KPPLUS},
	{XK_KP_Separator, BIS_KEY_KPCOMMA},
	{XK_KP_Subtract, BIS_KEY_KPMINUS},
	{XK_KP_Decimal, BIS_KEY_KPDOT},
	{XK_KP_Divide, BIS_KEY_KPSLASH},
	{XK_KP_0, BIS_KEY_KP0},
	{XK_KP_1, BIS_KEY_KP1},
	{XK_KP_2, BIS_KEY_KP2},
	{XK_KP_3, BIS_KEY_KP3},
	{XK_KP_4, BIS_KEY_KP4},
	{XK_KP_5, BIS_KEY_KP5},
	{XK_KP_6, BIS_KEY_KP6},
	{XK_KP_7, BIS_KEY_KP7},
	{XK_KP_8, BIS_KEY_KP8},
	{XK_KP_9, BIS_KEY_KP9},
	{XK_F1, BIS_KEY_F1},
	{XK_F2, BIS_KEY_F2},
	{XK_F3, BIS_KEY_F3},
	{XK_F4, BIS_KEY_F4},
	{XK_F5, BIS_KEY_F5},
	{XK_F6, BIS_KEY_F6},
	{XK_F7, BIS_KEY_F7},
	{XK_F8, BIS_KEY_F8},
	{XK_F9, BIS_KEY_F9},
	{XK_F10, BIS_KEY_F10},
	{XK_F11, BIS_KEY_F11},
	{XK_F12, BIS_KEY_F12},
	{XK_Shift_L, BIS_KEY_LEFTSHIFT},
	{XK_Shift_R, BIS_KEY_RIGHTSHIFT},
	{XK_Control_L, BIS_KEY_LEFTCTRL},
	{XK_Control_R, BIS_KEY_RIGHTCTRL},
	{XK_Caps_Lock, BIS_KEY_CAPSLOCK},
	{XK_Meta_L, BIS_KEY_LEFTALT},
	{XK_Meta_R, BIS_KEY_RIGHTALT},
	{XK_Alt_L, BIS_KEY_LEFTALT},
	{XK_Alt_R, BIS_KEY_RIGHTALT},
	{XK_Super_L, BIS_KEY_LEFTMETA},
	{XK_Super_R, BIS_KEY_RIGHTMETA},
};

struct vnc_key vnc_key_of(uint32_t sym)
{
	uint32_t c = sym >= UNICODE_FIRST && sym < UNICODE_FIRST + 128 ? sym - UNICODE_FIRST : sym;

	if (c >= 'a' && c <= 'z')
		return (struct vnc_key){letters[c - 'a'], false};
	if (c >= 'A' && c <= 'Z')
		return (struct vnc_key){letters[c - 'A'], true};
	for (size_t i = 0; i < BIS_ARRAY_SIZE(characters); i++)
		if (c == (unsigned char)characters[i].plain || c == (unsigned char)characters[i].shifted)
			return (struct vnc_key){characters[i].code, c != (unsigned char)characters[i].plain};
	for (size_t i = 0; i < BIS_ARRAY_SIZE(keys); i++)
		if (keys[i].sym == sym)
			return (struct vnc_key){keys[i].code, false};
	return (struct vnc_key){0, false};
}

/* Symbols below 256 are Latin-1; those of the keypad's digits and signs lie 0xff80 above their characters. */
uint32_t vnc_character_of(uint32_t sym)
{
	if ((sym >= 0x20 && sym < 0x7f) || (sym >= 0xa0 && sym <= 0xff))
		return sym;
	if (sym >= UNICODE_FIRST && sym <= UNICODE_LAST && sym - UNICODE_FIRST >= 0x20)
		return sym - UNICODE_FIRST;
	if (sym >= XK_KP_Multiply && sym <= XK_KP_9)
		return sym - 0xff80;
	if (sym == XK_KP_Equal)
		return '=';
	return sym == XK_EuroSign ? 0x20ac : 0;
}
