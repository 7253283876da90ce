/*
 * masks.h - everything the comparison leaves out, and why: the specification leaves the choice to the implementation,
 * or QEMU 7.2 does not do what it says. Two machines may differ only here. Sections are those of the privileged
 * specification 1.12 unless they say "unprivileged".
 */
#ifndef BISCUIT_TESTS_DIFF_MASKS_H
#define BISCUIT_TESTS_DIFF_MASKS_H

/* Left out by the trap handlers (runtime.c); 1 leaves it out, 0 compares it. */
enum mask {
	/* mtval of an illegal instruction is zero or the instruction's bits (3.1.16): either is taken. */
	MASK_TVAL_ILLEGAL = 1,
	/* mtval of a breakpoint by ebreak is zero or the instruction's address (3.1.16): either is taken. */
	MASK_TVAL_EBREAK = 1,
	/* mtval of a misaligned jump is the target; QEMU leaves an older value for jal and branches. */
	MASK_TVAL_MISALIGNED_JUMP = 1,
	/*
	 * An access that crosses into a page it may not touch is one access or several (3.7.1), so mtval is its own
	 * address or that of the page: a trap value in the last 7 bytes of a page counts as the next page's address.
	 */
	MASK_TVAL_CROSSING = 1,
};

/*
 * Never emitted by the generator (items_*.c). What the specification does decide is in a fixed case or in tests/guest.
 *
 * The choice is the implementation's:
 * - An access that begins in a region with its own PMP entry and crosses its end, where the parts would be allowed:
 *   one access fails, several do not (3.7.1). With paging also one that crosses into such a region's invalid page:
 *   an access fault or a page fault.
 * - sc to another address than the lr's, or after a store of the hart's own (unprivileged 8.2).
 * - MPP = 2, mtvec modes 2 and 3, odd mepc, other reserved values of WARL and WLRL fields; writes to misa.
 * - The values of identity, counter and hpm registers; menvcfg, senvcfg and debug registers, which may not exist.
 * - wfi: waits, or returns at once.
 * - mstatus.FS without F: may exist or be zero (3.1.6.6).
 * - Page-table entries not yet accessed or dirty: set by hardware, or a page fault (4.3.1).
 *
 * QEMU 7.2 differs from the specification:
 * - Atomics that fault or are misaligned must report a store (table 3.6); QEMU reports a load.
 * - Misaligned accesses to unmapped addresses: mtval must be the access's own address; QEMU rounds it down.
 * - sc without a reservation, misaligned or to a bad address: QEMU fails it without the exception.
 * - csrrs and csrrc of a read-only CSR with a register that holds zero must trap; QEMU reads.
 * - An instruction that only raises a flag must make mstatus.FS dirty; QEMU does not.
 * - ctzw of a register whose low word is zero is 32; QEMU counts on into the high word.
 * - 64-bit atomics without A must be illegal; QEMU executes them.
 * - MPRV set and MPP changed by a trap and its return: QEMU keeps translations of the mode before.
 */

#endif
