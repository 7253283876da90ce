/*
 * layout.h - where a test program's code and data lie in guest memory, and the words it prints at its end.
 * The generator writes the program by it; the comparison names the printed words by it.
 */
#ifndef BISCUIT_TESTS_DIFF_LAYOUT_H
#define BISCUIT_TESTS_DIFF_LAYOUT_H

/* Physical addresses. */
enum layout_address {
	UART = 0x10000000,
	FINISHER = 0x100000,
	UNMAPPED = 0x18000000, /* nothing answers here */
};

#define TEXT	    0x80000000u
#define TEXT_MAX    0x00700000u
#define DATA	    0x80800000u /* the program's own variables, see below */
#define DIGESTS	    0x80801000u /* one word a stretch */
#define DIGESTS_MAX 2048u
#define TRAP_LOG    0x8080c000u /* ring of the last traps, LOG_WORDS words each */
#define LOG_ENTRIES 32u
#define LOG_WORDS   4u
#define POOL	    0x8080e000u /* floating-point operands */
/* Behind each of these lies a page without restrictions. */
#define PAGE_RO	    0x80810000u /* readable only, in M-mode too (locked PMP entry) */
#define PAGE_RW	    0x80812000u /* the memory window */
#define PAGE_NONE   0x80814000u /* no access, in M-mode too */
#define PAGE_M	    0x80816000u /* no access outside M-mode */
#define PAGE_TABLES 0x80818000u /* pages.h */
#define DATA_END    0x80826000u
#define PAGE	    0x1000u

/* mscratch and sscratch hold VARS; everything below is an offset from it that fits a 12-bit immediate. */
#define VARS		  (DATA + 0x800u)
#define VAR_X(i)	  (-2048 + 8 * (int)(i)) /* x registers at the last fold */
#define VAR_F(i)	  (-1792 + 8 * (int)(i)) /* f registers */
#define VAR_CSR(i)	  (-1536 + 8 * (int)(i)) /* the CSRs of snapshot_csrs[] */
#define SNAPSHOT_CSRS_MAX 32u
#define SNAPSHOT_SIZE	  768u	  /* bytes of the three together */
#define VAR_TRAPS	  (-1280) /* number of traps taken */
#define VAR_HASH	  (-1272) /* of everything those traps reported */
#define VAR_EXIT	  (-1264) /* the ecall at this address returns to M-mode */
#define VAR_RECOVER	  (-1256) /* where an instruction-fetch fault resumes */
#define VAR_DIGEST	  (-1248) /* address of the next digest */
#define VAR_SAVE_M	  0	  /* registers the trap handlers save */
#define VAR_SAVE_S	  64

/* The program prints XLEN-wide hexadecimal words in this order, a line each, between a BEGIN and an END line. */
enum dump_region {
	DUMP_SNAPSHOT, /* SNAPSHOT_SIZE bytes */
	DUMP_TRAPS,    /* count and hash: 16 bytes */
	DUMP_LOG,
	DUMP_WINDOW,  /* PAGE_RO, PAGE_RW: read through M-mode */
	DUMP_DIGESTS, /* as many as there are */
	DUMP_REGIONS,
};

/* CSRs folded into a digest, in the order of VAR_CSR. mstatus comes first: the fold restores it. */
struct snapshot_csr {
	const char *name;
	unsigned addr;
	unsigned needs; /* 0, or 'F' or '3' (RV32 only) */
};
extern const struct snapshot_csr snapshot_csrs[];
extern const unsigned snapshot_csr_count;

#endif
