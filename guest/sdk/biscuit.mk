# Rules to build a bare RISC-V program with this SDK, anywhere. A makefile sets these and then includes this file:
#
#   PROGRAM   the file to make, such as hello.elf
#   SOURCES   its .c and .S files, relative to the makefile
#
# and, where the defaults do not fit:
#
#   WIDTH     64 or 32                                  default 64
#   MODE      machine: started bare at 0x80000000       default machine
#             supervisor: started by firmware in S-mode at 0x80200000
#   HEAP      bytes for malloc                          default 4194304
#   BUILD     folder for object files                   default build-rv64 or build-rv32
#   CROSS     prefix of the compiler                    default riscv64-unknown-elf-
#   ISA, ABI  -march and -mabi                          default rv64imac_zicsr_zifencei, lp64 (rv32imac..., ilp32)
#   CFLAGS    optimisation and warnings                 default -O2 -g -Wall -Wextra
#
# The SDK's own sources are compiled with the same flags into $(BUILD)/libsdk.a.

BISCUIT_SDK := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
SOURCE_DIR := $(patsubst %/,%,$(dir $(firstword $(MAKEFILE_LIST))))
BISCUIT_H_DIR ?= $(BISCUIT_SDK)/include

WIDTH ?= 64
MODE ?= machine
HEAP ?= 4194304
BUILD ?= build-rv$(WIDTH)
CROSS ?= riscv64-unknown-elf-
ISA ?= rv$(WIDTH)imac_zicsr_zifencei
ABI ?= $(if $(filter 32,$(WIDTH)),ilp32,lp64)
CFLAGS ?= -O2 -g -Wall -Wextra

# In Biscuit's source tree biscuit.h is made here, from the table of registers that the devices use.
ifeq ($(wildcard $(BISCUIT_H_DIR)/biscuit.h),)
BISCUIT_H_DIR := $(BUILD)/include
MADE_HEADER := $(BISCUIT_H_DIR)/biscuit.h
endif

GUEST_CC = $(CROSS)gcc
GUEST_AR = $(CROSS)ar
GUEST_FLAGS = -march=$(ISA) -mabi=$(ABI) -mcmodel=medany -std=gnu17 -ffreestanding -fno-tree-loop-distribute-patterns \
	-ffunction-sections -fdata-sections -fno-common -I$(BISCUIT_SDK)/include -I$(BISCUIT_H_DIR) \
	$(if $(filter supervisor,$(MODE)),-DSUPERVISOR)
GUEST_LDFLAGS = -nostdlib -static -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=4096
# The compiler's own arithmetic (64-bit division on rv32), by the plain name of the instruction set: it knows no other.
GUEST_LIBGCC = $(shell $(GUEST_CC) -march=$(firstword $(subst _, ,$(ISA))) -mabi=$(ABI) -print-libgcc-file-name)
GUEST_LAYOUT = -T $(BISCUIT_SDK)/biscuit.ld -Wl,--defsym=HEAP_SIZE=$(HEAP) \
	$(if $(filter supervisor,$(MODE)),-Wl$(comma)--defsym=RAM_START=0x80200000)
comma := ,

SDK_SOURCES = start.S start.c hart.c power.c native.c native_devices.c console.c \
	assert.c format.c malloc.c memory.c stdio.c string.c strtol.c
SDK_OBJECTS = $(patsubst %,$(BUILD)/sdk/%.o,$(filter-out $(if $(filter supervisor,$(MODE)),hart.c),$(SDK_SOURCES)))
PROGRAM_OBJECTS = $(patsubst %,$(BUILD)/%.o,$(SOURCES))

# The entry point comes first on the command line; of the rest the linker takes what is used.
$(PROGRAM): $(PROGRAM_OBJECTS) $(BUILD)/libsdk.a $(BISCUIT_SDK)/biscuit.ld
	$(GUEST_CC) $(GUEST_FLAGS) $(GUEST_LDFLAGS) $(GUEST_LAYOUT) -o $@ \
		$(BUILD)/sdk/start.S.o $(PROGRAM_OBJECTS) $(BUILD)/libsdk.a $(GUEST_LIBGCC)

$(BUILD)/libsdk.a: $(SDK_OBJECTS)
	rm -f $@
	$(GUEST_AR) rcs $@ $(SDK_OBJECTS)

$(MADE_HEADER): $(BISCUIT_SDK)/biscuit-h.awk $(BISCUIT_SDK)/../../modules/device/native_regs.def
	@mkdir -p $(@D)
	awk -f $^ >$@

$(SDK_OBJECTS) $(PROGRAM_OBJECTS): | $(MADE_HEADER)

$(BUILD)/sdk/%.o: $(BISCUIT_SDK)/lib/%
	@mkdir -p $(@D)
	$(GUEST_CC) $(GUEST_FLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: $(SOURCE_DIR)/%
	@mkdir -p $(@D)
	$(GUEST_CC) $(GUEST_FLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

clean:
	rm -rf $(BUILD) $(PROGRAM)

.PHONY: clean
-include $(SDK_OBJECTS:.o=.d) $(PROGRAM_OBJECTS:.o=.d)
