/* Input devices of a machine, as the machine itself sees them. Callers hold the device lock. */
#ifndef BISCUIT_INPUT_INTERNAL_H
#define BISCUIT_INPUT_INTERNAL_H

#include <biscuit/input.h>

/* The first of the machine's input devices; NULL in a new machine. Defined by the machine. */
struct bis_input_device **bis_machine_inputs(struct bis_machine *m);

/* Frees the list. Called after the last module has gone. */
void bis_input_destroy_all(struct bis_machine *m);

#endif
