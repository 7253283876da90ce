/* The first thing that a person sees. */
#ifndef GREETING_H
#define GREETING_H

void greet(void);

#endif
