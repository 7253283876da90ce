/*
 * Every way out of translated code and back, forced: budgets that end anywhere, exits that are not linked or not any
 * more, jumps that are found and not found, accesses that miss, cross, fault, reach devices or code, helpers that trap
 * or end a block, and translations that vanish between any two instructions. The interpreter must do the same; counters
 * tell that the case has come up. docs/jit.md lists which test forces what.
 */
#include <string.h>

#include "tests/unit/engines_rig.h"

#define CODE2	  (RIG_CODE + 0x2000)
#define FAR	  (TLB_ENTRIES * 4096) /* pages that far apart share a place in the TLB */
#define APART	  (JUMP_ENTRIES * 2)   /* the same for places of jumps */
#define RAM_END	  (RIG_CODE + RIG_RAM_SIZE)
#define NOWHERE	  UINT64_C(0x18000000)
#define HEATED	  250000 /* instructions after which these loops are traces */
#define DATA_SIZE 0x4000
#define STRADDLED 0x4ffe /* where an instruction over two pages begins */
#define ABSENT	  0x7ff	 /* no CSR */
#define DIVIDED	  1	 /* as s3: PMP treats a part of the page apart, nothing of it is kept */

#define BGE(rs1, rs2, d) ASM_B(d, rs2, rs1, 5)
#define LR_D(rd, rs1)	 ASM_R(0x08, 0, rs1, 3, rd, 0x2f)
#define SC_D(rd, a, rs1) ASM_R(0x0c, a, rs1, 3, rd, 0x2f)
#define AND(rd, a, b)	 ASM_R(0, b, a, 7, rd, 0x33)
#define FLD(rd, imm, a)	 (ASM_I(imm, a, 3, rd, 0x07))
#define FADD_D(rd, a, b) ASM_R(1, b, a, 7, rd, 0x53)
#define SSTATUS		 0x100

/*
 * S7 counts traps, S6 gathers what they say. Exceptions go on behind their instruction, failed fetches at RA; an
 * interrupt takes itself back by S4.
 */
static const uint32_t handler[] = {
	CSRR(T3, CSR_MCAUSE), ADDI(S7, S7, 1),
	BLT(T3, ZERO, 48),    ADDI(T4, T3, -1),
	BEQ(T4, ZERO, 32),    CSRR(T4, CSR_MEPC),
	ADD(S6, S6, T4),      ADDI(T4, T4, 4),
	CSRW(CSR_MEPC, T4),   CSRR(T4, CSR_MTVAL),
	ADD(S6, S6, T4),      MRET,
	CSRW(CSR_MEPC, RA),   MRET,
	CSRR(T4, CSR_MEPC),   ADD(S6, S6, T4),
	SW(ZERO, 0, S4),      MRET,
};

/* What a case is known by, at least, for the jit. */
struct expected {
	uint64_t traces, fills, dropped, traps;
};

struct row {
	const char *name;
	const uint32_t *code;
	size_t size;
	uint64_t s0, s1, s2, s3; /* their first values */
	struct expected expected;
};
#define CODE(array) (array), sizeof(array)

/* Two pages that drive each other out of the TLB, in a loop of loads and stores. */
static const uint32_t driven_out[] = {
	LD(T0, 0, S0), ADD(A1, A1, T0), SD(A1, 8, S1), LD(T1, 8, S1), SD(T1, 0, S0), ADDI(A0, A0, 1), J(-24),
};

/* Pointers that walk over pages, several accesses by each, and start anew. */
static const uint32_t walking[] = {
	LI(T2, 1500),	    LD(T0, 0, S0), ADD(A1, A1, T0), SD(A1, 16, S0),  LD(T1, 8, S0),    ADD(A2, A2, T1),
	SW(A2, 0, S1),	    SB(A2, 5, S1), LW(T0, 4, S1),   ADDI(S0, S0, 8), ADDI(S1, S1, 12), ADDI(T2, T2, -1),
	BNE(T2, ZERO, -44), MV(S0, S2),	   MV(S1, S3),	    J(-60),
};

/* A pointer read from memory each time, which leads to one page and another. */
static const uint32_t chasing[] = {
	LD(S0, 0, S0), LD(T0, 8, S0), ADD(A1, A1, T0), ADDI(T0, T0, 1), SD(T0, 8, S0), J(-20),
};

