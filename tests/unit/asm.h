/*
 * RISC-V instruction words for hand-assembled guest code: constant expressions, so that a program is an array. Register
 * operands are numbers or the names below; branch and jump distances are bytes from the instruction itself.
 */
#ifndef BISCUIT_UNIT_ASM_H
#define BISCUIT_UNIT_ASM_H

#include <stdint.h>

enum { ZERO = 0, RA = 1, SP = 2, T0 = 5, T1 = 6, T2 = 7, S0 = 8, S1 = 9, A0 = 10, A1, A2, A3, A4, A5, A6, A7 };

#define ASM_BITS(v, low, count) (((uint32_t)(v) >> (low)) & ((UINT32_C(1) << (count)) - 1))
#define ASM_R(f7, rs2, rs1, f3, rd, op)                                                                                \
	((uint32_t)(f7) << 25 | (uint32_t)(rs2) << 20 | (uint32_t)(rs1) << 15 | (uint32_t)(f3) << 12 |                 \
	 (uint32_t)(rd) << 7 | (uint32_t)(op))
#define ASM_I(imm, rs1, f3, rd, op)  ASM_R(0, 0, rs1, f3, rd, op) | ASM_BITS(imm, 0, 12) << 20
#define ASM_S(imm, rs2, rs1, f3, op) ASM_R(ASM_BITS(imm, 5, 7), rs2, rs1, f3, ASM_BITS(imm, 0, 5), op)
#define ASM_B(d, rs2, rs1, f3)                                                                                         \
	ASM_R(ASM_BITS(d, 12, 1) << 6 | ASM_BITS(d, 5, 6), rs2, rs1, f3, ASM_BITS(d, 1, 4) << 1 | ASM_BITS(d, 11, 1),  \
	      0x63)

#define ADDI(rd, rs1, imm) (ASM_I(imm, rs1, 0, rd, 0x13))
#define ANDI(rd, rs1, imm) (ASM_I(imm, rs1, 7, rd, 0x13))
#define XORI(rd, rs1, imm) (ASM_I(imm, rs1, 4, rd, 0x13))
#define SLLI(rd, rs1, n)   (ASM_I(n, rs1, 1, rd, 0x13))
#define SRLI(rd, rs1, n)   (ASM_I(n, rs1, 5, rd, 0x13))
#define ADD(rd, rs1, rs2)  ASM_R(0, rs2, rs1, 0, rd, 0x33)
#define SUB(rd, rs1, rs2)  ASM_R(0x20, rs2, rs1, 0, rd, 0x33)
#define OR(rd, rs1, rs2)   ASM_R(0, rs2, rs1, 6, rd, 0x33)
#define MUL(rd, rs1, rs2)  ASM_R(1, rs2, rs1, 0, rd, 0x33)
#define LUI(rd, upper)	   ((uint32_t)(upper) << 12 | (uint32_t)(rd) << 7 | 0x37)
#define AUIPC(rd, upper)   ((uint32_t)(upper) << 12 | (uint32_t)(rd) << 7 | 0x17)
#define NOP		   ADDI(ZERO, ZERO, 0)
#define MV(rd, rs1)	   ADDI(rd, rs1, 0)
#define LI(rd, imm)	   ADDI(rd, ZERO, imm) /* -2048 to 2047 */

#define LB(rd, imm, rs1)       (ASM_I(imm, rs1, 0, rd, 0x03))
#define LH(rd, imm, rs1)       (ASM_I(imm, rs1, 1, rd, 0x03))
#define LW(rd, imm, rs1)       (ASM_I(imm, rs1, 2, rd, 0x03))
#define LD(rd, imm, rs1)       (ASM_I(imm, rs1, 3, rd, 0x03))
#define LBU(rd, imm, rs1)      (ASM_I(imm, rs1, 4, rd, 0x03))
#define LWU(rd, imm, rs1)      (ASM_I(imm, rs1, 6, rd, 0x03))
#define SB(rs2, imm, rs1)      ASM_S(imm, rs2, rs1, 0, 0x23)
#define SH(rs2, imm, rs1)      ASM_S(imm, rs2, rs1, 1, 0x23)
#define SW(rs2, imm, rs1)      ASM_S(imm, rs2, rs1, 2, 0x23)
#define SD(rs2, imm, rs1)      ASM_S(imm, rs2, rs1, 3, 0x23)
#define AMOADD_W(rd, rs2, rs1) ASM_R(0, rs2, rs1, 2, rd, 0x2f)
#define AMOADD_D(rd, rs2, rs1) ASM_R(0, rs2, rs1, 3, rd, 0x2f)

#define BEQ(rs1, rs2, d)  ASM_B(d, rs2, rs1, 0)
#define BNE(rs1, rs2, d)  ASM_B(d, rs2, rs1, 1)
#define BLT(rs1, rs2, d)  ASM_B(d, rs2, rs1, 4)
#define BLTU(rs1, rs2, d) ASM_B(d, rs2, rs1, 6)
#define JAL(rd, d)                                                                                                     \
	(ASM_BITS(d, 20, 1) << 31 | ASM_BITS(d, 1, 10) << 21 | ASM_BITS(d, 11, 1) << 20 | ASM_BITS(d, 12, 8) << 12 |   \
	 (uint32_t)(rd) << 7 | 0x6f)
#define J(d)		   JAL(ZERO, d)
#define SPIN		   J(0)
#define JALR(rd, imm, rs1) (ASM_I(imm, rs1, 0, rd, 0x67))
#define RET		   JALR(ZERO, 0, RA)

#define CSRRW(rd, csr, rs1)  (ASM_I(csr, rs1, 1, rd, 0x73))
#define CSRRS(rd, csr, rs1)  (ASM_I(csr, rs1, 2, rd, 0x73))
#define CSRRC(rd, csr, rs1)  (ASM_I(csr, rs1, 3, rd, 0x73))
#define CSRRWI(rd, csr, n)   (ASM_I(csr, n, 5, rd, 0x73))
#define CSRRSI(rd, csr, n)   (ASM_I(csr, n, 6, rd, 0x73))
#define CSRRCI(rd, csr, n)   (ASM_I(csr, n, 7, rd, 0x73))
#define CSRR(rd, csr)	     CSRRS(rd, csr, ZERO)
#define CSRW(csr, rs1)	     CSRRW(ZERO, csr, rs1)
#define ECALL		     UINT32_C(0x00000073)
#define EBREAK		     UINT32_C(0x00100073)
#define SRET		     UINT32_C(0x10200073)
#define MRET		     UINT32_C(0x30200073)
#define WFI		     UINT32_C(0x10500073)
#define FENCE_I		     UINT32_C(0x0000100f)
#define SFENCE_VMA(rs1, rs2) ASM_R(9, rs2, rs1, 0, 0, 0x73)
#define ILLEGAL		     UINT32_C(0x00000000)

enum { CSR_SATP = 0x180, CSR_SEPC = 0x141, CSR_SCAUSE = 0x142, CSR_STVAL = 0x143, CSR_STVEC = 0x105 };
enum { CSR_MSTATUS = 0x300, CSR_MEDELEG = 0x302, CSR_MIDELEG = 0x303, CSR_MIE = 0x304, CSR_MTVEC = 0x305 };
enum { CSR_MSCRATCH = 0x340, CSR_MEPC = 0x341, CSR_MCAUSE = 0x342, CSR_MTVAL = 0x343, CSR_MIP = 0x344 };
enum { CSR_PMPCFG0 = 0x3a0, CSR_PMPADDR0 = 0x3b0, CSR_MINSTRET = 0xb02 };

#endif
