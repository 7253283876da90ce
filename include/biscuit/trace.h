/*
 * Watching what a machine does while it does it: one observer a machine, given at its creation. What is not asked for
 * (a callback that is NULL) is not looked for: at most one branch, off the paths of plain execution.
 *
 * All calls but `fs` come on the thread of the hart they are about, which executes nothing meanwhile: for one hart they
 * come in the order in which things happen, for several at the same time. A callback may read guest memory, ask for the
 * machine's time, and ask anything of the hart that its own thread may (hart.h: translation, names of CSRs), its
 * registers in `insn` and `trap` alone. It must not change the machine, take its control lock or its device
 * lock, nor wait for a thread that does: the machine cannot be paused until it returns.
 */
#ifndef BISCUIT_TRACE_H
#define BISCUIT_TRACE_H

#include <biscuit/hart.h>
#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A trap that a hart has taken: it stands where it goes on. Its registers are those of the program, as no trap changes
 * them but one that a module has handled. */
struct bis_trap_seen {
	bool interrupt;
	bool handled; /* by a module (SBI, HTIF): the program goes on behind it, nothing was delivered */
	uint64_t cause, tval;
	uint64_t pc;	    /* of the instruction that raised it, or that was to be next */
	enum bis_priv from; /* where to: bis_hart_priv and bis_hart_pc */
};

/* A CSR instruction that is allowed. */
struct bis_csr_seen {
	uint64_t pc;
	uint16_t number;
	bool written;	/* it writes, perhaps the value that there was */
	bool old_known; /* a write alone does not read the registers of modules and devices, as that may have effects */
	uint64_t old;	/* what it reads */
	uint64_t
		value; /* with `written`: what the CSR then holds; for one of a module or a device, what it was given */
};

/* An access of a hart to a register of a device: of a window, or of a native slot. A write is told of before it is
 * carried out, a read afterwards; accesses that no device takes are traps. */
struct bis_mmio_seen {
	const char *module; /* the instance's name; NULL: the slot is empty */
	int slot;	    /* -1: a register window */
	uint64_t offset;    /* in the window, in bytes; the number of a slot's register */
	uint64_t address;   /* physical; the CSR's number for a slot's register */
	unsigned width;	    /* in bytes */
	bool write;
	uint64_t value;
	uint64_t pc;
};

/* An operation of a guest on a shared file system, when it is done. */
struct bis_fs_seen {
	const char *share;
	const char *operation; /* "open", "read", … */
	const char *path;      /* from the share's root, "/" first; NULL: the object has no name any more */
	const char *other;     /* the second path, a link's target, an attribute's name; NULL: it has none */
	uint64_t id;	       /* of the object, or of the directory that a path starts at: as the guest sees it */
	bool has_range;	       /* the two below say something */
	uint64_t offset, length;
	int64_t result; /* 0 or a count, or a negative errno */
};

struct bis_observer {
	void *arg; /* the first argument of each */
	/* Before each instruction, also one that will trap. Blocks are one instruction long then: execution is slow. */
	void (*insn)(void *arg, struct bis_hart *h);
	void (*trap)(void *arg, struct bis_hart *h, const struct bis_trap_seen *seen);
	void (*csr)(void *arg, struct bis_hart *h, const struct bis_csr_seen *seen);
	/* With the device lock held. */
	void (*mmio)(void *arg, struct bis_hart *h, const struct bis_mmio_seen *seen);
	/* On a hart's thread, or on that of a module which works on a guest's behalf; on several at once. */
	void (*fs)(void *arg, const struct bis_fs_seen *seen);
};

/*
 * Asks a hart to call fn(arg, hart) once, between two instructions, as a callback of an observer: within microseconds
 * if it executes code, else when it does so again. False: it has not yet done what was asked before. Any thread; needs
 * no observer.
 */
bool bis_hart_ask_sample(struct bis_hart *h, void (*fn)(void *arg, struct bis_hart *h), void *arg);
/* Takes that back. At a safepoint, or while the machine is paused: then no call is under way either. */
void bis_hart_forget_sample(struct bis_hart *h);

/* For modules that share files: does somebody want to know? Then bis_machine_tell_fs tells. Any thread. */
bool bis_machine_wants_fs(const struct bis_machine *m);
void bis_machine_tell_fs(struct bis_machine *m, const struct bis_fs_seen *seen);

#ifdef __cplusplus
}
#endif
#endif
