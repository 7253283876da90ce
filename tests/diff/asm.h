/*
 * asm.h - a growing buffer of RISC-V code and the encoders that the program's own runtime is written with.
 * The instructions under test come from the project's instruction table instead (table.h).
 */
#ifndef BISCUIT_TESTS_DIFF_ASM_H
#define BISCUIT_TESTS_DIFF_ASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reg { ZERO, RA, SP, GP, TP, T0, T1, T2, S0, S1, A0, A1, A2, A3, A4, A5 };

enum csr_addr {
	CSR_FFLAGS = 0x001,
	CSR_FRM = 0x002,
	CSR_FCSR = 0x003,
	CSR_SSTATUS = 0x100,
	CSR_SIE = 0x104,
	CSR_STVEC = 0x105,
	CSR_SCOUNTEREN = 0x106,
	CSR_SSCRATCH = 0x140,
	CSR_SEPC = 0x141,
	CSR_SCAUSE = 0x142,
	CSR_STVAL = 0x143,
	CSR_SIP = 0x144,
	CSR_SATP = 0x180,
	CSR_MSTATUS = 0x300,
	CSR_MEDELEG = 0x302,
	CSR_MIDELEG = 0x303,
	CSR_MIE = 0x304,
	CSR_MTVEC = 0x305,
	CSR_MCOUNTEREN = 0x306,
	CSR_MSTATUSH = 0x310,
	CSR_MSCRATCH = 0x340,
	CSR_MEPC = 0x341,
	CSR_MCAUSE = 0x342,
	CSR_MTVAL = 0x343,
	CSR_MIP = 0x344,
	CSR_PMPCFG0 = 0x3a0,
	CSR_PMPADDR0 = 0x3b0,
	CSR_CYCLE = 0xc00,
	CSR_MHARTID = 0xf14,
};

enum mstatus_bits {
	MSTATUS_SIE = 1 << 1,
	MSTATUS_MIE = 1 << 3,
	MSTATUS_SPIE = 1 << 5,
	MSTATUS_MPIE = 1 << 7,
	MSTATUS_SPP = 1 << 8,
	MSTATUS_MPP = 3 << 11,
	MSTATUS_FS = 3 << 13,
	MSTATUS_MPRV = 1 << 17,
	MSTATUS_SUM = 1 << 18,
	MSTATUS_MXR = 1 << 19,
	MSTATUS_TVM = 1 << 20,
	MSTATUS_TW = 1 << 21,
	MSTATUS_TSR = 1 << 22,
};

struct code {
	uint8_t *bytes;
	size_t len;
	size_t cap;
	unsigned xlen;
};

/* All functions append to c. Running out of host memory or of TEXT_MAX ends the program with a message: this is a test
 * tool. */
void as_half(struct code *c, uint32_t half);
void as_word(struct code *c, uint32_t word);
uint64_t as_here(const struct code *c); /* guest address of the next instruction */

void as_r(struct code *c, uint32_t match, unsigned rd, unsigned rs1, unsigned rs2);
void as_i(struct code *c, uint32_t match, unsigned rd, unsigned rs1, int imm);
void as_s(struct code *c, uint32_t match, unsigned rs2, unsigned rs1, int imm);

enum as_i_match {
	I_ADDI = 0x00000013,
	I_SLLI = 0x00001013,
	I_SRLI = 0x00005013,
	I_ANDI = 0x00007013,
	I_ADDIW = 0x0000001b,
	I_JALR = 0x00000067,
	I_LHU = 0x00005003,
	I_LBU = 0x00004003,
	I_LW = 0x00002003,
	I_LD = 0x00003003,
	I_FLD = 0x00003007,
	I_FLW = 0x00002007,
};
enum as_r_match {
	R_ADD = 0x00000033,
	R_SUB = 0x40000033,
	R_XOR = 0x00004033,
	R_OR = 0x00006033,
	R_AND = 0x00007033,
};
enum as_s_match {
	S_SB = 0x00000023,
	S_SH = 0x00001023,
	S_SW = 0x00002023,
	S_SD = 0x00003023,
	S_FSW = 0x00002027,
	S_FSD = 0x00003027
};
enum as_b_match { B_BEQ = 0x00000063, B_BNE = 0x00001063, B_BLT = 0x00004063, B_BGE = 0x00005063, B_BLTU = 0x00006063 };
enum as_word_match {
	W_ECALL = 0x00000073,
	W_SRET = 0x10200073,
	W_MRET = 0x30200073,
	W_FENCE_I = 0x0000100f,
	W_SFENCE_VMA = 0x12000073
};

void as_load(struct code *c, unsigned rd, unsigned rs1, int off);   /* XLEN bits */
void as_store(struct code *c, unsigned rs2, unsigned rs1, int off); /* XLEN bits */
void as_li(struct code *c, unsigned rd, uint64_t value);	    /* value is truncated to XLEN */
void as_csr(struct code *c, unsigned funct3, unsigned rd, unsigned csr, unsigned rs1);
void as_csrr(struct code *c, unsigned rd, unsigned csr);
void as_csrw(struct code *c, unsigned csr, unsigned rs1);
void as_csrs(struct code *c, unsigned csr, unsigned rs1);
void as_csrc(struct code *c, unsigned csr, unsigned rs1);

/* A branch or jump to an address already emitted; to one ahead, emit it with target as_here() and patch it there. */
void as_branch(struct code *c, uint32_t match, unsigned rs1, unsigned rs2, uint64_t target);
void as_jump(struct code *c, unsigned rd, uint64_t target);
void as_far_call(struct code *c, unsigned rd, uint64_t target); /* auipc rd; jalr rd, rd */
/* Make the branch or jal at guest address at go to as_here(); replace size bytes there. */
void as_patch_branch(struct code *c, uint64_t at);
void as_patch_jump(struct code *c, uint64_t at);
void as_patch_bytes(struct code *c, uint64_t at, uint32_t word, unsigned size);
/* auipc rd; addi rd, rd: rd = an address near this code. as_patch_la aims the pair at address at to as_here() + addend.
 */
void as_la(struct code *c, unsigned rd, uint64_t target);
void as_patch_la(struct code *c, uint64_t at, int addend);

#endif
