/*
 * Modules: everything that is not the core. A class is one constant; an instance is made from it with an option text
 * and adds its attachments. Out-of-tree modules export one symbol:
 *
 *     const struct bis_module_class *const bis_module_classes[] = { &my_class, NULL };
 */
#ifndef BISCUIT_MODULE_H
#define BISCUIT_MODULE_H

#include <biscuit/device.h>
#include <biscuit/error.h>
#include <biscuit/field.h>
#include <biscuit/log.h>
#include <biscuit/option.h>
#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bis_machine;
struct bis_memory;
struct bis_hart;
struct bis_module; /* an instance, as the core sees it; `self` is what create returned */

#define BIS_MODULE_ABI 1

/* Something of the host that an instance's state hangs on: all texts are valid during the call. */
struct bis_outside {
	const char *what;  /* "disk" */
	const char *name;  /* where it is, for people: a path */
	const char *state; /* what it must be like for the state to fit: "1048576 bytes, changed …" */
};

/*
 * A module class. Lifecycle calls (create to destroy) run on the machine's control thread with every hart parked at a
 * safepoint and the device lock held, so that they exclude register accesses and callbacks of the controller thread. A
 * worker thread that one of them waits for must therefore not need that lock. Every function pointer but create and
 * destroy may be NULL.
 */
struct bis_module_class {
	uint32_t abi;	  /* BIS_MODULE_ABI */
	uint8_t version;  /* of the guest-visible interface; shown in the identity register */
	bool migratable;  /* state is wholly in `fields`, timers and what `save` writes */
	bool backend;	  /* of no concern to the guest: a snapshot goes also where another one, or none, is instead */
	uint8_t irqs;	  /* number of interrupt lines the instance drives */
	const char *name; /* lower case, unique; the instance is called name or name1, name2, … */
	const char *summary;
	const struct bis_option *options; /* NULL: none */
	const struct bis_field *fields;	  /* NULL: none; offsets into `self` */

	/* Makes the instance's state. May use bis_module_* accessors; must not attach. *self is written only on
	 * success. */
	int (*create)(struct bis_module *mod, const struct bis_options *options, void **self);
	/* Adds attachments with the bis_attach_* calls; on failure the core removes what was added and calls destroy.
	 */
	int (*attach)(struct bis_module *mod, void *self);
	int (*start)(void *self); /* the machine starts running for the first time, or the module is added to a running
				     one */
	void (*stop)(void *self); /* the machine has stopped for good, or the module is about to be removed */
	void (*pause)(void *self);
	void (*resume)(void *self);
	void (*reset)(void *self); /* back to the state after create; interrupt lines low */
	void (*destroy)(void *self);
	/* Fields were set from outside, in a snapshot or through the inspection files: 0, or -EINVAL with message where
	 * they make no sense together. Before resume. */
	int (*check)(void *self);
	/*
	 * What fields cannot hold, for snapshots: save hands it to put(arg, data, len) in pieces; restore gets all of
	 * it, after the fields, and believes none of it: 0, or -EINVAL, -ENOENT, … with message. Machine paused.
	 */
	int (*save)(void *self, void (*put)(void *arg, const void *data, size_t len), void *arg);
	int (*restore)(void *self, const void *data, size_t len);
	/*
	 * For snapshots: tells of each thing outside that must be as it is now when the state is restored; before that
	 * it is told of again and compared. What was written to it is on stable storage afterwards. Machine paused, or
	 * not started yet. 0 or -errno with message.
	 */
	int (*outside)(void *self, void (*tell)(void *arg, const struct bis_outside *thing), void *arg);
	/* A verb from outside (`echo verb > modules/NAME/ctl`): 0 and a text reply, or -EINVAL with message. */
	int (*ctl)(void *self, const char *verb, char *reply, size_t size);
	/* Writes the properties of the instance's device-tree node; NULL: no node. `dt_name` is the node name, e.g.
	 * "serial". */
	const char *dt_name;
	void (*dt)(void *self, struct bis_dt *dt);
	/* For a device without register windows that writes "reg" by itself: the address in the node's name. NULL. */
	uint64_t (*dt_address)(void *self);
	/* The status bits of a native device's register 6 beyond what read(6) answers are up to the device. */
};

/* --- What an instance may ask, any time from create on --- */
struct bis_machine *bis_module_machine(const struct bis_module *mod);
struct bis_memory *bis_module_memory(const struct bis_module *mod);
const char *bis_module_name(const struct bis_module *mod); /* instance name; valid as long as the instance */
const struct bis_module_class *bis_module_class_of(const struct bis_module *mod);
void *bis_module_self(const struct bis_module *mod);
/* Line `index` (below class->irqs); lives as long as the instance. Never NULL for a valid index. */
struct bis_irq *bis_module_irq(const struct bis_module *mod, unsigned index);

/* --- Attachments: only inside attach(); ops are constants that outlive the instance. Each returns 0 or -errno. --- */

/* A register window. Where it lies is chosen by the machine (placement option `at=`); window `index` 0, 1, … of the
 * instance. */
