/*
 * A machine without harts that run, for tests of one device: it implements the functions of the core that devices call,
 * over real guest memory, the real bus and real character devices. Time stands still until a test moves it; timers and
 * watched descriptors are served only inside fake_advance and fake_serve.
 */
#ifndef BISCUIT_FAKE_MACHINE_H
#define BISCUIT_FAKE_MACHINE_H

#include <pthread.h>

#include <biscuit/chardev.h>
#include <biscuit/hart.h>
#include <biscuit/machine.h>
#include <biscuit/module.h>

#include "tests/unit/unit.h"

#define FAKE_RAM_SIZE UINT64_C(0x100000)
#define FAKE_RAM_END  (BIS_RAM_BASE + FAKE_RAM_SIZE)
#define FAKE_WINDOW   UINT64_C(0x10000000) /* where the register window of the module under test lies */

struct bis_hart {
	struct bis_machine *machine;
	unsigned id;
	uint32_t lines; /* bit n: enum bis_hart_line n is high */
	uint64_t mtimecmp;
};

struct bis_irq {
	bool level;
	unsigned rises;
};

struct bis_module {
	struct bis_module *next;
	struct bis_machine *machine;
	const struct bis_module_class *class;
	char name[32];
	int slot;
	void *self;
	struct bis_irq irqs[4];
	const struct bis_mmio_ops *mmio;
	const struct bis_devcsr_ops *devcsr;
	const struct bis_irqchip_ops *chip;
	const char *chip_kind;
};

struct bis_machine {
	unsigned harts;
	struct bis_hart hart[BIS_MAX_HARTS];
	struct bis_memory *memory;
	struct bis_bus *bus;
	pthread_mutex_t lock;
	uint64_t now;
	enum bis_clock clock;
	struct bis_chardev *chardevs;
	struct bis_display *_Atomic displays;
	struct bis_input_device *inputs;
	struct bis_module *modules; /* newest first */
	struct bis_timer *timers;
	struct bis_watch *watches;
	bool stop_asked, reset_asked, pause_asked;
	enum bis_stop_reason stop_reason;
	int stop_status;
	bool guest_modules;
	char request[256]; /* text of the last bis_machine_request_add */
	void (*request_done)(void *arg, int result);
	void *request_arg;
	char log[1024]; /* the last message */
};

/* A machine with 1 MiB of RAM. */
struct bis_machine *fake_create(unsigned harts);
/* Destroys modules, newest first, and everything else; fails the test if a module left a timer or watch behind. */
void fake_destroy(struct bis_machine *m);

/* Creates and attaches an instance; `slot` is -1 or what bis_module_slot says. On failure nothing of it is left. */
int fake_try_add(struct bis_machine *m, const struct bis_module_class *class, int slot, const char *options,
		 struct bis_module **out);
struct bis_module *fake_add(struct bis_machine *m, const struct bis_module_class *class, int slot, const char *options);
void fake_remove(struct bis_module *mod);
/* Lifecycle calls as the core makes them, with the device lock held. */
void fake_reset(struct bis_module *mod);
void fake_pause(struct bis_module *mod);
void fake_resume(struct bis_module *mod);

/* Register accesses through the bus; those without a result must succeed. */
enum bis_bus_result fake_try_read(struct bis_module *mod, uint64_t off, unsigned size, uint64_t *val);
enum bis_bus_result fake_try_write(struct bis_module *mod, uint64_t off, unsigned size, uint64_t val);
uint64_t fake_read(struct bis_module *mod, uint64_t off, unsigned size);
void fake_write(struct bis_module *mod, uint64_t off, unsigned size, uint64_t val);
/* Native registers. */
uint64_t fake_csr_read(struct bis_module *mod, unsigned reg);
void fake_csr_write(struct bis_module *mod, unsigned reg, uint64_t val);
/* The error that their status register tells; 0: none. */
unsigned fake_csr_error(struct bis_module *mod);

/* The level of the module's first interrupt line; of an input of a controller; of a line of a hart. */
bool fake_irq(const struct bis_module *mod);
void fake_set_input(struct bis_module *chip, unsigned input, bool level);
bool fake_line(const struct bis_machine *m, unsigned hart, enum bis_hart_line line);

/* Moves time on by `ns`, firing timers on the way at their moments. */
void fake_advance(struct bis_machine *m, uint64_t ns);
/* Waits until a watched descriptor is ready and serves it; the test fails after ten seconds without one. */
void fake_serve(struct bis_machine *m);
/* Serves what is ready now; false if nothing was. */
bool fake_serve_ready(struct bis_machine *m);

/* The module's device-tree properties as lines "name=value", children as "name{" … "}". Valid until the next call. */
const char *fake_dt(struct bis_module *mod, char *buf, size_t size);

/* A back end that keeps what it is given, taking at most `limit` bytes in all. */
struct fake_console {
	struct bis_chardev *chardev;
	uint8_t out[1 << 18];
	size_t len, limit;
	unsigned destroyed;
};

void fake_console_plug(struct bis_machine *m, struct fake_console *f);
/* Raises the limit and tells the character device. */
void fake_console_accept(struct bis_machine *m, struct fake_console *f, size_t limit);
/* Input, which must all be taken. */
void fake_console_type(struct bis_machine *m, struct fake_console *f, const char *text);
void fake_console_eof(struct bis_machine *m, struct fake_console *f);

#endif
