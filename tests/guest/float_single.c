/* The arithmetic of the F extension; the vectors are in float_single.def. */
#define FORMAT	  "s"
#define LOAD_INSN "flw"
#define BOX	  0xffffffff00000000
#define SIGN	  0x80000000
#define ONE	  0x3f800000
#define SNAN	  0x7f800001
#define VECTORS	  "float_single.def"
#include "float_arithmetic.h"