BIS_MUST_CHECK int bis_attach_mmio(struct bis_module *mod, const struct bis_mmio_ops *ops);
/* A slot of native control registers; placement option `slot=`. */
BIS_MUST_CHECK int bis_attach_devcsr(struct bis_module *mod, const struct bis_devcsr_ops *ops);
/* An interrupt controller that lines can be wired to; `kind` "plic" or "native" names it for the placement of others.
 */
BIS_MUST_CHECK int bis_attach_irqchip(struct bis_module *mod, const char *kind, const struct bis_irqchip_ops *ops);

/*
 * A direct window (PHYS attachment that gives host memory): `size` bytes of physical addresses from the placement
 * option `at=` on, in which the module lets pages of host files appear. Harts load and store there as fast as in RAM.
 * It is not RAM: no instruction is fetched from it, no page table, LR/SC or AMO works in it, no device reads or writes
 * it; each is an access fault, and so is every access where nothing is mapped or where the file has become too short.
 * The window goes with the module, and so does what is mapped in it.
 */
struct bis_direct;
BIS_MUST_CHECK int bis_attach_direct(struct bis_module *mod, uint64_t size, struct bis_direct **out);
enum bis_direct_flags {
	BIS_DIRECT_WRITE = 1, /* stores are allowed */
	BIS_DIRECT_SHARED = 2 /* they go to the file, and what others write to it shows; otherwise a private copy */
};
/*
 * Lets `len` bytes of the file behind `fd` from `fd_offset` on appear at `off` in the window, all multiples of the page
 * size; `fd` may be closed afterwards. Any thread but a hart that is inside guest code. -EINVAL (alignment), -ERANGE
 * (outside the window), -EEXIST (something is mapped there), -ENOSPC (too many mappings), -errno of the host; no
 * message, as the answer is a guest's.
 */
BIS_MUST_CHECK int bis_direct_map(struct bis_direct *d, uint64_t off, uint64_t len, int fd, uint64_t fd_offset,
				  unsigned flags);
/* Takes one mapping, as it was made, away again: no hart reaches it after the call. -ENOENT. */
BIS_MUST_CHECK int bis_direct_unmap(struct bis_direct *d, uint64_t off, uint64_t len);
/* A free range of `len` bytes: its offset, or -ENOSPC. */
BIS_MUST_CHECK int bis_direct_place(struct bis_direct *d, uint64_t len, uint64_t *off);
uint64_t bis_direct_base(const struct bis_direct *d); /* physical address of the window */

/*
 * CSRs (CSR attachment): rows of concrete control and status registers. Privilege and read-only come from the address,
 * as the privileged specification numbers them. `read` and `write` run on the hart's thread; write gets the new value
 * (already combined for set/clear). `write` NULL: writes are ignored. -EEXIST where an address is taken.
 */
struct bis_csr_row {
	uint16_t address;
	const char *name;
	uint64_t (*read)(void *self, struct bis_hart *h, uint16_t address);
	void (*write)(void *self, struct bis_hart *h, uint16_t address, uint64_t value);
};
BIS_MUST_CHECK int bis_attach_csrs(struct bis_module *mod, const struct bis_csr_row *rows, size_t count);

/*
 * Traps (TRAP attachment): asked before architectural delivery of an exception whose code is a bit of `causes`, in
 * order of attachment; UINT64_MAX asks for all. Others cost nothing. Answers true if it has handled the trap (hart
 * registers and pc are then as the handler left them) or false to pass.
 */
typedef bool (*bis_trap_fn)(void *self, struct bis_hart *h, uint64_t cause, uint64_t tval);
BIS_MUST_CHECK int bis_attach_trap(struct bis_module *mod, uint64_t causes, bis_trap_fn handle);

/*
 * Firmware that is a module (BOOT attachment): called for each hart after each reset of it, in M-mode with pc, a0 and
 * a1 as bis_machine_set_entry says, before its first instruction. It may change any of the hart's state. Control
 * thread, harts parked, device lock held.
 */
typedef void (*bis_boot_fn)(void *self, struct bis_hart *h);
BIS_MUST_CHECK int bis_attach_boot(struct bis_module *mod, bis_boot_fn boot);

/* Instruction sets (ISA, see isa.h) and paging schemes (PAGING, see paging.h). */
struct bis_isa_family;
struct bis_insn_row;
struct bis_paging_scheme;
/* `family` NULL adds rows to a family that is already there. Rows with a NULL translate are refused. */
BIS_MUST_CHECK int bis_attach_isa(struct bis_module *mod, const struct bis_isa_family *family,
				  const struct bis_insn_row *rows, size_t count);
BIS_MUST_CHECK int bis_attach_paging(struct bis_module *mod, const struct bis_paging_scheme *scheme);

/*
 * Foreign processors (PROCESSOR attachment) beside the RISC-V harts: the core calls `run` on a thread of its own when
 * the machine runs; it returns soon after `should_stop(mod)` turns true, and is called again after a resume.
 */
struct bis_processor_ops {
	void (*run)(void *self);
};
BIS_MUST_CHECK int bis_attach_processor(struct bis_module *mod, const struct bis_processor_ops *ops);
bool bis_processor_should_stop(const struct bis_module *mod);

#ifdef __cplusplus
}
#endif
#endif
