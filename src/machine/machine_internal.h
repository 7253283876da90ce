/*
 * A machine from the inside. Guards: `request_lock` for what other threads ask of the control thread; `device_lock` for
 * device state, attachments, timers, watches and the rings; everything else belongs to the control thread or is
 * constant. Order: control_lock, device_lock, request_lock; device_lock is never taken while a hart's lock is held.
 */
#ifndef BISCUIT_MACHINE_INTERNAL_H
#define BISCUIT_MACHINE_INTERNAL_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include <biscuit/isa.h>
#include <biscuit/machine.h>
#include <biscuit/paging.h>

#include "src/cpu/breaks_internal.h"

struct bis_bus;
struct bis_chardev;
struct bis_display;
struct bis_input_device;
struct bis_netdev;
struct bis_devctl;
struct bis_engine;
struct bis_spare;

#define MAX_WINDOWS 4

struct bis_irq {
	struct bis_module *module;
	struct bis_irqchip *chip; /* where it is wired to, NULL while there is no such controller */
	const char *chip_kind;	  /* "plic", "native", or NULL: goes nowhere */
	unsigned input;
	bool level;	     /* as the controller knows it; device lock */
	_Atomic bool wanted; /* as the device last set it */
	_Atomic bool queued; /* in the interrupt ring */
};

struct bis_irqchip {
	struct bis_module *module;
	const char *kind;
	const struct bis_irqchip_ops *ops;
	struct bis_irqchip *next;
};

struct bis_window {
	uint64_t base;
	const struct bis_mmio_ops *ops;
	bool mapped;
};

struct bis_csr_attachment {
	const struct bis_csr_row *row;
	void *self;
	struct bis_module *module;
};

struct bis_trap_attachment {
	uint64_t causes;
	bis_trap_fn handle;
	struct bis_module *module;
	struct bis_trap_attachment *next;
};

struct bis_boot_attachment {
	bis_boot_fn boot;
	struct bis_module *module;
	struct bis_boot_attachment *next;
};

struct bis_paging_attachment {
	const struct bis_paging_scheme *scheme;
	struct bis_module *module;
	struct bis_paging_attachment *next;
};

struct bis_isa_attachment {
	const struct bis_isa_family *family; /* NULL: rows only */
	struct bis_row_table table;
	struct bis_module *module;
	struct bis_isa_attachment *next;
};

/* A class that the machine knows; `handle` is the shared object it came from, NULL for built-in ones. */
struct bis_known_class {
	const struct bis_module_class *class;
	void *handle;
	struct bis_known_class *next;
};

struct bis_processor {
	const struct bis_processor_ops *ops;
	pthread_t thread;
	bool running; /* the thread exists */
	_Atomic bool stop;
};

/* An instance. */
struct bis_module {
	struct bis_machine *machine;
	const struct bis_module_class *class;
	char *name;
	char *spec; /* the text that adds it again */
	void *self;
	bool attaching;
	bool started;

	/* Placement. */
	bool has_base, has_irq;
	uint64_t base;
	unsigned irq_input;
	int slot; /* -1: none */

	struct bis_window windows[MAX_WINDOWS];
	unsigned n_windows;
	const struct bis_devcsr_ops *devcsr;
	struct bis_irq *irqs; /* class->irqs of them */
	struct bis_processor *processor;
	struct bis_module *next; /* in order of creation */
};

struct bis_machine {
	struct bis_machine_config cfg;
	struct bis_isa_spec isa;
	struct bis_memory *memory;
	struct bis_bus *bus;
	struct bis_devctl *devctl;
	const struct bis_engine *engine;
	struct bis_spare *spare; /* NULL: harts do all translation themselves */
	struct bis_hart *harts[BIS_MAX_HARTS];
	unsigned n_harts;
	uint64_t entry_pc, entry_a1, entry_a2;
	uint64_t held; /* bit i: hart i stays parked while the machine runs */

