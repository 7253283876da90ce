/* What the pointer looks like. */
#ifndef ARROW_H
#define ARROW_H

#include "picture.h"

/* Its hot spot is the upper left corner. */
void make_arrow(struct picture *p);

#endif
