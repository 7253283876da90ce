/*
 * A machine: harts, memory, bus, device controller and module instances. A process may have several.
 *
 * The functions that change a machine (add, remove, start, pause, resume, step, reset) take its control lock: any
 * thread may call them but a hart's, one that is inside a module's callback, or one that holds the device lock. Whoever
 * has the control lock is "the control thread" of these headers for that time.
 */
#ifndef BISCUIT_MACHINE_H
#define BISCUIT_MACHINE_H

#include <biscuit/hart.h>
#include <biscuit/log.h>
#include <biscuit/memory.h>
#include <biscuit/module.h>
#include <biscuit/trace.h>
#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BIS_MAX_HARTS	8
#define BIS_TIMEBASE_HZ 10000000u
#define BIS_RAM_BASE	UINT64_C(0x80000000)

/*
 * What machine time is. HOST: the host's monotonic clock, standing still while the machine is paused. VIRTUAL: counted
 * in executed instructions, 10 ns each, and moved to the next deadline, after that long a wait, when every hart sleeps;
 * a machine with one hart and no input from outside then does the same each time.
 */
enum bis_clock { BIS_CLOCK_HOST, BIS_CLOCK_VIRTUAL };

/* Whether a thread beside the harts makes the best code of what is hot: AUTO where the host has a processor for it and
 * the clock is the host's. The guest sees no difference. */
enum bis_background { BIS_BACKGROUND_AUTO, BIS_BACKGROUND_OFF, BIS_BACKGROUND_ON };

struct bis_translation;

struct bis_machine_config {
	uint64_t ram_size;  /* bytes, multiple of the page size; 0 = 128 MiB */
	unsigned harts;	    /* 1 to BIS_MAX_HARTS; 0 = 1 */
	const char *isa;    /* NULL = "rv64" */
	const char *engine; /* NULL: jit on x86-64, elsewhere interp */
	/* Classes known from the start: NULL-terminated. Loaded ones are added by bis_machine_load_module. */
	const struct bis_module_class *const *classes;
	bis_log_fn log; /* NULL: nothing is logged */
	void *log_arg;
	enum bis_log_level log_level;
	bool allow_guest_modules;
	enum bis_clock clock;
	/* Most bytes of translated code, all harts together: 512 KiB to 1 GiB a hart; 0 = 64 MiB, of which a hart gets
	 * 16 MiB at most. */
	uint64_t code_cache;
	enum bis_background background;
	bool debug_engine; /* a gdb attached to Biscuit itself is told of translated code, which takes time */
	struct bis_observer observer; /* copied */
	/* Called on a hart's thread after each block it has translated, when not NULL; `t` is valid during the call. */
	void (*translated)(void *arg, const struct bis_translation *t);
	void *translated_arg;
};

/* --- What was translated --- */

struct bis_translation_code {
	uint64_t pa;	  /* of the first instruction */
	bool trace, loop; /* a path through several blocks; one that leads back to its start */
	const void *code; /* readable here, */
	uint64_t address; /* and executed there: host machine code, if the engine makes any */
	size_t size;
};
void bis_translation_code(const struct bis_translation *t, struct bis_translation_code *out);
size_t bis_translation_insns(const struct bis_translation *t);
/* Guest instruction `index` as text, and where it lies. -ENOENT beyond the last. */
BIS_MUST_CHECK int bis_translation_guest(const struct bis_translation *t, size_t index, uint64_t *pa, char *buf,
					 size_t size);
/* Operation `index` of guest instruction `insn` as text. -ENOENT beyond the last, without message. */
BIS_MUST_CHECK int bis_translation_operation(const struct bis_translation *t, size_t insn, size_t index, char *buf,
					     size_t size);

BIS_MUST_CHECK int bis_machine_create(const struct bis_machine_config *cfg, struct bis_machine **out);
/* Stops, destroys every module in reverse order and frees everything. NULL is allowed. */
void bis_machine_destroy(struct bis_machine *m);

/*
 * Adds an instance: "class", or "class,key=value,…". Besides the class's own options the core takes the placement keys
 *   name=NAME   instance name (default: class, class1, class2, … as free)
 *   at=ADDR     address of its first register window (further windows follow it, each aligned to its size)
 *   irq=N       input of the PLIC its interrupt line is wired to; without it, that of a native device goes to slot 0
 *   slot=K      native control-register slot
 *
 * May be called while the machine runs. -EINVAL, -ENOENT (unknown class), -EEXIST (place taken), with message.
 */
BIS_MUST_CHECK int bis_machine_add(struct bis_machine *m, const char *spec, struct bis_module **out);
/* Removes an instance and everything it attached, waiting for accesses in flight. -EBUSY if others depend on it. */
BIS_MUST_CHECK int bis_machine_remove(struct bis_machine *m, struct bis_module *mod);
/* Loads module classes from a shared object (stays loaded until the machine goes). -ENOENT, -ENOEXEC (wrong ABI or no
 * table). */
BIS_MUST_CHECK int bis_machine_load_module(struct bis_machine *m, const char *path);

/* Enumeration; NULL beyond the last. Valid until the next add or remove. */
struct bis_module *bis_machine_module(struct bis_machine *m, size_t index);
struct bis_module *bis_machine_find(struct bis_machine *m, const char *name);
const struct bis_module_class *bis_machine_class(struct bis_machine *m, size_t index);
const struct bis_module_class *bis_machine_find_class(struct bis_machine *m, const char *name);
/* Placement of an instance: windows (base, size), slot (-1: none) and irq (0: none). -ENOENT beyond the last window. */
BIS_MUST_CHECK int bis_module_window(const struct bis_module *mod, size_t index, uint64_t *base, uint64_t *size);
int bis_module_slot(const struct bis_module *mod);
/* The text that adds the instance again (bis_machine_add), with its name. */
const char *bis_module_spec(const struct bis_module *mod);
/* Was a place given with `at=`? */
bool bis_module_has_place(const struct bis_module *mod);
unsigned bis_module_irq_input(const struct bis_module *mod, unsigned index);