	/* Attachments: changed at safepoints only. */
	struct bis_known_class *classes, *last_class;
	struct bis_module *modules, *last_module;
	const struct bis_isa_family *family;
	struct bis_decoder *decoder;
	struct bis_isa_attachment *isas;
	struct bis_paging_attachment *pagings;
	struct bis_trap_attachment *traps;
	uint64_t trap_causes; /* that some of them are asked about */
	struct bis_boot_attachment *boots;
	struct bis_csr_attachment *csrs; /* 4096 entries, or NULL */
	struct bis_irqchip *chips;
	struct bis_module *slots[BIS_DEVCSR_SLOTS];
	struct bis_chardev *chardevs;
	struct bis_netdev *netdevs;
	struct bis_display *_Atomic displays;
	struct bis_input_device *inputs; /* device lock */
	struct bis_direct *directs;
	struct bis_breaks breaks;

	pthread_mutex_t control_lock;	/* recursive; before the device lock */
	struct bis_listener *listeners; /* control_lock */
	pthread_mutex_t device_lock;

	pthread_mutex_t arming_lock;  /* held by the hart that tells the others of a page with code */
	_Atomic uint64_t flush_epoch; /* counts the requests to all harts to forget their write entries */
	_Atomic int state;	      /* enum bis_run_state */
	_Atomic bool quit;	      /* hart threads end */
	_Atomic uint64_t time_zero;   /* host ns at machine time 0 */
	_Atomic uint64_t frozen_at;   /* machine time while it stands still, or TIME_RUNS */

	/* The virtual clock. */
	_Atomic uint64_t virtual_ns;
	_Atomic uint64_t next_timer; /* when the device controller wants to be woken, ns */
	pthread_mutex_t idle_lock;   /* guards each hart's `idle` */

	pthread_mutex_t request_lock;
	pthread_cond_t request_cond;
	bool stop_asked, reset_asked, pause_asked, add_asked;
	bool break_reached; /* and not told of yet */
	struct bis_event break_event;
	enum bis_stop_reason stop_reason;
	int stop_status;
	uint64_t step;	   /* the step that is under way, 0: none; written with the control lock, too */
	uint64_t stepping; /* bit i: hart i has not done its step; with `step` alone */
	uint64_t last_step;
	pthread_cond_t step_cond; /* `stepping` is 0, or `step` another */
	char *add_spec;
	struct bis_log_limit add_limit;
	void (*add_done)(void *arg, int result);
	void *add_arg;
};

#define TIME_RUNS UINT64_MAX

/* --- run_state.c --- */
/*
 * Parks every hart and processor; release lets those run again that ran, and do not wait for the control thread.
 * Control thread.
 */
void bis_machine_park(struct bis_machine *m);
void bis_machine_release(struct bis_machine *m);
/* Ends a machine that runs, is paused, or failed to start. Control thread. */
void bis_machine_stop(struct bis_machine *m);
/*
 * A machine that runs stands still, with its time and its modules, as if it were paused; nobody is told. False if it
 * did not run. let_go lets it go on, with the step that was under way. Control lock held all the time between.
 */
bool bis_machine_hold(struct bis_machine *m);
void bis_machine_let_go(struct bis_machine *m);

/* --- request.c --- */
/*
 * A hart has reached a breakpoint and stops: the machine is going to pause. False if another hart was first; this one
 * will reach its breakpoint again then. Hart's thread.
 */
bool bis_machine_break(struct bis_machine *m, const struct bis_event *event);
/* The harts that may run in a running machine: none if the control thread has something to do before. */
uint64_t bis_machine_may_run(struct bis_machine *m);
/* A step of those harts begins: what it is known by. Control lock, harts parked. */
uint64_t bis_machine_begin_step(struct bis_machine *m, uint64_t harts);
/* A hart is done with its step. Hart's thread. */
void bis_machine_has_stepped(struct bis_machine *m, unsigned hart);
/* Waits until each hart is done, or the step is to end early, or has ended. Best without the control lock. */
void bis_machine_await_step(struct bis_machine *m, uint64_t step);
/* The machine stands still: no step is under way. Was a pause asked for? It has come then. Control lock. */
bool bis_machine_has_rested(struct bis_machine *m);
/* Tells of a breakpoint reached since the last call: true if there was one. Control lock, harts parked. */
bool bis_machine_tell_break(struct bis_machine *m);