/* Accesses over the end of a page: within RAM, into its end, from before its start. S2 steps byte by byte. */
static const uint32_t crossing[] = {
	LI(T2, 16),    MV(S2, S0),	LD(T0, 0, S2),	 ADD(A1, A1, T0),  SD(A1, 0, S2),      LW(T1, 2, S2),
	SH(T1, 7, S2), ADD(A2, A2, T1), ADDI(S2, S2, 1), ADDI(T2, T2, -1), BNE(T2, ZERO, -32), J(-44),
};

/* Now and then an access leads nowhere, with changes before and behind it. */
static const uint32_t faulting[] = {
	ADDI(A0, A0, 1), MV(T1, S0),	  ANDI(T0, A0, 31), BNE(T0, ZERO, 8), MV(T1, S1),	  MUL(A1, A1, A0),
	LD(T2, 0, T1),	 ADD(A1, A1, T2), SD(A1, 8, T1),    ADDI(A2, A2, 3),  XORI(A3, A1, 0x55), J(-44),
};

/* The same with atomics. */
static const uint32_t atomics[] = {
	ADDI(A0, A0, 1),      MV(T1, S0),      ANDI(T0, A0, 31), BNE(T0, ZERO, 8), MV(T1, S1),
	AMOADD_D(T2, A0, T1), LR_D(T2, T1),    ADD(T2, T2, A0),	 SC_D(A3, T2, T1), ADD(A2, A2, A3),
	SC_D(A3, T2, T1),     ADD(A2, A2, A3), J(-48),
};

/* Traps by instruction, and helpers that end a block, trap, or drop what the loop holds. */
static const uint32_t trapping[] = {
	ADDI(A0, A0, 1),	   LD(T0, 0, S0),     ADD(A1, A1, T0),
	ANDI(T1, A0, 15),	   BNE(T1, ZERO, 8),  ECALL,
	ANDI(T1, A0, 31),	   BNE(T1, ZERO, 12), ILLEGAL,
	CSRR(A3, ABSENT),	   ANDI(T1, A0, 7),   BNE(T1, ZERO, 12),
	CSRRW(A4, CSR_SATP, ZERO), FENCE_I,	      CSRRW(T2, CSR_MSCRATCH, A0),
	ADD(A2, A2, T2),	   SD(A2, 8, S0),     J(-68),
};

/* Device reads, and a store that interrupts the hart right behind it. */
static const uint32_t devices[] = {
	ADDI(A0, A0, 1), LD(T0, 0, S0),	 ANDI(T1, A0, 15), BNE(T1, ZERO, 12), LI(T2, 1), SW(T2, 0, S4),
	ADDI(A1, A1, 1), LWU(T2, 0, S4), ADD(A2, A2, T2),  SD(A1, 0, S0),     J(-40),
};

/* An interrupt waits until it is let through, by a write in the middle of a block whose old value is wanted. */
static const uint32_t unmasking[] = {
	CSRRCI(T0, CSR_MSTATUS, 8),
	LI(T2, 1),
	SW(T2, 0, S4),
	ADDI(A0, A0, 1),
	CSRRSI(A3, CSR_MSTATUS, 8),
	ADD(A2, A2, A3),
	CSRRW(A4, CSR_MIE, ZERO),
	ADD(A2, A2, A4),
	SW(T2, 0, S4),
	ADDI(A1, A1, 1),
	CSRRW(A4, CSR_MIE, S1),
	ADD(A2, A2, A4),
	SD(A2, 0, S0),
	J(-52),
};

/* Calls by register: to places that share an entry of the jump table, to pages that share one of the fetch TLB. */
static const uint32_t jumping[] = {
	JALR(RA, 0, S0), JALR(RA, 0, S3), JALR(RA, 0, S1), JALR(RA, 0, S2), ADDI(A0, A0, 1), J(-20),
};
static const uint32_t callees[][3] = {
	{ADDI(A1, A1, 1), ADD(A2, A2, A1), RET},
	{ADDI(A1, A1, 2), ADD(A2, A2, A1), RET},
	{ADDI(A1, A1, 3), ADD(A2, A2, A1), RET},
	{ADDI(A1, A1, 4), ADD(A2, A2, A1), RET},
};

