#!/bin/sh
# Random RV64 programs on Biscuit and on QEMU; see run.sh.
exec "$(dirname "$0")/run.sh" 64
