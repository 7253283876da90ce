/* A biscuit that bounces, and loses crumbs doing so. */
#ifndef BISCUIT_SPRITE_H
#define BISCUIT_SPRITE_H

#include "screen.h"

/* Adds it to the screen, `width` pixels of floor wide, its floor at line `floor`. */
void biscuit_start(int width, int floor);
/* A 60th of a second goes by. */
void biscuit_step(void);
/* Somebody pokes at a place: does it hit? */
bool biscuit_poke(int x, int y);

#endif