/* To where nothing can be fetched; the handler comes back to RA. */
static const uint32_t lost[] = {ADDI(A0, A0, 1), ANDI(T0, A0, 7), BNE(T0, ZERO, 8),
				JALR(RA, 0, S1), ADD(A1, A1, A0), J(-20)};

/* By a direct exit to an instruction that lies in two pages, and back to another page by a jump. */
static const uint32_t two_pages[] = {ADDI(A0, A0, 1), J(STRADDLED - 0x100 - 4)};
static const uint32_t before_straddling[] = {ADDI(A2, A2, 1), J(0xfc)};
static const uint32_t straddling[] = {ADDI(A1, A1, 3), J(-STRADDLED - 4)};

/* At the very end of RAM, by a direct exit to an instruction of which one half can be fetched. */
static const uint32_t edge[] = {JALR(ZERO, 0, S0)};
static const uint32_t at_the_edge[] = {ADDI(A0, A0, 1), ADD(A1, A1, A0), JAL(RA, 54), ADDI(A2, A2, 1), J(-16)};

/* A function in the page, which the loop rewrites now and then, called by direct exits; and data beside the code. */
static const uint32_t rewriting[] = {
	ADDI(A0, A0, 1),    /* 0 */
	ANDI(T0, A0, 63),   /* 4 */
	BNE(T0, ZERO, 16),  /* 8 */
	LW(T1, 0, S1),	    /* 12: the function's first instruction, or the other one */
	XORI(T1, T1, 1024), /* 16: which differ in bit 10, of S3's word */
	SW(T1, 0, S1),	    /* 20 */
	FENCE_I,	    /* 24 */
	JAL(RA, 68),	    /* 28: to 96 */
	SD(A1, 0, S2),	    /* 32: beside the code */
	LD(T2, 0, S2),	    /* 36 */
	ADD(A2, A2, T2),    /* 40 */
	J(-44),		    /* 44 */
};
static const uint32_t rewritten[] = {ADDI(A1, A1, 1), RET};

/* Floating point, loads of it alone, and neither, while mstatus.FS changes from turn to turn. */
static const uint32_t floating[] = {
	ADDI(A0, A0, 1),	  /* 0 */
	ANDI(T0, A0, 96),	  /* 4: the state, for 32 turns */
	SLLI(T0, T0, 8),	  /* 8 */
	CSRRC(ZERO, SSTATUS, S1), /* 12 */
	CSRRS(ZERO, SSTATUS, T0), /* 16 */
	ANDI(T1, A0, 3),	  /* 20 */
	BEQ(T1, ZERO, 16),	  /* 24 */
	ADD(A1, A1, A0),	  /* 28 */
	FLD(1, 0, S0),		  /* 32 */
	FADD_D(2, 2, 1),	  /* 36 */
	CSRR(T2, SSTATUS),	  /* 40 */
	ADD(A2, A2, T2),	  /* 44 */
	SD(A2, 8, S0),		  /* 48 */
	ANDI(T1, A0, 4),	  /* 52 */
	BEQ(T1, ZERO, -56),	  /* 56 */
	FADD_D(2, 2, 1),	  /* 60 */
	J(-64),			  /* 64 */
};

