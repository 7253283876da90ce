/* The arithmetic of the D extension; the vectors are in float_double.def. */
#define FORMAT	  "d"
#define LOAD_INSN "fld"
#define BOX	  0ull
#define SIGN	  0x8000000000000000
#define ONE	  0x3ff0000000000000
#define SNAN	  0x7ff0000000000001
#define VECTORS	  "float_double.def"
#include "float_arithmetic.h"
