/*
 * What the files of the VNC server share. All of it belongs to the server's thread; vnc_start and vnc_stop touch it
 * before that begins and after it has ended, but for `wake`, `ending` and what `lock` guards.
 */
#ifndef BISCUIT_FRONTEND_VNC_INTERNAL_H
#define BISCUIT_FRONTEND_VNC_INTERNAL_H

#include <pthread.h>
#include <rfb/rfb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <biscuit/display.h>
#include <biscuit/input.h>
#include <biscuit/types.h>

#include "frontend/vnc/vnc.h"

enum { VNC_CLIENTS_MAX = 16, VNC_DISPLAYS_MAX = 8, VNC_KEYS = 768 };

/* Somebody who looks, and what of the guest's keys and buttons they hold down. */
struct vnc_client {
	rfbClientPtr rfb; /* NULL: this place is free */
	int line;	  /* another descriptor of the connection, to hang up by; -1: none; under lock */
	uint64_t keys[VNC_KEYS / 64];
	int buttons;
	int x, y; /* where their pointer was last */
};

/* A display of the machine, watched while there are clients that have been let in. */
struct vnc_source {
	struct bis_display *display;
	struct bis_viewer *viewer; /* NULL: there are no clients */
	struct bis_view view;
};

struct vnc {
	struct bis_machine *machine;
	pthread_t thread;
	int wake;   /* eventfd: something is to be seen, or it is time to end */
	int listen; /* socket */
	atomic_bool ending;
	char password[9];
	char *passwords[2]; /* as libvncserver wants them */
	char title[128];

	rfbScreenInfoPtr rfb;
	uint32_t *pixels, *scratch; /* of rfb's size */

	struct vnc_source sources[VNC_DISPLAYS_MAX];
	size_t n_sources;
	struct vnc_source *shown; /* NULL: nothing */
	unsigned generation, cursor;
	bool cursor_shown;
	uint64_t last_look, last_change; /* ms */

	bool caps; /* the guest's caps lock, as far as clients have pressed it */
	pthread_mutex_t lock;
	struct vnc_client clients[VNC_CLIENTS_MAX];
	size_t n_clients;
	size_t n_looking; /* of them, those that have been let in */
};

/* --- Pictures (vnc_screen.c) --- */

/* The library's screen, with nothing on it. */
BIS_MUST_CHECK int vnc_screen_create(struct vnc *v);
void vnc_screen_destroy(struct vnc *v);
/* Begins to watch all displays; ends that. */
void vnc_screen_watch(struct vnc *v);
void vnc_screen_unwatch(struct vnc *v);
/* Finds out what has changed and tells the clients. */
void vnc_screen_look(struct vnc *v);
/* How many ms from now there is something to look for without being woken; -1: never. */
int vnc_screen_rest(const struct vnc *v);

/* --- Input (vnc_input.c): functions that the library calls --- */

void vnc_input_key(rfbBool down, rfbKeySym sym, rfbClientPtr cl);
void vnc_input_pointer(int buttons, int x, int y, rfbClientPtr cl);
/* Lets go all that a client holds. */
void vnc_input_release(struct vnc *v, struct vnc_client *c);

/* --- Key symbols of X11 (vnc_keys.c). Constant tables, any thread --- */

struct vnc_key {
	uint16_t code; /* 0: none */
	bool shift;    /* on a keyboard with the layout of the United States, for a character */
};
struct vnc_key vnc_key_of(uint32_t sym);
/* The character that a symbol stands for, 0: none. */
uint32_t vnc_character_of(uint32_t sym);

uint64_t vnc_now(void); /* ms */

#endif
