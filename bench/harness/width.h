/* The register width in assembly: the load, the store and the bytes of one register. */
#if __riscv_xlen == 64
#define REG_LOAD  ld
#define REG_STORE sd
#define REG_BYTES 8
#else
#define REG_LOAD  lw
#define REG_STORE sw
#define REG_BYTES 4
#endif