/* --- events.c --- */
void bis_machine_tell(struct bis_machine *m, const struct bis_event *event);

/* --- src/cpu/breaks.c --- */
/* Breakpoint `id` was hit: it counts that, and goes if it was for once. Control lock, harts parked. */
void bis_breaks_was_hit(struct bis_machine *m, unsigned id);
/* The machine has come to rest: those that were set until then go. Control lock, harts parked. */
void bis_breaks_at_rest(struct bis_machine *m);

/* --- clock.c --- */
uint64_t bis_host_ns(void);
/* Machine time stands still, and runs on. Control thread. */
void bis_clock_freeze(struct bis_machine *m);
void bis_clock_thaw(struct bis_machine *m);
/* Sets the time of a machine that stands still, ns. */
void bis_clock_set(struct bis_machine *m, uint64_t now);

/* --- module.c --- */
void bis_machine_add_class(struct bis_machine *m, struct bis_known_class *known);
void bis_modules_destroy_all(struct bis_machine *m);
void bis_module_destroy(struct bis_module *mod);

/* --- attach.c --- */
const struct bis_paging_scheme *bis_machine_paging(const struct bis_machine *m, unsigned xlen, unsigned mode);
const struct bis_csr_attachment *bis_machine_csr(const struct bis_machine *m, unsigned address);
bool bis_machine_offer_trap(struct bis_machine *m, struct bis_hart *h, uint64_t cause, uint64_t tval);
/* Lets firmware modules prepare a hart that has been reset. Harts parked, device lock held. */
void bis_machine_boot_hart(struct bis_machine *m, struct bis_hart *h);
/* Takes out everything the module attached. Harts parked. */
void bis_detach_all(struct bis_module *mod);
/* Rebuilds the decoder from the attached rows and drops all translations. */
BIS_MUST_CHECK int bis_machine_rebuild_decoder(struct bis_machine *m);
/* Wires the lines of every module to the controllers that are there. */
void bis_machine_wire_irqs(struct bis_machine *m);

/* --- processor.c --- */
BIS_MUST_CHECK int bis_processor_start(struct bis_module *mod);
void bis_processor_stop(struct bis_module *mod);

/* --- devctl.c: the device controller --- */
BIS_MUST_CHECK int bis_devctl_create(struct bis_machine *m, struct bis_devctl **out);
void bis_devctl_destroy(struct bis_devctl *d);
/* A hart's access to a native register, in order with what was posted before. An empty slot reads as zero. */
uint64_t bis_devctl_read(struct bis_machine *m, unsigned slot, unsigned reg);
void bis_devctl_write(struct bis_machine *m, unsigned slot, unsigned reg, uint64_t value);
/* Queues a line for the controller thread. Any thread, no lock needed. */
void bis_devctl_queue_irq(struct bis_devctl *d, struct bis_irq *line);
/* Makes the controller thread look at timers and watches again. Any thread. */
void bis_devctl_kick(struct bis_devctl *d);
/* Carries out, or forgets, the posted writes that wait. Device lock held. */
void bis_devctl_drain_posted(struct bis_devctl *d);
void bis_devctl_discard_posted(struct bis_devctl *d);
/* Drops queued work of a module that goes. Device lock held. */
void bis_devctl_forget(struct bis_devctl *d, struct bis_module *mod);
/* When timer `index` of the module is due, or sets that: false beyond the last. In the same order every time. Device
 * lock held. */
bool bis_devctl_timer(const struct bis_module *mod, size_t index, uint64_t *when);
bool bis_devctl_set_timer(struct bis_module *mod, size_t index, uint64_t when);
/* Frees the timers and watches that a module has left. Device lock held. */
void bis_devctl_drop_callbacks(struct bis_devctl *d, const struct bis_module *mod);

/* --- irq.c --- */
/* Tells the line's controller of its wanted level. Device lock held. */
void bis_irq_deliver(struct bis_irq *line);
/* The same for every line of the machine. Device lock held. */
void bis_irq_deliver_all(struct bis_machine *m);

#endif
