/*
 * What a device module provides and uses: register windows on the bus, native control registers, interrupt lines,
 * device-tree properties, timers and watched file descriptors. A device sees offset, width and value; it never learns
 * its base address or which interrupt controller it feeds.
 */
#ifndef BISCUIT_DEVICE_H
#define BISCUIT_DEVICE_H

#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bis_module;

/* --- Register windows (PHYS attachment) --- */

enum bis_bus_result {
	BIS_BUS_OK,
	BIS_BUS_FAULT /* the hart takes an access fault; nothing happened */
};

/*
 * A window of registers. `size` is a multiple of 4 bytes; an access reaches the device only if its width is a power of
 * two between min_access and max_access, it is naturally aligned and lies wholly inside the window. Called with the
 * machine's device lock held, on a hart's thread or the controller thread.
 */
struct bis_mmio_ops {
	uint64_t size;
	uint8_t min_access, max_access;
	enum bis_bus_result (*read)(void *self, uint64_t off, unsigned size, uint64_t *val);
	enum bis_bus_result (*write)(void *self, uint64_t off, unsigned size, uint64_t val);
};

/* --- Native control registers (DEVICE_CSR attachment) --- */

#define BIS_DEVCSR_SLOTS    16
#define BIS_DEVCSR_REGS	    8
#define BIS_DEVCSR_STATUS   6 /* register 6 of every slot */
#define BIS_DEVCSR_IDENTITY 7 /* register 7 of every slot, answered by the core */

/*
 * A slot of 8 control registers. `posted` has bit r set where a write to register r is queued and carried out on the
 * controller thread (in order within the machine); other writes and all reads complete before the guest's next
 * instruction. Values are 64 bits wide; on RV32 the upper half is zero on writes and dropped on reads.
 * Register 7 never reaches the device. Called with the machine's device lock held, but for writes to registers whose
 * bit is set in `unlocked`: those are called without it, on several harts at once perhaps, so that a write that takes
 * long keeps no other device waiting. Lifecycle calls still exclude them, as the harts are parked then.
 */
struct bis_devcsr_ops {
	uint8_t posted, unlocked;
	uint64_t (*read)(void *self, unsigned reg);
	void (*write)(void *self, unsigned reg, uint64_t val);
};

/* The identity value a slot shows in register 7: FNV-1a 24-bit hash of the class name << 8 | version. */
uint32_t bis_devcsr_identity(const char *class_name, uint8_t version);

/* --- Interrupt lines --- */

struct bis_irq;

/* Sets the level of a line. Any thread; cheap when the level does not change. NULL is a line that goes nowhere. */
void bis_irq_set(struct bis_irq *line, bool level);
/* The level last set. */
bool bis_irq_level(const struct bis_irq *line);

/*
 * An interrupt controller (IRQCHIP attachment). `set_input` reports a level change of one input (1-based, as the
 * standard controllers number them) and is called with the machine's device lock held.
 */
struct bis_irqchip_ops {
	unsigned inputs;
	void (*set_input)(void *self, unsigned input, bool level);
};

/* Outputs of an interrupt controller to a hart. */
enum bis_hart_line {
	BIS_LINE_SSIP = 1,
	BIS_LINE_MSIP = 3,
	BIS_LINE_STIP = 5,
	BIS_LINE_MTIP = 7,
	BIS_LINE_SEIP = 9,
	BIS_LINE_MEIP = 11,
	BIS_LINE_NATIVE = 16 /* native devices, through slot 0 */
};

/* --- Device tree --- */

struct bis_dt; /* the node being written; the core has opened it and adds reg, interrupts and the unit address */

void bis_dt_u32(struct bis_dt *dt, const char *name, uint32_t value);
void bis_dt_u64(struct bis_dt *dt, const char *name, uint64_t value);
void bis_dt_cells(struct bis_dt *dt, const char *name, const uint32_t *cells, size_t count);
void bis_dt_string(struct bis_dt *dt, const char *name, const char *value);
/* Several strings, each ended by NUL, `size` bytes in all. */
void bis_dt_strings(struct bis_dt *dt, const char *name, const char *values, size_t size);
void bis_dt_flag(struct bis_dt *dt, const char *name);
/* The phandle of hart `hart`'s local interrupt controller, and the machine's hart count, for interrupts-extended. */
uint32_t bis_dt_hart_intc(struct bis_dt *dt, unsigned hart);
unsigned bis_dt_hart_count(struct bis_dt *dt);
/* This node's own phandle (adds the property). */
uint32_t bis_dt_phandle(struct bis_dt *dt);
/* Opens and closes a child node; bis_dt_begin names it in full ("name" or "name@unit"). */
void bis_dt_begin(struct bis_dt *dt, const char *name);
void bis_dt_end(struct bis_dt *dt);

/* --- Time, timers, descriptors: all callbacks run on the controller thread with the device lock held --- */

/* Machine time in nanoseconds since start, standing still while the machine is paused. Any thread. */
uint64_t bis_module_now(struct bis_module *mod);

struct bis_timer;
/* A timer of the module, unarmed. It is destroyed with bis_timer_destroy or when the module goes. */
BIS_MUST_CHECK int bis_timer_create(struct bis_module *mod, void (*fire)(void *self), struct bis_timer **out);
/* Arms for machine time `when_ns` (replacing an earlier setting); UINT64_MAX disarms. Any thread. */
void bis_timer_set(struct bis_timer *t, uint64_t when_ns);
void bis_timer_destroy(struct bis_timer *t);

struct bis_watch;
enum bis_watch_events { BIS_WATCH_IN = 1, BIS_WATCH_OUT = 4 }; /* the values of POLLIN, POLLOUT */
/* Calls `ready(self, events)` while fd is ready for one of `events`; hang-up and error count as ready. */
BIS_MUST_CHECK int bis_watch_create(struct bis_module *mod, int fd, void (*ready)(void *self, unsigned events),
				    struct bis_watch **out);
/* Chooses what is waited for; 0 stops. Any thread. */
void bis_watch_set(struct bis_watch *w, unsigned events);
void bis_watch_destroy(struct bis_watch *w);

#ifdef __cplusplus
}
#endif
#endif