struct bis_memory *bis_machine_memory(struct bis_machine *m);
unsigned bis_machine_harts(const struct bis_machine *m);
struct bis_hart *bis_machine_hart(struct bis_machine *m, unsigned index);
bool bis_machine_guest_modules_allowed(const struct bis_machine *m);
const char *bis_machine_engine(const struct bis_machine *m);

/* Where every hart starts after start or reset: pc, a0 = hart id, a1 and a2 as given, privilege M. Kept for later
 * resets. */
void bis_machine_set_entry(struct bis_machine *m, uint64_t pc, uint64_t a1, uint64_t a2);

enum bis_run_state { BIS_CREATED, BIS_RUNNING, BIS_PAUSED, BIS_STOPPED };

BIS_MUST_CHECK int bis_machine_start(struct bis_machine *m);
/* As bis_machine_start, but the machine is paused before its first instruction. */
BIS_MUST_CHECK int bis_machine_start_paused(struct bis_machine *m);
BIS_MUST_CHECK int
bis_machine_pause(struct bis_machine *m); /* returns with every hart parked; -EINVAL unless running */
BIS_MUST_CHECK int bis_machine_resume(struct bis_machine *m); /* -EINVAL unless paused */
/*
 * The same for some of the harts (bit i: hart i), while the others stay where they are until the next pause. -EINVAL
 * for none.
 */
BIS_MUST_CHECK int bis_machine_resume_harts(struct bis_machine *m, uint64_t harts);
/*
 * Runs each hart for exactly `count` more instructions, then pauses again; for fewer if it sleeps or does nothing but
 * trap, if a breakpoint is reached, or if somebody pauses, stops or resets the machine or asks for that. Only when
 * paused. Until then the machine is running, and others may look at it as at any other time: the caller does not have
 * the control lock while it waits, and should not have taken it before.
 */
BIS_MUST_CHECK int bis_machine_step(struct bis_machine *m, uint64_t count);
/* The same for some of the harts (bit i: hart i), while the others stay where they are. -EINVAL for none. */
BIS_MUST_CHECK int bis_machine_step_harts(struct bis_machine *m, uint64_t harts, uint64_t count);
/*
 * Lets some of the harts do one thing: retire an instruction, or take the trap that it raises or an interrupt, and then
 * stand before the handler's first instruction.
 */
BIS_MUST_CHECK int bis_machine_step_once(struct bis_machine *m, uint64_t harts);
/* Lets a step that is under way, if there is one, end early and its caller go on soon. Any thread. */
void bis_machine_end_step(struct bis_machine *m);
/* Every module and hart back to its state at start; RAM is kept. Keeps running if it ran. */
BIS_MUST_CHECK int bis_machine_reset(struct bis_machine *m);
enum bis_run_state bis_machine_state(struct bis_machine *m); /* any thread */

/* Why a machine stopped. */
enum bis_stop_reason { BIS_STOP_POWER_OFF, BIS_STOP_RESET_REQUEST, BIS_STOP_ERROR, BIS_STOP_HOST };
/*
 * Requests from devices and frontends, any thread, also from a hart's thread: the machine stops (or resets) soon.
 * The first request wins. `status` is the guest's exit status, 0-255. Power off ends bis_machine_join.
 */
void bis_machine_request_stop(struct bis_machine *m, enum bis_stop_reason why, int status);
void bis_machine_request_reset(struct bis_machine *m);
void bis_machine_request_pause(struct bis_machine *m);
/*
 * Asks for an instance to be added on the control thread (a guest's wish, through slot 0). `done` is called there with
 * the device lock held: the result of bis_machine_add. -EAGAIN when another such wish is still open.
 */
BIS_MUST_CHECK int bis_machine_request_add(struct bis_machine *m, const char *spec, void (*done)(void *arg, int result),
					   void *arg);
/*
 * Waits until the machine stops, carrying out requested pauses and reached breakpoints. 0 with *why, and in *status the
 * guest's exit status. A request for a reset is not carried out but given back (BIS_STOP_RESET_REQUEST), with the
 * machine paused, and in *status 1 if it was running until then, 0 if it was paused already.
 * -ETIMEDOUT after timeout_ms; a negative one waits for ever.
 */
BIS_MUST_CHECK int bis_machine_join(struct bis_machine *m, int timeout_ms, enum bis_stop_reason *why, int *status);

/*
 * The control lock. Between these two calls nobody else changes the machine's run state or its modules. It may be taken
 * again by who has it; it comes before the device lock.
 */
void bis_machine_lock_control(struct bis_machine *m);
void bis_machine_unlock_control(struct bis_machine *m);
/*
 * Calls fn(arg) with the control lock and the device lock held and every hart parked, and lets the machine go on if it
 * was running; time does not stand still meanwhile, so it should be a matter of microseconds. Gives what fn gives.
 */
int bis_machine_at_safepoint(struct bis_machine *m, int (*fn)(void *arg), void *arg);

/* Machine time in ns since start (paused time does not count), and the same in timebase ticks. Any thread. */
uint64_t bis_machine_now(const struct bis_machine *m);
uint64_t bis_machine_ticks(const struct bis_machine *m);
enum bis_clock bis_machine_clock(const struct bis_machine *m);

/* Takes or releases the device lock, under which register accesses and device callbacks run. It may be taken again by
 * who has it. */
void bis_machine_lock_devices(struct bis_machine *m);
void bis_machine_unlock_devices(struct bis_machine *m);

#ifdef __cplusplus
}
#endif
#endif