static const struct row rows[] = {
	{"driven out", CODE(driven_out), RIG_DATA, RIG_DATA + FAR, 0, 0, {1, 10000, 0, 0}},
	{"walking", CODE(walking), RIG_DATA, RIG_DATA + 0x100, RIG_DATA, RIG_DATA + 0x100, {1, 3, 0, 0}},
	{"walking over what shares places",
	 CODE(walking),
	 RIG_DATA,
	 RIG_DATA + FAR,
	 RIG_DATA,
	 RIG_DATA + FAR,
	 {1, 100, 0, 0}},
	{"chasing", CODE(chasing), RIG_DATA, 0, 0, 0, {1, 10000, 0, 0}},
	{"crossing pages", CODE(crossing), RIG_DATA + 4096 - 12, 0, 0, 0, {1, 2, 0, 0}},
	{"crossing pages that share a place", CODE(crossing), RIG_DATA + FAR - 12, 0, 0, 0, {1, 2, 0, 0}},
	{"crossing the end of RAM", CODE(crossing), RAM_END - 12, 0, 0, 0, {1, 1, 0, 1000}},
	{"crossing the start of RAM", CODE(crossing), RIG_CODE - 12, 0, 0, 0, {1, 1, 0, 1000}},
	{"faulting", CODE(faulting), RIG_DATA, NOWHERE, 0, 0, {1, 1, 0, 1000}},
	{"atomics", CODE(atomics), RIG_DATA, NOWHERE, 0, 0, {1, 1, 0, 1000}},
	{"trapping", CODE(trapping), RIG_DATA, 0, 0, 0, {1, 1000, 0, 1000}},
	{"devices", CODE(devices), RIG_DATA, 0, 0, 0, {1, 1, 0, 1000}},
	{"unmasking", CODE(unmasking), RIG_DATA, 1 << BIS_LINE_MSIP, 0, 0, {1, 1, 0, 1000}},
	{"floating", CODE(floating), RIG_DATA, 3 << 13, 0, 0, {1, 1, 0, 1000}},
	{"jumping", CODE(jumping), CODE2, CODE2 + FAR, CODE2 + FAR + 64, CODE2 + APART, {0, 0, 0, 0}},
	{"lost", CODE(lost), 0, NOWHERE, 0, 0, {0, 0, 0, 1000}},
	{"the edge of RAM", CODE(edge), RAM_END - 64, 0, 0, 0, {0, 0, 0, 1000}},
	{"divided by PMP", CODE(faulting), RIG_DATA, NOWHERE, 0, DIVIDED, {0, 1, 0, 1000}},
	{"two pages", CODE(two_pages), 0, 0, 0, 0, {0, 0, 0, 0}},
	{"rewriting", CODE(rewriting), 0, RIG_CODE + 96, RIG_CODE + 256, 0, {0, 1, 100, 0}},
};

/* In M-mode, whose RAM is reached in one stretch, or in S-mode, page by page. */
static void put(struct bis_machine *m, const struct row *r, bool supervisor)
{
	const uint64_t values[] = {r->s0, r->s1, r->s2, r->s3, CLINT};
	static const unsigned regs[] = {S0, S1, S2, S3, S4};
	static const uint8_t zeros[DATA_SIZE];

	rig_write(m, RIG_DATA, zeros, DATA_SIZE);
	rig_set64(m, RIG_DATA, r->code == chasing ? RIG_DATA + FAR : 0x123456789);
	rig_set64(m, RIG_DATA + FAR, RIG_DATA);
	RIG_LOAD(m, HANDLER, handler);
	RIG_LOAD(m, CODE2, callees[0]);
	RIG_LOAD(m, CODE2 + APART, callees[1]);
	RIG_LOAD(m, CODE2 + FAR, callees[2]);
	RIG_LOAD(m, CODE2 + FAR + 64, callees[3]);
	rig_write(m, RIG_CODE, r->code, r->size);
	RIG_LOAD(m, RIG_CODE + 96, rewritten);
	RIG_LOAD(m, RIG_CODE + STRADDLED - 0x100, before_straddling);
	RIG_LOAD(m, RIG_CODE + STRADDLED, straddling);
	RIG_LOAD(m, RAM_END - 64, at_the_edge);
	rig_write(m, RAM_END - 2, straddling, 2);
	for (unsigned reg = 1; reg < 32; reg++)
		bis_hart_set_reg(rig_hart(m), reg, 0);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(regs); i++)
		bis_hart_set_reg(rig_hart(m), regs[i], values[i]);
	rig_set_csr(m, CSR_MTVEC, HANDLER);
	rig_set_csr(m, CSR_MIE, 1 << BIS_LINE_MSIP);
	rig_set_csr(m, CSR_MSTATUS, 8);
	rig_set_csr(m, CSR_PMPADDR0, (RIG_CODE + 0xf00) >> 2);
	rig_set_csr(m, CSR_PMPADDR0 + 1, UINT64_MAX);
	rig_set_csr(m, CSR_PMPCFG0, r->s3 == DIVIDED ? 0x1f9f : 0x1f00); /* eight bytes apart; all */
	bis_hart_set_priv(rig_hart(m), supervisor ? BIS_PRIV_S : BIS_PRIV_M);
	bis_hart_set_pc(rig_hart(m), RIG_CODE);
}

