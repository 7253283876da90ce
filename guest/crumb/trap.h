/* The state of what was running when a trap came, as trap.S saves it on the kernel stack. */
#ifndef TRAP_H
#define TRAP_H

/* Words of a frame: 31 registers, sepc, sstatus, and padding to a multiple of 16 bytes. */
#define FRAME_WORDS  36
#define FRAME_EPC    31
#define FRAME_STATUS 32

#ifndef __ASSEMBLER__

struct trap_frame {
	unsigned long x[31];  /* x1 to x31: register n is x[n - 1] */
	unsigned long epc;    /* where it goes on */
	unsigned long status; /* sstatus: the privilege mode it goes on in */
	unsigned long padding[3];
};

/* Places in x[]. */
enum { FRAME_SP = 1, FRAME_A0 = 9, FRAME_A1 = 10, FRAME_A2 = 11, FRAME_A7 = 16 };

/* Sends all traps to trap.S. */
void traps_init(void);

/* Goes on with what the frame at the stack pointer says. Only to be jumped to. */
void trap_return(void);

#endif
#endif
