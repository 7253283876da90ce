/* Telling a machine's observer, <biscuit/trace.h>. The callers look whether it has the callback. Hart's thread. */
#ifndef BISCUIT_OBSERVE_H
#define BISCUIT_OBSERVE_H

#include <biscuit/machine.h>

struct bis_helper;
/* Called at the start of each instruction where the observer wants them all. */
extern const struct bis_helper bis_observe_insn_helper;

/* The hart has taken a trap at `pc`, in privilege `from`; it stands where it goes on. */
void bis_observe_trap(struct bis_hart *h, uint64_t pc, enum bis_priv from, uint64_t cause, uint64_t tval,
		      bool interrupt, bool handled);
/* bis_bus_read and bis_bus_write, bis_devctl_read and bis_devctl_write, told of. No lock held. */
enum bis_bus_result bis_observe_bus_read(struct bis_hart *h, uint64_t pa, unsigned size, uint64_t *value);
enum bis_bus_result bis_observe_bus_write(struct bis_hart *h, uint64_t pa, unsigned size, uint64_t value);
uint64_t bis_observe_native_read(struct bis_hart *h, unsigned address, unsigned slot, unsigned reg);
void bis_observe_native_write(struct bis_hart *h, unsigned address, unsigned slot, unsigned reg, uint64_t value);

/* Carries out what bis_hart_ask_sample has asked. Between two instructions. */
void bis_hart_give_sample(struct bis_hart *h);

#endif