static void assert_same_data(struct twins *t)
{
	static uint8_t a[DATA_SIZE], b[DATA_SIZE];

	assert_ok(bis_mem_read(bis_machine_memory(t->jit), (bis_gpa){RIG_DATA}, a, DATA_SIZE));
	assert_ok(bis_mem_read(bis_machine_memory(t->interp), (bis_gpa){RIG_DATA}, b, DATA_SIZE));
	assert_memory_equal(a, b, DATA_SIZE);
}

static uint64_t traps_of(const struct bis_hart_counters *c)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < 64; i++)
		n += c->traps[i] + c->interrupts[i];
	return n;
}

/* Warm; the case has come up. */
static struct twins twins_with(const struct row *r, bool supervisor)
{
	struct twins t = twins_create((struct bis_machine_config){.clock = BIS_CLOCK_VIRTUAL});
	struct bis_hart_counters c;

	put(t.jit, r, supervisor);
	put(t.interp, r, supervisor);
	step_both(&t, HEATED);
	assert_same_data(&t);
	bis_hart_counters(rig_hart(t.jit), &c);
	if (c.traces_translated < r->expected.traces || (supervisor && c.tlb_fills < r->expected.fills) ||
	    c.blocks_dropped < r->expected.dropped || traps_of(&c) < r->expected.traps)
		fail_msg("%s: %llu traces, %llu TLB fills, %llu dropped, %llu traps", r->name,
			 (unsigned long long)c.traces_translated, (unsigned long long)c.tlb_fills,
			 (unsigned long long)c.blocks_dropped, (unsigned long long)traps_of(&c));
	return t;
}

/* --- Budgets --- */

static void budgets_end_anywhere(void **state)
{
	uint64_t seed = 123456789;

	(void)state;
	for (size_t i = 0; i < 2 * BIS_ARRAY_SIZE(rows); i++) {
		struct twins t = twins_with(&rows[i / 2], i % 2);

		for (unsigned step = 1; step < 100; step++)
			step_both(&t, step % 3 ? step : 1 + random_next(&seed) % 300);
		step_both(&t, 20000 + random_next(&seed) % 60000);
		assert_same_data(&t);
		twins_destroy(&t);
	}
}

static void requests_come_at_any_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * BIS_ARRAY_SIZE(rows); i++) {
		struct twins t = twins_with(&rows[i / 2], i % 2);

		for (unsigned n = 0; n < 4; n++) {
			run_a_little(t.jit);
			assert_ok(bis_machine_pause(t.jit));
			assert_ok(bis_machine_step(t.jit, 1)); /* a trap may just have been taken */
			follow(&t);
		}
		assert_same_data(&t);
		twins_destroy(&t);
	}
}

/* --- What is forgotten between any two instructions is found anew --- */

static void forget_something(struct bis_hart *h, unsigned what)
{
	switch (what % 7) {
	case 0:
		bis_tlb_flush(h);
		break;
	case 1:
		bis_tlb_flush_writes(h);
		break;
	case 2:
		bis_tlb_flush_va(h, RIG_DATA);
		break;
	case 3:
		bis_block_cache_flush(h->cache);
		break;
	case 4:
		bis_block_cache_drop_page(h->cache, RIG_CODE);
		break;
	case 5:
		bis_block_cache_drop_page(h->cache, HANDLER);
		break;
	default:
		bis_hart_forget_jumps(h);
	}
}

static void forgetting_changes_nothing(void **state)
{
	uint64_t seed = 362436069;

	(void)state;
	for (size_t i = 0; i < 2 * BIS_ARRAY_SIZE(rows); i++) {
		struct twins t = twins_with(&rows[i / 2], i % 2);

		for (unsigned n = 0; n < 100; n++) {
			forget_something(rig_hart(t.jit), (unsigned)random_next(&seed));
			step_both(&t, 1 + random_next(&seed) % (n % 10 ? 200 : 20000));
		}
		assert_same_data(&t);
		twins_destroy(&t);
	}
}

/* --- Accesses that miss the TLB, in blocks that have been entered once --- */

#define LOAD(f3, rd, imm, rs1)	 (ASM_I(imm, rs1, f3, rd, 0x03))
#define STORE(f3, rs2, imm, rs1) ASM_S(imm, rs2, rs1, f3, 0x23)
#define FLOAD(f3, rd, imm, rs1)	 (ASM_I(imm, rs1, f3, rd, 0x07))
#define FSD(rs2, imm, rs1)	 ASM_S(imm, rs2, rs1, 3, 0x27)

#define OTHER (RIG_DATA + 4096)
enum { F1 = 1, FS_DIRTY = 3 << 13 };

/* In S-mode, with nothing in the TLB; A0, T4, A5 and, behind the first instruction, T3 lead to the data. */
static void assert_alike_cold(struct twins *t, uint32_t first, uint32_t second)
{
	const uint32_t code[] = {ADDI(T3, T3, 5), first,	   second,	   ADD(A1, A1, T3),
				 ADD(A3, A3, T5), FSD(F1, 16, A5), LD(A4, 16, A5), J(0)};
	struct bis_machine *both[] = {t->jit, t->interp};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(both); i++) {
		struct bis_hart *h = rig_hart(both[i]);

		RIG_LOAD(both[i], RIG_CODE, code);
		rig_set64(both[i], RIG_DATA, UINT64_C(0x818283f4f5f6f7f8));
		rig_set64(both[i], OTHER, UINT64_C(0xa1a2a3a4a5a6a7a8));
		for (unsigned reg = 1; reg < 32; reg++)
			bis_hart_set_reg(h, reg, 0x87654321 * reg);
		bis_hart_set_reg(h, A0, RIG_DATA);
		bis_hart_set_reg(h, T4, RIG_DATA);
		bis_hart_set_reg(h, A5, OTHER);
		bis_hart_set_reg(h, T3, RIG_DATA - 5);
		bis_hart_set_pc(h, RIG_CODE);
		bis_block_cache_flush(h->cache);
		bis_tlb_flush(h);
	}
	step_both(t, BIS_ARRAY_SIZE(code));
}

static void accesses_find_their_registers(void **state)
{
	static const unsigned bases[] = {A0, T4, T3}, others[] = {A2, T5, T3, ZERO, A0};
	static const char *const isas[] = {"rv64", "rv32"};

	(void)state;
	for (size_t isa = 0; isa < BIS_ARRAY_SIZE(isas); isa++) {
		struct twins t = twins_create((struct bis_machine_config){.isa = isas[isa]});
		struct bis_machine *both[] = {t.jit, t.interp};

		for (size_t i = 0; i < BIS_ARRAY_SIZE(both); i++) {
			rig_set_csr(both[i], CSR_MTVEC, HANDLER);
			rig_set_csr(both[i], CSR_MSTATUS, FS_DIRTY);
			rig_set_csr(both[i], CSR_PMPADDR0, UINT64_MAX);
			rig_set_csr(both[i], CSR_PMPCFG0, 0x1f);
			bis_hart_set_priv(rig_hart(both[i]), BIS_PRIV_S);
		}
		for (unsigned f3 = 0; f3 < 7; f3++)
			for (size_t i = 0; i < BIS_ARRAY_SIZE(bases) * BIS_ARRAY_SIZE(others); i++) {
				unsigned base = bases[i % BIS_ARRAY_SIZE(bases)], r = others[i / BIS_ARRAY_SIZE(bases)];

				assert_alike_cold(&t, LOAD(f3, r, 0, base), ADD(A2, A2, T3));
				assert_alike_cold(&t, LOAD(f3, r, 0, base), LOAD(f3, r, 0, A5));
				assert_alike_cold(&t, STORE(f3 & 3, r, 0, base), ADD(A2, A2, T3));
			}
		for (unsigned f3 = 2; f3 < 4; f3++) {
			assert_alike_cold(&t, FLOAD(f3, F1, 0, A0), ADD(A2, A2, T3));
			assert_alike_cold(&t, FLOAD(2, F1, 0, A0), FLOAD(f3, F1, 0, A5));
		}
		twins_destroy(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(budgets_end_anywhere),
		cmocka_unit_test(requests_come_at_any_time),
		cmocka_unit_test(forgetting_changes_nothing),
		cmocka_unit_test(accesses_find_their_registers),
	};

	return cmocka_run_group_tests_name("engine_exits", tests, NULL, NULL);
}
